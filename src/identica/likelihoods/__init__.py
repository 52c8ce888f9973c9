"""How data follow what the decoder gives, and the unit in which a loss is counted."""

from __future__ import annotations

from identica.likelihoods.counts import CountLikelihood, CountNoise, NegativeBinomial, Poisson, log_change
from identica.likelihoods.gaussian import Gaussian
from identica.likelihoods.likelihood import Likelihood

__all__ = [
    "COUNT_LIKELIHOODS",
    "CountLikelihood",
    "CountNoise",
    "Gaussian",
    "Likelihood",
    "NegativeBinomial",
    "Poisson",
    "log_change",
]

COUNT_LIKELIHOODS: dict[str, type[Poisson] | type[NegativeBinomial]] = {
    "poisson": Poisson,
    "negative-binomial": NegativeBinomial,
}
"""Those of counts, by the name that a user gives."""
