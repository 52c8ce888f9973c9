"""How data follow what the decoder gives, and the unit in which a loss is counted."""

from __future__ import annotations

from identica.likelihoods.gaussian import Gaussian
from identica.likelihoods.likelihood import Likelihood

__all__ = ["Gaussian", "Likelihood"]
