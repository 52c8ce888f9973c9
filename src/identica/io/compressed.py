"""Sparse matrices from files: what SciPy writes to wherever an index points is checked before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.io.errors import DataError

__all__ = ["check_compressed", "check_kinds", "check_n_values", "check_pointers"]

MOST_TIMES, MANY = 2, 100_000
"""Values of a sparse matrix for each of its entries, beside some that do no harm."""
_PLACES = ("shape", "indices", "indptr", "row", "col", "offsets", "coords")
"""Parts of a sparse matrix in a .npz file that are whole numbers."""


def check_compressed(matrix: Any) -> None:
    """Make sure that the indices of a sparse matrix lie within it, and its pointers do not decrease.

    SciPy's own check compares differences of pointers, which may overflow, and none where the last pointer is 0.

    Parameters
    ----------
    matrix : sparse matrix
        Of whatever format; those without pointers are checked when they are made.

    Raises
    ------
    ValueError
        If they do not.

    Examples
    --------
    >>> import scipy.sparse
    >>> lie = scipy.sparse.csr_matrix(([1.0], [0], [0, 0, 0]), shape=(2, 1))
    >>> lie.indptr[1] = 10**9
    >>> check_compressed(lie)
    Traceback (most recent call last):
    ValueError: the pointers of a sparse matrix decrease, or go beyond its indices
    """
    pointers = getattr(matrix, "indptr", None)
    if pointers is not None:
        check_pointers(pointers, len(matrix.indices))
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)


def check_kinds(path: Path, kinds: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> None:
    """Refuse a sparse matrix in a .npz file whose parts are not what SciPy writes: it converts them unseen.

    Parameters
    ----------
    path : Path
        The file.
    kinds : mapping of str to (tuple of int, dtype)
        Shape and type of each part, as the file declares them.

    Raises
    ------
    DataError
        If they are not.
    """
    for name, (shape, dtype) in kinds.items():
        if name == "format" and (dtype.kind not in "SU" or shape):
            raise DataError(f"{path} is damaged: the format of its sparse matrix is no text but {dtype} of {shape}")
        if name in _PLACES and dtype.kind not in "iu":
            raise DataError(f"{path} is damaged: the {name} of its sparse matrix holds {dtype}, no whole numbers")


def check_n_values(path: Path, shape: Sequence[int], n_values: int) -> None:
    """Refuse a sparse matrix that has far more values than entries.

    Parameters
    ----------
    path : Path
        The file.
    shape : sequence of int
        Of the matrix.
    n_values : int
        Values that are stored, of which several may be of one entry.

    Raises
    ------
    DataError
        If it has.
    """
    n_entries = math.prod(int(side) for side in shape)
    if n_values > MOST_TIMES * n_entries + MANY:
        raise DataError(
            f"{path} is damaged: its sparse matrix of shape {tuple(shape)} has {n_values} values for {n_entries} "
            "entries, write it anew"
        )


def check_pointers(pointers: NDArray[Any], n_stored: int) -> None:
    """Make sure that each row of a sparse matrix has a part of its indices.

    Parameters
    ----------
    pointers : ndarray of int, of shape (n_rows + 1,)
        Where the indices of rows, or columns, begin and end.
    n_stored : int
        How many indices there are.

    Raises
    ------
    ValueError
        If they decrease, or go beyond the indices.
    """
    if pointers.ndim != 1 or pointers.dtype.kind not in "iu" or not len(pointers):
        raise ValueError("the pointers of a sparse matrix are no list of whole numbers")
    if bool((pointers[1:] < pointers[:-1]).any()) or pointers[0] < 0 or pointers[-1] > n_stored:
        raise ValueError("the pointers of a sparse matrix decrease, or go beyond its indices")
