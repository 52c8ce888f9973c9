"""What depth and covariates tell is taken out of components, and what components do to a total is left in."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from identica import DICA, PolytopicFactorization, Training
from identica.estimators.conditioning import find_conditioning

N, D = 4000, 6
NOBODY = np.empty(0, dtype=np.intp)
RAISES = np.array([0.4, 0.3, 0.2, 0.3, 0.4, 0.2])


def _correlations(values, known):
    return np.abs([np.corrcoef(column, known)[0, 1] for column in values.T])


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_factors_that_move_the_total_stay_as_they_are(random):
    factors, depth = random.standard_normal((N, D)), 0.5 * random.standard_normal(N)
    total = depth + factors @ RAISES
    found = find_conditioning(factors, total[:, None], NOBODY, RAISES)
    assert np.corrcoef(found.known(factors, total[:, None])[:, 0], depth)[0, 1] > 0.999
    assert min(np.diag(np.corrcoef(factors.T, found.without(factors, total[:, None]).T)[:D, D:])) > 0.999


def test_depth_that_came_back_as_a_component_is_taken_out_and_no_factor(random):
    factors, depth = random.standard_normal((N, D)), 0.5 * random.standard_normal(N)
    latents = np.column_stack([factors, 2 * depth + 0.3 * random.standard_normal(N)])
    found = find_conditioning(latents, depth[:, None], NOBODY, np.append(RAISES, 0.1))
    left = found.without(latents, depth[:, None])
    assert np.square(_correlations(left, depth)).sum() < 0.005
    assert min(np.diag(np.corrcoef(factors.T, left.T)[:D, D:])) > 0.999


def test_believed_or_not_components_are_uncorrelated_with_covariates(random):
    batch = (random.integers(3, size=N)[:, None] == [1, 2]).astype(float)
    latents = random.standard_normal((N, D)) + batch @ random.standard_normal((2, D))
    design = np.column_stack([latents @ RAISES + random.standard_normal(N), batch])
    left = find_conditioning(latents, design, NOBODY, RAISES).without(latents, design)
    assert max(_correlations(left, batch[:, 0]).max(), _correlations(left, batch[:, 1]).max()) < 1e-9


def test_rows_that_networks_did_not_see_are_believed_where_they_say_something_else(random):
    depth, latents = random.standard_normal(N), random.standard_normal((N, 2))
    held_out = np.arange(0, N, 4)
    latents[:, 1] += 2 * depth
    latents[held_out, 1] -= 1.5 * depth[held_out]
    design = depth[:, None]
    left = find_conditioning(latents, design, held_out, None).without(latents, design)
    assert _correlations(left[held_out], depth[held_out])[1] < 0.05
    alike = find_conditioning(latents[:, :1], design, held_out, None)
    assert np.array_equal(
        alike.coefficients, find_conditioning(latents[:, :1], design, NOBODY, None).coefficients
    )  # chance counts for nothing


@pytest.mark.parametrize(("share", "believed"), [(-1.0, 0.0), (0.0, 0.0), (0.4, 0.4), (1.0, 1.0), (2.0, 1.0)])
def test_what_components_do_to_the_total_is_believed_from_nothing_to_all(random, share, believed):
    latents = random.standard_normal((N, 3))
    total = np.array([0.5, -0.3, 0.4])
    design = (share * latents @ total + 0.05 * random.standard_normal(N))[:, None]
    np.testing.assert_allclose(find_conditioning(latents, design, NOBODY, total).total, believed * total, atol=0.02)


def test_a_change_of_basis_changes_what_is_left_alike(random):
    latents, design = random.standard_normal((N, 3)) + 5, random.standard_normal((N, 2))
    latents[:, 0] += design[:, 0]
    matrix, shift = random.standard_normal((3, 3)), random.standard_normal(3)
    found = find_conditioning(latents, design, NOBODY, RAISES[:3])
    moved = (latents - shift) @ np.linalg.inv(matrix).T  # z = T z' + b
    again = found.in_basis(matrix, shift).without(moved, design)
    assert np.allclose(again @ matrix.T + shift, found.without(latents, design))


def _table_whose_batch_bends(random):
    components, batch = random.uniform(-1, 1, (600, 2)), random.integers(2, size=600)
    rows = components @ random.standard_normal((2, 12))
    return np.where((batch == 1)[:, None], np.tanh(3 * rows) + rows**2, rows), batch.astype(str)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_components_of_a_fit_have_nothing_linear_of_a_covariate(random, tmp_path):
    X, batch = _table_whose_batch_bends(random)
    model = DICA(3, n_init=1, training=Training(max_steps=200), random_state=0).fit(X, covariates=batch)
    components = model.transform(X, covariates=batch)
    assert _correlations(components, batch == "1").max() < 1e-6
    assert np.allclose(components.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(components.std(axis=0), 1, atol=1e-6)
    raw = model.encoder_(model._seen(X, batch, None)[0])
    assert _correlations(raw.detach().numpy(), batch == "1").max() > 0.02  # there was something to be taken out
    rebuilt = model.observed_.restored(
        model.decoder_(raw).detach().numpy(), model.observed_.design(X, pd.Series(batch), None)
    )
    assert np.allclose(model.reconstruct(X, covariates=batch), rebuilt)  # as if nothing had been taken out
    model.save(tmp_path / "model.safetensors")
    assert np.array_equal(DICA.load(tmp_path / "model.safetensors").transform(X, covariates=batch), components)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_without_anything_known_nothing_is_taken_out(random):
    X, _ = _table_whose_batch_bends(random)
    assert PolytopicFactorization(2, random_state=0).fit(X).conditioning_ is None


def _counts(random, n=400):
    levels = np.exp(0.6 * random.uniform(-1, 1, (n, 2)) @ random.standard_normal((2, 8)) + 1.5)
    return random.poisson(levels * random.lognormal(0, 0.4, (n, 1))).astype(float)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_linear_components_of_residuals_as_many_as_features_rebuild_counts(random):
    X = _counts(random)
    model = PolytopicFactorization(8, likelihood="residuals", random_state=0).fit(X)
    assert np.abs(model.reconstruct(X) - X).max() < 1e-3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_of_counts_keeps_what_components_do_to_totals(random, tmp_path):
    X, batch = _counts(random), random.integers(2, size=400).astype(str)
    model = DICA(2, likelihood="poisson", n_init=1, training=Training(max_steps=60), random_state=0)
    model.fit(X, covariates=batch)
    assert model.conditioning_.coefficients.shape == (2, 2)
    components = model.transform(X, covariates=batch)
    assert _correlations(components, batch == "1").max() < 0.05
    total = model.conditioning_.total
    model.conditioning_ = replace(model.conditioning_, total=total + 0.1)
    model.save(tmp_path / "model.safetensors")
    again = DICA.load(tmp_path / "model.safetensors")
    assert np.array_equal(again.conditioning_.total, total + 0.1)
    assert np.array_equal(again.transform(X, covariates=batch), model.transform(X, covariates=batch))
