"""What every test runs under: few threads, and nobody touches the global random state."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def global_random_state_is_left_alone() -> Iterator[None]:
    """Fail a test after which NumPy's or torch's global generator stands elsewhere."""
    numpy_before = np.random.get_state(legacy=False)  # noqa: NPY002
    torch_before = torch.get_rng_state()
    yield
    numpy_after = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(numpy_after, numpy_before, "NumPy's global random state has changed")
    assert torch.equal(torch.get_rng_state(), torch_before), "torch's global random state has changed"
