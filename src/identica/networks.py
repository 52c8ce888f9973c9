"""Builders of encoders and decoders, and the linear frame around each that alignment writes into.

A dense network here is a linear map plus a multilayer perceptron. The linear part starts at the principal
components, so that training begins at what PCA reconstructs and adds the bends: small data keep a good linear
answer, and large data do not spend their steps on finding it.

Symbols: m = n_features, d = n_components.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.arguments import check_choice, check_integer
from identica.tangents import Pushed, push_tangents, tangent_rule

__all__ = ["ACTIVATIONS", "Affine", "Dense", "evaluate", "frame"]

ROWS_AT_ONCE = 4096

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
}


@final
class Beside(nn.Module):
    """Puts the input of a module beside its output: x -> [body(x), x].

    A linear layer that follows sees both, which makes the network a linear map plus a nonlinear one and still
    ends it in one linear layer.

    Parameters
    ----------
    body : torch.nn.Module
        Maps (n, k) to (n, h).
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [body(inputs), inputs].

        Parameters
        ----------
        inputs : Tensor of shape (n, k)
            A batch.

        Returns
        -------
        Tensor of shape (n, h + k)
            Both beside each other.
        """
        return torch.cat([self.body(inputs), inputs], dim=-1)


@tangent_rule(Beside)
def _beside(layer: Beside, primal: Tensor, tangents: Tensor) -> Pushed:
    output, pushed = push_tangents(layer.body, primal, tangents)
    n = max(pushed.shape[0], tangents.shape[0])
    both = torch.cat([pushed.expand(n, -1, -1), tangents.expand(n, -1, -1)], dim=-1)
    return torch.cat([output, primal], dim=-1), both


@final
@dataclass(frozen=True)
class Affine:
    """Linear encoder and decoder, as they are at the start of every dense network."""

    def build(self, axes: Tensor, seed: int) -> tuple[nn.Module, nn.Module]:
        """Build an encoder and a decoder that are the given axes.

        Parameters
        ----------
        axes : Tensor of shape (n_components, n_features)
            Loadings: the decoder is ``latents @ axes``, the encoder its pseudo-inverse.
        seed : int
            Not used: nothing is drawn.

        Returns
        -------
        encoder : torch.nn.Module
            (n, n_features) -> (n, n_components).
        decoder : torch.nn.Module
            (n, n_components) -> (n, n_features).
        """
        return _affine(torch.linalg.pinv(axes).T), _affine(axes.T)


def _affine(weight: Tensor) -> nn.Linear:
    layer = _linear(weight.shape[1], weight.shape[0]).to(weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
    nn.init.zeros_(layer.bias)
    return layer


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

    Raises
    ------
    TypeError
        If the widths are no sequence of integers.
    ValueError
        If there is no width, one is not positive or the activation is unknown.

    Examples
    --------
    >>> encoder, decoder = Dense(hidden=(8,)).build(torch.eye(3, 5), seed=0)
    >>> decoder(encoder(torch.zeros(2, 5))).shape
    torch.Size([2, 5])
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "softplus"

    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        """Check the widths and the activation."""
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Iterable):
            raise TypeError(f"hidden={self.hidden!r} is no sequence: give the widths of the layers, such as (128, 128)")
        widths = tuple(check_integer("a width in hidden", width, 1) for width in self.hidden)
        if not widths:
            raise ValueError("hidden is empty: give at least one width, such as (128, 128)")
        object.__setattr__(self, "hidden", widths)
        check_choice("activation", self.activation, sorted(ACTIVATIONS))

    def build(self, axes: Tensor, seed: int) -> tuple[nn.Module, nn.Module]:
        """Build an encoder and a decoder whose linear parts are the given axes and whose bends start at zero.

        Parameters
        ----------
        axes : Tensor of shape (n_components, n_features)
            Loadings: the decoder starts as ``latents @ axes``, the encoder as its pseudo-inverse.
        seed : int
            Of the perceptrons' initial weights.

        Returns
        -------
        encoder : torch.nn.Module
            (n, n_features) -> (n, n_components).
        decoder : torch.nn.Module
            (n, n_components) -> (n, n_features).
        """
        n_components, n_features = axes.shape
        generator = torch.Generator().manual_seed(seed)
        encoder = self._network((n_features, *reversed(self.hidden)), n_components, generator)
        decoder = self._network((n_components, *self.hidden), n_features, generator)
        for network, linear_part in ((encoder, torch.linalg.pinv(axes).T), (decoder, axes.T)):
            last: nn.Linear = network[-1]  # type: ignore[assignment]
            with torch.no_grad():
                last.weight[:, -linear_part.shape[1] :] = linear_part
        return encoder, decoder

    def _network(self, widths: Sequence[int], n_outputs: int, generator: torch.Generator) -> nn.Sequential:
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(widths):
            linear = _linear(n_in, n_out)
            bound = (3.0 / n_in) ** 0.5
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -1.0, 1.0, generator=generator)
            layers += [linear, ACTIVATIONS[self.activation]()]
        last = _linear(widths[-1] + widths[0], n_outputs)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(Beside(nn.Sequential(*layers)), last)


def frame(encoder: nn.Module, decoder: nn.Module, n_components: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Put a linear layer after the encoder and one before the decoder, both the identity.

    A change of basis of the latents is written into these two and leaves every reconstruction as it was,
    whatever the modules between them are. Training does not touch them.

    Parameters
    ----------
    encoder : torch.nn.Module
        (n, n_features) -> (n, n_components).
    decoder : torch.nn.Module
        (n, n_components) -> (n, n_features).
    n_components : int
        Number of latents.

    Returns
    -------
    encoder : torch.nn.Sequential
        The encoder with its frame.
    decoder : torch.nn.Sequential
        The decoder with its frame.

    Examples
    --------
    >>> encoder, decoder = frame(nn.Linear(5, 2), nn.Linear(2, 5), 2)
    >>> len(encoder), len(decoder)
    (2, 2)
    """
    return nn.Sequential(encoder, _identity(n_components)), nn.Sequential(_identity(n_components), decoder)


