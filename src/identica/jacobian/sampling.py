"""Some outputs of a network without the others: what the last layers must compute for a sample of features.

A training step looks at a sample of the Jacobian's rows. Layers that only move values about are traced back, and of
the layer before them, linear or convolutional, only the outputs asked for are computed: as rows of its matrix, through
which the tangents go in one product. Symbols: n samples, d tangents of each, k features asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.jacobian.tangents import Pushed, has_rule, push_tangents, registering

__all__ = ["flat_layers", "push_sampled", "rearranges", "sampled_rule"]

SampledRule = Callable[[Any, Tensor, Tensor, Tensor], Pushed]
SAMPLED_RULES: dict[Any, SampledRule] = {}
REARRANGING: set[Any] = set()
_R = TypeVar("_R", bound=SampledRule)


def sampled_rule(*layer_classes: type[nn.Module]) -> Callable[[_R], _R]:
    """Register the decorated function as the rule that computes some outputs of the given layer classes.

    The rule takes (layer, primal, tangents, features), of shapes ``layer``, (n, ...), (n or 1, d, ...) and (k,), and
    returns these outputs and their tangents, (n, k) and (n or 1, d, k).

    Parameters
    ----------
    *layer_classes : type
        Subclasses of :class:`torch.nn.Module` that have a tangent rule.

    Returns
    -------
    callable
        The decorator, which gives its function back unchanged.
    """
    return registering(SAMPLED_RULES, layer_classes)


def rearranges(*layer_classes: type[nn.Module]) -> None:
    """Declare that layers do nothing but move values about or leave some out.

    Parameters
    ----------
    *layer_classes : type
        Subclasses of :class:`torch.nn.Module` that have a tangent rule.
    """
    REARRANGING.update(layer_class.forward for layer_class in layer_classes)


rearranges(nn.Identity, nn.Flatten, nn.Unflatten, nn.PixelShuffle)


def push_sampled(module: nn.Module, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    """Push a batch and its tangents through a module, towards some of its outputs.

    Parameters
    ----------
    module : torch.nn.Module
        Any module that treats the samples independently.
    primal : Tensor of shape (n, ...)
        Its input.
    tangents : Tensor of shape (n or 1, d, ...)
        Derivatives of that input; 1 where they are the same for every sample.
    features : Tensor of shape (k,)
        Indices of outputs, flattened.

    Returns
    -------
    output : Tensor of shape (n, k)
        ``module(primal)`` at these outputs.
    tangents : Tensor of shape (n or 1, d, k)
        Their derivatives.
    """
    rule = SAMPLED_RULES.get(type(module).forward, _push_all)
    return (rule if has_rule(module) else _push_all)(module, primal, tangents, features)


def flat_layers(module: nn.Module) -> list[nn.Module]:
    """Return the layers of a sequence of sequences in one list.

    Parameters
    ----------
    module : torch.nn.Module
        Any module.

    Returns
    -------
    list of torch.nn.Module
        Its layers; the module itself where it is no sequence.
    """
    if type(module).forward is nn.Sequential.forward and has_rule(module):
        return [layer for child in module.children() for layer in flat_layers(child)]
    return [module]


def _push_all(module: nn.Module, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    output, pushed = push_tangents(module, primal, tangents)
    return output.flatten(1)[:, features], pushed.flatten(2)[:, :, features]


@sampled_rule(nn.Sequential)
def _sequential(module: nn.Sequential, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    layers = flat_layers(module)
    end = len(layers)
    while end > 0 and type(layers[end - 1]).forward in REARRANGING and has_rule(layers[end - 1]):
        end -= 1
    if end == 0:
        return _push_all(module, primal, tangents, features)
    body, last, rest = nn.Sequential(*layers[: end - 1]), layers[end - 1], layers[end:]
    primal, tangents = push_tangents(body, primal, tangents)
    shape = _output_shape(last, primal) if rest else None
    if shape is None and rest:
        return _push_all(nn.Sequential(last, *rest), primal, tangents, features)
    return push_sampled(last, primal, tangents, features if shape is None else _sources(rest, shape, features))


def _output_shape(layer: nn.Module, primal: Tensor) -> tuple[int, ...] | None:
    """Return the shape of a layer's output for one sample, where it can be told without computing it."""
    if isinstance(layer, nn.Linear):
        return (*primal.shape[1:-1], layer.out_features)
    if isinstance(layer, nn.Conv2d) and not isinstance(layer.padding, str):
        return (layer.out_channels, *_grid(layer, primal))
    return None


