"""What pictures of the diverse-influence condition read from a check, whatever has made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from identica.plotting.style import as_matrix

__all__ = ["Check", "Point", "Summary", "answer", "by_margin", "middle", "scaled_rows"]

FloatArray = NDArray[np.float64]
OFF_THE_BALL = 1e-3
"""Of the largest L1 norm of a scaled row, which is 1 where the weights are those of the Jacobian."""


class Certificate(Protocol):
    """As :class:`identica.trust.sdi.Certificate`."""

    @property
    def kind(self) -> str:
        """What the answer rests on."""

    @property
    def point(self) -> FloatArray:
        """The longest point of the polar that is known, or a direction."""

    @property
    def touching(self) -> FloatArray | None:
        """A point by which part 2 fails."""


class Check(Protocol):
    """As :class:`identica.trust.sdi.SDICheck`."""

    @property
    def condition_1(self) -> str:
        """Of part 1: "holds", "fails" or "undecided"."""

    @property
    def condition_2(self) -> str:
        """Of part 2."""

    @property
    def gamma(self) -> tuple[float, float]:
        """Interval of the margin."""

    @property
    def weights(self) -> FloatArray:
        """Of the columns, w."""

    @property
    def active_rows(self) -> NDArray[np.intp]:
        """Rows on the boundary of the ball."""

    @property
    def certificate(self) -> Certificate:
        """What the answer rests on."""

    @property
    def symmetric(self) -> bool:
        """Whether the negatives of the rows count, too."""

    @property
    def tol(self) -> float:
        """Tolerance of the answers."""


class Point(Protocol):
    """As :class:`identica.trust.sdi.SDIPoint`."""

    @property
    def index(self) -> int:
        """Number of the point."""

    @property
    def plain(self) -> Check:
        """Of the rows as they are."""

    @property
    def symmetric(self) -> Check:
        """Of the rows and their negatives."""


class Summary(Protocol):
    """As :class:`identica.trust.sdi.SDISummary`."""

    @property
    def points(self) -> Sequence[Point]:
        """Those that were checked."""

    @property
    def n_left_out(self) -> int:
        """How many the time did not reach."""


def scaled_rows(jacobian: ArrayLike, check: Check) -> FloatArray:
    """Return Z = J diag(w), the rows in the coordinates in which the smallest ball around them is the unit L1 ball.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        J.
    check : SDICheck
        Of that Jacobian; has w.

    Returns
    -------
    ndarray of shape (n_features, n_components)
        Z.

    Raises
    ------
    ValueError
        If the Jacobian is no matrix of finite numbers, or not the one that was checked.
    """
    rows = as_matrix(jacobian, "jacobian", "features by components")
    if rows.shape[1] != len(check.weights):
        raise ValueError(
            f"jacobian has {rows.shape[1]} columns and the check {len(check.weights)} weights: give the Jacobian that "
            "was checked"
        )
    if not np.isfinite(rows).all():
        raise ValueError("jacobian has a value that is not finite: give the Jacobian that was checked")
    scaled = rows * check.weights
    largest = np.abs(scaled).sum(axis=1).max()
    if abs(largest - 1) > OFF_THE_BALL:
        raise ValueError(
            f"the largest L1 norm of a row, weighted as in the check, is {largest:.3g} and should be 1: give the "
            "Jacobian that was checked"
        )
    return scaled


def answer(check: Check) -> str:
    """Return "holds" where both parts of the condition hold, "fails" where one fails, else "undecided"."""
    parts = {check.condition_1, check.condition_2}
    return "fails" if "fails" in parts else "holds" if parts == {"holds"} else "undecided"


def by_margin(points: Sequence[Point]) -> list[Point]:
    """Return points in order of the upper ends of their margins, to six places, so that rounding has no say in it."""
    ends = {point.index: (round(point.plain.gamma[1], 6), round(point.symmetric.gamma[1], 6)) for point in points}
    return sorted(points, key=lambda point: (ends[point.index], point.index))


def middle(points: Sequence[Point]) -> Point:
    """Return the point in the middle of that order."""
    return by_margin(points)[len(points) // 2]
