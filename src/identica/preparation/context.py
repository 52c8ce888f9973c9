"""What is known of each sample beside its features, as numbers for networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from pandas.api import types

from identica.arguments import as_array
from identica.machine import memory_shortage
from identica.preparation.standardise import FloatArray, check_squares

__all__ = ["Context", "encode_context"]


@final
@dataclass(frozen=True, eq=False)
class Context:
    """An auxiliary variable, encoded.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_context)
        One column per level, with one entry of 1 in each row, or standardised numbers.
    levels : list or None
        The levels of a label, as booleans, numbers or text; None where it is continuous.
    """

    values: FloatArray
    levels: list[Any] | None


def encode_context(auxiliary: Any, n_samples: int, who: str) -> Context:
    """Encode an auxiliary variable: labels as one column per level, numbers standardised.

    Parameters
    ----------
    auxiliary : array-like of shape (n_samples,) or (n_samples, n_auxiliary)
        Integers, booleans, text, dates, categories or other objects in one column are labels; floating-point numbers
        are continuous. Several columns must be numbers, integers and booleans among them, which then are continuous,
        too.
    n_samples : int
        How many there must be.
    who : str
        Who asks, for messages.

    Returns
    -------
    Context
        Finite numbers.

    Raises
    ------
    ValueError
        If there is none, its length or shape is another, a value is missing, or it is the same for all samples; if
        there are several columns of labels, or numbers that are complex or whose squares are no numbers.
    TypeError
        If it is no array, or its values cannot be told apart or brought into an order.

    Examples
    --------
    >>> encode_context(["a", "b", "a"], 3, "AuxiliaryICA").values.tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    if auxiliary is None:
        raise ValueError(
            f"{who} requires y to be passed, but the target y is None: it is the auxiliary variable u, such as a label "
            "or a time for each sample, call fit(X, u)"
        )
    if not isinstance(auxiliary, pd.DataFrame | pd.Series):
        dense = auxiliary.toarray() if hasattr(auxiliary, "toarray") else auxiliary
        auxiliary = as_array("the auxiliary variable", dense, "one row for each sample")
    if auxiliary.ndim not in (1, 2) or len(auxiliary) != n_samples or auxiliary.size == 0:
        raise ValueError(
            f"the auxiliary variable has the shape {auxiliary.shape} and X has {n_samples} samples: give one row "
            "for each sample"
        )
    frame = pd.DataFrame(auxiliary)
    if frame.shape[1] > 1:  # in one column, numbers that are objects are labels, such as those of categories
        frame = frame.infer_objects()
    if frame.isna().to_numpy().any():
        row = int(np.argwhere(frame.isna().to_numpy())[0, 0])
        raise ValueError(f"the auxiliary variable of sample {row} is missing or NaN: leave such samples out")
    if any(types.is_complex_dtype(dtype) for dtype in frame.dtypes):
        raise ValueError(
            "the auxiliary variable holds complex numbers: give their real and imaginary parts as two columns"
        )
    if frame.shape[1] == 1 and not types.is_float_dtype(frame.dtypes.iloc[0]):
        return _labels(frame.iloc[:, 0], n_samples)
    for position, dtype in enumerate(frame.dtypes):
        if not types.is_numeric_dtype(dtype):
            raise ValueError(
                f"the auxiliary variable has {frame.shape[1]} columns, and column {position} does not hold numbers: "
                "combine the labels of a row into one, such as 'batch 1, day 3', or give numbers alone"
            )
    return _numbers(frame.to_numpy(dtype=np.float64))


def _labels(column: pd.Series[Any], n_samples: int) -> Context:
    try:
        codes, levels = pd.factorize(column, sort=True)
    except TypeError as error:
        raise TypeError(
            f"the auxiliary variable holds values of type {type(column.iloc[0]).__name__}, which are no labels "
            f"({error}): give text, whole numbers, booleans, dates or categories"
        ) from error
    if len(levels) < 2:
        raise ValueError(
            f"the auxiliary variable is {_plain(levels[0])!r} for all samples: components can only be told by "
            "how they change with it, give one that varies"
        )
    if len(levels) > max(2, n_samples // 2):
        raise ValueError(
            f"the auxiliary variable has {len(levels)} levels in {n_samples} samples: each level needs several, "
            "give fewer, such as segments of time, or floating-point numbers if it is continuous"
        )
    if shortage := memory_shortage(8 * n_samples * len(levels)):
        raise ValueError(
            f"the auxiliary variable has {len(levels)} levels in {n_samples} samples, which take {shortage}: give "
            "fewer levels"
        )
    values = np.zeros((n_samples, len(levels)))
    values[np.arange(n_samples), codes] = 1.0
    return Context(values, [_plain(level) for level in levels])


def _numbers(numbers: FloatArray) -> Context:
    if not np.isfinite(numbers).all():
        row = int(np.argwhere(~np.isfinite(numbers))[0, 0])
        raise ValueError(f"the auxiliary variable of sample {row} is infinite: leave such samples out")
    for column in numbers.T:
        check_squares("the auxiliary variable", column)
    deviation = numbers.std(axis=0)
    # The deviation of equal numbers may be a rounding error.
    varying = (numbers.max(axis=0) > numbers.min(axis=0)) & (deviation > 0)
    if not varying.any():
        raise ValueError("the auxiliary variable is the same for all samples: give one that varies")
    return Context((numbers[:, varying] - numbers[:, varying].mean(axis=0)) / deviation[varying], None)


def _plain(level: Any) -> bool | int | float | str:
    """Return a level as what a file can hold: dates and the like as text."""
    value = level.item() if isinstance(level, np.generic) else level
    return value if isinstance(value, bool | int | float | str) else str(level)
