"""Writing arrays, tables, records and JSON, each file whole or not at all."""

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.io.errors import DataError
from identica.io.files import atomic_write

__all__ = [
    "TABLE_ENDINGS",
    "check_table_file",
    "without_formulas",
    "write_csv",
    "write_json",
    "write_npy",
    "write_records",
    "write_table",
]

TABLE_ENDINGS = (".npy", ".csv", ".tsv", ".parquet")


_FORMULA = re.compile(r"'*\s*[=+\-@]|[\t\r\n]")
"""An apostrophe before is another one's; a second one keeps names apart."""
_NUMBER = re.compile(r"[+-]\d+(\.\d*)?([eE][+-]?\d+)?")


def without_formulas(names: Iterable[str]) -> list[str]:
    """Put an apostrophe before names that a spreadsheet would take for formulas.

    Parameters
    ----------
    names : iterable of str
        Text from a file.

    Returns
    -------
    list of str
        With an apostrophe before those that begin with =, +, -, @, a tab or the end of a line, blanks or apostrophes
        before them aside, but for numbers.

    Examples
    --------
    >>> without_formulas(["cell_1", "=1+1", "-2", "-2+A1", "'=1+1", " =1"])
    ['cell_1', "'=1+1", '-2', "'-2+A1", "''=1+1", "' =1"]
    """
    return [f"'{name}" if _FORMULA.match(name) and not _NUMBER.fullmatch(name) else name for name in names]


def write_npy(path: str | os.PathLike[str], values: NDArray[Any]) -> None:
    """Write an array as .npy, never pickled.

    Parameters
    ----------
    path : str or path
        The file.
    values : ndarray
        The array.
    """
    with atomic_write(path) as file:
        # Given a real file, NumPy writes past Python and loses the system's reason for a failure.
        stream = SimpleNamespace(write=file.write)
        np.lib.format.write_array(stream, np.asarray(values), allow_pickle=False)


def write_csv(
    path: str | os.PathLike[str],
    values: NDArray[Any],
    feature_names: Sequence[str],
    row_names: Sequence[str] | None = None,
    *,
    delimiter: str = ",",
    quote_formulas: bool = False,
) -> None:
    """Write a matrix as text that reads back to the same numbers.

    Parameters
    ----------
    path : str or path
        The file.
    values : ndarray of shape (n_samples, n_features)
        The numbers, written with as many digits as their type needs.
    feature_names : sequence of str of length n_features
        The header.
    row_names : sequence of str of length n_samples, optional
        Names of the rows, written as a first column without a name.
    delimiter : str, default=","
        What separates fields.
    quote_formulas : bool, default=False
        Whether names go through :func:`without_formulas`.
    """
    if quote_formulas:
        feature_names = without_formulas(feature_names)
        row_names = None if row_names is None else without_formulas(row_names)
    # Up to Python 3.12 csv leaves a carriage return without quotation marks, and it ends a line where it is read.
    returns = any("\r" in name for name in (*feature_names, *(row_names or ())))
    with atomic_write(path, "w") as file:
        writer = csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
        )
        if row_names is None:
            writer.writerow(feature_names)
            writer.writerows(map(_plain, values))
        else:
            writer.writerow(["", *feature_names])
            writer.writerows([name, *_plain(row)] for name, row in zip(row_names, values, strict=True))


def write_records(path: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> None:
    """Write flat records as .csv, one column per key in the order of first appearance.

    Parameters
    ----------
    path : str or path
        The file.
    records : iterable of mappings
        The rows; a key that a record lacks, or None, becomes an empty field.
    """
    rows = list(records)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with atomic_write(path, "w") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a mapping as JSON; NumPy's numbers and arrays become plain ones, NaN and infinity become null.

    Parameters
    ----------
    path : str or path
        The file.
    content : mapping
        What to write.
    """
    text = json.dumps(_jsonable(content), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path, "w") as file:
        file.write(text + "\n")


def write_table(
    path: str | os.PathLike[str],
    values: NDArray[Any],
    feature_names: Sequence[str],
    row_names: Sequence[str] | None = None,
    *,
    quote_formulas: bool = False,
) -> None:
    """Write a matrix as .npy, .csv, .tsv or .parquet, told by the ending.

    Parameters
    ----------
    path : str or path
        The file.
    values : ndarray of shape (n_samples, n_features)
        The numbers.
    feature_names : sequence of str of length n_features
        Names of the columns; a .npy file has none.
    row_names : sequence of str of length n_samples, optional
        Names of the rows; a .npy file has none.
    quote_formulas : bool, default=False
        Whether names in text go through :func:`without_formulas`.

    Raises
    ------
    DataError
        If the ending is another.
    """
    match _table_ending(path):
        case ".npy":
            write_npy(path, values)
        case ".parquet":
            import pandas as pd

            frame = pd.DataFrame(values, columns=list(feature_names), index=row_names)  # type: ignore[arg-type]
            with atomic_write(path) as file:
                frame.to_parquet(file, engine="pyarrow")
        case ending:
            delimiter = "," if ending == ".csv" else "\t"
            write_csv(path, values, feature_names, row_names, delimiter=delimiter, quote_formulas=quote_formulas)


def check_table_file(path: str | os.PathLike[str], *, others: Sequence[str] = ()) -> None:
    """Check, before any long work, that a name is one that `write_table` can write.

    Parameters
    ----------
    path : str or path
        The file.
    others : sequence of str
        Endings that the caller writes itself, for the message.

    Raises
    ------
    DataError
        If the ending is unknown or the name is a directory's.
    """
    if Path(path).is_dir():
        raise DataError(f"output {path} is a directory, give the name of a file")
    _table_ending(path, others)


def _table_ending(path: str | os.PathLike[str], others: Sequence[str] = ()) -> str:
    ending = Path(path).suffix.lower()
    if ending not in TABLE_ENDINGS:
        endings = ", ".join((*TABLE_ENDINGS, *others))
        raise DataError(f"output {path} has the unknown ending {ending!r}, use one of {endings}")
    return ending


def _plain(row: NDArray[Any]) -> list[Any]:
    # str of a NumPy float is the shortest text that reads back to it in its own precision.
    return [str(value) for value in row]


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return _jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
