"""Counts about a mean that the decoder moves: Poisson, and negative binomial with a dispersion for each feature.

A row of the data is [r, y, log mu]: residuals, which the encoder sees, counts, and the logarithm of the mean that depth
and covariates alone would give. The decoder's output o moves that mean to log mu_i + g(o_i / h_i), where h_i are units
of the networks in one unit of the log mean, and g is the identity up to 1 and 1 + log above it: a mean grows as an
exponential at first, and then in proportion, so that no feature that was hardly seen can be raised beyond measure.

Symbols: n samples, m = n_features.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Tensor

from identica.likelihoods.likelihood import Likelihood

__all__ = ["CountLikelihood", "CountNoise", "NegativeBinomial", "Poisson", "log_change"]

LEAST_LOGARITHM = -30.0
ROWS_AT_ONCE = 4096
LEAST_SHARE = 0.05
HIDDEN = 0.3
"""Share of the residuals that the encoder does not see in a step of training."""
LEAST_DISPERSION = 1e-4
"""Below this the deviance differs from that of Poisson counts by less than single precision tells."""
LARGEST_MEAN = 1e9
"""Of counts that are drawn, far above any that is measured."""


def log_change(relative: Tensor) -> Tensor:
    """Return g, the logarithm of the factor by which the decoder's output changes a mean.

    Parameters
    ----------
    relative : Tensor
        o / h.

    Returns
    -------
    Tensor
        o / h up to 1, 1 + log(o / h) above it; its slope is continuous.

    Examples
    --------
    >>> log_change(torch.tensor([-2.0, 0.5, 1.0, 10.0])).exp()
    tensor([ 0.1353,  1.6487,  2.7183, 27.1828])
    """
    return torch.where(relative <= 1, relative, 1 + relative.clamp_min(1).log()).clamp_min(LEAST_LOGARITHM)


@final
@dataclass(frozen=True, eq=False)
class CountNoise:
    """What is known of the noise of each feature.

    Parameters
    ----------
    sensitivity : Tensor of shape (m,)
        h; 0 for features that the model leaves out.
    dispersion : Tensor of shape (m,)
        alpha in var y = mu + alpha mu^2, once the components are known.
    """

    sensitivity: Tensor
    dispersion: Tensor


class CountLikelihood(Likelihood):
    """Deviance of counts from the mean that the decoder gives; its subclasses are frozen dataclasses.

    Parameters
    ----------
    known : CountNoise
        Of the features.
    null : float
        Mean deviance of counts from the mean that depth and covariates give, the unit.
    """

    known: CountNoise
    null: float

    @classmethod
    def of(cls, known: CountNoise, rows: Tensor) -> Self:
        """Make the likelihood of some rows, whose deviance without components is its unit.

        Parameters
        ----------
        known : CountNoise
            Of the features.
        rows : Tensor of shape (n, 3 m)
            The data.

        Returns
        -------
        CountLikelihood
            Of the class that is asked.
        """
        blank = cls(known, 1.0)  # type: ignore[call-arg]
        nothing = rows.new_zeros(1, len(known.sensitivity))
        total = sum(float(blank.residual(nothing, part).sum()) for part in torch.split(rows, ROWS_AT_ONCE))
        return cls(known, total / len(rows))  # type: ignore[call-arg]

    @property
    def unit(self) -> float:
        """The deviance without any component."""
        return self.null

    @property
    def n_features(self) -> int:
        """Number of features m."""
        return len(self.known.sensitivity)

    @cached_property
    def _inverse(self) -> Tensor:
        used = self.known.sensitivity > 0
        return torch.where(used, 1 / torch.where(used, self.known.sensitivity, 1.0), 0.0)

    def inputs(self, batch: Tensor) -> Tensor:
        """Return the residuals; see :meth:`Likelihood.inputs`."""
        return batch[:, : self.n_features]

    def inputs_in_training(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return residuals of which a share, drawn anew, is 0, and the others grow in proportion.

        An encoder that sees every count can give the decoder each count's own noise; what is predicted of counts that
        it does not see is shared with others.

        Parameters
        ----------
        batch : Tensor of shape (n, 3 m)
            Rows.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n, m)
            The encoder's input.

        References
        ----------
        N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", Journal of Machine
        Learning Research 15, 2014.
        """
        inputs = self.inputs(batch)
        seen = torch.rand(inputs.shape, generator=generator) >= HIDDEN
        return inputs * seen.to(inputs) / (1 - HIDDEN)

    def log_mean(self, output: Tensor, batch: Tensor) -> Tensor:
        """Return the logarithm of the mean that the decoder gives.

        Parameters
        ----------
        output : Tensor of shape (n, m)
            o.
        batch : Tensor of shape (n, 3 m)
            Rows.

        Returns
        -------
        Tensor of shape (n, m)
            log mu + g(o / h).
        """
        return batch[:, 2 * self.n_features :] + log_change(output * self._inverse.to(output))

    def in_proportion(self, output: Tensor) -> Tensor:
        """Return the output whose means are mu (1 + o / h), as a linear model of residuals has them.

        Parameters
        ----------
        output : Tensor of shape (n, m)
            o.

        Returns
        -------
        Tensor of shape (n, m)
            Output; no mean is below 1 / 20 of mu.
        """
        change = (1 + output * self._inverse.to(output)).clamp_min(LEAST_SHARE).log()
        return torch.where(change <= 1, change, (change - 1).exp()) * self.known.sensitivity.to(output)

    def residual(self, output: Tensor, batch: Tensor) -> Tensor:
        """Return deviances, twice the log likelihood that a perfect fit has more; see :meth:`Likelihood.residual`."""
        counts = batch[:, self.n_features : 2 * self.n_features]
        used = (self.known.sensitivity > 0).to(output)
        return (self.deviance(counts, self.log_mean(output, batch)) * used).sum(1)

    def noise_share(self, rows: Tensor, random: RandomState) -> float:
        """Return the share of the unit that the noise of counts alone leaves, as drawn about means without components.

        Parameters
        ----------
        rows : Tensor of shape (n, 3 m)
            Some of the data.
        random : RandomState
            Source of the counts.

        Returns
        -------
        float
            In [0, 1]: about what networks leave that know every mean.
        """
        m = self.n_features
        mean = rows[:, 2 * m :].double().exp().clamp_max(LARGEST_MEAN).cpu().numpy()
        drawn = torch.as_tensor(self.draw(mean, random)).to(rows)
        nothing = torch.zeros_like(drawn[:1])
        return min(1.0, float(self.loss(nothing, torch.cat([rows[:, :m], drawn, rows[:, 2 * m :]], dim=1))))

    @abc.abstractmethod
    def draw(self, mean: NDArray[np.float64], random: RandomState) -> NDArray[np.float64]:
        """Draw a count of each mean.

        Parameters
        ----------
        mean : ndarray of shape (n, m)
            mu.
        random : RandomState
            Source of randomness.

        Returns
        -------
        ndarray of shape (n, m)
            Counts.
        """

    @abc.abstractmethod
    def deviance(self, counts: Tensor, log_mean: Tensor) -> Tensor:
        """Return the deviance of each count.

        Parameters
        ----------
        counts, log_mean : Tensor of shape (n, m)
            y and the logarithm of its mean.

        Returns
        -------
        Tensor of shape (n, m)
            At least 0, rounding apart.
        """


