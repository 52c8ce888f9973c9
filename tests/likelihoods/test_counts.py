"""Deviances of counts against SciPy's densities, their limits and gradients, and what is reported of a fit."""

import numpy as np
import pytest
import torch
from scipy import stats

from identica.likelihoods import CountNoise, NegativeBinomial, Poisson, log_change
from identica.likelihoods.counts import HIDDEN

N, M = 40, 5


def noise(dispersion: float = 0.3) -> CountNoise:
    base = torch.ones(M, dtype=torch.float64)
    sensitivity = torch.tensor([1.0, 2.0, 0.5, 3.0, 0.0], dtype=torch.float64)
    return CountNoise(sensitivity, base * dispersion)


def rows(seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    log_mean = random.normal(0.5, 0.5, (N, M))
    counts = random.poisson(np.exp(log_mean))
    return torch.tensor(np.hstack([random.standard_normal((N, M)), counts, log_mean]))


def test_the_poisson_deviance_is_twice_the_log_likelihood_that_the_counts_themselves_have_more() -> None:
    data = rows()
    counts, log_mean = data[:, M : 2 * M], data[:, 2 * M :]
    found = Poisson(noise(), 1.0).deviance(counts, log_mean)
    seen, mean = counts.numpy(), log_mean.exp().numpy()
    expected = 2 * (stats.poisson.logpmf(seen, np.maximum(seen, 1e-300)) - stats.poisson.logpmf(seen, mean))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert float(found.min()) >= -1e-12


@pytest.mark.parametrize("dispersion", [0.05, 0.7, 4.0])
def test_the_negative_binomial_deviance_is_that_of_scipys_density(dispersion: float) -> None:
    data = rows(1)
    counts, log_mean = data[:, M : 2 * M], data[:, 2 * M :]
    found = NegativeBinomial(noise(dispersion), 1.0).deviance(counts, log_mean)
    size = 1 / dispersion

    seen, mean = counts.numpy(), log_mean.exp().numpy()
    own, theirs = (stats.nbinom.logpmf(seen, size, size / (size + given)) for given in (seen, mean))
    expected = 2 * (own - theirs)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_without_dispersion_the_negative_binomial_is_poisson() -> None:
    data = rows(2)
    counts, log_mean = data[:, M : 2 * M], data[:, 2 * M :]
    poisson = Poisson(noise(), 1.0).deviance(counts, log_mean)
    np.testing.assert_allclose(NegativeBinomial(noise(0.0), 1.0).deviance(counts, log_mean), poisson, atol=1e-2)


@pytest.mark.parametrize("kind", [Poisson, NegativeBinomial])
def test_gradients_are_those_of_finite_differences(kind: type) -> None:
    likelihood, data = kind(noise(), 2.0), rows(3)
    output = torch.randn(N, M, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda given: likelihood.loss(given, data), (output,))


@pytest.mark.parametrize("kind", [Poisson, NegativeBinomial])
def test_the_unit_is_the_deviance_without_components_and_features_left_out_do_not_count(kind: type) -> None:
    data = rows(4)
    likelihood = kind.of(noise(), data)
    nothing = torch.zeros(N, M, dtype=torch.float64)
    assert float(likelihood.loss(nothing, data)) == pytest.approx(1)
    moved = nothing.clone()
    moved[:, 4] = 5.0  # its sensitivity is 0
    assert float(likelihood.loss(moved, data)) == pytest.approx(1)
    moved[:, 0] = 5.0
    assert float(likelihood.loss(moved, data)) != pytest.approx(1)


def test_a_mean_grows_as_an_exponential_and_then_in_proportion() -> None:
    given = torch.tensor([-50.0, -1.0, 0.0, 0.999999, 1.000001, 7.0], dtype=torch.float64, requires_grad=True)
    found = log_change(given)
    np.testing.assert_allclose(found.detach(), [-30, -1, 0, 1, 1, 1 + np.log(7)], atol=1e-5)
    found.sum().backward()
    np.testing.assert_allclose(given.grad, [0, 1, 1, 1, 1, 1 / 7], atol=1e-5)


@pytest.mark.parametrize(("kind", "dispersion"), [(Poisson, 0.0), (NegativeBinomial, 0.5)])
def test_the_noise_of_counts_leaves_what_counts_leave_of_their_own_means(kind: type, dispersion: float) -> None:
    random = np.random.default_rng(4)
    log_mean = random.normal(0.5, 0.5, (4000, M))
    mean = np.exp(log_mean)
    expected = mean if dispersion == 0 else mean * random.gamma(1 / dispersion, dispersion, mean.shape)
    moved = random.normal(0.0, 0.3, mean.shape)
    data = torch.tensor(np.hstack([mean, random.poisson(expected * np.exp(moved)), log_mean]))
    likelihood = kind.of(noise(dispersion), data)
    # What is left once the means are known, which the decoder's output gives by the sensitivity of each feature.
    known = torch.tensor(moved) * noise().sensitivity
    left = float(likelihood.loss(known, data))
    assert 0.3 < left < 0.97
    assert likelihood.noise_share(data, np.random.RandomState(0)) == pytest.approx(left, rel=0.05)


@pytest.mark.parametrize("kind", [Poisson, NegativeBinomial])
def test_in_training_the_encoder_sees_some_residuals_only_and_the_loss_is_of_all(kind: type) -> None:
    data = rows(5)
    likelihood = kind(noise(), 2.0)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([likelihood.inputs_in_training(data, generator) for _ in range(600)])
    whole = likelihood.inputs(data)
    torch.testing.assert_close(whole, data[:, :M])
    hidden = drawn == 0
    assert 0.2 < float(hidden.double().mean()) < 0.6
    torch.testing.assert_close(drawn, torch.where(hidden, 0.0, whole / (1 - HIDDEN)))
    torch.testing.assert_close(drawn.mean(0), whole, rtol=0.2, atol=0.1)
    # Each row and each feature by itself.
    assert float(np.abs(np.corrcoef(hidden.reshape(600, -1).double().T.numpy()) - np.eye(N * M)).max()) < 0.25
