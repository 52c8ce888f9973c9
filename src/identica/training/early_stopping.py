"""The best state that a stage has seen, to go back to, and when to stop looking for a better one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

__all__ = ["Best", "state_of"]

TOLERANCE = 1e-3
"""Validation losses that differ by less are about as good: 0.1 % of the variance."""


@final
@dataclass
class Best:
    """The state with the lowest validation loss so far.

    Parameters
    ----------
    state : dict of str to Tensor
        Of the objective.
    loss : float
        Its validation loss; infinite if there is none yet.
    epoch : int, default=-1
        When it was; -1 for the start.
    good_epoch : int, default=-1
        The last epoch about as good.
    """

    state: dict[str, Tensor]
    loss: float
    epoch: int = -1
    good_epoch: int = -1

    def see(self, objective: nn.Module, loss: float, epoch: int) -> None:
        """Take note of the validation loss after an epoch.

        Parameters
        ----------
        objective : torch.nn.Module
            Its state is copied where it is the best so far.
        loss : float
            Of the validation rows.
        epoch : int
            Counted from 0.
        """
        if loss < self.loss:
            self.state, self.loss, self.epoch = state_of(objective), loss, epoch
        if loss <= self.loss + TOLERANCE:
            self.good_epoch = epoch

    def is_old(self, epoch: int, patience: int) -> bool:
        """Tell whether more than so many epochs have passed since the last good one.

        Parameters
        ----------
        epoch : int
            About to begin.
        patience : int
            Epochs to wait.

        Returns
        -------
        bool
            False while there is no loss to compare with.
        """
        return self.loss < float("inf") and epoch - self.good_epoch > patience


def state_of(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a module's state.

    Parameters
    ----------
    module : torch.nn.Module
        Any.

    Returns
    -------
    dict of str to Tensor
        Copies, which do not move along.
    """
    state: dict[str, Tensor] = module.state_dict()
    return {name: value.detach().clone() for name, value in state.items()}
