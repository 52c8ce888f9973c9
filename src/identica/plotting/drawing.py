"""How convex bodies are drawn in two and three dimensions."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from identica.plotting.bodies import FloatArray, circles, is_outside, patches
from identica.plotting.style import new_axis

__all__ = ["check_dimensions", "draw_body", "draw_marks", "draw_sphere", "space"]


def check_dimensions(d: int) -> None:
    """Refuse numbers of components whose space cannot be drawn.

    Parameters
    ----------
    d : int
        Number of components.

    Raises
    ------
    ValueError
        If it is neither 2 nor 3.
    """
    if d not in (2, 3):
        raise ValueError(
            f"{d} components have no picture of the whole space, which 2 and 3 have: draw pairs of components with "
            "row_pairs"
        )


def space(d: int, ax: Axes | None, limit: float, zoom: float = 1.15) -> Axes:
    """Return an axis of two or three dimensions from -limit to limit, alike in all directions.

    Parameters
    ----------
    d : int
        Dimensions.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    limit : float
        Ends of what is shown.
    zoom : float, default=1.15
        Of three dimensions, whose corners may be left out of sight.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    ValueError
        If there are other than two or three dimensions, or the axis given has not as many.
    """
    check_dimensions(d)
    if ax is None:
        ax = _three_dimensions() if d == 3 else new_axis((4.2, 4.6))
    if isinstance(ax, Axes3D) != (d == 3):
        wanted = "figure.add_subplot(projection='3d')" if d == 3 else "figure.add_subplot()"
        raise ValueError(
            f"ax is {'not ' if d == 3 else ''}an axis of three dimensions, for {d} components: give {wanted}"
        )
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    if isinstance(ax, Axes3D):
        ax.set(zlim=(-limit, limit))
        _three_lines(ax, limit, zoom)
    else:
        ax.set(xlabel="component 0", ylabel="component 1")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.set_aspect("equal")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return ax


def _three_lines(ax: Any, limit: float, zoom: float) -> None:
    """Look at a space of three dimensions, and draw its axes as lines from the origin: a frame would say little."""
    ax.set_proj_type("ortho")
    ax.set_box_aspect((1, 1, 1), zoom=zoom)
    ax.view_init(elev=22, azim=-58)
    ax.set_axis_off()
    sides = (("center", "top"), ("left", "center"), ("center", "bottom"))
    for j, (end, (across, along)) in enumerate(zip(limit * np.eye(3), sides, strict=True)):
        way = np.stack([np.zeros(3), end])
        ax.plot(*way.T, color=mpl.rcParams["axes.edgecolor"], linewidth=0.6)
        ax.text(*(1.06 * end), f"component {j}", ha=across, va=along, fontsize="small")


def _three_dimensions() -> Axes:
    """Return an axis of a new figure, with room for a key above; what is laid out by itself would cut off names."""
    ax: Axes = Figure(figsize=(4.2, 4.8)).add_axes((0.02, 0.0, 0.96, 0.84), projection="3d")
    return ax


def draw_body(ax: Axes, polygons: list[FloatArray], *, color: str, fill: float = 0.0, **line: Any) -> None:
    """Draw the edges of polygons as one line, and fill them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of as many dimensions.
    polygons : list of ndarray of shape (n_vertices, 2 or 3)
        Such as :func:`faces` gives.
    color : str
        Of edges and filling.
    fill : float, default=0.0
        Opacity of the filling.
    **line
        Of the edges, such as a label.
    """
    gap = np.full((1, polygons[0].shape[1]), np.nan)
    edges = np.concatenate([part for polygon in polygons for part in (polygon, polygon[:1], gap)])[:-1]
    ax.plot(*edges.T, color=color, **line)
    whole = [polygon for polygon in polygons if len(polygon) > 2]
    if not fill or not whole:
        return
    if isinstance(ax, Axes3D):
        # matplotlib pads polygons to one length with whatever lies in memory, and may warn of that.
        most = max(map(len, whole))
        whole = [np.pad(polygon, ((0, most - len(polygon)), (0, 0)), mode="edge") for polygon in whole]
        ax.add_collection3d(Poly3DCollection(whole, facecolor=to_rgba(color, fill), edgecolor="none"))
    else:
        for polygon in whole:
            ax.fill(*polygon.T, color=color, alpha=fill, linewidth=0)


def draw_sphere(
    ax: Axes, d: int, radius: float, *, color: str, label: str, hull: FloatArray | None = None, tol: float = 0.0
) -> None:
    """Draw a circle, or the three great circles of a sphere, and in strong colour what is outside a hull.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of d dimensions.
    d : int
        2 or 3.
    radius : float
        Its radius.
    color : str
        Its colour.
    label : str
        Its name.
    hull : ndarray of shape (n_rows, d), optional
        Points in whose hull it should be.
    tol : float, default=0.0
        How far outside is not outside.
    """
    lines = circles(d, radius)
    apart = np.concatenate([lines, np.full((len(lines), 1, d), np.nan)], axis=1)
    ax.plot(*np.concatenate(list(apart))[:-1].T, color=color, linewidth=1.2, label=label, zorder=6)
    if hull is None:
        return
    if isinstance(ax, Axes3D):
        every = patches(radius)
        centres = every.mean(axis=1)
        centres *= radius / np.linalg.norm(centres, axis=1, keepdims=True)
        beyond = every[is_outside(centres, hull, tol)]
        if len(beyond):
            ax.add_collection3d(Poly3DCollection(list(beyond), facecolor=to_rgba(color, 0.45), edgecolor="none"))
        return
    outside = is_outside(lines[0], hull, tol)
    if outside.any():
        arc = np.where(outside[:, None], lines[0], np.nan)
        ax.plot(*arc.T, color=color, linewidth=4, solid_capstyle="butt", zorder=6)


def draw_marks(ax: Axes, points: FloatArray, *, color: str, marker: str, label: str | None, **style: Any) -> None:
    """Draw marks at points of shape (n_points, 2 or 3), without a line."""
    ax.plot(*points.T, linestyle="", color=color, marker=marker, label=label, **style)
