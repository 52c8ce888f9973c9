"""Convex bodies in two and three dimensions, and how they are drawn: hulls, polars, balls and spheres."""

from __future__ import annotations

import itertools
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from identica.plotting.style import new_axis

__all__ = [
    "corners",
    "cross",
    "draw_body",
    "draw_marks",
    "draw_sphere",
    "faces",
    "is_outside",
    "polar_vertices",
    "space",
]

FloatArray = NDArray[np.float64]
FLAT = 1e-9
"""Extent, relative to the largest, below which points are flat."""
DECIMALS = 7
"""To which planes of faces and vertices are equal."""
AROUND = 180
"""Steps of a circle."""
PATCHES = (24, 48)
"""Of a sphere, from pole to pole and around."""


def cross(d: int) -> FloatArray:
    """Return the vertices of the unit L1 ball, of shape (2 d, d)."""
    return np.concatenate([np.eye(d), -np.eye(d)])


def corners(d: int) -> FloatArray:
    """Return the vertices of the box |x_j| <= 1, of shape (2^d, d)."""
    return np.array(list(itertools.product((-1.0, 1.0), repeat=d)))


def faces(points: FloatArray) -> list[FloatArray]:
    """Return the polygons that bound the hull of points; the hull itself where it is flat.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2 or 3)
        At least one.

    Returns
    -------
    list of ndarray of shape (n_vertices, 2 or 3)
        Vertices of each in order; two of a segment, one of a point.
    """
    centred = points - points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int((sizes > FLAT * max(1.0, sizes[0])).sum())
    flat = centred @ axes[:rank].T
    if rank == 0:
        return [points[:1]]
    if rank == 1:
        return [points[[flat[:, 0].argmin(), flat[:, 0].argmax()]]]
    hull = ConvexHull(flat)
    if rank == 2:
        return [points[hull.vertices]]
    # Triangles in one plane are one face.
    _, planes = np.unique(np.round(hull.equations, DECIMALS) + 0.0, axis=0, return_inverse=True)
    found = []
    for plane in range(planes.max() + 1):
        own = points[np.unique(hull.simplices[planes.ravel() == plane])]
        within = own - own.mean(axis=0)
        _, _, axes = np.linalg.svd(within, full_matrices=False)
        first, second = (within @ axes[:2].T).T
        found.append(own[np.argsort(np.arctan2(second, first))])
    return found


def polar_vertices(rows: FloatArray, reach: float) -> tuple[FloatArray, bool]:
    """Return the vertices of {x: Z x <= 1, |x_j| <= reach}, and whether it was cut off there.

    A facet {y: n'y = 1} of the hull of the rows and of +-e_j / reach is the vertex n.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z, two columns or more.
    reach : float
        Where to cut off what has no end, or is far away.

    Returns
    -------
    tuple of ndarray of shape (n_vertices, n_components) and bool
        Each vertex once.
    """
    equations = ConvexHull(np.concatenate([rows, cross(rows.shape[1]) / reach])).equations
    found = -equations[:, :-1] / equations[:, -1:]
    _, first = np.unique(np.round(found, DECIMALS) + 0.0, axis=0, return_index=True)
    return found[np.sort(first)], bool(np.abs(found).max() >= reach * (1 - 1e-6))


def is_outside(points: FloatArray, of: FloatArray, tol: float) -> NDArray[np.bool_]:
    """Tell which points are outside a hull by more than a tolerance; all where it is flat.

    Parameters
    ----------
    points : ndarray of shape (n_points, d)
        To be told.
    of : ndarray of shape (n_rows, d)
        Their hull.
    tol : float
        Distance.

    Returns
    -------
    ndarray of bool of shape (n_points,)
        Whether each is.
    """
    sizes = np.linalg.svd(of - of.mean(axis=0), compute_uv=False)
    if len(sizes) < of.shape[1] or sizes[-1] <= FLAT * max(1.0, sizes[0]):
        return np.ones(len(points), dtype=bool)
    equations = ConvexHull(of).equations
    return np.asarray((points @ equations[:, :-1].T + equations[:, -1]).max(axis=1) > tol)


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
    if d not in (2, 3):
        raise ValueError(
            f"{d} components have no picture of the whole space, which 2 and 3 have: draw pairs of components with "
            "row_pairs"
        )
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
        ax.set_proj_type("ortho")
        ax.set_box_aspect((1, 1, 1), zoom=zoom)
        ax.view_init(elev=22, azim=-58)
        ax.set_axis_off()
        # A frame around it would say little: three lines from the origin name the components.
        for j, end in enumerate(limit * np.eye(3)):
            line: Any = {"color": mpl.rcParams["axes.edgecolor"], "linewidth": 0.6}
            ax.plot(*np.stack([np.zeros(3), end]).T, **line)
            sides: Any = (("center", "top"), ("left", "center"), ("center", "bottom"))[j]
            ax.text(*(1.06 * end), f"component {j}", ha=sides[0], va=sides[1], fontsize="small")
        return ax
    ax.set(xlabel="component 0", ylabel="component 1")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


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
    angle = np.linspace(0, 2 * np.pi, AROUND + 1)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    planes = list(itertools.combinations(range(d), 2))
    lines = np.full((len(planes), len(circle) + 1, d), np.nan)
    for line, plane in zip(lines, planes, strict=True):
        line[:-1] = 0.0
        line[:-1, plane] = circle
    ax.plot(*np.concatenate(lines)[:-1].T, color=color, linewidth=1.2, label=label, zorder=6)
    if hull is None:
        return
    if isinstance(ax, Axes3D):
        patches = _patches(radius)
        centres = patches.mean(axis=1)
        centres *= radius / np.linalg.norm(centres, axis=1, keepdims=True)
        beyond = patches[is_outside(centres, hull, tol)]
        if len(beyond):
            ax.add_collection3d(Poly3DCollection(list(beyond), facecolor=to_rgba(color, 0.45), edgecolor="none"))
        return
    outside = is_outside(circle, hull, tol)
    if outside.any():
        arc = np.where(outside[:, None], circle, np.nan)
        ax.plot(*arc.T, color=color, linewidth=4, solid_capstyle="butt", zorder=6)


def draw_marks(ax: Axes, points: FloatArray, *, color: str, marker: str, label: str | None, **style: Any) -> None:
    """Draw marks at points of shape (n_points, 2 or 3), without a line."""
    ax.plot(*points.T, linestyle="", color=color, marker=marker, label=label, **style)


def _patches(radius: float) -> FloatArray:
    """Return the patches of a sphere, of shape (n_patches, 4, 3)."""
    height, around = np.linspace(0, np.pi, PATCHES[0] + 1), np.linspace(0, 2 * np.pi, PATCHES[1] + 1)
    grid = np.stack(
        [
            np.outer(np.sin(height), np.cos(around)),
            np.outer(np.sin(height), np.sin(around)),
            np.outer(np.cos(height), np.ones_like(around)),
        ],
        axis=-1,
    )
    around_each = [grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]]
    return np.asarray(radius * np.stack(around_each, axis=2).reshape(-1, 4, 3))
