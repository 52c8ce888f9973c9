"""The penalty of the refine stage: a criterion whose weight is held, then falls, then rests."""

from __future__ import annotations

from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.criteria import Criterion, JacobianSample, Loss, Penalty

__all__ = ["Refinement"]


@final
class Refinement(Penalty):
    """The negative criterion, -weight(t) * c(J).

    The weight is held at first, so that the latents can leave the frame that reconstruction happened to give them,
    then falls geometrically, and rests at its last value while the reconstruction settles.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    criterion : Criterion
        c, what is to be large.
    weight : float
        First weight of the criterion against the likelihood's unit.
    n_epochs : int
        Length of the schedule.
    last : float
        Share of the first weight at which it rests.
    """

    hold: ClassVar[float] = 0.3
    rest: ClassVar[float] = 0.9

    def __init__(
        self, sample: JacobianSample, criterion: Criterion, weight: float, n_epochs: int, *, last: float
    ) -> None:
        super().__init__(sample)
        self.first_weight = self.weight = weight
        self.last = last
        self.criterion = criterion
        self.n_epochs = n_epochs
        self._held = True

    @property
    def settled(self) -> bool:
        """Whether the weight is no longer held."""
        return not self._held

    def begin_epoch(self, epoch: int) -> None:
        """Move the weight; see :meth:`Penalty.begin_epoch`."""
        elapsed = (epoch / self.n_epochs - self.hold) / (self.rest - self.hold)
        self.weight = self.first_weight * self.last ** min(1.0, max(0.0, elapsed))
        self._held = elapsed < 0

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return -weight * c; see :meth:`Penalty.forward`."""
        value = self.criterion.value(self.sample.at(decoder, latents, generator))
        return Loss(-self.weight * value, {"criterion": value.detach()})
