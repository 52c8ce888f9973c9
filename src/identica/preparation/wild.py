"""Rows so far from all others that a few of them would own means, scales and squared errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from identica.preparation.standardise import FloatArray

__all__ = ["WildRows", "wild_rows"]

TIMES = 5.0
"""A row is wild that is so many times as far out as the 99th percentile of all rows."""
MOST = 0.01
"""Share of the rows above which far ones are a heavy tail, and not wild."""
FEWEST_ROWS = 20
CENTRAL = 0.99
SAMPLE_ENTRIES = 2 * 10**7
BLOCK = 2**22
NAMED = 10


@final
@dataclass(frozen=True, eq=False)
class WildRows:
    """Rows that are far out.

    Parameters
    ----------
    rows : ndarray of int
        Their indices, the farthest first.
    times : ndarray of float
        How many times as far out they are as the 99th percentile of all rows.
    """

    rows: NDArray[np.intp]
    times: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def sentence(self) -> str:
        """Say which rows they are and what to do.

        Returns
        -------
        str
            One sentence.

        Examples
        --------
        >>> WildRows(np.array([7]), np.array([812.4])).sentence()[:64]
        '1 wild row(s), up to 812 times as far out as the 99th percentile'
        """
        listed = ", ".join(map(str, self.rows[:NAMED]))
        more = f" and {len(self) - NAMED} more" if len(self) > NAMED else ""
        return (
            f"{len(self)} wild row(s), up to {self.times.max():.0f} times as far out as the 99th percentile of all, "
            f"are left out of the fit: {listed}{more}; look at them and drop them (np.delete(X, rows, axis=0)), or fit "
            "them with wild_rows='keep'"
        )


def wild_rows(X: FloatArray) -> WildRows:
    """Find rows that are much farther out than all others.

    Each feature is centred at its median and measured by the deviation of its central 99 %, which a few wild values
    cannot change. A row's distance is the larger of two: the root mean square of its values, and its largest value
    divided by the square root of the number of features, each compared with the 99th percentile over the rows. Rows
    farther than five times that are wild, unless they are more than 1 % of all: then they are a heavy tail.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite observations, in any units.

    Returns
    -------
    WildRows
        None where there are fewer than 20 rows.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((500, 4))
    >>> X[3] = 1e4
    >>> wild_rows(X).rows.tolist()
    [3]
    """
    none = WildRows(np.empty(0, dtype=np.intp), np.empty(0))
    n_samples, n_features = X.shape
    if n_samples < FEWEST_ROWS:
        return none
    size = max(1, BLOCK // n_samples)
    squares, largest, n_used = np.zeros(n_samples), np.zeros(n_samples), 0
    for start in range(0, n_features, size):
        part = X[:, start : start + size].astype(np.float64)
        scaled = _scaled(part)
        n_used += scaled.shape[1]
        if scaled.shape[1]:
            squares += np.square(scaled).sum(axis=1)
            largest = np.maximum(largest, np.abs(scaled).max(axis=1))
    if not n_used:
        return none
    times = np.zeros(n_samples)
    for distance in (np.sqrt(squares / n_used), largest):
        usual = float(np.quantile(distance, 0.99))
        if usual > 0 and math.isfinite(usual):
            times = np.maximum(times, distance / usual)
    found = np.flatnonzero(times > TIMES)
    if not len(found) or len(found) > max(1.0, MOST * n_samples):
        return none
    order = found[np.argsort(-times[found], kind="stable")]
    return WildRows(order, times[order])


def _scaled(part: NDArray[np.float64]) -> NDArray[Any]:
    """Return features centred at the median, in units of the deviation of their central part, without constant ones."""
    largest = np.abs(part).max(axis=0)
    part = part / np.where(largest > 0, largest, 1.0)  # no square overflows or vanishes
    away = np.abs(part - np.median(part, axis=0))
    edge = np.quantile(away, CENTRAL, axis=0)
    inside = away <= edge
    squares = np.where(inside, np.square(away), 0.0).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
    deviation = np.sqrt(squares)
    # Rare indicators and sparse counts have a constant central part: their own deviation is all there is.
    plain = np.sqrt(np.square(away).mean(axis=0))
    deviation = np.where(deviation > 1e-12, deviation, plain)
    varies = deviation > 1e-12
    return np.asarray(away[:, varies] / deviation[varies])
