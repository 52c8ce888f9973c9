"""How a start goes over from a compact space to features, and to a second pass on all rows."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from identica.networks import widened
from identica.training.trainer import ALL_ROWS, Trainer

__all__ = ["restart", "widen"]


def widen(start: Trainer) -> None:
    """Go over from a compact space to features: the networks stay the same maps and can now leave the subspace.

    Parameters
    ----------
    start : Trainer
        Changed in place; a start that is wide already stays as it is.
    """
    if start.data.loadings is None or start.wide_data is None:
        return
    loadings = start.data.loadings.double()
    wide = widened(start.encoder.double(), start.decoder.double(), loadings)
    start.encoder, start.decoder = (network.to(start.data.train) for network in wide)
    start.data = start.wide_data


def restart(
    start: Trainer, networks: tuple[nn.Sequential, nn.Sequential], rows: Tensor, wide_rows: Tensor | None
) -> None:
    """Begin a second pass of all stages, on all rows, each for as many steps as were best in the first.

    Parameters
    ----------
    start : Trainer
        Changed in place.
    networks : tuple of torch.nn.Sequential
        As they were before training.
    rows : Tensor of shape (n, rank or n_features)
        All rows, in the coordinates that the networks see at first.
    wide_rows : Tensor of shape (n, n_features) or None
        All rows as features, where the start is widened later.
    """
    start.suffix = ALL_ROWS
    widened_already = start.data.loadings is None and start.narrow_data is not start.data
    data = replace(start.narrow_data, train=rows, held_out=False)
    if start.wide_data is not None and wide_rows is not None:
        start.wide_data = replace(start.wide_data, train=wide_rows, held_out=False)
    if not start.is_done("start"):
        start.encoder, start.decoder = (network.to(rows) for network in networks)
        start.data = data
    else:  # resumed within the second pass
        start.data = start.wide_data if widened_already and start.wide_data is not None else data
    start.compute("start", lambda _: {})
