"""The diverse-influence condition for two or three components: the hull of the rows, and its polar.

Symbols: J = Jacobian of shape (m, d), w = weights of the smallest L1 ball around its rows, Z = J diag(w). In the
coordinates of Z the ball is the unit L1 ball, and the largest ellipsoid in it the sphere of radius 1 / sqrt(d); the
polar of the ball is the box |x_j| <= 1, and that of the ellipsoid the sphere of radius sqrt(d).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from identica.plotting.bodies import FloatArray, corners, cross, faces, polar_vertices
from identica.plotting.checked import Check, scaled_rows
from identica.plotting.drawing import check_dimensions, draw_body, draw_marks, draw_sphere, space
from identica.plotting.style import COLORS

__all__ = ["draw_rows", "polar_hull", "row_hull"]

HULL, SPHERE, ROWS, BALL = COLORS[0], COLORS[1], COLORS[2], COLORS[-1]
MOST_ROWS = 400
"""That are drawn; of more, those of the largest L1 norm, on which the hull rests."""
FEW_ROWS = 40
"""Up to which marks are large."""
OF_ROWS: dict[str, Any] = {"markeredgewidth": 0, "alpha": 0.7, "zorder": 5}
EDGE = {2: 1.2, 3: 0.8}
"""Width of a hull's edges, by dimensions."""
REACH = 2.2
"""How far the polar is drawn, in radii of its sphere."""
KEY: Any = {
    "loc": "lower left",
    "bbox_to_anchor": (0, 1),
    "borderaxespad": 0,
    "frameon": False,
    "ncols": 2,
    "handlelength": 1.4,
    "fontsize": "small",
    "columnspacing": 1,
}


def row_hull(jacobian: ArrayLike, check: Check, *, ax: Axes | None = None) -> Axes:
    """Draw the rows of a Jacobian, their hull, the L1 ball around it and the ellipsoid that should be inside.

    Coordinates are those of Z = J diag(w), in which the smallest ball around the rows is the unit L1 ball and the
    ellipsoid a sphere of radius 1 / sqrt(d). Part 1 of the condition holds if the sphere is inside the hull; what is
    outside is drawn in strong colour, and where the check knows a direction in which it is, that point is marked. Rows
    on the boundary of the ball have larger marks. Of a symmetric check the negatives of the rows are drawn, too.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        At one point, of two or three components.
    check : SDICheck
        What :func:`identica.trust.sdi.check_sdi` has found of it.
    ax : matplotlib.axes.Axes, optional
        Where to draw, of as many dimensions; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If there are other than two or three components, the axis has other dimensions, or the Jacobian is not the one
        that was checked.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.trust.sdi import check_sdi
    >>> jacobian = [[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]]
    >>> ax = plotting.row_hull(jacobian, check_sdi(jacobian))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['L1 ball', 'hull of the rows', 'ellipsoid', 'rows', 'active rows']
    """
    rows = scaled_rows(jacobian, check)
    d = rows.shape[1]
    ax = space(d, ax, 1.1, zoom=1.4)
    both = np.concatenate([rows, -rows]) if check.symmetric else rows
    radius = 1 / math.sqrt(d)
    draw_body(ax, faces(cross(d)), color=BALL, linewidth=1, linestyle="--", label="L1 ball")
    draw_body(ax, faces(both), color=HULL, fill=0.12, linewidth=EDGE[d], label="hull of the rows")
    draw_sphere(ax, d, radius, color=SPHERE, label="ellipsoid", hull=both, tol=check.tol)
    draw_rows(ax, rows, rows, check)
    if check.certificate.kind in ("point", "direction"):
        point = check.certificate.point
        out = radius * point / np.linalg.norm(point)
        draw_marks(ax, out[None], color=SPHERE, marker="X", label="outside the hull", markersize=9, zorder=9)
    ax.legend(**KEY)
    return ax


