"""R^2 from all estimates together: scikit-learn's own as oracle, closed forms, and that it is really held out."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict

from identica.metrics import kernel_ridge_r2, linear_r2

QUICK = partial(kernel_ridge_r2, alphas=(1e-3, 0.1), gammas=(0.3, 3.0))
METRICS = {"linear": linear_r2, "kernel": QUICK}


def components(seed, n_samples=60):
    random = np.random.default_rng(seed)
    true = random.normal(size=(n_samples, 2))
    return true, np.tanh(true @ random.normal(size=(2, 3))) + 0.3 * random.normal(size=(n_samples, 3))


def shares(true, predict, random_state):
    """Return 1 minus the share of squared error, with `predict` fitted on each four fifths of the shuffled rows."""
    order = np.random.RandomState(random_state).permutation(len(true))
    residual = total = 0.0
    for train, test in KFold(5).split(order):
        train, test = order[train], order[test]
        residual += np.square(true[test] - predict(train, test)).sum()
        total += np.square(true[test] - true[train].mean()).sum()
    return 1 - residual / total


def test_linear_r2_is_cross_validated_least_squares():
    true, estimated = components(0)
    order = np.random.RandomState(7).permutation(len(true))
    predicted, mean = (
        cross_val_predict(LinearRegression(), inputs[order], true[order], cv=KFold(5))
        for inputs in (estimated, np.zeros((len(true), 1)))
    )
    expected = 1 - np.square(true[order] - predicted).sum(axis=0) / np.square(true[order] - mean).sum(axis=0)
    assert 0.1 < expected.min() < expected.max() < 0.95
    assert_allclose(linear_r2(true, estimated, random_state=7), expected, atol=1e-12)


def test_kernel_ridge_chooses_for_each_component_as_a_grid_search_does():
    true, estimated = components(1, n_samples=75)  # the three folds of 60 are equal
    true[:, 1] = 0.2 * np.random.default_rng(2).normal(size=75) + np.sin(4 * estimated[:, 0])
    grid = {"alpha": [1e-3, 0.1, 1.0], "gamma": [0.1 / 3, 1 / 3, 10 / 3]}
    inputs = (estimated - estimated.mean(axis=0)) / estimated.std(axis=0)
    expected = []
    for column in (true / true.std(axis=0)).T:

        def predict(train, test, target=column):
            mean = target[train].mean()
            search = GridSearchCV(KernelRidge(kernel="rbf"), grid, scoring="neg_mean_squared_error", cv=KFold(3))
            return mean + search.fit(inputs[train], target[train] - mean).predict(inputs[test])

        expected.append(shares(column, predict, random_state=0))
    assert_allclose(kernel_ridge_r2(true, estimated, alphas=grid["alpha"], gammas=[0.1, 1, 10]), expected, atol=1e-9)
    assert 0.1 < min(expected) < max(expected) < 0.95


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(3)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3),
    exponent=st.floats(-6, 6),
    offset=st.floats(-10, 10),
)
@settings(max_examples=4, deadline=None)
def test_order_sign_scale_and_offset_of_either_do_not_matter(metric, seed, order, signs, exponent, offset):
    true, estimated = components(seed)
    before = metric(true, estimated)
    moved = 10**exponent * (np.array(signs) * estimated[:, order] + offset)
    assert_allclose(metric(true, moved), before, atol=1e-6)
    assert_allclose(metric(10**exponent * (offset - true[:, ::-1]), estimated), before[::-1], atol=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_linear_r2_does_not_see_linear_maps_of_the_estimates(seed):
    true, estimated = components(seed)
    mixing = np.random.default_rng(seed + 1).normal(size=(3, 3)) + 3 * np.eye(3)
    assert_allclose(linear_r2(true, estimated @ mixing), linear_r2(true, estimated), atol=1e-8)
    assert_allclose(linear_r2(true, np.column_stack([true @ mixing[:2, :2], estimated])), 1.0, atol=1e-8)


def test_signal_and_noise_give_the_share_of_the_signal():
    random = np.random.default_rng(3)
    signal, noise = random.normal(size=(2, 10_000, 2))
    true = np.sqrt(0.4) * signal @ [[0.6, 0.8], [0.8, -0.6]] + np.sqrt(0.6) * noise
    assert_allclose(linear_r2(true, signal), 0.4, atol=0.03)
    assert_allclose(QUICK(true, signal, max_samples=400), 0.4, atol=0.12)


def test_the_kernel_follows_what_a_line_cannot():
    true = np.random.default_rng(4).uniform(-1, 1, (300, 2))
    turn = np.pi * (true[:, 0] + 1)
    estimated = np.column_stack([(2 + true[:, 1]) * np.cos(0.9 * turn), (2 + true[:, 1]) * np.sin(0.9 * turn)])
    assert kernel_ridge_r2(true, estimated).min() > 0.97
    assert linear_r2(true, estimated).max() < 0.8


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_independent_and_constant_estimates_score_nothing(metric):
    scores = [metric(*np.random.default_rng(seed).normal(size=(2, 40, 5))).mean() for seed in range(5)]
    # In-sample, five regressors would explain an eighth of 40 samples.
    assert np.mean(scores) < 0.06
    true, _ = components(5)
    assert_allclose(metric(true, np.full((60, 2), 0.1)), 0.0, atol=1e-12)


def test_no_more_samples_are_used_than_asked_for():
    true, estimated = components(6, n_samples=200)
    order = np.random.RandomState(0).permutation(200)
    changed = estimated.copy()
    changed[order[50:]] = 1e3
    found = QUICK(true, estimated, max_samples=50)
    assert_array_equal(QUICK(true, changed, max_samples=50), found)
    assert np.abs(QUICK(true, estimated) - found).max() > 1e-3


def test_a_component_that_is_constant_in_the_samples_drawn_scores_nothing():
    true, estimated = np.zeros((200, 1)), np.arange(200.0)[:, None]
    true[np.random.RandomState(0).permutation(200)[-1]] = 1.0
    assert_array_equal(QUICK(true, estimated, max_samples=20), [0.0])


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_seed_draws_the_folds(metric):
    true, estimated = components(7)
    assert_array_equal(metric(true, estimated), metric(true, estimated, random_state=0))
    assert np.abs(metric(true, estimated, random_state=1) - metric(true, estimated)).max() > 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"alphas": ()}, ValueError, "alphas is empty: pass at least one candidate"),
        ({"alphas": (1.0, 0.0)}, ValueError, r"alphas\[1\]=0 is out of range: .*more than 0"),
        ({"gammas": (-1.0,)}, ValueError, r"gammas\[0\]=-1 is out of range: .*more than 0"),
        ({"gammas": ("scale",)}, TypeError, r"gammas\[0\]='scale' is not a number"),
        ({"max_samples": 9}, ValueError, "max_samples=9 is out of range: use at least 10"),
        ({"max_samples": 1e3}, TypeError, "max_samples=1000.0 is not an integer"),
    ],
)
def test_bad_options_get_one_clear_sentence(options, error, message):
    with pytest.raises(error, match=message):
        kernel_ridge_r2(*components(8), **options)
