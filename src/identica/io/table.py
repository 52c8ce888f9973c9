"""A table of finite real numbers with the names of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary
from identica.io.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table of finite real numbers with the names of its rows and columns.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        float32 where the file holds float32 or float16, otherwise float64.
    path : Path
        The file it was read from.
    feature_names, row_names : tuple of str, optional
        Names of columns and rows, where the file has them.
    sample_shape : tuple of int, optional
        (height, width) or (height, width, channels) where the samples are images, whose values are flattened here.
    auxiliary : Auxiliary, optional
        What is known of each row beside its features, where it was asked for.
    """

    values: NDArray[np.floating[Any]]
    path: Path
    feature_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None
    sample_shape: tuple[int, ...] | None = None
    auxiliary: Auxiliary | None = None

    @classmethod
    def checked(
        cls,
        values: Any,
        path: Path,
        feature_names: Sequence[str] | None = None,
        row_names: Sequence[str] | None = None,
        auxiliary: Auxiliary | None = None,
    ) -> Table:
        """Build a table after checking that its values and names can be used.

        Parameters
        ----------
        values : array of shape (n_samples, n_features), (n_samples, height, width) or with channels as a last axis
            Integers or real numbers.
        path : Path
            The file they come from.
        feature_names, row_names : sequence of str, optional
            Names of columns and rows.
        auxiliary : Auxiliary, optional
            One value for each row.

        Returns
        -------
        Table
            The table.

        Raises
        ------
        DataError
            If the array is neither a table nor images, is empty, is not real, has values that are not finite, or if
            feature names are missing or occur twice.
        """
        given = np.asarray(values)
        numbers = _as_real(given, path)
        features = None if feature_names is None else tuple(feature_names)
        rows = None if row_names is None else tuple(row_names)
        if features is not None:
            _check_feature_names(features, path)
        _check_finite(numbers, path, features)
        return cls(numbers, path, features, rows, given.shape[1:] if given.ndim > 2 else None, auxiliary)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and of features."""
        n_samples, n_features = self.values.shape
        return n_samples, n_features

    def named(self) -> pd.DataFrame | NDArray[np.floating[Any]]:
        """Give the values with the names of their features, or as images, both of which estimators remember.

        Returns
        -------
        DataFrame, or ndarray of shape (n_samples, n_features) or of images
            A DataFrame where features have names, otherwise the values.
        """
        if self.feature_names is None:
            return self.values.reshape(-1, *(self.sample_shape or self.shape[1:]))
        import pandas as pd

        return pd.DataFrame(self.values, columns=list(self.feature_names), copy=False)

    def rows(self, positions: NDArray[np.intp]) -> pd.DataFrame | NDArray[np.floating[Any]]:
        """Give some of the rows with the names of their features.

        Parameters
        ----------
        positions : ndarray of int
            Which rows.

        Returns
        -------
        DataFrame or ndarray
            As `named`.
        """
        return Table(self.values[positions], self.path, self.feature_names, None, self.sample_shape).named()


def _as_real(values: NDArray[Any], path: Path) -> NDArray[np.floating[Any]]:
    if values.dtype.kind not in "iuf":
        raise DataError(f"{path} holds {_kind(values.dtype)}, the data must be real numbers, convert them first")
    if values.ndim not in (2, 3, 4):
        remedy = ", reshape it to (n_samples, 1)" if values.ndim == 1 else ""
        raise DataError(
            f"{path} holds an array with {values.ndim} dimension{'s' * (values.ndim != 1)} of shape "
            f"{values.shape}, it must have 2, (n_samples, n_features), or 3 or 4 for images, (n_samples, height, "
            f"width[, channels]){remedy}"
        )
    if 0 in values.shape:
        raise DataError(f"{path} is empty: its shape is {values.shape}, give at least one row and one column")
    # Grey levels of one byte are exact in float32, too, and images are many.
    single = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else values.ndim > 2)
    numbers: NDArray[np.floating[Any]] = np.ascontiguousarray(values, dtype=np.float32 if single else np.float64)
    return numbers.reshape(len(numbers), -1)


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.names is not None:
        return f"a structured array with the fields {', '.join(dtype.names)}"
    known = {
        "b": "booleans",
        "c": "complex numbers",
        "U": "text",
        "S": "text",
        "M": "dates",
        "m": "durations",
    }
    return known.get(dtype.kind, f"values of type {dtype}")


def _check_feature_names(names: tuple[str, ...], path: Path) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if not name.strip():
            raise DataError(f"{path}: column {position} (counted from 0) has no name, give every column one")
        if name in seen:
            raise DataError(f"{path}: the feature name {name!r} occurs twice, give every feature its own name")
        seen.add(name)


def _check_finite(values: NDArray[Any], path: Path, features: tuple[str, ...] | None) -> None:
    finite = np.isfinite(values)
    if finite.all():
        return
    row, column = (int(i) for i in np.unravel_index(int(np.argmin(finite)), values.shape))
    what = "NaN (a missing value)" if np.isnan(values[row, column]) else "an infinite value"
    where = f"column {column}" if features is None else f"column {column} ({features[column]!r})"
    raise DataError(
        f"{path} holds {what} at row {row}, {where}, both counted from 0, and {int((~finite).sum())} such in "
        "all; every value must be finite: fill or drop them first"
    )
