"""Convex bodies in two and three dimensions: hulls, polars, balls and spheres, as points."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

__all__ = ["FloatArray", "circles", "corners", "cross", "faces", "is_outside", "patches", "polar_vertices"]

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


def circles(d: int, radius: float) -> FloatArray:
    """Return a circle, or the three great circles of a sphere in the planes of two coordinates, as closed lines.

    Parameters
    ----------
    d : int
        2 or 3.
    radius : float
        Its radius.

    Returns
    -------
    ndarray of shape (1 or 3, n_steps, d)
        Points of each.
    """
    angle = np.linspace(0, 2 * np.pi, AROUND + 1)
    planes = list(itertools.combinations(range(d), 2))
    lines = np.zeros((len(planes), len(angle), d))
    for line, plane in zip(lines, planes, strict=True):
        line[:, plane] = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return lines


def patches(radius: float) -> FloatArray:
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
