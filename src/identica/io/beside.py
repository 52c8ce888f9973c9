"""Covariates and size factors: what columns beside the features say of each sample, as an estimator takes them.

A column's kind is "label" or "number", or "any" where that is found out: real numbers are numbers; text, whole numbers,
truth values and categories are labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import LABELS, from_text
from identica.io.columns import Roles, shortened
from identica.io.dialect import Dialect, is_missing
from identica.io.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Beside", "text_column"]

NUMBERS = "and a number is needed: give numbers, or take it as a label"
SIZE_FACTORS = "and size factors are positive numbers: name a column that holds such"


@final
@dataclass(frozen=True, eq=False)
class Beside:
    """What is known of the samples of a table beside their features.

    Parameters
    ----------
    covariates : DataFrame of shape (n_samples, n_covariates), optional
        Labels as text, numbers as float64; none is missing or infinite.
    size_factors : ndarray of shape (n_samples,), optional
        Positive numbers.
    """

    covariates: pd.DataFrame | None = None
    size_factors: NDArray[np.float64] | None = None

    @classmethod
    def checked(
        cls, columns: Mapping[str, pd.Series[Any]], roles: Roles, path: Path, place: Callable[[int, str], str]
    ) -> Beside:
        """Build it from columns of a file after checking that they can be used.

        Parameters
        ----------
        columns : mapping of str to Series
            By name, at least those that the roles ask for.
        roles : Roles
            Which are covariates, of what kind, and which is of size factors.
        path : Path
            The file.
        place : callable
            Says where row i of a column is, as the end of "the value at".

        Returns
        -------
        Beside
            What was asked for.

        Raises
        ------
        DataError
            If a value is missing, infinite or of another kind, or a size factor is not positive.
        """
        import pandas as pd

        covariates = {
            name: _covariate(columns[name], kind, path, lambda i, name=name: place(i, name))  # type: ignore[misc]
            for name, kind in roles.covariates.items()
        }
        depth = roles.size_factors
        factors = None
        if depth is not None:
            factors = _numbers(columns[depth], path, lambda i: place(i, depth), SIZE_FACTORS).to_numpy()
            if (factors <= 0).any():
                row = int((factors <= 0).argmax())
                raise DataError(
                    f"{path}: the value at {place(row, depth)} is {factors[row]:g}, and size factors are positive: "
                    "leave such rows out"
                )
        return cls(pd.DataFrame(covariates) if covariates else None, factors)

    def given(self, rows: NDArray[np.intp] | None = None) -> dict[str, Any]:
        """Return what there is by the names that estimators have for it.

        Parameters
        ----------
        rows : ndarray of int, optional
            Which samples; all of them by default.

        Returns
        -------
        dict
            With covariates, size_factors, both or neither.
        """
        known: dict[str, Any] = {}
        if self.covariates is not None:
            known["covariates"] = self.covariates if rows is None else self.covariates.iloc[rows]
        if self.size_factors is not None:
            known["size_factors"] = self.size_factors if rows is None else self.size_factors[rows]
        return known


def text_column(fields: Sequence[str], kind: str, dialect: Dialect) -> pd.Series[Any]:
    """Read a column of a text file.

    Parameters
    ----------
    fields : sequence of str
        As they stand there.
    kind : {"any", "label", "number"}
        What it is.
    dialect : Dialect
        How numbers are written.

    Returns
    -------
    Series
        Numbers, or the text itself: whole numbers that are labels stay as they are written. None where one is missing.
    """
    import pandas as pd
    from pandas.api import types

    text = pd.Series([None if is_missing(field) else field.strip() for field in fields], dtype=object)
    if kind == "label" or text.isna().any():
        return text
    found = from_text(fields, dialect)
    return text if kind == "any" and types.is_integer_dtype(found.dtype) else found


def _covariate(column: pd.Series[Any], kind: str, path: Path, place: Callable[[int], str]) -> pd.Series[Any]:
    import pandas as pd
    from pandas.api import types

    if kind == "number" or (kind == "any" and types.is_float_dtype(column.dtype)):
        return _numbers(column, path, place)
    _refuse_missing(column, path, place)
    plain = isinstance(column.dtype, pd.CategoricalDtype) or types.is_numeric_dtype(column.dtype)
    found = types.infer_dtype(column, skipna=False)
    if not plain and found not in LABELS:
        raise DataError(
            f"{path}: the value at {place(0)} is {shortened(str(column.iloc[0]))!r}, of type {column.dtype} ({found}): "
            "a covariate is of text, whole numbers, truth values or categories, which are labels, or of real numbers"
        )
    return pd.Series([str(value) for value in column.tolist()], dtype=object)


def _numbers(column: pd.Series[Any], path: Path, place: Callable[[int], str], needed: str = NUMBERS) -> pd.Series[Any]:
    import pandas as pd

    _refuse_missing(column, path, place)
    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype(np.float64)
    wrong = numbers.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{path}: the value at {place(row)} is {shortened(str(column.iloc[row]))!r}, {needed}")
    infinite = ~np.isfinite(numbers.to_numpy())
    if infinite.any():
        raise DataError(
            f"{path}: the value at {place(int(infinite.argmax()))} is infinite, every value must be finite: leave such "
            "rows out"
        )
    return numbers.reset_index(drop=True)


def _refuse_missing(column: pd.Series[Any], path: Path, place: Callable[[int], str]) -> None:
    import pandas as pd

    if "complex" in pd.api.types.infer_dtype(column, skipna=True):
        raise DataError(
            f"{path}: the value at {place(0)} is {shortened(str(column.iloc[0]))!r}, of a column of complex numbers: "
            "give real numbers or labels"
        )
    missing = column.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"{path}: the value at {place(int(missing.argmax()))} is missing, and {int(missing.sum())} such are there "
            "in all; every sample needs a label or a number: fill them in or leave such rows out"
        )
