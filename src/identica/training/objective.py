"""What is minimised: the fraction of variance unexplained plus a penalty, as one module."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.criteria import Loss, Penalty

__all__ = ["Objective"]


@final
class Objective(nn.Module):
    """Fraction of variance unexplained plus a penalty.

    Parameters
    ----------
    encoder, decoder : torch.nn.Module
        The networks that are trained.
    variance : float
        Mean squared distance of an entry of the data from its feature's mean: the unit of reconstruction.
    penalty : Penalty, optional
        None for a plain autoencoder.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, variance: float, penalty: Penalty | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.penalty = penalty
        self.variance = variance

    def forward(self, batch: Tensor, generator: torch.Generator) -> Loss:
        """Return the loss of a batch.

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            Samples.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Loss
            What to minimise; the term "reconstruction" and those of the penalty.
        """
        latents = self.encoder(batch)
        reconstruction = functional.mse_loss(self.decoder(latents), batch) / self.variance
        terms = {"reconstruction": reconstruction.detach()}
        if self.penalty is None:
            return Loss(reconstruction, terms)
        n = self.penalty.sample.n_samples
        extra: Loss = self.penalty(self.encoder, self.decoder, batch[:n], latents[:n], generator)
        return Loss(reconstruction + extra.total, terms | extra.terms)

    def reconstruction(self, batch: Tensor) -> Tensor:
        """Return the fraction of variance unexplained, mean ||x - f(g(x))||^2 / (m * variance).

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            Samples.

        Returns
        -------
        Tensor of shape ()
            0 for a perfect reconstruction, 1 for the mean.
        """
        return functional.mse_loss(self.decoder(self.encoder(batch)), batch) / self.variance
