"""What all metrics ask of their inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_integer

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


def check_array(values: ArrayLike, name: str, axes: tuple[str, ...]) -> Array:
    """Return values as a finite float64 array that has the axes named, none of them empty.

    Returns
    -------
    ndarray
        The values.

    Raises
    ------
    ValueError
        If there are more or fewer axes, or an empty one, or values that are not finite.
    TypeError
        If the values are not real numbers.
    """
    array = np.asarray(values)
    if array.ndim != len(axes) or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: pass an array of shape ({', '.join(axes)}), without empty axes"
        )
    array = _real(array, name)
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        index = tuple(bad[0].tolist())
        raise ValueError(f"{name} has the value {array[index]} at {index}: all values must be finite")
    return array


def check_blocks(
    blocks: Sequence[Sequence[int]], n_columns: int, name: str, *, complete: bool = True
) -> tuple[tuple[int, ...], ...]:
    """Return blocks of columns that do not overlap, as tuples of integers.

    Returns
    -------
    tuple of tuple of int
        The columns of each block.

    Raises
    ------
    ValueError
        If a block is empty, if a column is in two blocks or does not exist, or, where the blocks are to be
        complete, if a column is in none.
    TypeError
        If a block is not a list, or a column not an integer.
    """
    for b, block in enumerate(blocks):
        if not np.iterable(block):
            raise TypeError(
                f"{name}[{b}]={block!r} is not a list of columns: pass one list per block, as [[0, 1], [2]]"
            )
    checked = tuple(
        tuple(check_integer(f"{name}[{b}]", column, 0, n_columns - 1) for column in block)
        for b, block in enumerate(blocks)
    )
    if not checked or not all(checked):
        raise ValueError(f"{name}={checked} has no blocks or an empty one: list the columns of each block")
    columns = [column for block in checked for column in block]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(f"{name} has column {twice[0]} more than once: put each column into one block")
    missing = sorted(set(range(n_columns)) - set(columns))
    if complete and missing:
        raise ValueError(f"{name} leaves out column {missing[0]}: put each of the {n_columns} columns into a block")
    return checked


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
    matrix = _real(matrix, name)
    bad = np.argwhere(~np.isfinite(matrix))
    if bad.size:
        row, column = bad[0]
        raise ValueError(
            f"{name} has the value {matrix[row, column]} in row {row}, column {column}: "
            "all values must be finite, drop such rows from both inputs"
        )
    return matrix


def _real(array: NDArray[np.generic], name: str) -> Array:
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}: pass real numbers")
    return array.astype(np.float64)
