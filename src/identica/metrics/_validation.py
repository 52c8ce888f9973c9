"""What all metrics ask of their two inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def check_components(true: ArrayLike, estimated: ArrayLike, *, min_samples: int = 2) -> tuple[Array, Array]:
    """Return both inputs as finite float64 matrices with the same number of rows.

    Raises
    ------
    ValueError
        If one is not two-dimensional, empty, not real or not finite, if they differ in length or are shorter
        than `min_samples`, or if a true component is constant.
    """
    checked = _matrix(true, "true"), _matrix(estimated, "estimated")
    n_true, n_estimated = (len(matrix) for matrix in checked)
    if n_true != n_estimated:
        raise ValueError(
            f"true has {n_true} samples and estimated has {n_estimated}: row i of both must be the same sample"
        )
    if n_true < min_samples:
        raise ValueError(f"{n_true} samples given: at least {min_samples} are needed, pass more rows")
    constant = np.flatnonzero(is_constant(checked[0]))
    if constant.size:
        raise ValueError(
            f"true component {constant[0]} is constant: there is nothing in it to recover, drop that column"
        )
    return checked


def is_constant(matrix: Array) -> NDArray[np.bool_]:
    """Return which columns hold one value only, of shape (n_columns,)."""
    return np.asarray(np.ptp(matrix, axis=0) == 0)


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
        raise ValueError(f"{name} has dtype {matrix.dtype}: pass real numbers")
    matrix = matrix.astype(np.float64)
    bad = np.argwhere(~np.isfinite(matrix))
    if bad.size:
        row, column = bad[0]
        raise ValueError(
            f"{name} has the value {matrix[row, column]} in row {row}, column {column}: "
            "all values must be finite, drop such rows from both inputs"
        )
    return matrix
