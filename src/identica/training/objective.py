"""What is minimised: the loss of a likelihood plus a penalty, as one module."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from identica.criteria import Loss, Penalty
from identica.likelihoods import Likelihood

__all__ = ["Objective"]


@final
class Objective(nn.Module):
    """Loss of a likelihood plus a penalty.

    Parameters
    ----------
    encoder, decoder : torch.nn.Module
        The networks that are trained.
    likelihood : Likelihood
        How data follow the decoder, and the unit of reconstruction.
    penalty : Penalty, optional
        None for a plain autoencoder.
    left_out : float, default=0.0
        Share of the unit that the coordinates which the networks see leave out; no network can change it.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        penalty: Penalty | None = None,
        *,
        left_out: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.penalty = penalty
        self.likelihood = likelihood
        self.left_out = left_out

    def forward(self, batch: Tensor, generator: torch.Generator, context: Tensor | None = None) -> Loss:
        """Return the loss of a batch.

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            Samples.
        generator : torch.Generator
            Source of randomness, on the CPU.
        context : Tensor of shape (n, n_context), optional
            What else is known of the samples.

        Returns
        -------
        Loss
            What to minimise; the term "reconstruction" and those of the penalty.
        """
        inputs = self.likelihood.inputs_in_training(batch, generator)
        latents = self.encoder(inputs)
        reconstruction = self.likelihood.loss(self.decoder(latents), batch) + self.left_out
        terms = {"reconstruction": reconstruction.detach()}
        if self.penalty is None:
            return Loss(reconstruction, terms)
        extra = self.penalty.of_batch(self.encoder, self.decoder, inputs, latents, context, generator)
        total = extra.total if self.penalty.reconstructs else reconstruction + extra.total
        return Loss(total, terms | extra.terms)

    def reconstruction(self, batch: Tensor) -> Tensor:
        """Return the loss of the likelihood alone, in its unit, without what the coordinates leave out.

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            Samples.

        Returns
        -------
        Tensor of shape ()
            0 for a perfect reconstruction, 1 for a model that gives every sample the same.
        """
        return self.likelihood.loss(self.decoder(self.encoder(self.likelihood.inputs(batch))), batch)
