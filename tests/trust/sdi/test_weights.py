"""The smallest weighted L1 ball around the rows: optimality, scaling, known weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from influence_cases import k_sign, on_sphere, two_sparse
from scipy.optimize import nnls

from identica.trust.sdi import fit_weights


def assert_optimal(jacobian, weights):
    """Check that no row is outside, and that 1 / w is a nonnegative combination of rows on the boundary."""
    sizes = np.abs(jacobian) * weights
    assert sizes.sum(axis=1).max() == pytest.approx(1, abs=1e-12)
    active = sizes[sizes.sum(axis=1) > 1 - 1e-7]
    assert nnls(active.T, np.ones(len(weights)))[1] < 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 3), (3, 10), (10, 10), (50, 3), (1000, 10)])
def test_the_optimality_conditions_are_met(shape):
    generator = np.random.default_rng(shape)
    for decades in (0, 5):
        scales = 10 ** generator.uniform(-decades, decades, size=(shape[0], 1))
        jacobian = generator.standard_normal(shape) * scales
        assert_optimal(jacobian, fit_weights(jacobian))


@pytest.mark.parametrize("rows", [k_sign(5, 2), np.eye(4), two_sparse(np.random.default_rng(0), 200, 6)])
def test_the_weights_of_scaled_rows_are_the_scales(rows):
    scales = 10 ** np.linspace(-5, 5, rows.shape[1])
    assert fit_weights(rows / scales) / scales == pytest.approx(1, rel=1e-8)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_zero_rows_duplicates_signs_and_order_change_nothing(seed):
    generator = np.random.default_rng(seed)
    jacobian = on_sphere(generator, 12, 3) * generator.uniform(0.5, 1, size=(12, 1))
    weights = fit_weights(jacobian)
    changed = np.concatenate([jacobian, np.zeros((2, 3)), -jacobian[:4]])[generator.permutation(18)]
    assert fit_weights(changed) == pytest.approx(weights, rel=1e-8)
    scales = 10 ** generator.uniform(-5, 5, size=3)
    assert fit_weights(jacobian * scales) * scales == pytest.approx(weights, rel=1e-8)
