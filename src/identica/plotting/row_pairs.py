"""The rows of a Jacobian, pair of components by pair of components."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from identica.plotting.bodies import cross, faces
from identica.plotting.checked import Check, scaled_rows
from identica.plotting.drawing import draw_body, draw_sphere, space
from identica.plotting.hulls import BALL, HULL, SPHERE, draw_rows

__all__ = ["MOST_PAIRS", "row_pairs"]

MOST_PAIRS = 6
"""That are drawn where none are named."""
IN_A_ROW = 3
SIDE = 2.0
"""Of one axis, in inches."""


def row_pairs(
    jacobian: ArrayLike,
    check: Check,
    *,
    pairs: Sequence[tuple[int, int]] | None = None,
    axes: Sequence[Axes] | None = None,
) -> tuple[Axes, ...]:
    """Draw for pairs of components the rows, their hull, the L1 ball and the ellipsoid, projected onto the two.

    Coordinates are those of Z = J diag(w), in which the ball is the unit L1 ball, and the ellipsoid a sphere of radius
    1 / sqrt(d); their projections are a square and a circle. The projection of the hull is the hull of the projected
    rows. Where a part of the circle is outside of it, drawn in strong colour, part 1 of the condition fails; where none
    is, it can fail all the same.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        At one point, of two components or more.
    check : SDICheck
        What :func:`identica.trust.sdi.check_sdi` has found of it.
    pairs : sequence of (int, int), optional
        Which components; by default the first six pairs (0, 1), (0, 2), ..., or as many as there are axes. The figure
        says of how many.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw, one for each pair; a new figure by default.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If there is one component only, a pair is not of two different ones, there are not as many axes as pairs, or the
        Jacobian is not the one that was checked.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.trust.sdi import check_sdi
    >>> signed = np.concatenate([np.eye(5), -np.eye(5)])
    >>> axes = plotting.row_pairs(signed, check_sdi(signed))
    >>> len(axes), axes[0].figure.get_suptitle()
    (6, '6 of 10 pairs of components')
    """
    rows = scaled_rows(jacobian, check)
    d = rows.shape[1]
    if d < 2:
        raise ValueError("jacobian has one column, which makes no pair: give two components or more")
    every = list(itertools.combinations(range(d), 2))
    if pairs is None:
        pairs = every[: MOST_PAIRS if axes is None else len(axes)]
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1] or not all(0 <= j < d for j in pair):
            raise ValueError(f"{tuple(pair)} is no pair of two of {d} components: give numbers from 0 to {d - 1}")
    own = axes is None
    if axes is None:
        axes = _new_axes(len(pairs))
    if len(axes) != len(pairs) or not pairs:
        raise ValueError(
            f"there are {len(axes)} axes and {len(pairs)} pairs: give one axis for each pair, at least one"
        )
    radius = 1 / math.sqrt(d)
    # So near that the circle is seen: of many components the ball's vertices are far out.
    limit = 1.15 * max(radius, float(np.abs(rows[:, sorted({j for pair in pairs for j in pair})]).max()))
    for pair, ax in zip(pairs, axes, strict=True):
        shown = rows[:, list(pair)]
        both = np.concatenate([shown, -shown]) if check.symmetric else shown
        space(2, ax, min(1.1, limit))
        draw_body(ax, faces(cross(2)), color=BALL, linewidth=1, linestyle="--", label="L1 ball")
        draw_body(ax, faces(both), color=HULL, fill=0.12, linewidth=1.2, label="hull of the rows")
        draw_sphere(ax, 2, radius, color=SPHERE, label="ellipsoid", hull=both, tol=check.tol)
        draw_rows(ax, rows, shown, check)
        ax.set(xlabel=f"component {pair[0]}", ylabel=f"component {pair[1]}")
    if own:
        figure = axes[0].figure
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
        if len(pairs) < len(every):
            figure.suptitle(f"{len(pairs)} of {len(every)} pairs of components")
    return tuple(axes)


def _new_axes(number: int) -> list[Axes]:
    """Return axes of a new figure, three in a row."""
    wide = min(IN_A_ROW, max(1, number))
    high = -(-max(1, number) // wide)
    figure = Figure(figsize=(SIDE * wide + 0.4, SIDE * high + 0.9), layout="constrained")
    return [figure.add_subplot(high, wide, place + 1) for place in range(number)]
