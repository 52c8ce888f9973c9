"""Observations as a caller gives them, checked: numbers, finite, of the right features; images become rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from identica.machine import memory_shortage
from identica.preparation.standardise import FloatArray

__all__ = ["check_observations"]


def check_observations(estimator: BaseEstimator, X: Any, *, fitting: bool) -> FloatArray:
    """Return observations as an array of float32 or float64.

    Parameters
    ----------
    estimator : BaseEstimator
        Remembers number, names and shape of the features while fitting, and must agree with them later.
    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or (n_samples, height, width, channels)
        Observations; a sparse matrix is made dense, since standardised features have few zeros.
    fitting : bool
        Whether the estimator is being fitted, which takes at least 2 samples.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Finite numbers.

    Raises
    ------
    TypeError
        If they are no table of numbers.
    ValueError
        If they cannot be used; a column of a data frame that is not numeric is named.
    """
    if np.ma.is_masked(X):
        raise ValueError(
            f"X is a masked array with {int(np.ma.getmaskarray(X).sum())} masked value(s): fill them in, or leave out "
            "their samples or features before"
        )
    _refuse_repeated_names(X)
    X = _dense(_flattened(estimator, X, fitting))
    try:
        checked: FloatArray = validate_data(
            estimator,
            X,
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if fitting else 1,
            ensure_all_finite=False,
            reset=fitting,
        )
    except (TypeError, ValueError):
        _name_column_without_numbers(X)
        raise
    _check_finite(checked, getattr(estimator, "feature_names_in_", None))
    return checked


def _flattened(estimator: BaseEstimator, X: Any, fitting: bool) -> Any:
    """Make rows of images, whose shape is remembered; other observations stay what they are."""
    shape = np.shape(X) if hasattr(X, "ndim") or isinstance(X, list | tuple) else ()
    if fitting:
        estimator.sample_shape_ = shape[1:] if len(shape) > 1 else ()
    if len(shape) not in (3, 4):
        return X
    if shape[1:] != estimator.sample_shape_:
        known = estimator.sample_shape_
        raise ValueError(
            f"X holds images of shape {shape[1:]}, and the {'images' if len(known) > 1 else 'rows'} that were fitted "
            f"have the shape {known}: give the same"
        )
    images = np.asarray(X)
    if images.dtype.kind in "iu":  # grey levels: half the memory of float64, and exact
        images = images.astype(np.float32)
    return images.reshape(len(images), -1)


def _dense(X: Any) -> Any:
    if not issparse(X):
        return X
    matrix: Any = X
    if shortage := memory_shortage(np.prod(matrix.shape, dtype=float) * matrix.dtype.itemsize):
        raise ValueError(
            f"X is a sparse matrix of shape {matrix.shape}, which when dense takes {shortage}: choose fewer features, "
            "such as those that vary most"
        )
    return matrix.toarray(order="C")  # as a dense table lies, for sums to be the same


def _refuse_repeated_names(X: Any) -> None:
    if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
        name = X.columns[X.columns.duplicated()][0]
        raise ValueError(
            f"{int((X.columns == name).sum())} columns of X have the name {name!r}: rename them, or pass X.to_numpy()"
        )


def _name_column_without_numbers(X: Any) -> None:
    if not isinstance(X, pd.DataFrame):
        return
    for position, name in enumerate(X.columns):
        column = X.iloc[:, position]
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = numbers.isna() & column.notna()
        if wrong.any():
            value = column[wrong].iloc[0]
            raise ValueError(
                f"column {name!r} of X is not numeric (it holds {value!r}): drop it, or turn it into numbers before"
            )


def _check_finite(X: FloatArray, names: Sequence[str] | None) -> None:
    finite = np.isfinite(X)
    if finite.all():
        return
    row, column = np.argwhere(~finite)[0]
    feature = f"feature {column}" if names is None else f"feature {names[column]!r} (column {column})"
    kind = "NaN" if np.isnan(X[row, column]) else "inf"
    raise ValueError(
        f"X contains {int((~finite).sum())} value(s) that are NaN or infinite, the first ({kind}) in sample {row}, "
        f"{feature}: remove those samples or fill the values in before"
    )
