"""The penalty of equation (8) of arXiv:2510.17040, with its two schedules."""

from __future__ import annotations

from typing import Literal, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.criteria.geometry import l1_norm
from identica.criteria.local import JacobianSample
from identica.criteria.penalty import Loss, Penalty
from identica.jacobian import push_tangents

__all__ = ["JointPenalty"]


@final
class JointPenalty(Penalty):
    """The penalty of equation (8), with its two schedules.

    -lambda_vol(t) c_vol + lambda_norm c_norm(t), where lambda_vol grows linearly over the warm-up epochs and
    c_norm is ||J||_1 while it lasts, softplus(||J||_1 - C) after, C the mean of ||J||_1 over its last ten
    epochs. The weights are per component and per feature: lambda_vol = volume_weight / (2 d),
    lambda_norm = norm_weight / m.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    volume_weight, norm_weight : float
        Weights free of units, of m and of d.
    warmup_epochs : int
        T_w.
    volume : {"logdet", "trace"}
        c_vol exactly, or the stochastic surrogate 2 v' J_g J_f v with the encoder's Jacobian J_g held fixed,
        whose gradient is that of log det J'J where the encoder inverts the decoder. The choice of surrogate
        is ours.
    """

    average_over: int = 10
    bound: Tensor

    def __init__(
        self,
        sample: JacobianSample,
        volume_weight: float,
        norm_weight: float,
        warmup_epochs: int,
        volume: Literal["logdet", "trace"],
    ) -> None:
        super().__init__(sample)
        self.volume_weight = volume_weight
        self.norm_weight = norm_weight
        self.warmup_epochs = warmup_epochs
        self.volume = volume
        self.epoch = 0
        self.register_buffer("bound", torch.zeros((), dtype=torch.float64))

    @property
    def settled(self) -> bool:
        """Whether the warm-up is over."""
        return self.epoch >= self.warmup_epochs

    def begin_epoch(self, epoch: int) -> None:
        """Move both schedules; see :meth:`Penalty.begin_epoch`."""
        self.epoch = epoch

    def end_epoch(self, terms: dict[str, float]) -> None:
        """Add to C in the last warm-up epochs; see :meth:`Penalty.end_epoch`."""
        n_averaged = min(self.average_over, self.warmup_epochs)
        if self.warmup_epochs - n_averaged <= self.epoch < self.warmup_epochs:
            self.bound += terms["norm"] / n_averaged

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the penalty of equation (8) at the current epoch; see :meth:`Penalty.forward`."""
        exact = self.volume == "logdet"
        # Without a compact space the volume is exact only with all rows.
        whole = exact and self.sample.loadings is None
        local = self.sample.at(decoder, latents, None if whole else generator)
        matrix = local.rows
        volume = local.log_volume.mean() if exact else _trace_surrogate(encoder, decoder, inputs, generator)
        d = matrix.shape[2]
        volume = volume / (2 * d)
        norm = l1_norm(matrix).mean() / matrix.shape[1]
        # softplus with beta = m is softplus(||J||_1 - C) / m, exactly
        excess = norm - self.bound.to(norm.dtype)
        bounded = functional.softplus(excess, beta=self._n_features(inputs)) if self.settled else norm
        weight = self.volume_weight * min(1.0, (self.epoch + 1) / max(self.warmup_epochs, 1))
        total = -weight * volume + self.norm_weight * bounded
        return Loss(total, {"volume": volume.detach(), "norm": norm.detach()})

    def _n_features(self, inputs: Tensor) -> int:
        """Return m, also where the networks see coordinates of a compact space."""
        return inputs[0].numel() if self.sample.loadings is None else len(self.sample.loadings)


def _trace_surrogate(encoder: nn.Module, decoder: nn.Module, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean of 2 v' J_g J_f v over the samples, one Gaussian probe v each, J_g held fixed."""
    inputs = inputs.detach().requires_grad_(True)
    latents = encoder(inputs)
    probe = torch.randn(latents.shape, generator=generator, dtype=latents.dtype).to(latents.device)
    (pulled,) = torch.autograd.grad(latents, inputs, probe, retain_graph=True)
    pushed = push_tangents(decoder, latents, probe.unsqueeze(1))[1].squeeze(1)
    return 2 * (pulled * pushed).flatten(1).sum(-1).mean()
