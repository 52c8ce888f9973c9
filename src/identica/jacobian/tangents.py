"""How each kind of layer carries tangents: the chain rule in operations that can be trained through.

A layer that is linear, convolutional or pointwise has a rule here that pushes all ``d`` tangents through it
as extra batch entries, beside one primal pass that they share. Every other layer is differentiated by
:mod:`torch.func` in forward mode. ``TANGENT_RULES`` maps the ``forward`` of a layer class to its rule; a
module that defines layers of its own registers their rules with :func:`tangent_rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _NormBase
from torch.overrides import TorchFunctionMode

__all__ = ["Pushed", "forward_mode", "has_rule", "push_tangents", "registering", "tangent_rule"]

Pushed = tuple[Tensor, Tensor]
"""A layer's output (n, ...) and its tangents (n or 1, d, ...); 1 while they are the same for every sample."""

Rule = Callable[[Any, Tensor, Tensor], Pushed]
TANGENT_RULES: dict[Any, Rule] = {}
_R = TypeVar("_R", bound=Rule)
_F = TypeVar("_F", bound=Callable[..., Any])


def tangent_rule(*layer_classes: type[nn.Module]) -> Callable[[_R], _R]:
    """Register the decorated function as the rule that pushes tangents through the given layer classes.

    The rule takes (layer, primal, tangents), of shapes ``layer``, (n, ...) and (n or 1, d, ...), and returns
    the layer's output and tangents. A subclass shares its parent's rule as long as it keeps its parent's
    ``forward``.

    Parameters
    ----------
    *layer_classes : type
        Subclasses of :class:`torch.nn.Module`.

    Returns
    -------
    callable
        The decorator, which gives its function back unchanged.
    """
    return registering(TANGENT_RULES, layer_classes)


def registering(rules: dict[Any, Any], layer_classes: Sequence[type[nn.Module]]) -> Callable[[_F], _F]:
    """Make a decorator that enters its function into a table of rules.

    Parameters
    ----------
    rules : dict
        Rules by the ``forward`` of a layer class.
    layer_classes : sequence of type
        Subclasses of :class:`torch.nn.Module` that the rule is for.

    Returns
    -------
    callable
        The decorator, which gives its function back unchanged.
    """

    def register(rule: _F) -> _F:
        rules.update((layer_class.forward, rule) for layer_class in layer_classes)
        return rule

    return register


def has_rule(module: nn.Module) -> bool:
    """Tell whether a layer has a rule of its own, and so needs no forward mode.

    Parameters
    ----------
    module : torch.nn.Module
        A layer.

    Returns
    -------
    bool
        False for layers of unknown kind, and for those that hooks or a ``forward`` of their own may change.
    """
    return _rule_of(module) is not None


