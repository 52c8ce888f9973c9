"""InfoMEC: its limits, its parts against scikit-learn and by hand, and that chance counts for nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from identica.metrics import infomec, linear_r2

FACTORS = np.random.default_rng(0).uniform(size=(1000, 3))
INCREASING = (np.exp, np.cbrt, np.arctan, lambda values: values**3 + values)


def quantile_bins(values, n_bins):
    """Return bins of equal size; no ties, and n_bins divides the number of samples."""
    return values.argsort().argsort() * n_bins // len(values)


def mixed(seed, n_samples=200, n_components=4):
    random = np.random.default_rng(seed)
    true = random.normal(size=(n_samples, 3))
    return true, true @ random.normal(size=(3, n_components)) + 0.3 * random.normal(size=(n_samples, n_components))


def test_the_factors_themselves_in_any_order_and_curve():
    found = infomec(FACTORS, np.column_stack([-FACTORS[:, 2], np.exp(3 * FACTORS[:, 0]), FACTORS[:, 1] ** 3]))
    assert_allclose(found.nmi[[1, 2, 0], [0, 1, 2]], 1.0, atol=1e-12)
    assert min(found.modularity, found.compactness) > 0.98
    assert found.explicitness < 0.95  # the curves are not linear
    assert infomec(FACTORS, FACTORS * [1, -2, 3]).explicitness == pytest.approx(1.0)


@pytest.mark.parametrize("n_bins", [5, 20])
def test_nmi_is_the_adjusted_mutual_information_of_scikit_learn(n_bins):
    true, estimated = mixed(1)
    expected = [
        [adjusted_mutual_info_score(quantile_bins(s, n_bins), quantile_bins(z, n_bins)) for s in true.T]
        for z in estimated.T
    ]
    assert_allclose(infomec(true, estimated, n_bins=n_bins).nmi, np.clip(expected, 0, 1), atol=1e-12)


def test_information_is_that_of_the_normal_distribution():
    random = np.random.default_rng(2)
    signal, noise = random.normal(size=(2, 20_000, 1))
    for correlation in (0.5, 0.9):
        true = correlation * signal + np.sqrt(1 - correlation**2) * noise
        found = infomec(true, signal)
        # Twenty bins lose some five hundredths of it.
        assert 0.9 < found.nmi.item() * np.log(20) / (-np.log(1 - correlation**2) / 2) < 1.0
        assert found.explicitness == pytest.approx(correlation**2, abs=0.015)


@pytest.mark.parametrize("n_samples", [100, 500, 2000])
def test_independent_components_carry_nothing_however_few_the_samples(n_samples):
    shares = []
    for seed in range(5):
        true, estimated = np.random.default_rng(seed).normal(size=(2, n_samples, 3))
        found = infomec(true, estimated)
        shares.append(found.nmi.mean())
        assert not found.active.any()
        assert found.modularity == found.compactness == 0.0
        assert found.explicitness < 0.05
    uncorrected = normalized_mutual_info_score(*(quantile_bins(v[:, 0], 20) for v in (true, estimated)))
    assert np.mean(shares) < 0.1 * uncorrected


def test_the_formulas_by_hand():
    true, estimated = mixed(3, n_samples=1000)
    estimated = np.column_stack([estimated, np.full(1000, 7.0), np.random.default_rng(9).normal(size=1000)])
    found = infomec(true, estimated)
    assert_array_equal(found.active, [True] * 4 + [False] * 2)
    by_component = [(max(row) / sum(row) - 1 / 3) / (2 / 3) for row in found.nmi[:4]]
    by_factor = [(max(column) / sum(column) - 1 / 4) / (3 / 4) for column in found.nmi[:4].T]
    assert found.modularity == pytest.approx(np.mean(by_component))
    assert found.compactness == pytest.approx(np.mean(by_factor))
    assert found.explicitness == pytest.approx(linear_r2(true, estimated).mean())


def test_each_number_says_its_own():
    twice = infomec(FACTORS, np.column_stack([FACTORS, FACTORS]))  # pure, and not compact
    assert twice.modularity > 0.98
    assert twice.compactness == pytest.approx((1 / 2 - 1 / 6) / (1 - 1 / 6), abs=0.01)
    turned = infomec(FACTORS[:, :2], FACTORS[:, :2] @ [[1, 1], [1, -1]])  # plain to read, and mixed
    assert turned.explicitness == pytest.approx(1.0)
    assert turned.active.all()
    assert max(turned.modularity, turned.compactness) < 0.15


def test_a_factor_that_no_component_has_is_not_compact():
    found = infomec(FACTORS, FACTORS[:, :2])
    whole = infomec(FACTORS[:, :2], FACTORS[:, :2])
    assert found.nmi[:, 2].max() < 0.02
    assert whole.compactness > 0.98
    assert found.compactness == pytest.approx(2 * whole.compactness / 3, abs=0.01)
    assert infomec(FACTORS, FACTORS[:, :1]).compactness == pytest.approx(1 / 3)


def test_one_factor_or_one_component_has_nothing_to_be_compared_with():
    assert infomec(FACTORS[:, :1], FACTORS).modularity == 1.0
    assert infomec(FACTORS[:, :1], FACTORS[:, :1]).compactness == 1.0


def test_few_distinct_values_share_their_bins():
    true = np.random.default_rng(4).integers(0, 4, (400, 1))
    assert infomec(true, (true + 1) ** 2).nmi.item() == pytest.approx(1.0)
    half = infomec(true, true >= 2).nmi.item()
    assert half == pytest.approx(adjusted_mutual_info_score(true[:, 0], true[:, 0] >= 2, average_method="max"))


@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(4)),
    of_factors=st.permutations(range(3)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4),
    exponent=st.floats(-6, 6),
)
@settings(max_examples=15, deadline=None)
def test_order_sign_and_scale_of_either_do_not_matter(seed, order, of_factors, signs, exponent):
    true, estimated = mixed(seed, n_samples=202)  # bins of unequal size, and no sample on an edge
    before = infomec(true, estimated, n_bins=10)
    moved = 10**exponent * np.array(signs) * estimated[:, order]
    after = infomec(-2 * true[:, of_factors], moved, n_bins=10)
    assert_allclose(after.nmi, before.nmi[order][:, of_factors], atol=1e-9)
    assert_array_equal(after.active, before.active[order])
    for name in ("modularity", "compactness", "explicitness"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-7)


@pytest.mark.parametrize("function", INCREASING)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_information_does_not_see_increasing_maps(function, seed):
    true, estimated = mixed(seed)
    before, after = infomec(true, estimated), infomec(function(true), function(estimated))
    assert_allclose(after.nmi, before.nmi, atol=1e-12)
    assert (after.modularity, after.compactness) == (before.modularity, before.compactness)


def test_bad_numbers_of_bins_are_refused():
    with pytest.raises(ValueError, match=r"n_bins=20 leaves fewer than 5 of 99 samples to a bin: use at most 19"):
        infomec(FACTORS[:99], FACTORS[:99], n_bins=20)
    few = [infomec(FACTORS[:99], FACTORS[:99], **given).nmi for given in ({}, {"n_bins": 19})]
    assert_allclose(*few, rtol=0)
    with pytest.raises(ValueError, match="n_bins=1 is out of range: use at least 2"):
        infomec(FACTORS, FACTORS, n_bins=1)
    with pytest.raises(TypeError, match=r"n_bins=2.5 is not an integer"):
        infomec(FACTORS, FACTORS, n_bins=2.5)