def evaluate(network: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Send rows through a fitted network without gradients, a part at a time to bound the memory.

    Parameters
    ----------
    network : callable
        Maps a batch (n, k) to (n, h).
    rows : Tensor of shape (n, k)
        What to send through.

    Returns
    -------
    Tensor of shape (n, h)
        What comes out.

    Raises
    ------
    ValueError
        If that is not finite.
    """
    with torch.no_grad():
        outputs = torch.cat([network(part) for part in torch.split(rows, ROWS_AT_ONCE)])
    lost = ~outputs.isfinite().all(dim=1)
    if lost.any():
        raise ValueError(
            f"sample {int(lost.nonzero()[0])} is so far from the data that were fitted that the networks give no "
            "finite numbers: give it in the units of those data"
        )
    return outputs


def _linear(n_in: int, n_out: int) -> nn.Linear:
    """Return a layer whose entries are yet to be set, without a draw from the global random state."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
    return layer


def _identity(size: int) -> nn.Linear:
    layer = _linear(size, size).requires_grad_(False)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def change_basis(encoder: nn.Sequential, decoder: nn.Sequential, transform: Tensor, shift: Tensor) -> None:
    """Replace the latents z by z' with z = T z' + c, in the frames: what is reconstructed stays what it was.

    Parameters
    ----------
    encoder, decoder : torch.nn.Sequential
        Framed by :func:`frame`; changed in place.
    transform : Tensor of shape (n_components, n_components)
        T, invertible.
    shift : Tensor of shape (n_components,)
        The shift c.

    Raises
    ------
    TypeError
        If the networks have no frame.
    """
    after, before = encoder[-1], decoder[0]
    if not (isinstance(after, nn.Linear) and isinstance(before, nn.Linear)):
        raise TypeError("the networks have no frame: pass what frame() returned")
    # In float64: the two maps must stay inverse to each other to rounding, however often this is done.
    double = torch.float64
    matrix = transform.to(double)
    with torch.no_grad():
        before_weight, before_bias = before.weight.to(double), before.bias.to(double)
        after_weight, after_bias = after.weight.to(double), after.bias.to(double)
        before.bias.copy_(before_bias + before_weight @ shift.to(double))
        before.weight.copy_(before_weight @ matrix)
        after.weight.copy_(torch.linalg.solve(matrix, after_weight))
        after.bias.copy_(torch.linalg.solve(matrix, after_bias - shift.to(double)))