def _grid(layer: nn.Conv2d, primal: Tensor) -> tuple[int, int]:
    """Return height and width of a convolution's output."""
    above, left = _padding(layer)
    height, width = (
        (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for side, padding, dilation, kernel, stride in zip(
            primal.shape[2:], (above, left), layer.dilation, layer.kernel_size, layer.stride, strict=True
        )
    )
    return height, width


def _padding(layer: nn.Conv2d) -> tuple[int, int]:
    """Return the rows and columns of zeros around a convolution's input, where they are told by numbers."""
    above, left = (int(side) for side in layer.padding)
    return above, left


def _sources(layers: Sequence[nn.Module], shape: tuple[int, ...], features: Tensor) -> Tensor:
    """Return which inputs of rearranging layers some of their outputs are."""
    index = torch.arange(math.prod(shape), device=features.device).reshape(1, *shape)
    for layer in layers:
        index = layer(index)
    return index.flatten()[features]


@sampled_rule(nn.Linear)
def _linear(layer: nn.Linear, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    if primal.ndim != 2:
        return _push_all(layer, primal, tangents, features)
    bias: Tensor | None = layer.bias
    weight = layer.weight[features]
    return (
        functional.linear(primal, weight, None if bias is None else bias[features]),
        functional.linear(tangents, weight),
    )


@sampled_rule(nn.Conv2d)
def _convolution(layer: nn.Conv2d, primal: Tensor, tangents: Tensor, features: Tensor) -> Pushed:
    plain = layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if not plain or not _rows_are_cheaper(layer, primal, len(features)):
        return _push_all(layer, primal, tangents, features)
    height, width = _grid(layer, primal)
    features = torch.where(features < 0, features + layer.out_channels * height * width, features)
    channel = features // (height * width)
    rows = _rows(layer, primal.shape[2:], channel, features // width % height, features % width)
    bias = None if layer.bias is None else layer.bias[channel]
    # Channels last, as they lie in memory where convolutions are fast.
    return (
        functional.linear(primal.movedim(1, -1).flatten(1), rows, bias),
        functional.linear(tangents.movedim(2, -1).flatten(2), rows),
    )


def _rows_are_cheaper(layer: nn.Conv2d, primal: Tensor, n_features: int) -> bool:
    """Compare the multiplications of dense rows with those of the whole convolution, per input channel."""
    height, width = _grid(layer, primal)
    return (
        n_features * math.prod(primal.shape[2:]) <= math.prod(layer.kernel_size) * layer.out_channels * height * width
    )


def _rows(layer: nn.Conv2d, shape: Sequence[int], channel: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Return rows of the convolution's matrix, (k, height * width * channels), for outputs at some positions."""
    (down, seen), (along, beside) = (
        _taps(position, side, *settings)
        for position, side, *settings in zip(
            (y, x), shape, _padding(layer), layer.stride, layer.dilation, layer.kernel_size, strict=True
        )
    )
    n_down, n_along = layer.kernel_size
    # One table of the kernel's vectors of input channels; its last row is for inputs that the kernel does not see.
    vectors = layer.weight.movedim(1, -1).flatten(0, 2)
    table = functional.pad(vectors, (0, 0, 0, 1))
    taps = (channel[:, None, None] * n_down + down[:, :, None]) * n_along + along[:, None, :]
    taps = torch.where(seen[:, :, None] & beside[:, None, :], taps, len(vectors))
    return functional.embedding(taps.flatten(1), table).flatten(1)


def _taps(position: Tensor, side: int, padding: int, stride: int, dilation: int, kernel: int) -> tuple[Tensor, Tensor]:
    """Return by which entry of the kernel some outputs see each input along an axis, and whether they do, (k, side)."""
    offset = torch.arange(side, device=position.device) + padding - position[:, None] * stride
    tap = torch.div(offset, dilation, rounding_mode="floor")
    return tap, (tap >= 0) & (tap < kernel) & (tap * dilation == offset)
