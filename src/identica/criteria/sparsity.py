"""Sparsity of the Jacobian: its total L1 norm, per feature, as a criterion and as a penalty.

References
----------
Y. Zheng and K. Zhang, "Generalizing Nonlinear ICA Beyond Structural Sparsity", NeurIPS 2023: few components influence
each feature; Y. Zheng, I. Ng and K. Zhang, "On the Identifiability of Nonlinear ICA: Sparsity and Beyond", NeurIPS
2022: the L1 norm of the Jacobian in the place of the number of its entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.criteria.criterion import Criterion
from identica.criteria.geometry import l1_norm
from identica.criteria.local import JacobianSample, LocalGeometry
from identica.criteria.penalty import Loss, Penalty

__all__ = ["InfluenceSparsity", "Sparsity"]


@final
@dataclass(frozen=True)
class InfluenceSparsity(Criterion):
    """How sparse the influences are: -log mean_i sum_j |J_ij| sd(s_j), the L1 norm for latents of unit variance.

    It does not change with the scales of the latents or of all features together. Only the covariance of the latents
    keeps them apart: among changes of basis, those with less correlated latents have the smaller deviations.
    """

    kind: ClassVar[str] = "sparsity"
    of_deviations: ClassVar[bool] = True

    def value(self, local: LocalGeometry) -> Tensor:
        """Return minus the logarithm of the mean row norm; see :meth:`Criterion.value`."""
        norm = (local.rows.abs().mean((-3, -2)) * local.spread).sum(-1)
        return -norm.clamp_min(torch.finfo(norm.dtype).tiny ** 0.5).log()


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
