"""Film strips: one anchor, one component, from one end of its range to the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.estimators.traversal import component_ranges, traverse
from identica.experiments.benchmark import Cell
from identica.experiments.reading import N_STEPS, STABLE, Reader
from identica.io.pictures import grey_levels, tile, write_png

__all__ = ["draw_strip", "strip_name"]


def strip_name(cell: Cell, turn: str) -> str:
    """Name the file of a strip, in letters that need no quoting in links.

    Parameters
    ----------
    cell : Cell
        Whose.
    turn : str
        What it shows, such as "3 to 9".

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> strip_name(Cell("d=10", "dica staged", 0), "3 to 9")
    'd-10-dica-staged-0-3-to-9.png'
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{cell.dataset} {cell.method} {cell.seed} {turn}") + ".png"


def draw_strip(
    path: Path, model: Any, reader: Reader, starts: NDArray[Any], seen: NDArray[Any], component: int, end: int
) -> None:
    """Draw the anchor that one component brings nearest to a class.

    Parameters
    ----------
    path : Path
        The PNG file.
    model : fitted estimator
        Has ``inverse_transform``.
    reader : Reader
        Fitted to real images.
    starts : ndarray of shape (n_anchors, n_components)
        Components of the anchors.
    seen : ndarray of shape (n_samples, n_components)
        Components of the data, which say how far to go.
    component : int
        Which moves.
    end : int
        The class.
    """
    if len(starts) == 0:
        return
    moved = traverse(model, starts, component_ranges(seen), N_STEPS).values[:, component]
    read = reader.probabilities(moved.reshape(-1, *moved.shape[2:])).reshape(len(starts), N_STEPS, -1)
    sure = read[:, :, np.searchsorted(reader.classes, end)]
    stable = np.min([sure[:, i : N_STEPS - STABLE + 1 + i] for i in range(STABLE)], axis=0).max(axis=1)
    write_png(path, tile(grey_levels(moved[[stable.argmax()]], 0, reader.scale)), enlarge=2)