def draw_rows(ax: Axes, rows: FloatArray, shown: FloatArray, check: Check) -> None:
    """Draw rows as dots, active ones larger, their negatives hollow where a row stands for both.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of as many dimensions as ``shown`` has columns.
    rows : ndarray of shape (n_features, n_components)
        Z; the outermost are drawn where there are many.
    shown : ndarray of shape (n_features, 2 or 3)
        The coordinates to draw.
    check : SDICheck
        Says which rows are active, and whether rows stand for their negatives.
    """
    outermost = np.argsort(-np.abs(rows).sum(axis=1), kind="stable")[:MOST_ROWS]
    active = np.isin(outermost, check.active_rows)
    few = f"{len(outermost)} outermost of {len(rows)} rows" if len(outermost) < len(rows) else "rows"
    small, large = (2.0, 3.5) if len(outermost) > FEW_ROWS else (3.0, 6.0)
    for own, label, size in ((outermost, few, small), (outermost[active], "active rows", large)):
        draw_marks(ax, shown[own], color=ROWS, marker="o", label=label, markersize=size, **OF_ROWS)
        if check.symmetric:
            name = "their negatives" if own is outermost else None
            hollow = OF_ROWS | {"markersize": size, "markerfacecolor": "none", "markeredgewidth": 0.8}
            draw_marks(ax, -shown[own], color=ROWS, marker="o", label=name, **hollow)


def polar_hull(jacobian: ArrayLike, check: Check, *, ax: Axes | None = None) -> Axes:
    """Draw the polar of the hull of a Jacobian's rows, the sphere that should hold it, and where it does not.

    The polar is {x: Z x <= 1} with Z = J diag(w). It holds the box |x_j| <= 1. Part 1 of the condition says that it is
    inside the sphere of radius sqrt(d), and part 2 that it touches the sphere at the vertices of the box only. The
    point by which part 1 fails is marked, or else the one by which part 2 does. A polar that has no end, as where the
    origin is not inside the hull, or is long, is cut off, and a line goes towards a point that is far.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        At one point, of two or three components.
    check : SDICheck
        What :func:`identica.trust.sdi.check_sdi` has found of it.
    ax : matplotlib.axes.Axes, optional
        Where to draw, of as many dimensions; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If there are other than two or three components, the axis has other dimensions, or the Jacobian is not the one
        that was checked.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.trust.sdi import check_sdi
    >>> jacobian = [[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]]
    >>> ax = plotting.polar_hull(jacobian, check_sdi(jacobian))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['box', 'polar, cut off', 'sphere', 'part 1 fails this way']
    """
    rows = scaled_rows(jacobian, check)
    d = rows.shape[1]
    check_dimensions(d)
    radius, reach = math.sqrt(d), REACH * math.sqrt(d)
    both = np.concatenate([rows, -rows]) if check.symmetric else rows
    vertices, cut = polar_vertices(both, reach)
    ax = space(d, ax, 1.05 * max(radius, float(np.abs(vertices).max())))
    draw_body(ax, faces(corners(d)), color=BALL, linewidth=1, linestyle="--", label="box")
    label = "polar, cut off" if cut else "polar of the hull"
    draw_body(ax, faces(vertices), color=HULL, fill=0.12, linewidth=EDGE[d], label=label)
    draw_sphere(ax, d, radius, color=SPHERE, label="sphere")
    certificate = check.certificate
    mark: Any = {"color": SPHERE, "marker": "X", "markersize": 9, "zorder": 9}
    if certificate.kind in ("point", "direction"):
        reached = float(np.abs(certificate.point).max())
        if certificate.kind == "point" and reached <= reach:
            draw_marks(ax, certificate.point[None], label="part 1 fails here", **mark)
        else:
            way = np.stack([np.zeros(d), certificate.point * (reach / reached)])
            ax.plot(*way.T, color=SPHERE, linewidth=2, linestyle=":", label="part 1 fails this way")
    if certificate.touching is not None:
        draw_marks(ax, certificate.touching[None], label="part 2 fails here", **mark | {"marker": "D", "markersize": 7})
    ax.legend(**KEY)
    return ax
