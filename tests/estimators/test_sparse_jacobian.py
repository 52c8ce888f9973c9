"""What belongs to one solver of SparseJacobian is refused by the other, and its names are told."""

import numpy as np
import pytest

from identica import SparseJacobian, Staged

X = np.random.default_rng(0).standard_normal((60, 5))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"solver": "joint"}, ValueError, "solver='joint' is not known here: use one of direct, staged, or Staged"),
        ({"solver": 3}, TypeError, "solver=3 is no solver of this method"),
        ({"solver": "staged", "unit_variance": False}, ValueError, "unit_variance=False is of solver='direct'"),
        ({"solver": Staged(), "weight": 0.3}, ValueError, "weight=0.3 is of solver='direct'.*solver=Staged"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        SparseJacobian(2, **arguments).fit(X)
