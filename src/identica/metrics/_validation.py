"""What all metrics ask of their inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from identica.arguments import as_array, check_integer, check_list

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
        As :func:`check_array`, and if the two differ in length or are shorter than `min_samples`, or if a true
        component is constant.
    TypeError
        If an input is no array or does not hold real numbers.
    """
    axes = ("n_samples", "n_components")
    checked_true, checked_estimated = check_array(true, "true", axes), check_array(estimated, "estimated", axes)
    n_samples = len(checked_true)
    if n_samples != len(checked_estimated):
        raise ValueError(
            f"true has {n_samples} samples and estimated has {len(checked_estimated)}: "
            "row i of both must be the same sample"
        )
    if n_samples < min_samples:
        raise ValueError(f"n_samples={n_samples} is too few: pass at least {min_samples} rows")
    constant = np.flatnonzero(is_constant(checked_true))
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
        If there are more or fewer axes, or an empty one, lists of different lengths, or values that are masked or
        not finite.
    TypeError
        If the values are no array, or no real numbers.
    """
    wanted = f"an array of shape ({', '.join(axes)})"
    array = as_array(name, values, wanted)
    if array.ndim != len(axes) or array.size == 0:
        column = (
            ", for one component use values.reshape(-1, 1)" if array.ndim == 1 and len(axes) == 2 and array.size else ""
        )
        raise ValueError(f"{name} has shape {array.shape}: pass {wanted}, without empty axes{column}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}: pass real numbers")
    array = array.astype(np.float64)
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        index = tuple(bad[0].tolist())
        raise ValueError(
            f"{name} has the value {array[index]} at {index}: all values must be finite, leave out such "
            f"{axes[0].removeprefix('n_')}"
        )
    return array


def is_constant(matrix: Array) -> NDArray[np.bool_]:
    """Tell which columns hold one value alone, without differences, which may overflow."""
    return np.asarray(matrix.max(axis=0) == matrix.min(axis=0))


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
        If the blocks or one of them are no list, or a column no integer.
    """
    wanted = "one list of columns per block, as [[0, 1], [2]]"
    checked = tuple(
        tuple(
            check_integer(f"{name}[{b}]", column, 0, n_columns - 1)
            for column in check_list(f"{name}[{b}]", block, wanted)
        )
        for b, block in enumerate(check_list(name, blocks, wanted))
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
