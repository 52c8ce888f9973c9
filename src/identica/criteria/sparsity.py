"""Sparsity of the Jacobian: its total L1 norm, per feature."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from identica.criteria.geometry import l1_norm
from identica.criteria.local import JacobianSample
from identica.criteria.penalty import Loss, Penalty

__all__ = ["Sparsity"]


@final
class Sparsity(Penalty):
    """The total L1 norm of the Jacobian, per feature: weight * ||J||_1 / (m sqrt(d)).

    With features and latents of unit variance a dense row has a norm of about sqrt(d), so that the penalty is
    about ``weight`` whatever the shape.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    weight : float
        Against the fraction of variance unexplained.
    """

    def __init__(self, sample: JacobianSample, weight: float) -> None:
        super().__init__(sample)
        self.weight = weight

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the weighted mean norm; see :meth:`Penalty.forward`."""
        matrix = self.sample.at(decoder, latents, generator).rows
        norm = l1_norm(matrix).mean() / (matrix.shape[1] * matrix.shape[2] ** 0.5)
        return Loss(self.weight * norm, {"norm": norm.detach()})
