"""Depth and covariates are taken out of counts, what components do to a total is not, and noise has variance 1."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

from identica.preparation import check_counts, check_features_used, factor_noise, fit_counts, log_depth, noise_edge

N = 3000


def simulated(seed=0, n_features=60, slope=None, batch=None, factors=None):
    """Return counts, log depths and slopes: log mean = b + a L + effect of the batch + what factors do."""
    random = np.random.default_rng(seed)
    logarithm = random.normal(0, 0.5, N)
    intercept = np.sort(random.uniform(-1.0, 3.0, n_features))
    slopes = np.ones(n_features) if slope is None else slope(intercept)
    log_mean = intercept + np.outer(logarithm, slopes)
    if batch is not None:
        log_mean = log_mean + np.outer(batch, random.normal(0, 0.7, n_features))
    if factors is not None:
        log_mean = log_mean + factors
    return random.poisson(np.exp(log_mean)).astype(float), logarithm, slopes


def correlation(values, with_what):
    return np.abs(np.corrcoef(values.T, with_what)[-1, :-1]).max()


def test_slopes_that_go_with_the_mean_are_found():
    counts, logarithm, slopes = simulated(slope=lambda b: 1.8 - 0.2 * b)
    model = fit_counts(counts, 1, size_factors=np.exp(logarithm))
    assert np.abs(model.slope - slopes).max() < 0.2
    assert np.corrcoef(model.slope, slopes)[0, 1] > 0.98
    residuals = model.residuals(counts, model.design(logarithm - np.log(np.exp(logarithm).mean()), None))
    # A slope that is wrong by 0.1 leaves so much where counts are deep.
    assert correlation(residuals, logarithm) < 0.2
    flat = fit_counts(counts, 1, size_factors=np.ones(N))
    assert correlation(flat.residuals(counts, flat.design(np.zeros(N), None)), logarithm) > 0.6


def test_what_a_factor_does_to_the_total_is_not_taken_for_depth():
    random = np.random.default_rng(3)
    factor = random.uniform(-1, 1, N)
    acts = random.random(60) < 0.4
    counts, _, _ = simulated(factors=np.outer(factor, 1.2 * acts))
    model = fit_counts(counts, 2)
    assert np.abs(model.slope - 1).max() < 0.15
    # Those of single features are up to the mark where the factor acts, and far below it elsewhere.
    deep = model.intercept > 1
    single = np.polyfit(log_depth(counts)[0], np.log(counts + 1), 1)[0]
    assert single[acts & deep].mean() > single[~acts & deep].mean() + 0.2


def test_residuals_are_those_of_the_formula_one_by_one():
    counts, _, _ = simulated(n_features=8)
    model = fit_counts(counts, 1)
    logarithm, mean_depth = log_depth(counts)
    assert mean_depth == pytest.approx(counts.sum(axis=1).mean())
    found = model.residuals(counts, model.design(logarithm, None))
    for n, i in [(0, 0), (17, 3), (2999, 7)]:
        depth = np.log(counts[n].sum() / mean_depth)
        mean = np.exp(model.intercept[i] + model.slope[i] * depth)
        pearson = (counts[n, i] - mean) / np.sqrt(mean + model.dispersion[i] * mean**2)
        expected = (np.clip(pearson, -model.limit, model.limit) - model.centre[i]) / model.noise[i]
        assert found[n, i] == pytest.approx(expected)


def test_a_single_feature_of_one_mean_has_the_slope_of_a_poisson_regression():
    random = np.random.default_rng(5)
    depth = random.lognormal(0, 0.5, 500)
    counts = random.poisson(3 * depth**1.4)[:, None].astype(float)
    model = fit_counts(counts, 1, size_factors=depth)
    logarithm = np.log(depth / depth.mean())

    def loss(c):
        return (np.exp(c[0] + c[1] * logarithm) - counts[:, 0] * (c[0] + c[1] * logarithm)).sum()

    best = minimize(loss, [0.0, 0.0]).x
    assert model.slope[0] == pytest.approx(best[1], abs=1e-3)
    assert model.intercept[0] == pytest.approx(best[0], abs=2e-2)


def test_a_batch_is_taken_out_and_told_again():
    batch = (np.arange(N) % 2) - 0.5
    counts, _, _ = simulated(batch=batch)
    blind, told = fit_counts(counts, 1), fit_counts(counts, 1, covariates=batch[:, None])
    logarithm = log_depth(counts)[0]
    left = told.residuals(counts, told.design(logarithm, batch[:, None]))
    assert correlation(left, batch) < 0.06
    assert correlation(blind.residuals(counts, blind.design(logarithm, None)), batch) > 0.5


def test_noise_has_variance_1_and_features_that_are_hardly_seen_are_left_out():
    counts, _, _ = simulated()
    counts[:, 0] = 0
    counts[:3, 1], counts[3:, 1] = 1, 0
    model = fit_counts(counts, 1)
    residuals = model.residuals(counts, model.design(log_depth(counts)[0], None))
    assert (model.noise[:2] == 0).all()
    assert (model.sensitivity[:2] == 0).all()
    assert (residuals[:, :2] == 0).all()
    assert residuals[:, 2:].var(axis=0).mean() == pytest.approx(1, abs=0.03)
    # Nothing but noise: no direction stands out.
    assert np.linalg.eigvalsh(np.cov(residuals[:, 2:].T)).max() < 1.25 * noise_edge(N, 58)


@pytest.mark.parametrize("n_features", [30, 2100])
def test_the_noise_of_a_factor_model_is_found(n_features):
    random = np.random.default_rng(0)
    n = 1500
    deviations = random.uniform(0.5, 2, n_features)
    rows = random.standard_normal((n, 2)) @ random.standard_normal((2, n_features))
    rows += deviations * random.standard_normal((n, n_features))
    found = factor_noise(rows - rows.mean(axis=0), 2)
    assert np.corrcoef(found, deviations**2)[0, 1] > 0.99
    assert found.mean() == pytest.approx((deviations**2).mean(), rel=0.05)


def test_nothing_varies_and_nothing_is_noise():
    assert factor_noise(np.zeros((9, 3)), 1).tolist() == [0.0, 0.0, 0.0]


def test_dispersions_are_those_of_each_gene() -> None:
    random = np.random.default_rng(3)
    depth, true = random.lognormal(0, 0.3, 8000), np.array([0.0, 0.1, 0.4, 1.0])
    mean = np.outer(depth, np.full(4, 6.0))
    rates = np.column_stack(
        [m if a == 0 else m * random.gamma(1 / a, a, len(m)) for m, a in zip(mean.T, true, strict=True)]
    )
    found = fit_counts(random.poisson(rates).astype(float), 1, size_factors=depth).dispersion
    np.testing.assert_allclose(found, true, atol=0.06)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (np.zeros((50, 4)), r"all counts of all 4 feature\(s\) are 0: give others"),
        (np.eye(50)[:, :4], "no feature has a count in 5 samples or more: there is nothing to learn"),
        (np.ones((50, 3)), "no count differs from what depth and covariates say"),
        (np.arange(50.0)[:, None], "counts of one feature are their own depth: give size factors"),
        (np.arange(50.0)[:, None] * [1, 0, 0], "of 3 features it alone has a count in 5 samples or more"),
    ],
)
def test_counts_that_say_nothing_are_refused(counts, said) -> None:
    for depth in (None, 3 * np.maximum(counts.sum(axis=1), 1)):
        with pytest.raises(ValueError, match=said):
            fit_counts(counts, 1, size_factors=depth)


def test_a_feature_may_stand_alone_beside_depths_that_say_something() -> None:
    random = np.random.default_rng(0)
    depth = random.lognormal(0, 0.3, 200)
    counts = np.column_stack([random.poisson(4 * depth), np.zeros((200, 2))])
    model = fit_counts(counts, 1, size_factors=depth)
    check_features_used(model, 1)
    with pytest.raises(ValueError, match="n_components=2 exceeds the 1 of 3 features that are used"):
        check_features_used(model, 2)


def test_counts_are_found_again_from_their_residuals():
    random = np.random.default_rng(0)
    depth, batch = random.lognormal(0, 0.4, 500), random.integers(2, size=500) - 0.5
    counts = random.poisson(np.outer(depth, random.uniform(2, 9, 6)) * np.exp(0.3 * batch)[:, None]).astype(float)
    model = fit_counts(counts, 1, covariates=batch[:, None])
    design = model.design(log_depth(counts, model.mean_depth)[0], batch[:, None])
    np.testing.assert_allclose(model.of_residuals(model.residuals(counts, design), design), counts, atol=1e-9)


def test_a_count_beyond_any_measurement_is_warned_of() -> None:
    counts = np.ones((4, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_counts(counts, "poisson")
    counts[2, 1] = 1e15
    with pytest.warns(UserWarning, match=r"sample 2 has a count of 1e\+15 of feature 'b', which is more than is ever"):
        check_counts(counts, "poisson", ["a", "b", "c"])
