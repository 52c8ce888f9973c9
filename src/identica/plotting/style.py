"""What all pictures share: colours, new axes, short names, matrices checked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from numpy.typing import ArrayLike, NDArray

from identica.arguments import as_array

__all__ = ["COLORS", "LONGEST_NAME", "PlainLogFormatter", "as_matrix", "new_axis", "short_names", "spare"]

COLORS = ("#2f6db5", "#d9722e", "#3f9a6b", "#a8518f", "#8a7a3a", "#5c6b7a")
"""Colours of lines, in the order in which they are used; they read well on white and on near-black."""
LONGEST_NAME = 40
"""Letters of a row's or a column's name that are shown."""


class PlainLogFormatter(LogFormatter):
    """Writes 0.03 where matplotlib writes 3 times a power of ten, at the ticks that it labels."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def as_matrix(matrix: ArrayLike, name: str, meaning: str) -> NDArray[np.float64]:
    """Return a matrix of float64 that is not empty.

    Returns
    -------
    ndarray
        The matrix.

    Raises
    ------
    ValueError
        If it is empty or no matrix.
    TypeError
        If it holds something else than numbers.
    """
    array = as_array(name, matrix, f"a matrix, {meaning}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}: give numbers, {meaning}")
    values = array.astype(np.float64)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"{name} has shape {values.shape}: give two non-empty dimensions, {meaning}")
    return values


def short_names(names: Sequence[object]) -> list[str]:
    """Cut names that would leave no room for what they name."""
    texts = [str(name) for name in names]
    return [text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…" for text in texts]


def new_axis(size: tuple[float, float]) -> Axes:
    """Return the axis of a new figure of so many inches, made without pyplot."""
    return Figure(figsize=size, layout="constrained").subplots()


def spare(ax: Axes) -> None:
    """Take away the frame's upper and right edge, which say nothing."""
    ax.spines["top"].set_visible(False)
    ax.spines["right"].set_visible(False)
