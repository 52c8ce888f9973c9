"""Linear programs over P = {x: Z x <= 1}, the polar of the hull of the rows of Z."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from identica.trust.sdi.clock import Clock
from identica.trust.sdi.weights import FloatArray

__all__ = ["coordinate_bounds", "farthest", "feasible", "linprog", "recession_direction"]

linprog: Any = optimize.linprog
"""Its type stubs know no sparse matrices."""

UNBOUNDED = 1e-9
"""A direction along which no row grows faster than this is one in which P has no end."""


def farthest(rows: FloatArray, direction: FloatArray) -> FloatArray | None:
    """Return a vertex x of P at which direction'x is largest.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z, such that P is bounded.
    direction : ndarray of shape (n_components,)
        Any vector.

    Returns
    -------
    ndarray of shape (n_components,) or None
        In P exactly; None where the solver gives up.
    """
    found = linprog(-direction, A_ub=rows, b_ub=np.ones(len(rows)), bounds=(None, None), method="highs")
    return feasible(rows, np.asarray(found.x)) if found.status == 0 else None


def feasible(rows: FloatArray, point: FloatArray) -> FloatArray:
    """Return a point, shrunk towards the origin as far as it must be to lie in P."""
    return point / max(1.0, float((rows @ point).max()))


def recession_direction(rows: FloatArray) -> FloatArray | None:
    """Return a direction in which P has no end, or None if it is bounded.

    P is bounded if and only if the origin is inside the hull of the rows. A v != 0 with Z v <= 0 exists if Z is
    rank-deficient or sum_i -(Z_i v) can be positive subject to Z v <= 0.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z.

    Returns
    -------
    ndarray of shape (n_components,) or None
        Of length 1.
    """
    d = rows.shape[1]
    # All right singular vectors, and never as many left ones as there are rows.
    _, lengths, axes = np.linalg.svd(rows, full_matrices=len(rows) < d)
    if len(lengths) < d or lengths[-1] <= max(rows.shape) * np.finfo(np.float64).eps * lengths[0]:
        return np.asarray(axes[-1])
    found = linprog(rows.sum(axis=0), A_ub=rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
    if found.status != 0 or not np.any(found.x):
        return None
    direction = np.asarray(found.x) / np.linalg.norm(found.x)
    return direction if (rows @ direction).max() <= UNBOUNDED else None


def coordinate_bounds(rows: FloatArray, *, symmetric: bool, clock: Clock) -> tuple[FloatArray, FloatArray] | None:
    """Return the smallest and the largest value of each coordinate over P.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z, such that P is bounded.
    symmetric : bool
        Whether P = -P, so that half of the programs suffice.
    clock : Clock
        When to stop.

    Returns
    -------
    tuple of ndarray of shape (n_components,) or None
        Lower and upper bounds, each relaxed by the solver's tolerance; None where the solver gives up or the time is
        over.
    """
    axes = np.eye(rows.shape[1])
    directions = axes if symmetric else np.concatenate([axes, -axes])
    reached: list[float] = []
    for done, axis in enumerate(directions):
        if clock.over:
            return None
        clock.tell("bounds", done, len(directions))
        point = linprog(-axis, A_ub=rows, b_ub=np.ones(len(rows)), bounds=(None, None), method="highs")
        if point.status != 0:
            return None
        reached.append(-float(point.fun) * (1 + 1e-7))
    high = np.array(reached[: len(axes)])
    return (-high if symmetric else -np.array(reached[len(axes) :])), high
