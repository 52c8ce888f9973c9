"""A table of finite real numbers with the names of its rows and columns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary
from identica.io.beside import Beside
from identica.io.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "held_as"]


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
        What a method is told of each row, where it was asked for.
    beside : Beside
        Covariates and size factors, where they were asked for.
    """

    values: NDArray[np.floating[Any]]
    path: Path
    feature_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None
    sample_shape: tuple[int, ...] | None = None
    auxiliary: Auxiliary | None = None
    beside: Beside = Beside()  # noqa: RUF009  (frozen)

    @classmethod
    def checked(
        cls,
        values: Any,
        path: Path,
        feature_names: Sequence[str] | None = None,
        row_names: Sequence[str] | None = None,
        auxiliary: Auxiliary | None = None,
        beside: Beside | None = None,
        *,
        missing: bool = False,
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
        beside : Beside, optional
            Covariates and size factors of each row.
        missing : bool, default=False
            Whether values may be missing (NaN).

        Returns
        -------
        Table
            The table.

        Raises
        ------
        DataError
            If the array is neither a table nor images, is empty, is not real, has values that are not finite or if
            feature names are missing or occur twice.
        """
        given = np.asarray(values)
        if (
            given.ndim == 2
            and given.shape[1] == 0
            and len(given)
            and (auxiliary is not None or (beside or Beside()).given())
        ):
            raise DataError(f"{path} has no feature left beside the columns that were named: leave some as features")
        numbers = _as_real(given, path)
        features = None if feature_names is None else tuple(feature_names)
        rows = None if row_names is None else tuple(row_names)
        if features is not None:
            _check_feature_names(features, path)
        _check_finite(numbers, path, features, missing=missing)
        return cls(
            numbers, path, features, rows, given.shape[1:] if given.ndim > 2 else None, auxiliary, beside or Beside()
        )

    def filled(self, numbers: NDArray[np.floating[Any]] | None = None) -> Table:
        """Put a number where a value is missing, and warn of how many are.

        Parameters
        ----------
        numbers : ndarray of shape (n_features,), optional
            One for each column; its mean by default.

        Returns
        -------
        Table
            Without missing values.

        Raises
        ------
        DataError
            If a column has no value to take the mean of.
        """
        lacking = np.isnan(self.values)
        if not lacking.any():
            return self
        n_samples, n_features = self.shape
        each = lacking.sum(axis=0)
        worst = int(each.argmax())
        if numbers is None:
            if each[worst] == n_samples:
                raise DataError(f"{self.path}: {_column(worst, self.feature_names)} has no value at all, drop it")
            numbers = np.where(lacking, 0, self.values).sum(axis=0, dtype=np.float64) / (n_samples - each)
        warnings.warn(
            f"{self.path}: {int(each.sum())} missing value(s) in {int((each > 0).sum())} of {n_features} columns were "
            f"filled by the mean of their column, most of them ({each[worst]} of {n_samples} rows) in "
            f"{_column(worst, self.feature_names)}",
            UserWarning,
            stacklevel=2,
        )
        return replace(self, values=np.where(lacking, numbers, self.values).astype(self.values.dtype))

    def in_order(self, names: Sequence[str]) -> Table:
        """Put the features into another order.

        Parameters
        ----------
        names : sequence of str
            All names of features, in that order.

        Returns
        -------
        Table
            The same values.
        """
        position = {name: j for j, name in enumerate(self.feature_names or ())}
        order = [position[name] for name in names]
        return replace(self, values=np.ascontiguousarray(self.values[:, order]), feature_names=tuple(names))

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


def held_as(dtype: np.dtype[Any], n_axes: int) -> np.dtype[Any]:
    """Return the type in which a table holds numbers of a file.

    Parameters
    ----------
    dtype : dtype
        Theirs.
    n_axes : int
        Of the array: above 2 they are images.

    Returns
    -------
    dtype
        float32 or float64; what is no real number is left as it is.
    """
    if dtype.kind not in "biuf":
        return dtype
    # Grey levels of one byte are exact in float32, too, and images are many.
    single = dtype.itemsize <= (4 if dtype.kind == "f" else n_axes > 2)
    return np.dtype(np.float32 if single else np.float64)


def _as_real(values: NDArray[Any], path: Path) -> NDArray[np.floating[Any]]:
    if values.dtype.kind not in "biuf":
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
    numbers: NDArray[np.floating[Any]] = np.ascontiguousarray(values, dtype=held_as(values.dtype, values.ndim))
    return numbers.reshape(len(numbers), -1)


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.names is not None:
        return f"a structured array with the fields {', '.join(dtype.names)}"
    known = {
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


def _check_finite(values: NDArray[Any], path: Path, features: tuple[str, ...] | None, *, missing: bool) -> None:
    bad = np.isinf(values) if missing else ~np.isfinite(values)
    if not bad.any():
        return
    row, column = (int(i) for i in np.unravel_index(int(bad.argmax()), values.shape))
    nan = bool(np.isnan(values[row, column]))
    what = "NaN (a missing value)" if nan else "an infinite value"
    number = int((np.isnan(values) if nan else np.isinf(values)).sum())
    remedy = "fill or drop them first, or let --missing mean fill them" if nan else "drop them first"
    raise DataError(
        f"{path} holds {what} at row {row}, {_column(column, features)}, both counted from 0, and {number} such in "
        f"all; every value must be finite: {remedy}"
    )


def _column(position: int, features: tuple[str, ...] | None) -> str:
    return f"column {position}" if features is None else f"column {position} ({features[position]!r})"
