"""Layers that the builders share, with the rules by which they carry tangents."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from identica.jacobian.sampling import push_sampled, rearranges, sampled_rule
from identica.jacobian.tangents import Pushed, push_tangents, tangent_rule

__all__ = ["ACTIVATIONS", "Beside", "Channels", "Crop", "Plus", "blank_linear", "linear_map"]

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
class Plus(nn.Module):
    """The sum of two modules with the same input: x -> first(x) + second(x).

    Parameters
    ----------
    first, second : torch.nn.Module
        Map (n, ...) to the same shape.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum.

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
            A batch.

        Returns
        -------
        Tensor of shape (n, ...)
            first(inputs) + second(inputs).
        """
        total: Tensor = self.first(inputs) + self.second(inputs)
        return total


@tangent_rule(Plus)
def _plus(layer: Plus, primal: Tensor, tangents: Tensor) -> Pushed:
    first, pushed_first = push_tangents(layer.first, primal, tangents)
    second, pushed_second = push_tangents(layer.second, primal, tangents)
    return first + second, pushed_first + pushed_second


@sampled_rule(Plus)
def _sampled_plus(layer: Plus, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    first, pushed_first = push_sampled(layer.first, primal, tangents, features)
    second, pushed_second = push_sampled(layer.second, primal, tangents, features)
    return first + second, pushed_first + pushed_second


@final
class Crop(nn.Module):
    """Keeps the upper left corner of images.

    Parameters
    ----------
    height, width : int
        Of the corner.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    def forward(self, images: Tensor) -> Tensor:
        """Return the corner.

        Parameters
        ----------
        images : Tensor of shape (..., height, width)
            At least as large.

        Returns
        -------
        Tensor of shape (..., height, width)
            The corner of each.
        """
        return images[..., : self.height, : self.width]


@final
class Channels(nn.Module):
    """Moves the channels of images from the last axis to the first, as convolutions want them, or back.

    Parameters
    ----------
    first : bool
        Whether they come to stand first.
    """

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.first = first

    def forward(self, images: Tensor) -> Tensor:
        """Return images with their axes in the other order.

        Parameters
        ----------
        images : Tensor of shape (..., height, width, channels) or (..., channels, height, width)
            A batch.

        Returns
        -------
        Tensor of shape (..., channels, height, width) or (..., height, width, channels)
            The same values.
        """
        return images.movedim(-1, -3) if self.first else images.movedim(-3, -1)


@tangent_rule(Crop, Channels)
def _rearranged(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    return layer(primal), layer(tangents)


rearranges(Crop, Channels)


def blank_linear(n_in: int, n_out: int, device: torch.device | str = "cpu") -> nn.Linear:
    """Return a linear layer whose entries are yet to be set, without a draw from the global random state.

    Parameters
    ----------
    n_in, n_out : int
        Sizes.
    device : torch.device or str, default="cpu"
        Where; on PyTorch's device "meta" it has shapes and takes no memory.

    Returns
    -------
    torch.nn.Linear
        The layer.
    """
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out, device=device)  # type: ignore[no-untyped-call]
    return layer


def linear_map(weight: Tensor) -> nn.Linear:
    """Return a linear layer of given weights, without an offset and in their precision.

    Parameters
    ----------
    weight : Tensor of shape (n_out, n_in)
        Its weights, whose device is that of the layer.

    Returns
    -------
    torch.nn.Linear
        The layer.
    """
    layer = blank_linear(weight.shape[1], weight.shape[0], weight.device).to(weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
    nn.init.zeros_(layer.bias)
    return layer
