"""Which features count as constant, and what is done to the others."""

import numpy as np
import pytest

from identica.preparation import standardise


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e-3, 1 / 3, 12345.678])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_samples", [2, 600, 20_001])
def test_features_of_one_value_are_constant_whatever_rounding_makes_of_their_mean(value, dtype, n_samples):
    X = np.full((n_samples, 3), value, dtype=dtype)
    with pytest.raises(ValueError, match="all 3 feature"):
        standardise(X, per_feature=True, names=None)
    X[:, 1] = np.arange(n_samples)
    with pytest.warns(UserWarning, match="2 constant feature"):
        found = standardise(X, per_feature=True, names=None)
    assert not found.values[:, [0, 2]].any()
    assert found.values[:, 1].std() == pytest.approx(1, rel=1e-5)


def test_a_feature_that_varies_little_beside_its_size_is_none():
    X = 1000 + 1e-6 * np.random.default_rng(0).standard_normal((500, 2))
    assert standardise(X, per_feature=True, names=None).values.std(axis=0) == pytest.approx(1)
