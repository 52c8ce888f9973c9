"""Observations with Gaussian noise of one size in every feature: squared errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from identica.likelihoods.likelihood import Likelihood

__all__ = ["Gaussian"]


@final
@dataclass(frozen=True)
class Gaussian(Likelihood):
    """Squared distance of a sample from the decoder's output; its loss is the fraction of variance unexplained.

    Parameters
    ----------
    variance : float
        Mean squared distance of a sample from the mean of all, summed over the coordinates that the networks see
        and over what these leave out.

    Examples
    --------
    >>> import torch
    >>> float(Gaussian(4.0).loss(torch.zeros(3, 2), torch.ones(3, 2)))
    0.5
    """

    variance: float

    @property
    def unit(self) -> float:
        """The variance."""
        return self.variance

    def residual(self, output: Tensor, batch: Tensor) -> Tensor:
        """Return squared distances; see :meth:`Likelihood.residual`."""
        return (output - batch).square().flatten(1).sum(1)
