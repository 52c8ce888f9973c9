"""What every metric is unmoved by, its known values, and the methods that it knows."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import pearsonr, spearmanr

from identica.metrics import (
    correlation_matrix,
    match_components,
    mean_correlation_coefficient,
    mean_r2,
    r2_matrix,
)

METHODS = ("pearson", "spearman", "r2")
MEANS = {
    "pearson": mean_correlation_coefficient,
    "spearman": partial(mean_correlation_coefficient, method="spearman"),
    "r2": mean_r2,
}
MONOTONE = (np.exp, np.cbrt, np.arctan, lambda values: -(values**3) - values)


def components(seed, n_samples=120, n_true=3, n_estimated=3):
    """Return dependent true components, and estimates that have something to do with them."""
    random = np.random.default_rng(seed)
    true = random.normal(size=(n_samples, n_true)) + random.normal(size=(n_samples, 1))
    estimated = true @ random.normal(size=(n_true, n_estimated)) + random.normal(size=(n_samples, n_estimated))
    return true, estimated


@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(4)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4),
    exponent=st.floats(-6, 6),
    offset=st.floats(-10, 10),
)
@settings(max_examples=20, deadline=None)
def test_order_sign_scale_and_offset_of_either_do_not_matter(method, seed, order, signs, exponent, offset):
    true, estimated = components(seed, n_true=4, n_estimated=4)
    before = match_components(true, estimated, method=method)
    scale = 10**exponent
    moved = scale * (np.array(signs) * estimated[:, order] + offset)
    after = match_components(true, moved, method=method)
    assert_allclose(after.matrix, before.matrix[:, order], atol=1e-7)
    assert_allclose(after.mean, before.mean, atol=1e-7)
    turned = match_components(scale * (np.array(signs) * true[:, order] + offset), estimated, method=method)
    assert_allclose(turned.matrix, before.matrix[order], atol=1e-7)


@pytest.mark.parametrize("method", ["spearman", "r2"])
@pytest.mark.parametrize("function", MONOTONE)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_monotone_maps_of_estimates_do_not_matter(method, function, seed):
    true, estimated = components(seed)
    before, after = (
        match_components(true, values, method=method).matrix for values in (estimated, function(estimated))
    )
    assert_allclose(after, before, atol=1e-7)


@pytest.mark.parametrize("function", MONOTONE)
def test_monotone_maps_of_the_truth_do_not_matter_for_spearman(function):
    true, estimated = components(0)
    spearman = partial(correlation_matrix, method="spearman")
    assert_allclose(np.abs(spearman(function(true), estimated)), np.abs(spearman(true, estimated)), atol=1e-12)


def test_monotone_maps_move_pearson():
    true, estimated = components(0)
    assert np.abs(correlation_matrix(true, np.exp(estimated)) - correlation_matrix(true, estimated)).max() > 0.05


@pytest.mark.parametrize(("method", "oracle"), [("pearson", pearsonr), ("spearman", spearmanr)])
def test_correlations_are_those_of_scipy(method, oracle):
    true, estimated = components(1, n_true=3, n_estimated=5)
    estimated = estimated.round(1)  # with ties
    expected = [[oracle(one, other).statistic for other in estimated.T] for one in true.T]
    assert_allclose(correlation_matrix(true, estimated, method=method), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_correlations_neither_overflow_nor_vanish(scale):
    true, estimated = components(1)
    assert_allclose(correlation_matrix(scale * true, scale * estimated), correlation_matrix(true, estimated), atol=1e-9)
    assert_allclose(r2_matrix(scale * true, scale * estimated), r2_matrix(true, estimated), atol=1e-9)


def test_the_assignment_has_the_largest_sum_not_the_largest_entries():
    # Estimate 0 is the best for both; taking 1.0 first would leave 0.0 for the other.
    root = np.sqrt(0.5)
    basis = np.linalg.qr(np.column_stack([np.ones(50), np.random.default_rng(0).normal(size=(50, 3))]))[0][:, 1:]
    true = np.column_stack([basis[:, 0], root * (basis[:, 0] + basis[:, 1])])
    estimated = np.column_stack([basis[:, 0], 0.8 * basis[:, 0] + 0.6 * basis[:, 2]])
    matching = match_components(true, estimated)
    assert_allclose(matching.matrix, [[1.0, 0.8], [root, 0.8 * root]], atol=1e-12)
    assert_array_equal(matching.order, [0, 1] if 1 + 0.8 * root > 0.8 + root else [1, 0])
    assert matching.mean == pytest.approx(max(1 + 0.8 * root, 0.8 + root) / 2)


@pytest.mark.parametrize("method", METHODS)
def test_order_puts_estimates_in_the_order_of_the_truth(method):
    true, _ = components(2, n_true=4)
    order = [2, 0, 3, 1]
    matching = match_components(true, -true[:, order], method=method)
    assert_array_equal(np.array(order)[matching.order], range(4))
    assert_allclose(matching.scores, 1.0, atol=0.05)
    assert MEANS[method](true, -true[:, order]) == matching.mean


@pytest.mark.parametrize("method", METHODS)
def test_missing_estimates_count_as_zero_and_surplus_ones_do_not_count(method):
    true, _ = components(3, n_true=3)
    fewer = match_components(true, true[:, [2]], method=method)
    assert_array_equal(fewer.order, [-1, -1, 0])
    assert_array_equal(fewer.scores[:2], 0.0)
    assert fewer.mean == fewer.scores[2] / 3
    noise = np.random.default_rng(0).normal(size=(len(true), 4))
    more = match_components(true, np.hstack([noise, true]), method=method)
    assert_array_equal(more.order, [4, 5, 6])
    assert more.matrix.shape == (3, 7)
    assert more.mean == match_components(true, true, method=method).mean


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_estimate_agrees_with_nothing(method):
    true, _ = components(4)
    estimated = np.column_stack([np.full(len(true), 0.1), true[:, 1:]])
    matching = match_components(true, estimated, method=method)
    assert_array_equal(matching.matrix[:, 0], 0.0)
    assert_array_equal(matching.order, [0, 1, 2])


@pytest.mark.parametrize("method", METHODS)
def test_inputs_are_left_alone(method):
    true, estimated = components(5)
    copies = true.copy(), estimated.copy()
    match_components(true, estimated, method=method)
    assert_array_equal(true, copies[0])
    assert_array_equal(estimated, copies[1])


def test_unknown_methods_are_refused():
    true, estimated = components(7)
    with pytest.raises(ValueError, match="method='kendall' is not known: use one of pearson, spearman, r2"):
        match_components(true, estimated, method="kendall")
    with pytest.raises(ValueError, match=r"method='r2' is not known: use one of pearson, spearman$"):
        mean_correlation_coefficient(true, estimated, method="r2")
