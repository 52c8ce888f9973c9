"""An auxiliary variable: what is known of each row of a table beside its features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.budget import Budget
from identica.io.dialect import Dialect
from identica.io.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Auxiliary", "from_text", "read_auxiliary"]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
LABELS = ("string", "integer", "boolean", "empty")
"""What pandas calls objects that are labels."""


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """One label, or one number, for each row of a table.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        float64 where it is continuous, otherwise labels.
    path : Path
        The file that holds it.
    column : str or None
        Column of the table, or of `obs`, that holds it; None where it has a file of its own.
    """

    values: NDArray[Any]
    path: Path
    column: str | None

    @classmethod
    def checked(cls, values: pd.Series[Any], path: Path, column: str | None) -> Auxiliary:
        """Take text, integers, booleans and categories for labels, and real numbers for what they are.

        Parameters
        ----------
        values : Series
            One for each row.
        path : Path
            The file that holds them.
        column : str or None
            The column that does.

        Returns
        -------
        Auxiliary
            The variable.

        Raises
        ------
        DataError
            If a value is missing or infinite, or they are neither labels nor numbers.
        """
        import pandas as pd
        from pandas.api import types

        where = "its value" if column is None else f"the value of column {column!r}"
        missing = values.isna().to_numpy()
        if missing.any():
            raise DataError(
                f"{path}: {where} at row {int(missing.argmax())} (counted from 0) is missing, and {int(missing.sum())} "
                "such are there in all; every sample needs a label or a number: fill them in or leave such rows out"
            )
        if isinstance(values.dtype, pd.CategoricalDtype):
            return cls(values.to_numpy(dtype=object), path, column)  # numbers that are categories stay labels
        if types.is_float_dtype(values.dtype):
            numbers = values.to_numpy(dtype=np.float64)
            infinite = ~np.isfinite(numbers)
            if infinite.any():
                raise DataError(
                    f"{path}: {where} at row {int(infinite.argmax())} (counted from 0) is infinite, every value must "
                    "be finite: leave such rows out"
                )
            return cls(numbers, path, column)
        if types.is_integer_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
            return cls(values.to_numpy(), path, column)
        kind = types.infer_dtype(values, skipna=False)
        if kind not in LABELS:
            what = "the auxiliary variable" if column is None else f"column {column!r}, the auxiliary variable,"
            raise DataError(
                f"{path}: {what} holds values of type {values.dtype} ({kind}), give text, integers or categories, "
                "which are labels, or real numbers"
            )
        return cls(values.to_numpy(dtype=object), path, column)

    def rows(self, positions: NDArray[np.intp]) -> pd.Series[Any]:
        """Give some of the values, under the name of the column, which estimators remember.

        Parameters
        ----------
        positions : ndarray of int
            Which rows.

        Returns
        -------
        Series
            Their values.
        """
        import pandas as pd

        return pd.Series(self.values[positions], name=self.column)


def from_text(fields: Sequence[str], dialect: Dialect) -> pd.Series[Any]:
    """Read the fields of a column of a text file, none of which is missing.

    Parameters
    ----------
    fields : sequence of str
        As they stand there.
    dialect : Dialect
        How numbers are written.

    Returns
    -------
    Series
        Integers where all are whole numbers, otherwise real numbers where all are numbers, otherwise text.
    """
    import pandas as pd

    texts = [field.strip() for field in fields]
    if all(_WHOLE.fullmatch(text) for text in texts):
        return pd.Series([int(text) for text in texts])
    numbers = dialect.numbers(texts)
    return pd.Series(texts, dtype=object) if None in numbers else pd.Series(numbers, dtype=np.float64)


def read_auxiliary(path: Path, n_samples: int, data: Path, budget: Budget) -> Auxiliary:
    """Read an auxiliary variable from a file of its own.

    Parameters
    ----------
    path : Path
        A .npy file, or an IDX file such as MNIST's labels, of shape (n_samples,) or (n_samples, 1).
    n_samples : int
        Number of rows of the data.
    data : Path
        Their file, for messages.
    budget : Budget
        The most memory that it may take.

    Returns
    -------
    Auxiliary
        The variable.

    Raises
    ------
    DataError
        If the file is missing, damaged, too large or of another kind, has not one value for each row, or one that is
        missing.
    """
    import pandas as pd

    from identica.io.arrays import load_npy
    from identica.io.idx import is_idx, read_idx

    named = f"{data} has no columns with names, so its auxiliary variable is in a .npy or IDX file of its own"
    if not is_idx(path) and path.suffix.lower() != ".npy":
        raise DataError(f"{path} has not the ending of a .npy or IDX file, and {named}: give one with a value per row")
    if not path.is_file():
        raise DataError(f"{path} does not exist, and {named}: give an existing one with a value per row")
    try:
        values = read_idx(path, budget) if is_idx(path) else load_npy(path, budget)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"{path} holds an array of shape {values.shape}, give one value for each row: ({n_samples},)")
    if len(values) != n_samples:
        raise DataError(
            f"{path} has {len(values)} values and {data} has {n_samples} rows, give one value for each row, in the "
            "same order"
        )
    if values.dtype.kind not in "biufUS":
        raise DataError(
            f"{path} holds values of type {values.dtype}, give text or integers, which are labels, or real numbers"
        )
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return Auxiliary.checked(pd.Series(values.tolist() if values.dtype.kind == "U" else values), path, None)
