"""Is there a point of P = {x: Z x <= 1} in a box that is at least so long? What is asked of a solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from identica.trust.sdi.weights import FloatArray

__all__ = ["Answer", "Question"]


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver has found out.

    Parameters
    ----------
    point : ndarray of shape (n_components,) or None
        A point as long as asked for, in P exactly; None where none is known.
    bound : float
        No point of P in the box has a larger squared length. Where there is no point that long it is at most the
        length asked for, squared.
    """

    point: FloatArray | None
    bound: float


@final
@dataclass(frozen=True, eq=False)
class Question:
    """Whether some x has Z x <= 1, low <= x <= high and ||x||^2 >= threshold.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_components)
        Z.
    low, high : ndarray of shape (n_components,)
        The box, with low <= 0 <= high.
    threshold : float
        Squared length.
    """

    rows: FloatArray
    low: FloatArray
    high: FloatArray
    threshold: float

    @property
    def trivial_bound(self) -> float:
        """The squared length of the box's farthest corner."""
        return float(np.square(np.maximum(-self.low, self.high)).sum())

    def within(self, coordinate: int, size: float) -> Question:
        """Ask for points with one coordinate between -size and size.

        Parameters
        ----------
        coordinate : int
            Which.
        size : float
            At least 0.

        Returns
        -------
        Question
            In the smaller box.
        """
        low, high = self.low.copy(), self.high.copy()
        low[coordinate], high[coordinate] = max(low[coordinate], -size), min(high[coordinate], size)
        return replace(self, low=low, high=high)

    def one_sided(self, coordinate: int) -> Question:
        """Ask for points with one coordinate not below 0, which is enough where P = -P.

        Parameters
        ----------
        coordinate : int
            Which.

        Returns
        -------
        Question
            In half of the box.
        """
        low = self.low.copy()
        low[coordinate] = 0.0
        return replace(self, low=low)

    def binding_rows(self) -> FloatArray:
        """Return the rows that some point of the box violates; the others say nothing.

        Returns
        -------
        ndarray of shape (n_binding, n_components)
            Rows of Z.
        """
        largest = np.maximum(self.rows * self.low, self.rows * self.high).sum(axis=1)
        return np.asarray(self.rows[largest > 1])
