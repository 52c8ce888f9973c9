"""The linear frame around encoder and decoder that alignment writes into, and fitted networks at work."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from identica.networks.layers import blank_linear

__all__ = ["change_basis", "evaluate", "frame", "of_unit_variance"]

ROWS_AT_ONCE = 4096


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


def of_unit_variance(encoder: nn.Module, n_components: int) -> nn.Sequential:
    """Hold the latents of an encoder at mean zero and unit variance, by batch normalisation in float64.

    Parameters
    ----------
    encoder : torch.nn.Module
        (n, n_features) -> (n, n_components).
    n_components : int
        Number of latents.

    Returns
    -------
    torch.nn.Sequential
        The encoder and the normalisation, which after training keeps the last means and variances.
    """
    return nn.Sequential(encoder, nn.BatchNorm1d(n_components, affine=False, momentum=0.05, dtype=torch.float64))


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


def _identity(size: int) -> nn.Linear:
    layer = blank_linear(size, size).requires_grad_(False)
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
