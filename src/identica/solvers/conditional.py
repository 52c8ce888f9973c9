"""Small networks of the methods that know an auxiliary variable u beside each sample."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.networks.layers import blank_linear

__all__ = ["OfContext", "PerComponent", "drawn"]

HIDDEN = 64


def drawn(n_in: int, n_out: int, generator: torch.Generator, *, gain: float = 1.0) -> nn.Linear:
    """Return a linear layer with normal weights of variance gain^2 / n_in and no shift.

    Parameters
    ----------
    n_in, n_out : int
        Sizes.
    generator : torch.Generator
        Source of the weights.
    gain : float, default=1.0
        Of the outputs for inputs of unit variance.

    Returns
    -------
    torch.nn.Linear
        In float32.
    """
    layer = blank_linear(n_in, n_out).float()
    with torch.no_grad():
        layer.weight.copy_(torch.randn(n_out, n_in, generator=generator) * (gain / n_in**0.5))
        layer.bias.zero_()
    return layer


@final
class OfContext(nn.Module):
    """A function of u: a table where u is a label, a network with one hidden layer where it is continuous.

    Parameters
    ----------
    n_context, n_out : int
        Columns of u, and of what is returned.
    labelled : bool
        Whether u is a label, given as one column for each level.
    generator : torch.Generator
        Source of the initial weights.
    gain : float, default=1.0
        Size of the first outputs.
    """

    def __init__(
        self, n_context: int, n_out: int, labelled: bool, generator: torch.Generator, *, gain: float = 1.0
    ) -> None:
        super().__init__()
        # Of a label's columns one is 1: its weights are the outputs.
        self.first = None if labelled else drawn(n_context, HIDDEN, generator)
        size = n_context if labelled else HIDDEN
        self.last = drawn(size, n_out, generator, gain=gain * (size**0.5 if labelled else 1.0))

    def forward(self, context: Tensor) -> Tensor:
        """Return the function's values.

        Parameters
        ----------
        context : Tensor of shape (n, n_context)
            u.

        Returns
        -------
        Tensor of shape (n, n_out)
            Values.
        """
        hidden = context if self.first is None else functional.silu(self.first(context))
        values: Tensor = self.last(hidden)
        return values


@final
class PerComponent(nn.Module):
    """Functions of single components: z_j -> (z_j, z_j^2, |z_j| smoothed, and some that are learnt).

    Parameters
    ----------
    n_components : int
        Components d.
    generator : torch.Generator
        Source of the initial weights.
    n_learnt : int
        Learnt functions of each component, tanh(a z_j + b).
    """

    def __init__(self, n_components: int, generator: torch.Generator, n_learnt: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_components, n_learnt, generator=generator))
        self.shift = nn.Parameter(torch.randn(n_components, n_learnt, generator=generator))
        self.n_out = n_learnt + 3

    def forward(self, latents: Tensor) -> Tensor:
        """Return the functions' values.

        Parameters
        ----------
        latents : Tensor of shape (n, d)
            Components, of about unit variance.

        Returns
        -------
        Tensor of shape (n, d, n_out)
            For each component its own functions.
        """
        each = latents.unsqueeze(-1)
        bends = torch.tanh(each * self.weight + self.shift)
        return torch.cat([each, each.square(), (each.square() + 0.01).sqrt(), bends], dim=-1)
