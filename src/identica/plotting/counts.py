"""What was found for each number of components: reconstruction, agreement of each component, how many are trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from identica.plotting.style import COLORS, PlainLogFormatter, spare

__all__ = ["choice"]

_AGREEMENTS = {"agreement_of_seeds": "seeds", "agreement_of_halves": "halves"}
_APART = 0.15
"""Dots of the seeds and of the halves stand so far to the left and the right of their number."""


def choice(
    rows: Sequence[Mapping[str, Any]],
    recommended: int | None = None,
    *,
    threshold: float | None = None,
    axes: Sequence[Axes] | None = None,
) -> tuple[Axes, Axes, Axes]:
    """Draw over the number of components what is left unexplained, how far components agree, how many are found again.

    Parameters
    ----------
    rows : sequence of mappings
        As ``Choice.to_dict()["rows"]``: each has "n_components", "unexplained", "n_trusted", "n_found" and
        "components", which hold "agreement_of_seeds" and "agreement_of_halves".
    recommended : int, optional
        The number to mark.
    threshold : float, optional
        Agreement from which on components are trusted, drawn as a line.
    axes : sequence of three matplotlib.axes.Axes, optional
        Where to draw; in a new figure, one above the other, by default.

    Returns
    -------
    tuple of three matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If there is no row, or there are not three axes.

    Examples
    --------
    >>> from identica import plotting
    >>> component = {"agreement_of_seeds": 1.0, "agreement_of_halves": 0.9}
    >>> row = {"n_components": 1, "unexplained": 0.1, "n_trusted": 1, "n_found": 1, "components": [component]}
    >>> axes = plotting.choice([row], recommended=1)
    >>> [ax.get_ylabel() for ax in axes]
    ['unexplained', 'agreement', 'found again']
    """
    if not rows:
        raise ValueError("rows holds nothing: give what was found for one number of components or more")
    if axes is None:
        size = (5.6, 5.6)
        axes = tuple(Figure(figsize=size, layout="constrained").subplots(3, 1, sharex=True, height_ratios=(2, 3, 2)))
    if len(axes) != 3:
        raise ValueError(f"axes holds {len(axes)}: give three")
    above, middle, below = axes
    rows = sorted(rows, key=lambda row: row["n_components"])
    numbers = np.array([row["n_components"] for row in rows])
    above.plot(numbers, [row["unexplained"] for row in rows], color=COLORS[0], linewidth=1.5, marker=".")
    if min(row["unexplained"] for row in rows) > 0:
        above.set_yscale("log")
        above.yaxis.set_major_formatter(PlainLogFormatter())
        above.yaxis.set_minor_formatter(PlainLogFormatter())
    for shift, color, (name, label) in zip((-_APART, _APART), COLORS, _AGREEMENTS.items(), strict=False):
        dots = [(row["n_components"] + shift, each[name]) for row in rows for each in row["components"]]
        middle.plot(*zip(*dots, strict=True), ".", color=color, label=label, markersize=7, alpha=0.7, markeredgewidth=0)
    middle.set_ylim(0, 1.03)
    if threshold is not None:
        middle.axhline(threshold, color=COLORS[-1], linewidth=1, linestyle="--")
    trusted, found = (np.array([row[name] for row in rows]) for name in ("n_trusted", "n_found"))
    below.bar(numbers, trusted, color=COLORS[2], width=0.6, label="trusted")
    below.bar(numbers, found - trusted, bottom=trusted, color=COLORS[2], alpha=0.3, width=0.6, label="mixed")
    for ax in (middle, below):
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=2, frameon=False, handlelength=1)
    below.yaxis.set_major_locator(MaxNLocator(integer=True))
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    for ax, name in zip(axes, ("unexplained", "agreement", "found again"), strict=True):
        ax.set_ylabel(name)
        spare(ax)
        if recommended is not None:
            ax.axvspan(recommended - 0.4, recommended + 0.4, color=COLORS[-1], alpha=0.2, linewidth=0, zorder=0)
    below.set_xlabel("components")
    return above, middle, below
