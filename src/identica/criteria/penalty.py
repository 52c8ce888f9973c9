"""What every penalty on the decoder's Jacobian is: a weight, a sample of the Jacobian, a schedule.

A penalty is made of pure functions of Jacobians, averaged over a few samples of a batch, and weighted so that it has no
units and does not depend on the numbers of features, components and samples.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.criteria.local import JacobianSample

__all__ = ["Loss", "Penalty"]


@final
@dataclass(frozen=True)
class Loss:
    """A loss to minimise and the parts that it is made of.

    Parameters
    ----------
    total : Tensor of shape ()
        What is minimised.
    terms : dict of str to Tensor
        Its parts, unweighted, for the history.
    """

    total: Tensor
    terms: dict[str, Tensor]


class Penalty(nn.Module, abc.ABC):
    """A term on the decoder's Jacobian; a method is a penalty and the stages that use it.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    """

    n_validated: ClassVar[int] = 128
    """Validation rows at which it is taken."""
    reconstructs: ClassVar[bool] = False
    """Whether it is the whole loss, that of reconstruction included."""

    def __init__(self, sample: JacobianSample) -> None:
        super().__init__()
        self.sample = sample

    def of_batch(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        batch: Tensor,
        latents: Tensor,
        context: Tensor | None,
        generator: torch.Generator,
    ) -> Loss:
        """Return the penalty of a batch, at as many of its samples as Jacobians are taken of.

        Parameters
        ----------
        encoder, decoder : torch.nn.Module
            The networks.
        batch : Tensor of shape (n, ...)
            Samples.
        latents : Tensor of shape (n, n_components)
            ``encoder(batch)``.
        context : Tensor of shape (n, n_context) or None
            What else is known of the samples; not looked at here.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Loss
            The weighted penalty and its parts.
        """
        n = self.sample.n_samples
        loss: Loss = self(encoder, decoder, batch[:n], latents[:n], generator)
        return loss

    @abc.abstractmethod
    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the weighted penalty, averaged over a few samples, and its parts.

        Parameters
        ----------
        encoder, decoder : torch.nn.Module
            The networks.
        inputs : Tensor of shape (n, ...)
            The samples at which the Jacobian is taken.
        latents : Tensor of shape (n, n_components)
            ``encoder(inputs)``, which the reconstruction needs as well.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Loss
            The weighted penalty and its parts.
        """

    def begin_epoch(self, epoch: int) -> None:
        """Move the penalty's schedule to an epoch; most penalties have none.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        """

    def end_epoch(self, terms: dict[str, float]) -> None:
        """Take note of an epoch's mean terms; most penalties need not.

        Parameters
        ----------
        terms : dict of str to float
            The means of the terms this penalty returned.
        """

    @property
    def settled(self) -> bool:
        """Whether losses of this and later epochs can be compared with each other."""
        return True
