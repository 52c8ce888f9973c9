"""Networks for an estimator: built from its architecture, or copies of the user's own, checked first."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from identica.jacobian import jacobian
from identica.machine import memory_shortage
from identica.networks import Affine, Dense, Network, frame
from identica.preparation import Basis

if TYPE_CHECKING:
    from identica.estimators.base import ComponentAnalysis

__all__ = ["build_framed", "build_networks", "find_device", "outline"]

_FAULTS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)
"""What a user's own module may raise when it is asked for a batch."""

COPIES = 4
"""Of each parameter, while it is trained: itself, its gradient, and two moments."""


def build_framed(estimator: ComponentAnalysis, basis: Basis, seed: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Build an estimator's networks in float64 with their frames, around the user's own modules where given.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Gives the architecture.
    basis : Basis
        Linear maps to start from.
    seed : int
        Of the initial weights.

    Returns
    -------
    encoder, decoder : torch.nn.Sequential
        In the coordinates of the basis.
    """
    encoder, decoder = build_networks(
        estimator._architecture, basis, seed, estimator.sample_shape_, estimator.encoder, estimator.decoder
    )
    encoder, decoder = frame(estimator._wrap_encoder(encoder), decoder, estimator.n_components)
    return encoder.double(), decoder.double()


def outline(estimator: ComponentAnalysis, n_seen: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Build an estimator's networks with their frames on PyTorch's device "meta": all shapes, and no memory.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Gives the architecture, and the user's own modules, which are taken as they are.
    n_seen : int
        Features, or coordinates of the compact space, that the networks see.

    Returns
    -------
    encoder, decoder : torch.nn.Sequential
        Not to be computed with.

    Raises
    ------
    ValueError
        If a layer is larger than any memory, or samples have no shape that the architecture can take.
    """
    shape = (estimator.n_components, n_seen)
    encoder, decoder = _without_memory(estimator._architecture, shape, estimator.sample_shape_)
    encoder = encoder if estimator.encoder is None else estimator.encoder
    decoder = decoder if estimator.decoder is None else estimator.decoder
    return frame(estimator._wrap_encoder(encoder), decoder, estimator.n_components)


def _without_memory(
    network: Network | Affine, shape: tuple[int, int], sample_shape: tuple[int, ...]
) -> tuple[nn.Module, nn.Module]:
    axes = torch.empty(shape, dtype=torch.float64, device="meta")
    try:
        return network.build(axes, 0, sample_shape)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise ValueError(
            f"the network {type(network).__name__} has a layer that is larger than any memory: give smaller layers"
        ) from error


def _check_size(network: Network | Affine, shape: tuple[int, int], sample_shape: tuple[int, ...]) -> None:
    """Refuse networks that cannot be trained in the memory of this machine."""
    built = _without_memory(network, shape, sample_shape)
    n_numbers = sum(parameter.numel() for module in built for parameter in module.parameters())
    if shortage := memory_shortage(COPIES * 8 * n_numbers):
        raise ValueError(
            f"the network {type(network).__name__} has {n_numbers} parameters, which with what training keeps of each "
            f"take {shortage}: give smaller layers"
        )


def build_networks(
    network: Network | Affine,
    basis: Basis,
    seed: int,
    sample_shape: tuple[int, ...],
    encoder: nn.Module | None,
    decoder: nn.Module | None,
) -> tuple[nn.Module, nn.Module]:
    """Return an encoder and a decoder on the CPU: the user's own, copied, or built to start at linear axes.

    Parameters
    ----------
    network : Dense, Convolutional or Affine
        Architecture.
    basis : Basis
        Linear maps to start from.
    seed : int
        Of the initial weights.
    sample_shape : tuple of int
        Shape in which samples were given.
    encoder, decoder : torch.nn.Module or None
        The user's own.

    Returns
    -------
    encoder : torch.nn.Module
        (n, n_features) -> (n, n_components).
    decoder : torch.nn.Module
        (n, n_components) -> (n, n_features).

    Raises
    ------
    TypeError
        If an own module does not map those shapes, sample by sample.
    ValueError
        If it returns values that are not finite, samples have no shape that the architecture can take, or it is too
        large for this machine.
    """
    axes = torch.as_tensor(basis.outward, dtype=torch.float64)
    n_components, n_features = axes.shape
    if encoder is not None:
        _check_module("encoder", encoder, n_features, n_components)
    if decoder is not None:
        _check_module("decoder", decoder, n_components, n_features)
    if encoder is None or decoder is None:
        _check_size(network, (n_components, n_features), sample_shape)
    if isinstance(network, Dense) and basis.inward is not None:
        built = network.build(axes, seed, sample_shape, torch.as_tensor(basis.inward, dtype=torch.float64))
    else:
        built = network.build(axes, seed, sample_shape)
    own_encoder = built[0] if encoder is None else copy.deepcopy(encoder).cpu()
    own_decoder = built[1] if decoder is None else copy.deepcopy(decoder).cpu()
    return own_encoder, own_decoder


def _check_module(name: str, module: nn.Module, n_in: int, n_out: int) -> None:
    """Ask an own module for a batch, in evaluation mode so that nothing in it changes."""
    trial = copy.deepcopy(module).cpu().double().eval()
    batch = torch.linspace(-1, 1, 3 * n_in, dtype=torch.float64).reshape(3, n_in).requires_grad_(True)
    try:
        output, fewer = trial(batch), trial(batch[:2])
    except _FAULTS as error:
        raise TypeError(
            f"the {name} fails on a batch of shape (3, {n_in}) with {type(error).__name__} ({error}): it must map "
            f"(n, {n_in}) to (n, {n_out})"
        ) from error
    if not isinstance(output, Tensor) or output.shape != (3, n_out):
        given = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise TypeError(
            f"the {name} turns a batch of shape (3, {n_in}) into {given}: it must return a tensor of shape (3, {n_out})"
        )
    if output.dtype != batch.dtype:
        raise TypeError(f"the {name} turns a batch of float64 into {output.dtype}: it must keep the type it is given")
    if not output.requires_grad:
        raise TypeError(f"the {name} cuts its output off from its input: it must be made of differentiable operations")
    if not bool(output.isfinite().all()):
        raise ValueError(f"the {name} returns values that are not finite, give one that is fit to be trained")
    if not torch.allclose(output[:2], fewer, rtol=1e-6, atol=1e-6):
        raise TypeError(
            f"the {name} gives a sample another value in another batch, or at random, in evaluation mode: it must "
            "treat each sample by itself (in batch normalisation leave track_running_stats on)"
        )
    try:
        jacobian(trial, batch)
    except _FAULTS as error:
        raise TypeError(
            f"the {name} has no Jacobian in PyTorch's forward mode, {type(error).__name__} ({error}): build it of "
            "operations that have one"
        ) from error


def find_device(device: str | torch.device) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    device : str or torch.device
        "auto" is a GPU if there is one.

    Returns
    -------
    torch.device
        One that works here.

    Raises
    ------
    ValueError
        If it does not.
    """
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ValueError(
            f"device={str(device)!r} is not usable here: use 'auto', 'cpu' or a device that PyTorch lists"
        ) from error
    return found
