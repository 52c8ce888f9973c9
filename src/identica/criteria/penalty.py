"""What every penalty on the decoder's Jacobian is: a weight, a sample of the Jacobian, a schedule.

A penalty is made of pure functions of Jacobians, averaged over a few samples of a batch, and weighted so that it has no
units and does not depend on the numbers of features, components and samples.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from identica.jacobian import jacobian

__all__ = ["JacobianSample", "Loss", "Penalty"]


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


@final
@dataclass(frozen=True)
class JacobianSample:
    """How much of the Jacobian a training step looks at, and in which units of the features.

    Parameters
    ----------
    n_samples : int
        Samples of a batch at which the Jacobian is taken.
    n_features : int
        Rows of each Jacobian, drawn anew at every step.
    units : Tensor of shape (n_features of the data,), optional
        Factor of each row; 1 if None.
    """

    n_samples: int
    n_features: int
    units: Tensor | None = None

    def jacobian(self, decoder: nn.Module, latents: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return Jacobians with a sample of their rows, or with all.

        Parameters
        ----------
        decoder : torch.nn.Module
            (n, n_components) -> (n, ...).
        latents : Tensor of shape (n, n_components)
            Points at which to differentiate.
        generator : torch.Generator or None
            Source of the sample, on the CPU; None takes all rows.

        Returns
        -------
        Tensor of shape (n, n_rows, n_components)
            Rows of the Jacobians, in the units asked for.
        """
        rows = None
        if generator is not None:
            with torch.no_grad():
                total = decoder(latents[:1]).numel() if self.units is None else len(self.units)
            rows = self.features(total, generator)
        _, matrix = jacobian(decoder, latents, features=rows)
        if self.units is None:
            return matrix
        return matrix * (self.units if rows is None else self.units[rows.to(self.units.device)]).unsqueeze(-1)

    def features(self, n_features: int, generator: torch.Generator) -> Tensor | None:
        """Draw rows without replacement.

        Parameters
        ----------
        n_features : int
            Rows of the whole Jacobian.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n_rows,) or None
            Indices; None where all rows are taken.
        """
        if n_features <= self.n_features:
            return None
        return torch.randperm(n_features, generator=generator)[: self.n_features]


class Penalty(nn.Module, abc.ABC):
    """A term on the decoder's Jacobian; a method is a penalty and the stages that use it.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    """

    def __init__(self, sample: JacobianSample) -> None:
        super().__init__()
        self.sample = sample

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
