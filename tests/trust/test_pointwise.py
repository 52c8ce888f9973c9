"""Single points, each by itself, speak for the same components as all together, or do not."""

import numpy as np
import pytest
import torch

from identica import DICA, IMA, Compositional, Dense, Staged, Training, load
from identica.criteria import LocalGeometry, Volume
from identica.datasets import make_mixture
from identica.solvers.alignment import align
from identica.trust import pointwise_agreement


def generator():
    return torch.Generator().manual_seed(0)


def test_each_point_is_aligned_as_one_point_alone_is():
    jacobians = torch.as_tensor(make_mixture(3, 60, 3, kind="perturbed", random_state=0).jacobians, dtype=torch.float32)
    found = pointwise_agreement(jacobians, Volume(1.0), generator=generator(), n_restarts=8).cosines
    for one, cosines in zip(jacobians, found, strict=True):
        best = align(LocalGeometry.of(one[None]), Volume(1.0), n_restarts=16, generator=generator()).transform
        columns = [(matrix / matrix.norm(dim=0)).double() for matrix in (one, one @ best)]
        expected = (columns[0].T @ columns[1]).abs().max(dim=1).values
        np.testing.assert_allclose(np.sort(cosines), np.sort(expected), atol=0.01)


def test_true_components_of_rows_with_corners_are_best_at_every_point_and_turned_ones_are_not():
    jacobians = torch.as_tensor(make_mixture(4, 400, 3, kind="linear", random_state=0).jacobians, dtype=torch.float32)
    true = pointwise_agreement(jacobians, Volume(1.0), generator=generator())
    assert true.cosines.shape == (4, 3)
    assert true.mean > 0.97
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator())).Q
    assert pointwise_agreement(jacobians @ turn, Volume(1.0), generator=generator()).mean < 0.9


def test_scales_order_and_signs_of_components_do_not_matter():
    jacobians = torch.as_tensor(make_mixture(3, 80, 3, kind="sparse", random_state=0).jacobians, dtype=torch.float32)
    changed = jacobians[..., [2, 0, 1]] * torch.tensor([-100.0, 0.01, 3.0])
    first, second = (pointwise_agreement(j, Volume(1.0), generator=generator()).mean for j in (jacobians, changed))
    assert first == pytest.approx(second, abs=0.005)


def test_criteria_of_groups_or_of_deviations_are_refused():
    with pytest.raises(ValueError, match="does not tell single components by the Jacobian of one point"):
        pointwise_agreement(torch.ones(2, 8, 4), Compositional(4, block_size=2)._criterion(), generator=generator())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_have_it_and_keep_it_in_their_file(tmp_path):
    X = make_mixture(400, 20, 2, random_state=0).X
    shared = {"n_init": 1, "network": Dense(hidden=(8,)), "training": Training(max_steps=60), "random_state": 0}
    dica = DICA(2, solver=Staged(restarts=2), **shared).fit(X)
    assert 0 < dica.pointwise_agreement_ <= 1
    dica.save(tmp_path / "model")
    assert load(tmp_path / "model").pointwise_agreement_ == dica.pointwise_agreement_
    assert IMA(2, **shared).fit(X).pointwise_agreement_ is None
