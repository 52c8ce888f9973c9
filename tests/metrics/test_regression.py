"""Held-out R^2: closed forms, what the spline can follow, and that it is really held out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from identica.metrics import mean_r2, r2_matrix
from identica.metrics.regression import N_FOLDS, _spline_basis


def test_signal_and_noise_give_the_share_of_the_signal():
    random = np.random.default_rng(0)
    signal, noise = random.normal(size=(2, 20_000, 1))
    for share in (0.2, 0.7):
        true = np.sqrt(share) * signal + np.sqrt(1 - share) * noise
        assert mean_r2(true, signal) == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("marginal", ["uniform", "normal", "exponential", "standard_t"])
def test_a_monotone_map_of_the_truth_is_nearly_perfect(marginal):
    random = np.random.default_rng(1)
    true = (
        random.standard_t(8, (10_000, 1)) if marginal == "standard_t" else getattr(random, marginal)(size=(10_000, 1))
    )
    assert mean_r2(true, np.arctan(true)) > 0.998


def test_a_truth_that_folds_over_is_followed_too():
    estimated = np.random.default_rng(2).uniform(-1, 1, (5000, 1))
    assert mean_r2(np.cos(np.pi * estimated), estimated) > 0.995
    # The other way round the sign is lost, and with it everything.
    assert mean_r2(estimated, np.cos(np.pi * estimated)) < 0.02


@pytest.mark.parametrize("n_samples", [10, 30, 200])
def test_independent_components_score_nothing_however_few_the_samples(n_samples):
    scores = [r2_matrix(*np.random.default_rng(seed).normal(size=(2, n_samples, 2))).mean() for seed in range(20)]
    # In-sample, the splines would explain 3 parameters' share and more: above 0.3 for 10 samples.
    assert np.mean(scores) < 0.05


def test_an_outlier_of_the_estimate_carries_no_weight():
    true = np.random.default_rng(3).normal(size=(500, 1))
    estimated = true.copy()
    highest = true.argmax()
    estimated[highest] = 1e9
    assert_array_equal(r2_matrix(true, estimated), r2_matrix(true, true))


def test_few_distinct_values_are_enough_for_a_truth_that_has_no_more():
    true = np.random.default_rng(4).integers(0, 4, (400, 1))
    assert mean_r2(true, (true + 1) ** 2) > 0.999
    assert mean_r2(true, true == 3) == pytest.approx(np.corrcoef(true.ravel(), true.ravel() == 3)[0, 1] ** 2, abs=0.03)


def test_it_is_cross_validated_least_squares_on_the_spline_basis():
    random = np.random.default_rng(5)
    true = random.normal(size=(300, 2))
    estimated = true @ random.normal(size=(2, 3))
    folds = np.random.RandomState(7).permutation(300) % N_FOLDS
    for column in range(3):
        predicted, mean = (
            cross_val_predict(LinearRegression(), design, true, cv=PredefinedSplit(folds))
            for design in (_spline_basis(estimated[:, column]), np.zeros((300, 1)))
        )
        expected = 1 - np.square(true - predicted).sum(axis=0) / np.square(true - mean).sum(axis=0)
        found = r2_matrix(true, estimated, random_state=7)[:, column]
        assert_allclose(found, expected.clip(0), atol=1e-5)


def test_splines_are_local_and_sum_to_one():
    basis = _spline_basis(np.random.default_rng(6).normal(size=1000))
    assert basis.shape == (1000, 12)
    assert_allclose(basis.sum(axis=1), 1.0, atol=1e-12)
    assert (basis > 0).sum(axis=1).max() == 4
    assert (basis > 0).sum(axis=0).min() > 20


def test_the_seed_draws_the_folds_and_moves_little():
    random = np.random.default_rng(7)
    true = random.normal(size=(1000, 2))
    estimated = true + random.normal(size=(1000, 2))
    first = r2_matrix(true, estimated, random_state=0)
    assert_array_equal(r2_matrix(true, estimated), first)
    other = r2_matrix(true, estimated, random_state=1)
    unseeded = r2_matrix(true, estimated, random_state=None)
    assert np.abs(other - first).max() > 0
    assert_allclose(unseeded, first, atol=0.02)
    assert_allclose(other, first, atol=0.02)


def test_fewer_than_ten_samples_are_refused():
    true = np.arange(9.0).reshape(-1, 1)
    with pytest.raises(ValueError, match="n_samples=9 is too few: pass at least 10 rows"):
        r2_matrix(true, true)
