"""The search for long points of P = {x: Z x <= 1}: sign vectors, descent from many starts, linear programs.

A direction u has its end in P at x = u / h(u), h(u) = max_i Z_i u, so that long points of P are small values of h on
the sphere. What is found is a point of P, whatever the search has missed.
"""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.random import RandomState

from identica.trust.sdi.clock import Clock
from identica.trust.sdi.polytope import farthest
from identica.trust.sdi.weights import FloatArray

__all__ = ["FAR", "Longest", "search"]

FAR = 0.1
"""Size of the corners of the box as a solver can tell them: a point is in one if all |x_j| are at least 1 - FAR."""
MOST_SIGNS = 20
"""Components up to which all sign vectors are looked at."""
ENTRIES_AT_ONCE = 4_000_000
SIGNS_KEPT = 32
STARTS = 96
STEPS = 80
SOFTEST, HARDEST = 10.0, 400.0
"""First and last factor of the exponent in the soft maximum, per sqrt(n_components)."""
POLISHED = 12
LEAST_GAIN = 1e-9


@final
class Longest:
    """The longest points of P that have been found: of all, and of those by which the second condition can fail.

    A vertex of P that is not that of the box counts against the condition however near it is, up to ``near``. Other
    points, as a solver finds them, lie between vertices: close to a vertex of the box they are nearly as long as it
    without any other long vertex there, so that only those farther than ``FAR`` count.

    Parameters
    ----------
    n_components : int
        d.
    near : float
        A vertex counts as that of the box if all its |x_j| are at least 1 - near; at most ``FAR``.
    """

    def __init__(self, n_components: int, near: float) -> None:
        self.near = near
        self.point = np.ones(n_components)
        self.outside: FloatArray | None = None
        self._ratios_of_vertices = {near: 0.0, FAR: 0.0}

    @property
    def ratio(self) -> float:
        """The greatest length, over sqrt(d)."""
        return float(np.linalg.norm(self.point)) / math.sqrt(len(self.point))

    @property
    def ratio_outside(self) -> float:
        """The greatest length of what counts outside the corners, over sqrt(d); 0 where nothing is known there."""
        return 0.0 if self.outside is None else float(np.linalg.norm(self.outside)) / math.sqrt(len(self.point))

    def ratio_of_vertices(self, size: float) -> float:
        """Return the greatest length of a vertex that is known outside the corners, over sqrt(d).

        Parameters
        ----------
        size : float
            Of the corners: ``near`` or ``FAR``.

        Returns
        -------
        float
            0 where no vertex is known there.
        """
        return self._ratios_of_vertices[size]

    def take(self, points: FloatArray, *, vertices: bool = False) -> None:
        """Note points of P.

        Parameters
        ----------
        points : ndarray of shape (n_points, n_components)
            At least one, each with Z x <= 1.
        vertices : bool, default=False
            Whether all of them are vertices of P.
        """
        ratios = np.linalg.norm(points, axis=1) / math.sqrt(len(self.point))
        if ratios.max() > self.ratio:
            self.point = points[ratios.argmax()]
        smallest = np.abs(points).min(axis=1)
        if vertices:
            for size, known in self._ratios_of_vertices.items():
                there = ratios[smallest < 1 - size]
                self._ratios_of_vertices[size] = max(known, float(there.max(initial=0.0)))
        ratios[smallest >= 1 - (self.near if vertices else FAR)] = 0.0
        if ratios.max() > self.ratio_outside:
            self.outside = points[ratios.argmax()]


def search(rows: FloatArray, longest: Longest, enough: float, random: RandomState, clock: Clock) -> None:
    """Look for long points of a bounded P, until one is longer than needed or the starts are used up.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z.
    longest : Longest
        Takes what is found.
    enough : float
        Length over sqrt(d) at which to stop.
    random : RandomState
        Source of starts.
    clock : Clock
        When to stop.
    """
    d = rows.shape[1]
    directions = np.concatenate([_poor_sign_vectors(rows, longest, random, clock), random.standard_normal((STARTS, d))])
    directions = _descend(rows, directions / np.linalg.norm(directions, axis=1, keepdims=True), clock)
    heights = (directions @ rows.T).max(axis=1)
    points = directions / heights[:, None]
    longest.take(points)
    # The linear programs make a found violation a vertex, and look for one where there is none yet.
    order = np.argsort(heights)
    chosen = order[:1] if longest.ratio > enough else order[:POLISHED]
    for done, index in enumerate(chosen):
        clock.tell("linear programs", done, len(chosen))
        _polish(rows, points[index], longest, clock)
        if clock.over or longest.ratio > enough:
            return


def _poor_sign_vectors(rows: FloatArray, longest: Longest, random: RandomState, clock: Clock) -> FloatArray:
    """Return the sign vectors s with the smallest max_i Z_i s, and note their ends in P; it is 1 where (1) holds."""
    d = rows.shape[1]
    block = max(1, ENTRIES_AT_ONCE // max(len(rows), d))
    total = 2**d if d <= MOST_SIGNS else block
    kept, heights = np.empty((0, d)), np.empty(0)
    for first in range(0, total, block):
        clock.tell("sign vectors", first, total)
        if d <= MOST_SIGNS:
            numbers = np.arange(first, min(first + block, total))
            signs = np.where(numbers[:, None] >> np.arange(d) & 1, 1.0, -1.0)
        else:
            signs = random.choice([-1.0, 1.0], size=(block, d))
        found = (signs @ rows.T).max(axis=1)
        kept, heights = np.concatenate([kept, signs]), np.concatenate([heights, found])
        best = np.argsort(heights, kind="stable")[:SIGNS_KEPT]
        kept, heights = kept[best], heights[best]
        if clock.over:
            break
    longest.take(kept / np.maximum(heights, np.finfo(float).tiny)[:, None])
    return kept


def _descend(rows: FloatArray, directions: FloatArray, clock: Clock) -> FloatArray:
    """Lower h(u) from many unit vectors side by side: steps along the sphere down a soft maximum that hardens."""
    d = rows.shape[1]
    best, heights = directions.copy(), (directions @ rows.T).max(axis=1)
    for step in range(STEPS):
        sharpness = math.sqrt(d) * SOFTEST * (HARDEST / SOFTEST) ** (step / (STEPS - 1))
        values = directions @ rows.T
        top = values.max(axis=1)
        better = top < heights
        best[better], heights[better] = directions[better], top[better]
        if clock.over:
            break
        values -= top[:, None]
        values *= sharpness
        np.exp(values, out=values)
        gradient = (values @ rows) / values.sum(axis=1, keepdims=True)
        gradient -= (gradient * directions).sum(axis=1, keepdims=True) * directions
        directions = directions - gradient * (2 * math.sqrt(d) / sharpness)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return best


def _polish(rows: FloatArray, point: FloatArray, longest: Longest, clock: Clock) -> None:
    """Go from a point x to the vertex at which x'y is largest, which is no shorter, as long as that lengthens it."""
    length = float(np.linalg.norm(point))
    while not clock.over:
        vertex = farthest(rows, point)
        if vertex is None:
            return
        longest.take(vertex[None], vertices=True)
        if np.linalg.norm(vertex) <= length * (1 + LEAST_GAIN):
            return
        point, length = vertex, float(np.linalg.norm(vertex))
