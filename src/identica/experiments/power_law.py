"""A power law with a floor, fitted to errors by number of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

__all__ = ["LEAST_SIZES", "PowerLaw", "fall_begins", "fit_power_law"]

LEAST_SIZES = 4
"""Numbers of samples that a fit needs: one more than it has numbers to choose."""
STEEPEST = 3.0
"""Largest rate; what is steeper is a step, not a power law."""
PLATEAU = 0.9
"""Share of the largest error from which on an error counts as not fallen."""
_STARTS = ((0.05, 0.5), (0.8, 0.5), (0.5, 1.5))
"""Where the search starts: the floor as a share of the least error, and the rate."""


@final
@dataclass(frozen=True)
class PowerLaw:
    """error(N) = floor + factor N^(-rate).

    Parameters
    ----------
    floor : float
        What is left with any number of samples.
    factor : float
        Of the rest, with one sample.
    rate : float
        At least 0.

    Examples
    --------
    >>> PowerLaw(0.01, 1.0, 0.5)(100)
    0.11
    """

    floor: float
    factor: float
    rate: float

    def __call__(self, size: float) -> float:
        """Return the error with so many samples."""
        return float(self.floor + self.factor * size**-self.rate)


def fall_begins(errors: Sequence[float]) -> int:
    """Return where errors begin to fall: the last place at which they are within a tenth of the largest.

    What comes before is a plateau, on which too few samples teach nothing, and of which a power law knows nothing.

    Parameters
    ----------
    errors : sequence of float
        By growing number of samples.

    Returns
    -------
    int
        An index; the last one where errors do not fall.

    Examples
    --------
    >>> fall_begins([0.5, 0.48, 0.3, 0.2]), fall_begins([0.5, 0.49, 0.5])
    (1, 2)
    """
    values = np.asarray(errors, dtype=np.float64)
    return int(np.flatnonzero(values >= PLATEAU * values.max())[-1])


def fit_power_law(sizes: Sequence[float], errors: Sequence[float]) -> PowerLaw:
    """Fit floor, factor and rate to the logarithms of errors by least squares.

    In logarithms a deviation counts by its share of the error, so that small errors of large samples decide as much as
    large ones of small samples, and the rate does not depend on the unit of the error.

    Parameters
    ----------
    sizes : sequence of float
        Numbers of samples.
    errors : sequence of float
        Positive, one for each size.

    Returns
    -------
    PowerLaw
        With the least sum of squares; the floor is at most the least error and the rate at most 3.

    Raises
    ------
    ValueError
        If there are fewer than four sizes, or an error is not a positive number.

    Examples
    --------
    >>> sizes = [250, 1000, 4000, 16000, 64000]
    >>> law = fit_power_law(sizes, [0.01 + 2 * size**-0.5 for size in sizes])
    >>> round(law.floor, 4), round(law.factor, 4), round(law.rate, 4)
    (0.01, 2.0, 0.5)
    """
    n, e = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if n.shape != e.shape or len(np.unique(n)) < LEAST_SIZES:
        raise ValueError(
            f"{e.size} errors at {len(np.unique(n))} sizes do not tell a rate: give at least {LEAST_SIZES} of each"
        )
    if not (np.isfinite(e).all() and (e > 0).all() and (n > 0).all()):
        raise ValueError("sizes and errors must be positive numbers: leave out those that are not")
    # In units of typical sizes and errors; the floor as a share of the least error, which it cannot exceed.
    log_n = np.log(n) - np.log(n).mean()
    log_e = np.log(e) - np.log(e).mean()
    least = np.exp(log_e.min())

    def parts(point: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        falling = np.exp(point[1] - point[2] * log_n)
        return falling, point[0] * least + falling

    def residuals(point: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.log(parts(point)[1]) - log_e)

    def derivatives(point: NDArray[np.float64]) -> NDArray[np.float64]:
        falling, total = parts(point)
        return np.column_stack([np.full_like(log_n, least), falling, -log_n * falling]) / total[:, None]

    bounds = ([0.0, -np.inf, 0.0], [1.0, np.inf, STEEPEST])
    found = [
        least_squares(residuals, [share, 0.0, rate], jac=derivatives, bounds=bounds, xtol=1e-10, ftol=1e-12, gtol=1e-12)
        for share, rate in _STARTS
    ]
    share, log_factor, rate = min(found, key=lambda one: one.cost).x
    unit = np.exp(np.log(e).mean())
    factor = unit * np.exp(log_factor + rate * np.log(n).mean())
    return PowerLaw(float(share * least * unit), float(factor), float(rate))