def push_tangents(module: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    """Push a batch and its tangents through a module, by its rule or else in forward mode.

    Parameters
    ----------
    module : torch.nn.Module
        Any module that treats the samples independently.
    primal : Tensor of shape (n, ...)
        Its input.
    tangents : Tensor of shape (n or 1, d, ...)
        Derivatives of that input; 1 where they are the same for every sample.

    Returns
    -------
    output : Tensor of shape (n, ...)
        ``module(primal)``.
    tangents : Tensor of shape (n or 1, d, ...)
        Derivatives of the output.
    """
    rule = _rule_of(module)
    return (_push_any if rule is None else rule)(module, primal, tangents)


def _rule_of(module: nn.Module) -> Rule | None:
    changed = module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    return None if changed else TANGENT_RULES.get(type(module).forward)


class _Elementary(TorchFunctionMode):
    """Spell fused functions out in operations whose forward-mode derivatives can be trained through.

    PyTorch's forward-mode derivatives of layer, group and instance normalisation are right, but *their*
    gradients are not: they treat the statistics of the sample as constants (seen in PyTorch 2.13). Those of
    gated linear units and of the piecewise linear sigmoid do not exist.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _SPELT_OUT.get(func, func)(*args, **(kwargs or {}))


def _layer_norm(
    inputs: Tensor,
    normalized_shape: tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    axes = tuple(range(-len(normalized_shape), 0))
    centred = inputs - inputs.mean(axes, keepdim=True)
    output = centred * torch.rsqrt((centred * centred).mean(axes, keepdim=True) + eps)
    output = output if weight is None else output * weight
    return output if bias is None else output + bias


def _group_norm(
    inputs: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    grouped: Tensor = inputs.unflatten(1, (num_groups, -1))  # type: ignore[no-untyped-call]
    output = _layer_norm(grouped, tuple(grouped.shape[2:]), eps=eps).flatten(1, 2)
    shape = (-1,) + (1,) * (inputs.ndim - 2)
    output = output if weight is None else output * weight.reshape(shape)
    return output if bias is None else output + bias.reshape(shape)


def _instance_norm(
    inputs: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not use_input_stats:
        return functional.batch_norm(inputs, running_mean, running_var, weight, bias, eps=eps)
    return _group_norm(inputs, inputs.shape[1], weight, bias, eps)


def _glu(inputs: Tensor, dim: int = -1) -> Tensor:
    values, gates = inputs.chunk(2, dim)
    return values * torch.sigmoid(gates)


def _hard_sigmoid(inputs: Tensor, inplace: bool = False) -> Tensor:
    return torch.clamp(inputs / 6 + 0.5, 0.0, 1.0)


_SPELT_OUT: dict[Any, Callable[..., Tensor]] = {
    functional.layer_norm: _layer_norm,
    functional.group_norm: _group_norm,
    functional.instance_norm: _instance_norm,
    functional.glu: _glu,
    functional.hardsigmoid: _hard_sigmoid,
}


@contextmanager
def forward_mode() -> Iterator[None]:
    """Let modules run by operations that have forward-mode derivatives, and gradients of these.

    Yields
    ------
    None
        While it lasts, no fused operation is used that lacks one or the other.
    """
    with _Elementary(), sdpa_kernel(SDPBackend.MATH):
        yield


@contextmanager
def _kept_statistics(module: nn.Module) -> Iterator[None]:
    """Let normalisation use the statistics that it keeps, as when the network is used.

    Those of a batch tie its samples together, which then have no Jacobians of their own.
    """
    training = [layer for layer in module.modules() if isinstance(layer, _NormBase) and layer.training]
    kept = [layer for layer in training if layer.running_mean is not None]
    for layer in kept:
        layer.training = False
    try:
        yield
    finally:
        for layer in kept:
            layer.training = True


def _push_any(module: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    primal = primal.clone()  # the module may work in place

    def derivative(tangent: Tensor) -> Pushed:
        with forward_mode(), _kept_statistics(module):
            output, derived = torch.func.jvp(module, (primal,), (tangent,))  # type: ignore[misc]
        return output, derived

    tangents = tangents.expand(primal.shape[0], *tangents.shape[1:])
    batched = torch.func.vmap(
        derivative,
        in_dims=1,
        out_dims=(None, 1),  # type: ignore[arg-type]
        randomness="same",
    )
    pushed: Pushed = batched(tangents)
    return pushed


@tangent_rule(nn.Sequential)
def _sequential(module: nn.Sequential, primal: Tensor, tangents: Tensor) -> Pushed:
    for layer in module:
        primal, tangents = push_tangents(layer, primal, tangents)
    return primal, tangents


@tangent_rule(nn.Linear)
def _linear(layer: nn.Linear, primal: Tensor, tangents: Tensor) -> Pushed:
    return layer(primal), functional.linear(tangents, layer.weight)


@tangent_rule(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _convolution(layer: nn.Conv2d, primal: Tensor, tangents: Tensor) -> Pushed:
    pushed = layer._conv_forward(tangents.flatten(0, 1), layer.weight, None)
    return layer(primal), pushed.unflatten(0, tangents.shape[:2])


@tangent_rule(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
def _transposed_convolution(layer: nn.ConvTranspose2d, primal: Tensor, tangents: Tensor) -> Pushed:
    convolve = _TRANSPOSED[len(layer.kernel_size)]
    settings = (layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation)
    pushed = convolve(tangents.flatten(0, 1), layer.weight, None, *settings)
    return layer(primal), pushed.reshape(*tangents.shape[:2], *pushed.shape[1:])


_TRANSPOSED: dict[int, Callable[..., Tensor]] = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


@tangent_rule(nn.Upsample, nn.PixelShuffle)
@tangent_rule(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d)
def _affine(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    flat = tangents.flatten(0, 1)
    pushed = layer(flat)
    if getattr(layer, "value", None):  # constant padding shares the rule of zero padding
        pushed = pushed - layer(torch.zeros_like(flat[:1]))
    return layer(primal), pushed.unflatten(0, tangents.shape[:2])


@tangent_rule(nn.Flatten, nn.Unflatten)
def _reshape(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    return layer(primal), layer(tangents.flatten(0, 1)).unflatten(0, tangents.shape[:2])


@tangent_rule(nn.Identity)
def _identity(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    return primal, tangents


@tangent_rule(nn.Softplus)
def _softplus(layer: nn.Softplus, primal: Tensor, tangents: Tensor) -> Pushed:
    scaled = primal if layer.beta == 1 else layer.beta * primal
    slope = torch.where(scaled > layer.threshold, 1.0, torch.sigmoid(scaled))
    return layer(primal), slope.unsqueeze(1) * tangents


@tangent_rule(nn.Tanh)
def _tanh(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    output = layer(primal)
    return output, (1 - output * output).unsqueeze(1) * tangents


@tangent_rule(nn.Sigmoid)
def _sigmoid(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    output = layer(primal)
    return output, (output * (1 - output)).unsqueeze(1) * tangents


@tangent_rule(nn.SiLU)
def _silu(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    gate = torch.sigmoid(primal)
    return primal * gate, (gate * (1 + primal * (1 - gate))).unsqueeze(1) * tangents


@tangent_rule(nn.ReLU, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.Mish, nn.Softsign)
@tangent_rule(nn.LogSigmoid, nn.ReLU6, nn.Hardtanh, nn.Hardswish, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink)
def _pointwise(layer: nn.Module, primal: Tensor, tangents: Tensor) -> Pushed:
    primal = primal.clone() if getattr(layer, "inplace", False) else primal
    output, slope = torch.func.jvp(layer, (primal,), (torch.ones_like(primal),))  # type: ignore[misc]
    return output, slope.unsqueeze(1) * tangents
