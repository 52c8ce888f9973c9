"""What a check of the diverse-influence condition has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from identica.trust.sdi.weights import FloatArray

__all__ = ["Certificate", "SDICheck", "ThreeValued"]

ThreeValued = Literal["holds", "fails", "undecided"]


@final
@dataclass(frozen=True, eq=False)
class Certificate:
    """What the answer on condition (1) rests on, in the coordinates in which the ball is the unit L1 ball.

    Parameters
    ----------
    kind : {"point", "direction", "vertices", "highs", "scip", "none"}
        "point": the condition fails, by ``point`` with Z x <= 1 and ||x|| > sqrt(d) (1 + tol).
        "direction": it fails, since the origin is not inside the hull: no row has Z_i v > 0 for v = ``point``.
        "vertices": it holds, all vertices of {x: Z x <= 1} were computed.
        "highs", "scip": it holds, by that solver's proof.
        "none": it is undecided.
    point : ndarray of shape (n_components,)
        The longest point x with Z x <= 1 that is known, or the direction.
    bound : float
        No x with Z x <= 1 is longer than sqrt(d) times this.
    touching : ndarray of shape (n_components,) or None
        A point with Z x <= 1 and ||x|| >= sqrt(d) (1 - tol) outside the corners of the box, by which condition (2)
        fails; a vertex that is outside corners of size sqrt(tol), or any point outside those of size 0.1.
    """

    kind: Literal["point", "direction", "vertices", "highs", "scip", "none"]
    point: FloatArray
    bound: float
    touching: FloatArray | None = None


@final
@dataclass(frozen=True, eq=False)
class SDICheck:
    """Whether the diverse-influence condition is met at one point, see :func:`check_sdi`.

    Parameters
    ----------
    condition_1, condition_2 : {"holds", "fails", "undecided"}
        Whether the ellipsoid is inside the hull of the rows; whether the hull's polar touches that of the ellipsoid at
        the box's vertices only.
    gamma : tuple of float
        Interval that holds the factor by which the ellipsoid must shrink to fit into the hull, in [0, 1].
    second_ratio : tuple of float or None
        Interval that holds the length of the longest vertex of {x: Z x <= 1} outside the corners of the box, over
        sqrt(d); (0, 0) where there is none. None where nothing is known of it.
    corner_size : float or None
        A point is in a corner if all its |x_j| are at least 1 minus this: sqrt(tol) where all vertices were computed,
        and 0.1 where a solver was asked. Where (2) holds the components are the only best answer up to changes by less
        than this. None where (1) does not hold, so that (2) was not asked.
    weights : ndarray of shape (n_components,)
        w, see :func:`fit_weights`.
    active_rows : ndarray of int
        Rows of J on the boundary of the ball, to the tolerance.
    count_bound : tuple of float
        The sum of 2^(-number of nonzeros) over distinct active rows, and what it must reach for the condition to hold
        without any tolerance: d, or d / 2 of the symmetric one.
    certificate : Certificate
        What the answer rests on.
    symmetric : bool
        Whether the hull is that of the rows and their negatives.
    tol : float
        Tolerance of the answers.
    time : float
        Seconds it took.
    """

    condition_1: ThreeValued
    condition_2: ThreeValued
    gamma: tuple[float, float]
    second_ratio: tuple[float, float] | None
    corner_size: float | None
    weights: FloatArray
    active_rows: NDArray[np.intp]
    count_bound: tuple[float, float]
    certificate: Certificate
    symmetric: bool
    tol: float
    time: float

    def to_dict(self) -> dict[str, Any]:
        """Return the two answers and the interval, as plain values.

        Returns
        -------
        dict
            "condition_1", "condition_2" and "gamma", a list of two numbers.
        """
        return {"condition_1": self.condition_1, "condition_2": self.condition_2, "gamma": list(self.gamma)}
