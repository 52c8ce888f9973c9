"""All vertices of P = {x: Z x <= 1}, by the convex hull of the rows of Z."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from identica.trust.sdi.weights import FloatArray

__all__ = ["seconds_of_enumeration", "vertices"]

ROWS_IN_A_SECOND = dict(enumerate((10**6, 300_000, 50_000, 8_000, 1_200, 300, 130, 65, 45, 38, 34), start=2))
"""Rows whose hull takes about a second on one core, by dimension, where every row is a vertex of it."""
LARGEST_EXCESS = 1e-7
"""Of Z x over 1 at what is said to be a vertex; qhull merges faces that are nearly in one plane."""
ENTRIES_AT_ONCE = 4_000_000


def seconds_of_enumeration(n_rows: int, n_components: int) -> float:
    """Return about how long :func:`vertices` takes, infinite where it is out of the question.

    Parameters
    ----------
    n_rows, n_components : int
        Shape of the rows.

    Returns
    -------
    float
        Seconds on one core.

    Examples
    --------
    >>> seconds_of_enumeration(130, 8), seconds_of_enumeration(100, 20)
    (1.0, inf)
    """
    if n_components == 1:
        return 0.0
    in_a_second = ROWS_IN_A_SECOND.get(n_components)
    return np.inf if in_a_second is None else (n_rows / in_a_second) ** max(1.0, n_components / 2 - 1)


def vertices(rows: FloatArray) -> FloatArray | None:
    """Return the vertices of a bounded P: a facet {y: n'y = 1} of the hull of the rows is the vertex n of P.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z, with the origin inside the hull of its rows.

    Returns
    -------
    ndarray of shape (n_vertices, n_components) or None
        In P; some may occur more than once. None where the hull is not exact even when the rows are joggled.
    """
    if rows.shape[1] == 1:
        return np.array([[1 / rows.max()], [1 / rows.min()]])
    for options in ("Qt", "QJ"):
        try:
            equations = ConvexHull(rows, qhull_options=options).equations
        except QhullError:
            continue
        if (equations[:, -1] >= 0).any():
            continue
        points = -equations[:, :-1] / equations[:, -1:]
        excess = _largest_products(rows, points)
        if excess.max() <= 1 + LARGEST_EXCESS:
            return points / np.maximum(1.0, excess)[:, None]
    return None


def _largest_products(rows: FloatArray, points: FloatArray) -> FloatArray:
    block = max(1, ENTRIES_AT_ONCE // len(rows))
    parts = [(points[first : first + block] @ rows.T).max(axis=1) for first in range(0, len(points), block)]
    return np.concatenate(parts)
