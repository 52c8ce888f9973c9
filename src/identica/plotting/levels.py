"""Scores of several methods as something is made stronger."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from identica.plotting.style import COLORS, new_axis, short_names, spare

__all__ = ["levels"]

_STYLES = ("-", "--", ":")
"""Of lines once the colours are used up."""


def levels(
    positions: Sequence[object],
    scores: Mapping[str, ArrayLike],
    *,
    xlabel: str = "",
    ylabel: str = "R²",
    ax: Axes | None = None,
) -> Axes:
    """Draw the score of each method at each level of something, levels evenly spaced, and their names beside the lines.

    Parameters
    ----------
    positions : sequence of object
        Levels, in order; their names stand below the axis.
    scores : mapping of str to array-like of shape (n_levels,)
        Scores by method; NaN where there is none.
    xlabel, ylabel : str
        Names of the axes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If a method has not one score for each level, or there is none.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.levels([0, 1, 2], {"dica": [1.0, 0.9, 0.9], "pca": [0.5, 0.3, 0.2]}, xlabel="cross-talk")
    >>> [line.get_label() for line in ax.get_lines()]
    ['dica', 'pca']
    """
    if not scores:
        raise ValueError("no scores were given: give those of one method or more")
    ax = new_axis((5.6, 3.2)) if ax is None else ax
    labels = short_names(list(scores))
    for i, (label, values, color) in enumerate(zip(labels, scores.values(), cycle(COLORS), strict=False)):
        heights = np.asarray(values, dtype=np.float64)
        if heights.shape != (len(positions),):
            raise ValueError(f"{label!r} has scores of shape {heights.shape}: give one for each of {len(positions)}")
        style = _STYLES[i // len(COLORS) % len(_STYLES)]
        ax.plot(range(len(positions)), heights, style, marker="o", markersize=4, label=label, color=color)
    ax.set_xticks(range(len(positions)), [str(position) for position in positions])
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")
    spare(ax)
    return ax
