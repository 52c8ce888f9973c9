"""Reading .csv and .tsv files strictly: what is wrong is named by its line and column."""

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary, from_text
from identica.io.columns import Roles, few, position_apart, shortened
from identica.io.errors import DataError
from identica.io.table import Table

__all__ = ["read_delimited"]

_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"})


@dataclass(frozen=True)
class _Layout:
    names: tuple[str, ...] | None  # one per field, the index's included
    n_fields: int
    index: int | None  # position of the field that names the rows
    apart: int | None = None  # position of the field that is an auxiliary variable


def read_delimited(path: Path, delimiter: str, roles: Roles) -> Table:
    """Read a table of numbers from a text file, its fields separated by `delimiter`.

    - A first row of numbers alone is data; otherwise it is the header. A header of exactly 0, 1, 2, ... (at
      least three), which pandas writes for columns without names, is a header too.
    - A first column whose header is empty, or "Unnamed: 0", holds the names of the rows. So does a first
      column for which the header has no field at all, as R's write.table writes it.
    - Every other column but the auxiliary variable must be numeric; empty and missing fields are errors.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.
    delimiter : str
        "," or a tab.
    roles : Roles
        Columns that are no features.

    Returns
    -------
    Table
        The values as float64, with the names that the file gives.

    Raises
    ------
    DataError
        If the file is not text in UTF-8, or a row or a value cannot be used; the line is given.
    """
    with path.open("rb") as binary:
        if b"\0" in binary.read(4096):
            raise DataError(f"{path} is not a text file, give a {path.suffix} file in UTF-8")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, _records(path, csv.reader(file, delimiter=delimiter)), roles)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({error.reason}), save it in UTF-8") from error


def _records(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of every row; empty lines at the end are dropped."""
    empty: int | None = None
    try:
        for row in reader:
            line: int = reader.line_num  # type: ignore[attr-defined]
            if not row:
                empty = empty or line
                continue
            if empty is not None:
                raise DataError(f"{path}: line {empty} is empty, remove it")
            yield line, row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} cannot be read: {error}") from error  # type: ignore[attr-defined]


def _read(path: Path, records: Iterator[tuple[int, list[str]]], roles: Roles) -> Table:
    head = [record for _, record in zip(range(2), records, strict=False)]
    if not head:
        raise DataError(f"{path} is empty, give a file with data")
    layout = _layout(path, head, roles)
    if layout.names is not None:
        head = head[1:]
    values: array[float] = array("d")
    lines = array("q")
    row_names: list[str] = []
    apart: list[str] = []
    taken = sorted((i for i in (layout.index, layout.apart) if i is not None), reverse=True)
    for line, row in _chain(head, records):
        if len(row) != layout.n_fields:
            raise DataError(
                f"{path}: line {line} has {len(row)} fields where {layout.n_fields} are expected, "
                "every row must have the same number"
            )
        fields = row.copy() if taken else row
        for position in taken:
            del fields[position]
        if layout.index is not None:
            row_names.append(row[layout.index])
        if layout.apart is not None:
            apart.append(row[layout.apart])
        try:
            values.extend(map(float, fields))
        except ValueError as error:
            raise _explain(path, line, row, layout) from error
        if "_" in "".join(fields):  # Python reads 1_2 as 12
            raise _explain(path, line, row, layout)
        lines.append(line)
    names = None if layout.names is None else tuple(n for i, n in enumerate(layout.names) if i not in taken)
    numbers = np.frombuffer(values, dtype=np.float64) if values else np.empty(0)
    table = numbers.reshape(len(lines), layout.n_fields - len(taken))
    _refuse_infinite(path, table, lines, names)
    auxiliary = None if roles.auxiliary is None else _auxiliary(path, roles.auxiliary, apart, lines)
    return Table.checked(table, path, names, None if layout.index is None else row_names, auxiliary)


def _auxiliary(path: Path, column: str, fields: Sequence[str], lines: Sequence[int]) -> Auxiliary:
    for line, field in zip(lines, fields, strict=True):
        if field.strip().lower() in _MISSING:
            raise DataError(
                f"{path}: the value at line {line}, column {column!r} is missing, and every sample needs a label or a "
                "number: fill it in or leave such rows out"
            )
    return Auxiliary.checked(from_text(fields), path, column)


def _refuse_infinite(
    path: Path, table: NDArray[np.float64], lines: Sequence[int], names: tuple[str, ...] | None
) -> None:
    finite = np.isfinite(table)
    if finite.all():
        return
    row, column = (int(i) for i in np.unravel_index(int(np.argmin(finite)), table.shape))
    what = "missing (NaN)" if np.isnan(table[row, column]) else "infinite"
    name = f"{column} (counted from 0)" if names is None else repr(names[column])
    raise DataError(
        f"{path}: the value at line {lines[row]}, column {name} is {what}, and {int((~finite).sum())} such are there "
        "in all; every value must be finite: fill or drop them first"
    )


def _chain(
    head: list[tuple[int, list[str]]], records: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield from head
    yield from records


def _layout(path: Path, head: list[tuple[int, list[str]]], roles: Roles) -> _Layout:
    first = head[0][1]
    second = head[1][1] if len(head) > 1 else None
    default_names = len(first) >= 3 and first == [str(i) for i in range(len(first))]
    if all(map(_is_number, first)) and not default_names:
        if roles.index is not None:
            raise DataError(f"{path} has no header, so no column {roles.index!r}; leave the index column out")
        if roles.auxiliary is not None:
            raise DataError(f"{path} has no header, so no column {roles.auxiliary!r}; give its columns names")
        return _Layout(None, len(first), None)
    names = tuple(name.strip() for name in first)
    # R's write.table leaves the header of the row names out altogether.
    if second is not None and len(second) == len(names) + 1 and not _is_number(second[0]):
        names = ("", *names)
    index = 0 if names[0] in ("", "Unnamed: 0") and len(names) > 1 else None
    if roles.index is not None:
        if roles.index not in names:
            raise DataError(f"{path} has no column {roles.index!r}, its first columns are {few(names)}")
        index = names.index(roles.index)
    rows_are_named_by = () if index is None else (names[index],)
    return _Layout(names, len(names), index, position_apart(path, names, rows_are_named_by, roles))


def _explain(path: Path, line: int, row: list[str], layout: _Layout) -> DataError:
    """Say which field of a row is not a number."""
    for position, field in enumerate(row):
        if position in (layout.index, layout.apart) or _is_number(field):
            continue
        name = f"{position} (counted from 0)" if layout.names is None else repr(layout.names[position])
        if field.strip().lower() in _MISSING:
            return DataError(f"{path}: the value at line {line}, column {name} is missing, fill or drop it first")
        for other, what in (("\t", "tabs"), (";", "semicolons"), (",", "commas")):
            if other in field and not (other == "," and path.suffix.lower() == ".csv"):
                return DataError(
                    f"{path}: fields seem separated by {what} (line {line}), write them separated as in a "
                    f"{path.suffix} file, with decimal points"
                )
        return DataError(
            f"{path}: column {name} is not numeric (line {line} holds {shortened(field)!r}), drop it or, if it "
            "names the rows, choose it as the index column"
        )
    return DataError(f"{path}: line {line} cannot be read as numbers")


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field
