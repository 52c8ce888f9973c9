"""What all metrics ask of their two inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def check_components(true: ArrayLike, estimated: ArrayLike, *, min_samples: int = 2) -> tuple[Array, Array]:
    """Return both inputs as finite float64 matrices with the same number of rows.

    Returns
    -------
    true : ndarray of shape (n_samples, n_true)
        True components, none of them constant.
    estimated : ndarray of shape (n_samples, n_estimated)
        Estimated components; a constant one is a legitimate, if useless, answer.

    Raises
    ------
    ValueError
        If an input is not two-dimensional, has no columns or is not finite, if the two differ in length or
        are shorter than `min_samples`, or if a true component is constant.
    TypeError
        If an input does not hold real numbers.
    """
    checked_true, checked_estimated = _matrix(true, "true"), _matrix(estimated, "estimated")
    n_samples = len(checked_true)
    if n_samples != len(checked_estimated):
        raise ValueError(
            f"true has {n_samples} samples and estimated has {len(checked_estimated)}: "
            "row i of both must be the same sample"
        )
    if n_samples < min_samples:
        raise ValueError(f"n_samples={n_samples} is too few: pass at least {min_samples} rows")
    constant = np.flatnonzero(np.ptp(checked_true, axis=0) == 0)
    if constant.size:
        raise ValueError(
            f"true component {constant[0]} is constant: there is nothing in it to recover, drop that column"
        )
    return checked_true, checked_estimated


def check_method(method: str, allowed: tuple[str, ...]) -> None:
    """Make sure that a method is known.

    Raises
    ------
    ValueError
        If it is not.
    """
    if method not in allowed:
        raise ValueError(f"method={method!r} is not known: use one of {', '.join(allowed)}")


def _matrix(values: ArrayLike, name: str) -> Array:
    matrix = np.asarray(values)
    if matrix.ndim != 2:
        raise ValueError(
            f"{name} has shape {matrix.shape}: pass a matrix of shape (n_samples, n_components), "
            "for one component use values.reshape(-1, 1)"
        )
    if matrix.shape[1] == 0:
        raise ValueError(f"{name} has no columns: pass at least one component")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {matrix.dtype}: pass real numbers")
    matrix = matrix.astype(np.float64)
    bad = np.argwhere(~np.isfinite(matrix))
    if bad.size:
        row, column = bad[0]
        raise ValueError(
            f"{name} has the value {matrix[row, column]} in row {row}, column {column}: "
            "all values must be finite, drop such rows from both inputs"
        )
    return matrix
