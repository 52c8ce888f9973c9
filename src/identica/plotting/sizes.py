"""Errors by number of samples, with their range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes

from identica.plotting.style import COLORS, PlainLogFormatter, new_axis, short_names, spare

__all__ = ["errors_by_size"]


def errors_by_size(
    curves: Mapping[str, Sequence[tuple[float, float, float, float]]],
    *,
    slope: float | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw errors against numbers of samples, both on logarithmic scales, with a band from the least to the largest.

    Parameters
    ----------
    curves : mapping of str to sequence of (size, error, least, largest)
        By name, each in order of growing size; all numbers positive.
    slope : float, optional
        Of a dashed line beside the lowest curve, such as -1/2.
    title : str, optional
        Above the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a number is not positive.

    Examples
    --------
    >>> from identica import plotting
    >>> points = [(100, 0.1, 0.08, 0.13), (1000, 0.04, 0.03, 0.05)]
    >>> ax = plotting.errors_by_size({"dica": points}, slope=-0.5)
    >>> [line.get_label() for line in ax.get_lines()]
    ['dica', 'slope -0.5']
    """
    drawn = {name: np.asarray(points, dtype=np.float64) for name, points in curves.items() if len(points)}
    if not drawn:
        raise ValueError("no curve has a point: give one or more")
    for name, points in drawn.items():
        if not (np.isfinite(points).all() and (points > 0).all()):
            raise ValueError(f"the curve {name!r} has a number that is not positive: leave its point out")
    ax = new_axis((4.2, 3.2)) if ax is None else ax
    # A curve without points keeps its colour, so that pictures beside each other have the same.
    colors = dict(zip(curves, cycle(COLORS), strict=False))
    for label, (name, points) in zip(short_names(list(drawn)), drawn.items(), strict=True):
        sizes, errors, least, largest = points.T
        ax.plot(sizes, errors, label=label, color=colors[name], linewidth=1.5, marker=".")
        ax.fill_between(sizes, least, largest, color=colors[name], alpha=0.2, linewidth=0)
    every = np.concatenate(list(drawn.values()))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(every[:, 1:].min() / 1.5, every[:, 1:].max() * 1.3)
    if slope is not None:
        ends = np.array([every[:, 0].min(), every[:, 0].max()])
        # Just below the lowest of the curves where they begin; what leaves the axis is not drawn.
        begin = min(points[0, 1] for points in drawn.values()) / 1.2
        line = begin * (ends / ends[0]) ** slope
        ax.plot(ends, line, label=f"slope {slope:g}", color=COLORS[-1], linewidth=1, linestyle="--")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PlainLogFormatter())
    ax.yaxis.set_minor_formatter(PlainLogFormatter())
    ax.xaxis.set_minor_formatter("")
    ax.set_xlabel("samples")
    if title is not None:
        ax.set_title(title, parse_math=False)
    spare(ax)
    return ax