@final
@dataclass(frozen=True, eq=False)
class Poisson(CountLikelihood):
    """Poisson counts, whose deviance is 2 (y log(y / mu) - y + mu).

    Parameters
    ----------
    known : CountNoise
        Of the features.
    null : float
        Mean deviance without components.
    """

    known: CountNoise
    null: float

    def draw(self, mean: NDArray[np.float64], random: RandomState) -> NDArray[np.float64]:
        """Draw counts; see :meth:`CountLikelihood.draw`."""
        return random.poisson(mean).astype(np.float64)

    def deviance(self, counts: Tensor, log_mean: Tensor) -> Tensor:
        """Return the deviance; see :meth:`CountLikelihood.deviance`."""
        return 2 * (torch.xlogy(counts, counts) - counts * log_mean - counts + log_mean.exp())


@final
@dataclass(frozen=True, eq=False)
class NegativeBinomial(CountLikelihood):
    """Negative binomial counts, var y = mu + alpha mu^2, with the dispersion of each feature held.

    The deviance is 2 (y log(y / mu) - (y + 1 / alpha) log((1 + alpha y) / (1 + alpha mu))), that of Poisson counts
    where alpha is 0.

    Parameters
    ----------
    known : CountNoise
        Of the features; its ``dispersion`` is alpha.
    null : float
        Mean deviance without components.
    """

    known: CountNoise
    null: float

    def draw(self, mean: NDArray[np.float64], random: RandomState) -> NDArray[np.float64]:
        """Draw counts as Poisson counts of gamma means; see :meth:`CountLikelihood.draw`."""
        alpha = np.maximum(self.known.dispersion.double().cpu().numpy(), LEAST_DISPERSION)
        return random.poisson(np.minimum(mean * random.gamma(1 / alpha, alpha, mean.shape), LARGEST_MEAN)).astype(
            np.float64
        )

    def deviance(self, counts: Tensor, log_mean: Tensor) -> Tensor:
        """Return the deviance; see :meth:`CountLikelihood.deviance`."""
        alpha = self.known.dispersion.to(counts).clamp_min(LEAST_DISPERSION)
        mean = log_mean.exp()
        moved = torch.log1p(alpha * counts) - torch.log1p(alpha * mean)
        return 2 * (torch.xlogy(counts, counts) - counts * log_mean - (counts + 1 / alpha) * moved)
