"""What a likelihood must answer: a residual for each sample, a loss, and the unit of that loss."""

from __future__ import annotations

import abc

import torch
from torch import Tensor

__all__ = ["Likelihood"]


class Likelihood(abc.ABC):
    """How observations follow the decoder's output.

    Solvers and training ask for no more than this, so that another likelihood needs no change of theirs.
    """

    @property
    @abc.abstractmethod
    def unit(self) -> float:
        """Mean residual of a model that gives every sample the same: a loss of 1."""

    @abc.abstractmethod
    def residual(self, output: Tensor, batch: Tensor) -> Tensor:
        """Return how far each sample is from what the decoder gives, as the negative log likelihood measures it.

        Parameters
        ----------
        output : Tensor of shape (n, ...)
            What the decoder gives.
        batch : Tensor of shape (n, ...)
            The samples, in the coordinates that the networks see.

        Returns
        -------
        Tensor of shape (n,)
            At least 0; 0 for a perfect fit.
        """

    def inputs(self, batch: Tensor) -> Tensor:
        """Return what of the samples the encoder sees: all, unless a likelihood says otherwise.

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            The samples.

        Returns
        -------
        Tensor of shape (n, ...)
            The encoder's input.
        """
        return batch

    def inputs_in_training(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return what of the samples the encoder sees in a step of training: the same, unless a likelihood hides some.

        Parameters
        ----------
        batch : Tensor of shape (n, ...)
            The samples.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n, ...)
            The encoder's input.
        """
        return self.inputs(batch)

    def loss(self, output: Tensor, batch: Tensor) -> Tensor:
        """Return the mean residual in units of :attr:`unit`.

        Parameters
        ----------
        output : Tensor of shape (n, ...)
            What the decoder gives.
        batch : Tensor of shape (n, ...)
            The samples.

        Returns
        -------
        Tensor of shape ()
            0 for a perfect fit, 1 for a model that gives every sample the same.
        """
        return self.residual(output, batch).mean() / self.unit
