"""Each stage of technical noise does what its formula says, and all come in their order."""

import numpy as np
import pytest
from reference import shared
from scipy.stats import kstest

from identica.datasets import TechnicalNoise

X = np.random.default_rng(0).gamma(2.0, 3.0, (400, 60))


def test_nothing_is_done_unless_it_is_asked_for():
    np.testing.assert_array_equal(TechnicalNoise().apply(X, random_state=0), X)


def test_outliers_multiply_whole_genes():
    ratio = TechnicalNoise(outlier_share=0.3, outlier_mean=2.0, outlier_sd=0.1).apply(X, random_state=0) / X
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape))
    changed = ratio[0] != 1
    assert 0.1 < changed.mean() < 0.5
    assert np.log(ratio[0][changed]).mean() == pytest.approx(2.0, abs=0.1)


def test_outliers_have_the_spread_that_is_asked_for():
    ratio = TechnicalNoise(outlier_share=1.0, outlier_mean=2.0, outlier_sd=0.5).apply(
        np.ones((1, 4000)), random_state=0
    )
    assert np.log(ratio).mean() == pytest.approx(2.0, abs=0.05)
    assert np.log(ratio).std() == pytest.approx(0.5, rel=0.05)


def test_library_sizes_are_log_normal():
    noisy = TechnicalNoise(library_mean=6.0, library_sd=0.3).apply(X, random_state=0)
    logarithms = np.log(noisy.sum(axis=1))
    assert logarithms.mean() == pytest.approx(6.0, abs=0.05)
    assert logarithms.std() == pytest.approx(0.3, rel=0.15)
    np.testing.assert_allclose(noisy / noisy.sum(axis=1, keepdims=True), X / X.sum(axis=1, keepdims=True))


def test_dropout_loses_half_at_its_percentile_and_small_values_first():
    noise = TechnicalNoise(dropout_percentile=50.0, dropout_shape=6.5)
    kept = noise.apply(X, random_state=0) > 0
    assert 0.4 < kept.mean() < 0.6
    middle = np.percentile(np.log1p(X), 50.0)
    near = np.abs(np.log1p(X) - middle) < 0.05
    assert kept[near].mean() == pytest.approx(0.5, abs=0.05)
    assert kept[X > 10].mean() > 0.95
    np.testing.assert_array_equal(noise.apply(X, random_state=0)[kept], X[kept])


@pytest.mark.parametrize(("percentile", "shape"), [(50.0, 6.5), (82.0, 20.0), (20.0, 0.7)])
def test_an_entry_is_kept_with_the_chance_of_its_logistic_curve(percentile, shape):
    noise = TechnicalNoise(dropout_percentile=percentile, dropout_shape=shape)
    middle = np.sort(np.log1p(X), axis=None)[round(percentile / 100 * (X.size - 1))]
    by_hand = 1 / (1 + np.exp(-shape * (np.log1p(X) - middle)))
    np.testing.assert_allclose(noise.kept(X), by_hand, atol=2e-3)
    rate = np.mean([noise.apply(X, random_state=seed) > 0 for seed in range(20)], axis=0)
    assert np.abs(rate - by_hand).mean() < 0.1
    assert rate.mean() == pytest.approx(by_hand.mean(), abs=0.005)


def test_the_steepest_dropout_is_a_step():
    kept = TechnicalNoise(dropout_percentile=50.0, dropout_shape=1e12).kept(X)
    assert set(np.unique(kept)) == {0.0, 1.0}
    np.testing.assert_array_equal(kept == 1, np.median(np.log1p(X)) < np.log1p(X))


def test_counts_are_poisson():
    counts = TechnicalNoise(counts=True).apply(np.full((5000, 2), 7.0), random_state=0)
    assert (counts == np.rint(counts)).all()
    assert counts.mean() == pytest.approx(7.0, rel=0.03)
    assert counts.var() == pytest.approx(7.0, rel=0.06)


def test_an_empty_cell_stays_empty():
    assert TechnicalNoise(library_mean=3.0, counts=True).apply(np.zeros((2, 3)), random_state=0).sum() == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [({"outlier_share": 1.5}, ValueError), ({"dropout_percentile": 101}, ValueError), ({"library_sd": -1}, ValueError),
     ({"library_mean": "x"}, TypeError), ({"library_mean": 10_000}, ValueError), ({"outlier_mean": 1e4}, ValueError)],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(change, error):
    with pytest.raises(error, match=next(iter(change))):
        TechnicalNoise(**change)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"outlier_mean": 2.0}, "outlier_mean=2 was given without outlier_share, and does nothing alone"),
        ({"outlier_sd": 2.0, "counts": True}, "outlier_sd=2 was given without outlier_share"),
        ({"library_sd": 0.1, "outlier_share": 0.1}, "library_sd=0.1 was given without library_mean"),
        ({"dropout_shape": 1.0, "library_mean": 6.0}, "dropout_shape=1 was given without dropout_percentile"),
    ],
)
def test_numbers_of_a_stage_that_is_left_out_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        TechnicalNoise(**change)


def test_agrees_with_the_original_s_stages():
    logged = np.load(shared("reference/sergio") / "ref_technoise_DS1_seed0.npz")
    outlier, library = (
        logged[name].transpose(0, 2, 1).reshape(-1, logged[name].shape[1]).astype(float) for name in ("outlier", "lib")
    )
    factors = logged["lib_factors"].ravel()
    np.testing.assert_allclose(library, outlier * (factors / outlier.sum(axis=1))[:, None], rtol=1e-5)
    logarithms = np.log(factors)
    assert kstest((logarithms - logarithms.mean()) / logarithms.std(), "norm").pvalue > 0.01
    keep = logged["keep"].transpose(0, 2, 1).reshape(library.shape)
    # The logged run's, as a logistic regression of its kept entries finds them.
    chance = TechnicalNoise(dropout_percentile=82.0, dropout_shape=20.0).kept(library)
    assert keep.mean() == pytest.approx(chance.mean(), abs=0.001)
    for low in np.arange(0.05, 0.95, 0.1):
        part = (chance >= low) & (chance < low + 0.1)
        assert keep[part].mean() == pytest.approx(chance[part].mean(), abs=0.03)


def test_stages_come_in_the_order_of_the_original():
    noise = TechnicalNoise(outlier_share=0.2, library_mean=5.0, dropout_percentile=60.0, counts=True)
    random = np.random.RandomState(3)
    by_hand = noise.set_library_sizes(noise.add_outliers(X, random), random)
    by_hand = np.where(random.random_sample(X.shape) < noise.kept(by_hand), by_hand, 0.0)
    np.testing.assert_array_equal(noise.apply(X, random_state=3), random.poisson(by_hand))


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (np.full((2, 2), np.nan), "negative, infinite or NaN"),
        (np.full((2, 2), -1.0), "negative, infinite or NaN"),
        (np.ones(3), r"X has the shape \(3,\): give a table"),
        (np.ones((0, 3)), r"X has the shape \(0, 3\): give a table"),
        (np.full((2, 2), 1e30), "reaches 1e.30, too much for counts"),
    ],
)
def test_what_is_no_expression_is_refused(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        TechnicalNoise(counts=True).apply(given)


def test_expression_does_not_become_infinite():
    with pytest.raises(ValueError, match="the noise makes expression infinite: use smaller outlier_sd"):
        TechnicalNoise(outlier_share=1.0, outlier_sd=1e4).apply(np.ones((2, 50)), random_state=0)


def test_counts_are_asked_for_by_a_truth_value():
    with pytest.raises(TypeError, match="counts='no' is not possible"):
        TechnicalNoise(counts="no")
