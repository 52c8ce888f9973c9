"""The margin of the diverse-influence condition over the points at which it was checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from identica.plotting.checked import Summary, answer, by_margin
from identica.plotting.style import COLORS, new_axis, spare

__all__ = ["margins"]

ORDERS = ("margin", "point")
MARKS: dict[str, Any] = {
    "holds": {"marker": "o"},
    "fails": {"marker": "x", "markeredgewidth": 1.6},
    "undecided": {"marker": "s", "markerfacecolor": "none", "markeredgewidth": 1.2},
}
APART = 0.16
"""The two kinds of rows stand so far to the left and the right of their point."""


def margins(summary: Summary, *, order: str = "margin", marked: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the interval of the margin at each point, for the rows as they are and for rows of either sign.

    The margin is the factor by which the ellipsoid must shrink to fit into the hull of the rows, 1 where part 1 of the
    condition holds. A line goes from what was proven to what was found, with a mark at its upper end: a dot where both
    parts hold, a cross where one fails, an empty square where one is undecided and none fails. A cross at 1 says that
    part 2 fails.

    Parameters
    ----------
    summary : SDISummary
        What :func:`identica.trust.sdi.summarise_sdi` has found.
    order : {"margin", "point"}, default="margin"
        Whether points stand in order of the upper end of their margin, for the rows as they are, or of their numbers.
    marked : int, optional
        Number of a point to mark by a band.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If the order is unknown, there is no point, or the point to mark is not there.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.trust.sdi import summarise_sdi
    >>> ax = plotting.margins(summarise_sdi([[1.0, 0.0], [0.0, 1.0]]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['rows as they are', 'rows of either sign', 'holds', 'fails']
    """
    if order not in ORDERS:
        raise ValueError(f"order={order!r} is unknown: give one of {', '.join(ORDERS)}")
    if not summary.points:
        raise ValueError("summary holds no point: give what was found at one or more")
    points = by_margin(summary.points)
    if order == "point":
        points = sorted(points, key=lambda point: point.index)
    numbers = [point.index for point in points]
    if marked is not None and marked not in numbers:
        raise ValueError(
            f"marked={marked} is no point of the summary: give one of {', '.join(map(str, sorted(numbers)))}"
        )
    ax = new_axis((max(5.6, min(7.2, 1.6 + 0.16 * len(points))), 2.6)) if ax is None else ax
    kinds = (
        ("rows as they are", [point.plain for point in points]),
        ("rows of either sign", [p.symmetric for p in points]),
    )
    met = {answer(check) for _, checks in kinds for check in checks}
    for (label, checks), color, shift in zip(kinds, COLORS, (-APART, APART), strict=False):
        places = np.arange(len(points)) + shift
        low, high = np.array([check.gamma for check in checks]).T
        ax.vlines(places, low, high, color=color, linewidth=1.5)
        ax.plot([], [], color=color, linewidth=3, label=label)
        for found, mark in MARKS.items():
            own = np.array([answer(check) == found for check in checks])
            if own.any():
                ax.plot(places[own], high[own], linestyle="", color=color, markersize=5, clip_on=False, **mark)
    for found, mark in MARKS.items():
        if found in met:
            ax.plot([], [], linestyle="", color=COLORS[-1], markersize=5, label=found, **mark)
    ax.axhline(1, color=COLORS[-1], linewidth=0.8, linestyle=":", zorder=0)
    if marked is not None:
        place = numbers.index(marked)
        ax.axvspan(place - 0.45, place + 0.45, color=COLORS[-1], alpha=0.2, linewidth=0, zorder=0)
    ax.set_ylim(0, 1.05)
    ax.set_xlim(-0.6, len(points) - 0.4)
    every = max(1, -(-len(points) // 12))
    ax.set_xticks(range(0, len(points), every), [str(number) for number in numbers[::every]])
    ax.set_ylabel("margin")
    left_out = f"; {summary.n_left_out} more not reached in time" if summary.n_left_out else ""
    ax.set_xlabel(f"point, in order of the margin{left_out}" if order == "margin" else f"point{left_out}")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0,
        ncols=5,
        frameon=False,
        handlelength=1,
        columnspacing=1,
        fontsize="small",
    )
    spare(ax)
    return ax
