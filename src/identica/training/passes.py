"""How a start goes over from a compact space to features, and to a second pass on all rows."""

from __future__ import annotations

from torch import nn

from identica.networks import widened
from identica.training.descent import Data
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


def restart(start: Trainer, networks: tuple[nn.Sequential, nn.Sequential], data: Data, wide_data: Data | None) -> None:
    """Begin a second pass of all stages, on all rows, each for as many steps as were best in the first.

    Parameters
    ----------
    start : Trainer
        Changed in place.
    networks : tuple of torch.nn.Sequential
        As they are before training.
    data : Data
        All rows, in the coordinates that the networks see at first.
    wide_data : Data or None
        All rows as features, where the start is widened later.
    """
    start.suffix = ALL_ROWS
    widened_already = start.narrow_data is not start.data
    start.narrow_data, start.wide_data = data, wide_data
    if not start.is_done("start"):
        start.encoder, start.decoder = (network.to(data.train) for network in networks)
        start.data = data
    else:  # resumed within the second pass
        start.data = wide_data if widened_already and wide_data is not None else data
    start.compute("start", lambda _: {}, {})
