"""Agreement of fits: the mean correlation coefficient of each two, 1 for the same up to order, sign and curves."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from identica.metrics import mean_correlation_coefficient, seed_agreement


def fits(seed, n_fits=4, n_samples=60):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n_samples, 3))
    return [shared @ random.normal(size=(3, 3)) + random.normal(size=(n_samples, 3)) for _ in range(n_fits)]


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_it_is_the_mean_correlation_coefficient_of_each_two(method):
    given_fits = fits(0)
    found = seed_agreement(given_fits, method=method)
    expected = np.eye(4)
    for a, b in combinations(range(4), 2):
        expected[a, b] = expected[b, a] = mean_correlation_coefficient(given_fits[a], given_fits[b], method=method)
    assert_allclose(found.pairs, expected, atol=1e-12)
    assert found.mean == pytest.approx(expected[np.triu_indices(4, 1)].mean())
    assert_allclose(found.per_fit, [np.delete(row, k).mean() for k, row in enumerate(expected)], atol=1e-12)


def test_spearman_is_the_default():
    given_fits = fits(1)
    assert seed_agreement(given_fits).mean == seed_agreement(given_fits, method="spearman").mean
    assert seed_agreement(given_fits).mean != seed_agreement(given_fits, method="pearson").mean


@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(3)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3),
    exponent=st.floats(-6, 6),
    of_fits=st.permutations(range(4)),
)
@settings(max_examples=30, deadline=None)
def test_order_sign_and_scale_do_not_matter(seed, order, signs, exponent, of_fits):
    given_fits = fits(seed)
    before = seed_agreement(given_fits)
    assert 0 < before.mean < 1
    moved = [*given_fits[:3], 10**exponent * np.array(signs) * given_fits[3][:, order] + 1]
    after = seed_agreement([moved[k] for k in of_fits])
    assert_allclose(after.per_fit, before.per_fit[of_fits], atol=1e-9)
    assert after.mean == pytest.approx(before.mean)
    same = seed_agreement([given_fits[0], np.exp(np.array(signs) * given_fits[0][:, order])])
    assert same.mean == pytest.approx(1.0)


def test_the_fit_that_stands_apart_is_seen():
    first, _, _, other = fits(2, n_samples=2000)
    noise = np.random.default_rng(3).normal(size=other.shape)
    found = seed_agreement([first, -first, noise, first[:, ::-1]])
    assert found.per_fit.argmin() == 2
    assert found.per_fit[2] < 0.06
    assert_allclose(found.per_fit[[0, 1, 3]], (2 + found.per_fit[2]) / 3, atol=0.02)


def test_a_constant_component_agrees_with_nothing():
    first = fits(4)[0]
    collapsed = first.copy()
    collapsed[:, 1] = 2.0
    for pair in ([first, collapsed], [collapsed, first], [collapsed, collapsed]):
        assert seed_agreement(pair).mean == pytest.approx(2 / 3)
    assert seed_agreement([np.ones_like(first), first]).mean == 0.0
    assert_array_equal(seed_agreement([np.ones_like(first)] * 2).pairs, np.eye(2))


@pytest.mark.parametrize(
    ("given_fits", "error", "message"),
    [
        ([np.eye(5)], ValueError, "components holds 1 fits: pass at least two to compare"),
        ([], ValueError, "components holds 0 fits"),
        (None, TypeError, r"components is None, not a list: .*\[first, second\]"),
        ([np.eye(5), np.eye(5)[:, :4]], ValueError, r"components\[1\] has shape \(5, 4\) and components\[0\] has"),
        ([np.eye(5), np.ones(5)], ValueError, r"components\[1\] has shape \(5,\): .*\(n_samples, n_components\)"),
        ([np.eye(5), np.full((5, 5), np.nan)], ValueError, r"components\[1\] has the value nan at \(0, 0\)"),
        ([np.eye(5), np.eye(5) * 1j], TypeError, r"components\[1\] has dtype complex128"),
        ([[[1.0, 2.0]], [[1.0, 2.0]]], ValueError, "n_samples=1 is too few"),
    ],
)
def test_bad_input_gets_one_clear_sentence(given_fits, error, message):
    with pytest.raises(error, match=message):
        seed_agreement(given_fits)


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="method='r2' is not known: use one of pearson, spearman"):
        seed_agreement(fits(5), method="r2")
