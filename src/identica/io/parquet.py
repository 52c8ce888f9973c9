"""Reading .parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary
from identica.io.beside import Beside
from identica.io.budget import TOGETHER, Budget
from identica.io.columns import Roles, positions_apart
from identica.io.errors import DataError
from identica.io.table import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["examine_parquet", "read_parquet"]

LONGEST_NAME = 2**16
"""Letters of the name of a column."""
LONGEST_METADATA = 2**24
"""Bytes of what pandas writes of columns, a hundred or two for each."""
_WRONG = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    MemoryError,
)


def read_parquet(path: Path, roles: Roles, budget: Budget, missing: bool = False) -> Table:
    """Read a table of numbers from a .parquet file.

    The names of the rows are in the index column or, without it, in the index that pandas has written.

    Parameters
    ----------
    path : Path
        The file.
    roles : Roles
        Columns that are no features.
    budget : Budget
        The most memory that its values may take.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        Values, float32 where every column is, and names.

    Raises
    ------
    DataError
        If it is not a .parquet file, is damaged, or a column holds neither numbers nor truth values.
    """
    with _damage(path):
        return _read(path, roles, budget, missing)


def examine_parquet(path: Path, roles: Roles, budget: Budget) -> None:
    """Refuse a .parquet file whose values must not be read, without reading any.

    Parameters
    ----------
    path : Path
        The file.
    roles : Roles
        Columns that are no features.
    budget : Budget
        The most memory that its values may take.

    Raises
    ------
    DataError
        As :func:`read_parquet` does, by what the file declares.
    """
    with _damage(path):
        _declared(path, roles, budget)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, *_WRONG) as error:  # pandas' own metadata are JSON in it, which nobody checks
        raise DataError(f"{path} is damaged: {' '.join(str(error).split())}; write it anew") from error


def _declared(path: Path, roles: Roles, budget: Budget) -> tuple[Any, list[str], dict[str, int], list[int]]:
    """Return the open file, the columns that name rows, those that are no features, and the features' positions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{path} is not a .parquet file, write it with pandas.DataFrame.to_parquet")
    file = pq.ParquetFile(path)
    schema, n_rows = file.schema_arrow, file.metadata.num_rows
    if len((schema.metadata or {}).get(b"pandas", b"")) > LONGEST_METADATA:
        raise DataError(f"{path} has metadata of pandas of more than {LONGEST_METADATA} bytes: write it anew")
    names, types = list(schema.names), list(schema.types)  # each of these makes a list when it is asked
    if names and max(map(len, names)) > LONGEST_NAME:
        raise DataError(f"{path} has a column whose name is longer than {LONGEST_NAME} letters: give it a shorter one")
    if roles.index is not None and roles.index not in names:
        raise DataError(f"{path} has no column {roles.index!r}, its first columns are {', '.join(names[:5])}")
    hidden = [roles.index] if roles.index is not None else _pandas_index(schema)
    apart = positions_apart(path, names, hidden, roles)
    features = [
        position for position, name in enumerate(names) if name not in hidden and position not in apart.values()
    ]
    for position in features:
        _check_type(path, names[position], types[position])
    single = all(_values_of(types[position]) in (pa.float16(), pa.float32()) for position in features)
    held = np.float32 if single else np.float64
    beside = [*hidden, *(names[position] for position in apart.values())]
    for name in beside:
        _check_type_beside(path, name, types[names.index(name)])
    _check_text(path, beside, budget)
    # Not what the file says of each column: to ask for that ends Python where it is a lie.
    budget.check_stored(path, (n_rows, len(features)), held, path.stat().st_size)
    return file, hidden, apart, features


def _check_text(path: Path, columns: list[str], budget: Budget) -> None:
    """Refuse columns of text that are short in the file, where each text is once, and long in memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not columns:
        return
    total = 0
    file = pq.ParquetFile(path, read_dictionary=columns)
    for name in columns:
        for chunk in file.read(columns=[name]).column(0).chunks:
            if isinstance(chunk, pa.DictionaryArray) and (
                pa.types.is_string(chunk.type.value_type) or pa.types.is_large_string(chunk.type.value_type)
            ):
                lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
                total += int(pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0)
    budget.check_bytes(path, total, TOGETHER)
    budget.check_together(path, total, path.stat().st_size, TOGETHER)


def _read(path: Path, roles: Roles, budget: Budget, missing: bool) -> Table:
    file, hidden, apart, features = _declared(path, roles, budget)
    table, names = file.read(), list(file.schema_arrow.names)
    columns = [_numbers(table.column(position)) for position in features]
    values = np.column_stack(columns) if columns else np.empty((len(table), 0))
    rows = None
    if hidden:
        parts = [map(str, table.column(names.index(name)).to_pylist()) for name in hidden]
        rows = ["|".join(part) for part in zip(*parts, strict=True)]
    auxiliary = None
    known = {name: _column_of(table, apart[name]) for name in roles.needed}
    if roles.auxiliary is not None:
        auxiliary = Auxiliary.checked(known[roles.auxiliary], path, roles.auxiliary)
    beside = Beside.checked(known, roles, path, lambda i, name: f"row {i} (counted from 0), column {name!r}")
    kept = [names[position] for position in features]
    return Table.checked(values, path, kept, rows, auxiliary, beside, missing=missing)


def _column_of(table: Any, position: int) -> pd.Series[Any]:
    """Return a column; numbers that pandas had as categories, which the format forgets, are categories again."""
    column: pd.Series[Any] = table.column(position).to_pandas()
    name = table.column_names[position]
    told = (table.schema.pandas_metadata or {}).get("columns", [])
    categories = any(each.get("name") == name and each.get("pandas_type") == "categorical" for each in told)
    return column.astype("category") if categories else column


def _pandas_index(schema: Any) -> list[str]:
    """Name the columns that pandas wrote as its index; a plain range is not stored as one."""
    metadata = schema.pandas_metadata or {}
    return [name for name in metadata.get("index_columns", []) if isinstance(name, str) and name in schema.names]


def _check_type(path: Path, name: str, stored: Any) -> None:
    import pyarrow.types as types

    kind = _values_of(stored)
    if not (types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise DataError(
            f"{path}: column {name!r} is not numeric (its type is {kind}), drop it or, if it names the rows, "
            "choose it as the index column"
        )


def _check_type_beside(path: Path, name: str, stored: Any) -> None:
    """Refuse lists and bytes as names and as columns beside the features: nobody adds up how long they are."""
    import pyarrow.types as types

    kind = _values_of(stored)
    text = types.is_string(kind) or types.is_large_string(kind)
    if not (text or types.is_primitive(kind) or types.is_decimal(kind) or types.is_null(kind)):
        raise DataError(f"{path}: column {name!r} holds values of type {kind}: write text, numbers or dates")


def _values_of(kind: Any) -> Any:
    """Return the type of the values of a column, that of the categories where it is one."""
    import pyarrow.types as types

    return kind.value_type if types.is_dictionary(kind) else kind


def _numbers(column: Any) -> NDArray[np.floating[Any]]:
    """Return a column as real numbers, NaN where a value is missing."""
    import pyarrow as pa

    kind = _values_of(column.type)
    plain = column.cast(kind)
    if kind == pa.bool_():
        plain = plain.cast(pa.int8())
    target = pa.float32() if kind in (pa.float16(), pa.float32()) else pa.float64()
    # Not safe: integers of more than 53 bits are rounded, as those of arrays and text are.
    return np.asarray(plain.cast(target, safe=False).to_numpy())
