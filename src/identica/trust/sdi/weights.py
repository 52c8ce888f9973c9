"""The smallest weighted L1 ball around the rows of a Jacobian.

Symbols: m = n_features, d = n_components, J = Jacobian of shape (m, d), w = weights, A = |J|.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from identica.arguments import as_array

__all__ = ["check_jacobian", "fit_weights"]

FloatArray = NDArray[np.float64]

MOST_STEPS = 200
SMALLEST_COLUMN, LARGEST_COLUMN = 1e-300, 1e300
"""Between which the largest entry of a column must be for its weight to be a number of full precision."""
SMALLEST_GAP = 1e-20
"""Mean product of slack and multiplier at which the method ends; the weights' error is about its square root."""
SMALLEST_RESIDUAL = 1e-13
SHARE_OF_STEP = 0.995
"""Of the way to the boundary."""
WANTED = "an array of shape (n_features, n_components)"


def fit_weights(jacobian: ArrayLike) -> FloatArray:
    r"""Return the weights of the smallest weighted L1 ball that holds every row of a Jacobian.

    .. math:: w = \arg\max \sum_j \log w_j \quad \text{subject to} \quad \sum_j |J_{ij}| w_j \le 1 \text{ for all } i

    The ball is {y: sum_j w_j |y_j| <= 1}, and its volume is proportional to 1 / prod_j w_j. The maximiser is unique. It
    is the only ball for which the diverse-influence condition can hold, see :func:`check_sdi`. A primal-dual
    interior-point method computes it, after each column has been divided by its largest entry; all weights are then
    between 1 / d and 1.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        Finite numbers; rows of zeros and rows that occur more than once change nothing.

    Returns
    -------
    ndarray of shape (n_components,)
        Positive numbers, in units of 1 / (unit of the column). The largest weighted L1 norm of a row is 1.

    Raises
    ------
    ValueError
        If there are no two axes, an axis is empty, a value is not finite, or a column is zero or reaches no number
        between 1e-300 and 1e300.
    TypeError
        If the values are no real numbers.

    Examples
    --------
    >>> fit_weights([[2.0, 0.0], [0.0, -0.1], [1.0, 0.05]]).round(6).tolist()
    [0.5, 10.0]
    """
    sizes = np.abs(check_jacobian(jacobian))
    sizes = sizes[sizes.any(axis=1)]
    columns = sizes.max(axis=0)
    sizes = sizes / columns
    point = _Point.first(sizes)
    best, least = point.weights, np.inf
    for _ in range(MOST_STEPS):
        gap, residual = point.gap, point.residual
        error = gap**0.5 + residual
        better = error < least
        if better:
            best, least = point.weights, error
        # Rounding can keep the residual up; it then grows as the gap closes.
        if gap < SMALLEST_GAP and (residual < SMALLEST_RESIDUAL or not better):
            break
        try:
            point = point.stepped()
        except np.linalg.LinAlgError:  # so close to the solution that the system is singular in floating point
            break
    return np.asarray(best / (sizes @ best).max() / columns)


@final
class _Point:
    """An iterate: weights w, slacks s and multipliers v, with A'v = 1 / w, A w + s = 1, v s = 0 at the solution."""

    def __init__(self, sizes: FloatArray, weights: FloatArray, slacks: FloatArray, multipliers: FloatArray) -> None:
        self.sizes, self.weights, self.slacks, self.multipliers = sizes, weights, slacks, multipliers
        self._stationarity = (multipliers @ sizes) * weights - 1
        self._feasibility = sizes @ weights + slacks - 1

    @classmethod
    def first(cls, sizes: FloatArray) -> _Point:
        m, d = sizes.shape
        weights = np.full(d, 0.5 / sizes.sum(axis=1).max())
        return cls(sizes, weights, 1 - sizes @ weights, np.full(m, d / m))

    @property
    def gap(self) -> float:
        return float(self.multipliers @ self.slacks) / len(self.slacks)

    @property
    def residual(self) -> float:
        return float(max(np.abs(self._stationarity).max(), np.abs(self._feasibility).max()))

    def stepped(self) -> _Point:
        """Take Mehrotra's step: predict, choose how far to centre, correct."""
        slacks, multipliers = self.slacks, self.multipliers
        relative = self.sizes * self.weights
        hessian = relative.T @ ((multipliers / slacks)[:, None] * relative) + np.eye(len(self.weights))

        def direction(complementarity: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            push = (multipliers * self._feasibility - complementarity) / slacks
            of_weights = self.weights * np.linalg.solve(hessian, -self._stationarity - push @ relative)
            of_slacks = -self._feasibility - self.sizes @ of_weights
            return of_weights, of_slacks, (-complementarity - multipliers * of_slacks) / slacks

        _, of_slacks, of_multipliers = direction(multipliers * slacks)
        length = min(1.0, _longest(slacks, of_slacks), _longest(multipliers, of_multipliers))
        ahead = float((multipliers + length * of_multipliers) @ (slacks + length * of_slacks)) / len(slacks)
        centre = (ahead / self.gap) ** 3 * self.gap
        corrected = multipliers * slacks + length**2 * of_slacks * of_multipliers - centre
        of_weights, of_slacks, of_multipliers = direction(corrected)
        ways = ((self.weights, of_weights), (slacks, of_slacks), (multipliers, of_multipliers))
        length = min(1.0, SHARE_OF_STEP * min(_longest(values, change) for values, change in ways))
        return _Point(self.sizes, *(values + length * change for values, change in ways))


def _longest(values: FloatArray, change: FloatArray) -> float:
    """Return how far positive values can go along a change before one of them is zero."""
    falling = change < 0
    return float((-values[falling] / change[falling]).min()) if falling.any() else np.inf


def check_jacobian(jacobian: Any, name: str = "jacobian") -> FloatArray:
    """Return a Jacobian as a matrix of finite float64 numbers without zero columns.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        What was given.
    name : str
        What to call it in a message.

    Returns
    -------
    ndarray of shape (n_features, n_components)
        The values.

    Raises
    ------
    ValueError
        If there are no two axes, an axis is empty, a value is not finite, or a column is zero or reaches no number
        between 1e-300 and 1e300.
    TypeError
        If the values are no real numbers.
    """
    array = as_array(name, jacobian, WANTED)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: pass {WANTED}, without empty axes")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {array.dtype}: pass real numbers")
    matrix = array.astype(np.float64)
    bad = np.argwhere(~np.isfinite(matrix))
    if bad.size:
        i, j = bad[0].tolist()
        raise ValueError(f"{name} has the value {matrix[i, j]} in row {i}, column {j}: all values must be finite")
    zero = np.flatnonzero(~matrix.any(axis=0))
    if zero.size:
        raise ValueError(
            f"column {zero[0]} of {name} is zero: that component acts on no feature there, leave its column out"
        )
    largest = np.abs(matrix).max(axis=0)
    beyond = np.flatnonzero((largest < SMALLEST_COLUMN) | (largest > LARGEST_COLUMN))
    if beyond.size:
        j = beyond[0]
        raise ValueError(
            f"column {j} of {name} reaches {largest[j]:.3g}, and must reach a number between {SMALLEST_COLUMN:.0e} and "
            f"{LARGEST_COLUMN:.0e}: divide it by a constant, which changes no answer"
        )
    return matrix
