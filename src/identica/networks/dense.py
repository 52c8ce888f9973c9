"""Fully connected encoders and decoders, and linear ones.

A dense network here is a linear map plus a multilayer perceptron. The linear part starts at the principal
components, so that training begins at what PCA reconstructs and adds the bends: small data keep a good linear
answer, and large data do not spend their steps on finding it.

Symbols: m = n_features, d = n_components.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.arguments import check_choice, check_integer
from identica.networks.layers import ACTIVATIONS, Beside, blank_linear, linear_map

__all__ = ["Affine", "Dense"]

MOST_LAYERS = 1000


@final
@dataclass(frozen=True)
class Affine:
    """Linear encoder and decoder, as they are at the start of every dense network."""

    def build(self, axes: Tensor, seed: int, sample_shape: tuple[int, ...] = ()) -> tuple[nn.Module, nn.Module]:
        """Build an encoder and a decoder that are the given axes.

        Parameters
        ----------
        axes : Tensor of shape (n_components, n_features)
            Loadings: the decoder is ``latents @ axes``, the encoder its pseudo-inverse.
        seed : int
            Not used: nothing is drawn.
        sample_shape : tuple of int, default=()
            Not used: linear maps know of no shape.

        Returns
        -------
        encoder : torch.nn.Module
            (n, n_features) -> (n, n_components).
        decoder : torch.nn.Module
            (n, n_components) -> (n, n_features).
        """
        return linear_map(torch.linalg.pinv(axes).T), linear_map(axes.T)


@final
@dataclass(frozen=True)
class Dense:
    """Fully connected encoder and decoder, each a linear map plus a multilayer perceptron.

    Parameters
    ----------
    hidden : tuple of int, default=(128, 128)
        Widths of the decoder's hidden layers; the encoder has the same in reverse.
    activation : str, default="softplus"
        One of ``ACTIVATIONS``; a smooth one has a Jacobian without jumps.
    compact : bool or int, default=True
        Whether the networks train in the data's principal subspace, between two fixed matrices: True takes the rank
        that leaves out at most 0.1 % of the variance, but at least four directions for each component; an integer is
        the rank; with False the networks see the features themselves. Own modules always do.

    Raises
    ------
    TypeError
        If the widths are no sequence of integers, or compact is neither bool nor int.
    ValueError
        If there is no width or more than 1000, one or the rank is not positive, or the activation is unknown.

    Examples
    --------
    >>> encoder, decoder = Dense(hidden=(8,)).build(torch.eye(3, 5), seed=0)
    >>> decoder(encoder(torch.zeros(2, 5))).shape
    torch.Size([2, 5])
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "softplus"
    compact: bool | int = True

    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        """Check the widths and the activation."""
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Iterable):
            raise TypeError(f"hidden={self.hidden!r} is no sequence: give the widths of the layers, such as (128, 128)")
        if len(given := list(self.hidden)) > MOST_LAYERS:
            raise ValueError(f"hidden has {len(given)} widths: give at most {MOST_LAYERS}")
        widths = tuple(check_integer("a width in hidden", width, 1) for width in given)
        if not widths:
            raise ValueError("hidden is empty: give at least one width, such as (128, 128)")
        object.__setattr__(self, "hidden", widths)
        check_choice("activation", self.activation, sorted(ACTIVATIONS))
        if not isinstance(self.compact, bool):
            object.__setattr__(self, "compact", check_integer("compact", self.compact, 1))

    def build(
        self, axes: Tensor, seed: int, sample_shape: tuple[int, ...] = (), inward: Tensor | None = None
    ) -> tuple[nn.Module, nn.Module]:
        """Build an encoder and a decoder whose linear parts are the given axes and whose bends start at zero.

        Parameters
        ----------
        axes : Tensor of shape (n_components, n_features)
            Loadings: the decoder starts as ``latents @ axes``, the encoder as its pseudo-inverse; networks are built on
            their device.
        seed : int
            Of the perceptrons' initial weights.
        sample_shape : tuple of int, default=()
            Not used: perceptrons know of no shape.
        inward : Tensor of shape (n_features, n_components), optional
            The encoder's linear part in place of the pseudo-inverse.

        Returns
        -------
        encoder : torch.nn.Module
            (n, n_features) -> (n, n_components).
        decoder : torch.nn.Module
            (n, n_components) -> (n, n_features).
        """
        n_components, n_features = axes.shape
        encoding = torch.linalg.pinv(axes) if inward is None else inward
        generator = torch.Generator().manual_seed(seed)
        encoder = self._network((n_features, *reversed(self.hidden)), n_components, generator, axes.device)
        decoder = self._network((n_components, *self.hidden), n_features, generator, axes.device)
        for network, linear_part in ((encoder, encoding.T), (decoder, axes.T)):
            last: nn.Linear = network[-1]  # type: ignore[assignment]
            with torch.no_grad():
                last.weight[:, -linear_part.shape[1] :] = linear_part
        return encoder, decoder

    def _network(
        self, widths: Sequence[int], n_outputs: int, generator: torch.Generator, device: torch.device
    ) -> nn.Sequential:
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(widths):
            linear = blank_linear(n_in, n_out, device)
            bound = (3.0 / n_in) ** 0.5
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -1.0, 1.0, generator=generator)
            layers += [linear, ACTIVATIONS[self.activation]()]
        last = blank_linear(widths[-1] + widths[0], n_outputs, device)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(Beside(nn.Sequential(*layers)), last)
