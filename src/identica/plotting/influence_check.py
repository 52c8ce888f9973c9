"""What was found of the diverse-influence condition, in one figure and picture by picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from identica.plotting.checked import Check, FloatArray, Point, Summary, middle
from identica.plotting.hulls import polar_hull, row_hull
from identica.plotting.margins import margins
from identica.plotting.row_pairs import IN_A_ROW, MOST_PAIRS, row_pairs

__all__ = ["diverse_influence", "diverse_influence_pictures"]

WIDTH, STRIP = 7.2, 2.5
"""Of the figure, and height of the strip of margins, in inches."""
ROOM = 0.7
"""For the numbers and names beside and below an axis, in inches."""
KEY_ROW = 13
"""Height of a row of a key, in points."""


def diverse_influence(summary: Summary, jacobians: ArrayLike) -> Figure:
    """Draw in one figure the margins of all points, and the rows of the point in the middle of them.

    For two and three components these are :func:`row_hull` and :func:`polar_hull`, for more the first six pairs of
    :func:`row_pairs`. The hull is that of the rows as they are, or, where that does not meet the condition, of the rows
    and their negatives, which is enough for it.

    Parameters
    ----------
    summary : SDISummary
        What :func:`identica.trust.sdi.summarise_sdi` has found.
    jacobians : array-like of shape (n_points, n_features, n_components) or (n_features, n_components)
        Of which it was found.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot.

    Raises
    ------
    ValueError
        If the Jacobians are not those that were checked.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.trust.sdi import summarise_sdi
    >>> signed = np.concatenate([np.eye(3), -np.eye(3)])
    >>> figure = plotting.diverse_influence(summarise_sdi(signed), signed)
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['', 'rows of point 0', 'their polar']
    """
    point, check, jacobian = _middle(summary, jacobians)
    d = jacobian.shape[1]
    if d == 1:
        figure, (strip, *_) = _laid_out(0)
        margins(summary, ax=strip)
        return figure
    if d <= 3:
        figure, (strip, *places) = _laid_out(2, wide=2, head=1.1, projection="3d" if d == 3 else None)
        titles = (f"{_kind(check)} of point {point.index}", "their polar")
        for draw, title, ax in zip((row_hull, polar_hull), titles, places, strict=True):
            key = draw(jacobian, check, ax=ax).get_legend()
            n_rows = 0 if key is None else -(-len(key.get_texts()) // 2)
            ax.set_title(title, loc="left", pad=8 + n_rows * KEY_ROW)
    else:
        n_pairs = d * (d - 1) // 2
        figure, (strip, *places) = _laid_out(min(MOST_PAIRS, n_pairs), wide=IN_A_ROW, head=0.4, foot=0.5)
        row_pairs(jacobian, check, axes=places)
        of = f", {len(places)} of {n_pairs} pairs of components" if len(places) < n_pairs else ""
        places[0].set_title(f"{_kind(check)} of point {point.index}{of}", loc="left")
        names: Any = places[0].get_legend_handles_labels()
        figure.legend(*names, loc="lower center", ncols=6, frameon=False, fontsize="small", handlelength=1.4)
    margins(summary, marked=point.index, ax=strip)
    return figure


def _laid_out(
    number: int, *, wide: int = 1, head: float = 0.0, foot: float = 0.0, projection: str | None = None
) -> tuple[Figure, list[Axes]]:
    """Return a figure, with a strip above and square axes below it; room for their titles and keys in inches."""
    cell = WIDTH / wide
    side = cell - ROOM
    high = -(-number // wide)
    below = high * (side + ROOM) + head + foot if number else 0.0
    height = STRIP + below
    figure = Figure(figsize=(WIDTH, height))
    axes = [figure.add_axes((0.65 / WIDTH, (below + 0.55) / height, 1 - 0.8 / WIDTH, (STRIP - 0.85) / height))]
    for place in range(number):
        row, column = divmod(place, wide)
        left, bottom = column * cell + ROOM - 0.1, foot + (high - 1 - row) * (side + ROOM) + ROOM - 0.15
        box = (left / WIDTH, bottom / height, side / WIDTH, side / height)
        axes.append(figure.add_axes(box, projection=projection))
    return figure, axes


def diverse_influence_pictures(summary: Summary, jacobians: ArrayLike) -> list[tuple[str, Callable[[], Axes]]]:
    """Return what :func:`diverse_influence` shows as pictures of their own, each with what it shows.

    Parameters
    ----------
    summary : SDISummary
        What :func:`identica.trust.sdi.summarise_sdi` has found.
    jacobians : array-like of shape (n_points, n_features, n_components) or (n_features, n_components)
        Of which it was found.

    Returns
    -------
    list of (str, callable)
        Words, and what draws it on an axis or more of a new figure and returns the first.

    Raises
    ------
    ValueError
        If the Jacobians are not those that were checked.

    Examples
    --------
    >>> from identica.trust.sdi import summarise_sdi
    >>> signed = np.concatenate([np.eye(3), -np.eye(3)])
    >>> [words for words, _ in diverse_influence_pictures(summarise_sdi(signed), signed)]
    ['margin of each point', 'rows of point 0', 'polar of the rows of point 0']
    """
    point, check, jacobian = _middle(summary, jacobians)
    words = f"{_kind(check)} of point {point.index}"
    found: list[tuple[str, Callable[[], Axes]]] = [
        ("margin of each point", partial(margins, summary, marked=point.index))
    ]
    if jacobian.shape[1] in (2, 3):
        found.append((words, partial(row_hull, jacobian, check)))
        found.append((f"polar of the {words}", partial(polar_hull, jacobian, check)))
    elif jacobian.shape[1] > 3:
        found.append((words, lambda: row_pairs(jacobian, check)[0]))
    return found


def _middle(summary: Summary, jacobians: ArrayLike) -> tuple[Point, Check, FloatArray]:
    """Return the point in the middle of the margins, the check of it to draw, and its Jacobian."""
    given = np.asarray(jacobians)
    given = given[None] if given.ndim == 2 else given
    if given.ndim != 3 or not summary.points or max(point.index for point in summary.points) >= len(given):
        raise ValueError(
            f"jacobians has shape {np.shape(jacobians)} and the summary {len(summary.points)} points: give the "
            "Jacobians that were checked, (n_points, n_features, n_components)"
        )
    point = middle(summary.points)
    holds = point.plain.condition_1 == point.plain.condition_2 == "holds"
    return point, point.plain if holds else point.symmetric, given[point.index]


def _kind(check: Check) -> str:
    return "rows of either sign" if check.symmetric else "rows"
