"""Reading delimited text strictly, plain or gzipped: what is wrong is named by its line and column."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import sys
import warnings
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary, from_text
from identica.io.beside import Beside, text_column
from identica.io.bounded import GZIP, Inflated, bounded_lines, check_packing, longest
from identica.io.budget import VARIABLE, Budget, size_in_words
from identica.io.columns import Roles, few, positions_apart, shortened
from identica.io.dialect import SEPARATORS, Dialect, find_dialect, is_missing
from identica.io.errors import DataError, MissingColumnError
from identica.io.table import Table

__all__ = ["STANDARD_INPUT", "read_delimited"]

STANDARD_INPUT = Path("-")
THOUSANDS = re.compile(r"[-+]?\d{1,3}([,.' \u00a0\u202f])\d{3}(\1\d{3})*([.,]\d+)?")
"""Stands for what is piped into the command."""
FIRST_LINES, FIRST_LETTERS = 50, 2**22
"""By which the dialect is found out, at most."""
MOST_COLUMNS = 2**20
"""Of a table, where no limit was given."""
TEXT = 60
"""Bytes that a text takes beside its letters."""


@dataclass(frozen=True)
class _Layout:
    dialect: Dialect
    names: tuple[str, ...] | None  # one per field, the index's included
    n_fields: int
    index: int | None  # position of the field that names the rows
    apart: Mapping[str, int] = field(default_factory=dict)  # positions of fields that are no features, by name


def read_delimited(
    path: Path,
    usual: Dialect,
    roles: Roles,
    budget: Budget,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    missing: bool = False,
) -> Table:
    """Read a table of numbers from text whose rows are lines.

    - Fields and decimals are written as usual for the file's ending, as was told, or in the way that reads most fields
      as numbers; a warning says so where that is not the usual one.
    - A first row of numbers alone is data; otherwise it is the header. A header of exactly 0, 1, 2, ... (at
      least three), which pandas writes for columns without names, is a header too.
    - A first column whose header is empty, or "Unnamed: 0", holds the names of the rows. So does a first
      column for which the header has no field at all, as R's write.table writes it.
    - Every other column but those that were named must hold numbers, or truth values alone, which are read as 1 and 0.

    Parameters
    ----------
    path : Path
        The file, in UTF-8, plain or gzipped; "-" is standard input.
    usual : Dialect
        How files with its ending are written.
    roles : Roles
        Columns that are no features.
    budget : Budget
        The most memory that its values, or a line of it, may take.
    separator, decimal : str, optional
        What was told of how it is written.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        The values as float64, with the names that the file gives.

    Raises
    ------
    DataError
        If the file is not text in UTF-8, or a row or a value cannot be used; the line is given.
    """
    try:
        with _opened(path, budget) as file:
            text = _lines(path, file, budget)
            first = _first_lines(text)
            dialect = find_dialect(first, usual, separator=separator, decimal=decimal)
            if dialect != Dialect(separator or usual.separator, decimal or usual.decimal):
                warnings.warn(f"{path}: {dialect}", UserWarning, stacklevel=1)
            records = _records(path, dialect, itertools.chain(first, text), budget)
            quoted = len(first) > 1 and first[1].lstrip()[:1] == '"'
            return _read(path, records, dialect, roles, budget, missing=missing, quoted=quoted)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({error.reason}), save it in UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged: {error}, compress it again") from error


@contextmanager
def _opened(path: Path, budget: Budget) -> Iterator[TextIO]:
    """Open the text of a file, or of standard input, which stays open; what begins as gzip does is inflated."""
    plain: Any = io.BufferedReader(sys.stdin.buffer if path == STANDARD_INPUT else path.open("rb"))
    text = None
    try:
        binary = plain
        if plain.peek(2)[:2] == GZIP:
            if plain.seekable():
                check_packing(path, plain, budget)
                plain.seek(0)
                budget = Budget.unlimited()  # all of it was counted
            binary = io.BufferedReader(Inflated(path, plain, budget))
        if b"\0" in binary.peek(4096):
            raise DataError(f"{path} is not a text file, give a table in UTF-8")
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
        yield text
    finally:
        # Nothing here may close standard input, as what is around it would when it is collected.
        if text is not None:
            text.detach()
        if path == STANDARD_INPUT:
            plain.detach()
        else:
            plain.close()


def _lines(path: Path, file: TextIO, budget: Budget) -> Iterator[str]:
    """Yield the lines, none of which has more columns than a table may have."""
    for line in bounded_lines(path, file, budget):
        if len(line) > MOST_COLUMNS:
            _check_columns(path, max(map(line.count, SEPARATORS)), budget)
        yield line


def _first_lines(text: Iterator[str]) -> list[str]:
    """Return those by which the dialect is found out: two or, unless they are long, more."""
    first: list[str] = []
    while len(first) < 2 or (len(first) < FIRST_LINES and sum(map(len, first)) < FIRST_LETTERS):
        line = next(text, None)
        if line is None:
            break
        first.append(line)
    return first


def _check_columns(path: Path, n_separators: int, budget: Budget) -> None:
    if not budget.was_given and n_separators >= MOST_COLUMNS:
        raise DataError(
            f"{path} has a row of {n_separators + 1} fields, and more than {MOST_COLUMNS} are read only where it is "
            f"asked for: give a limit by --max-memory or {VARIABLE} if this is right"
        )


def _records(path: Path, dialect: Dialect, lines: Iterator[str], budget: Budget) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of every row; empty lines at the end are dropped."""
    letters, separators = 0, 0

    def counted() -> Iterator[str]:
        # Quotation marks let a row go on for many lines, each of which is short.
        nonlocal letters, separators
        for line in lines:
            letters += len(line)
            if letters > longest(budget):
                raise DataError(
                    f"{path} holds a row longer than {size_in_words(longest(budget))}, the most that is read: close "
                    f"its quotation marks, or give a higher limit by --max-memory or {VARIABLE}"
                )
            if letters > MOST_COLUMNS:
                separators += line.count(dialect.separator)
                _check_columns(path, separators, budget)
            yield line

    reader = dialect.rows(counted())
    empty: int | None = None
    try:
        for row in reader:
            letters, separators = 0, 0
            if not row:
                empty = empty or reader.line_num
                continue
            if empty is not None:
                raise DataError(f"{path}: line {empty} is empty, remove it")
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} cannot be read: {error}") from error


def _read(
    path: Path,
    records: Iterator[tuple[int, list[str]]],
    dialect: Dialect,
    roles: Roles,
    budget: Budget,
    *,
    missing: bool,
    quoted: bool,
) -> Table:
    head = list(itertools.islice(records, 2))
    if not head:
        raise DataError(f"{path} is empty, give a file with data")
    layout = _layout(path, dialect, head, roles, quoted=quoted)
    if layout.names is not None:
        head = head[1:]
    values: array[float] = array("d")
    lines = array("q")
    row_names: list[str] = []
    apart: dict[str, list[str]] = {name: [] for name in layout.apart}
    truth: dict[int, int] = {}  # of columns with truth values, the line of the first
    taken = sorted({*layout.apart.values(), *(() if layout.index is None else (layout.index,))}, reverse=True)
    largest = budget.n_bytes / values.itemsize
    kept = 0  # bytes of text
    for line, row in itertools.chain(head, records):
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
        for name, position in layout.apart.items():
            apart[name].append(row[position])
        if taken:
            kept += sum(TEXT + len(row[position]) for position in taken)
            budget.check_bytes(path, kept, "a table that goes on after its first part, whose text beside the numbers")
        numbers = dialect.numbers(fields)
        if None in numbers:
            numbers = _other_values(path, line, row, layout, fields, numbers, truth)
        values.extend(numbers)  # type: ignore[arg-type]
        lines.append(line)
        if len(values) > largest:
            budget.check(path, (len(lines), len(numbers)), np.float64, "a table that goes on after its first part,")
    names = None if layout.names is None else tuple(n for i, n in enumerate(layout.names) if i not in taken)
    table = (np.frombuffer(values, dtype=np.float64) if values else np.empty(0)).reshape(
        len(lines), layout.n_fields - len(taken)
    )
    _check_truth(path, table, truth, lines, names)
    _refuse_what_is_not_finite(path, table, lines, names, missing=missing)
    rows = None if layout.index is None else row_names
    auxiliary = None if roles.auxiliary is None else _auxiliary(path, roles.auxiliary, apart, lines, dialect)
    kinds = dict.fromkeys(() if roles.size_factors is None else (roles.size_factors,), "number") | dict(
        roles.covariates
    )
    columns = {name: text_column(apart[name], kind, dialect) for name, kind in kinds.items()}
    beside = Beside.checked(columns, roles, path, lambda i, name: f"line {lines[i]}, column {name!r}")
    return Table.checked(table, path, names, rows, auxiliary, beside, missing=missing)


def _other_values(
    path: Path,
    line: int,
    row: list[str],
    layout: _Layout,
    fields: Sequence[str],
    numbers: Sequence[float | None],
    truth: dict[int, int],
) -> list[float | None]:
    """Read truth values and missing ones among the fields of a row; whatever is neither is named."""
    found = list(numbers)
    for position, number in enumerate(numbers):
        if number is not None:
            continue
        field = fields[position]
        if is_missing(field):
            found[position] = np.nan
        elif (value := layout.dialect.value(field)) is not None:
            truth.setdefault(position, line)
            found[position] = value
        else:
            raise _explain(path, line, row, layout)
    return found


def _check_truth(
    path: Path,
    table: NDArray[np.float64],
    truth: dict[int, int],
    lines: Sequence[int],
    names: tuple[str, ...] | None,
) -> None:
    """Refuse columns that hold truth values and numbers other than 0 and 1."""
    for position, line in truth.items():
        column = table[:, position]
        other = ~((column == 0) | (column == 1) | np.isnan(column))
        if other.any():
            row = int(other.argmax())
            raise DataError(
                f"{path}: column {_named(names, position)} holds a truth value at line {line} and the number "
                f"{column[row]:g} at line {lines[row]}, give one kind or drop it"
            )


def _named(names: tuple[str, ...] | None, position: int) -> str:
    return f"{position} (counted from 0)" if names is None else repr(names[position])


def _auxiliary(
    path: Path, column: str, apart: Mapping[str, list[str]], lines: Sequence[int], dialect: Dialect
) -> Auxiliary:
    for line, found in zip(lines, apart[column], strict=True):
        if is_missing(found):
            raise DataError(
                f"{path}: the value at line {line}, column {column!r} is missing, and every sample needs a label or a "
                "number: fill it in or leave such rows out"
            )
    return Auxiliary.checked(from_text(apart[column], dialect), path, column)


def _refuse_what_is_not_finite(
    path: Path,
    table: NDArray[np.float64],
    lines: Sequence[int],
    names: tuple[str, ...] | None,
    *,
    missing: bool,
) -> None:
    """Name the first value that is infinite or, unless some may be, missing."""
    bad = np.isinf(table) if missing else ~np.isfinite(table)
    if not bad.any():
        return
    row, column = (int(i) for i in np.unravel_index(int(bad.argmax()), table.shape))
    what, number = ("missing", np.isnan(table)) if np.isnan(table[row, column]) else ("infinite", np.isinf(table))
    remedy = "fill or drop them first, or let --missing mean fill them" if what == "missing" else "drop them first"
    raise DataError(
        f"{path}: the value at line {lines[row]}, column {_named(names, column)} is {what}, and {int(number.sum())} "
        f"such are there in all; every value must be finite: {remedy}"
    )


def _layout(path: Path, dialect: Dialect, head: list[tuple[int, list[str]]], roles: Roles, *, quoted: bool) -> _Layout:
    first = head[0][1]
    second = head[1][1] if len(head) > 1 else None

    def numeric(field: str) -> bool:
        return dialect.number(field) is not None

    default_names = len(first) >= 3 and all(name == str(i) for i, name in enumerate(first))
    if all(map(numeric, first)) and not default_names:
        if roles.index is not None:
            raise DataError(f"{path} has no header, so no column {roles.index!r}; leave the index column out")
        for name in roles.needed:
            raise MissingColumnError(path, name, ", since it has no header: give its columns names")
        return _Layout(dialect, None, len(first), None)
    names = tuple(name.strip() for name in first)
    # R's write.table leaves the header of the row names out altogether, and quotes them, numbers too.
    if second is not None and len(second) == len(names) + 1 and (quoted or not numeric(second[0])):
        names = ("", *names)
    index = 0 if names[0] in ("", "Unnamed: 0") and len(names) > 1 else None
    if roles.index is not None:
        if roles.index not in names:
            raise MissingColumnError(path, roles.index, f", its first columns are {few(names)}: name one of them")
        index = names.index(roles.index)
    rows_are_named_by = () if index is None else (names[index],)
    return _Layout(dialect, names, len(names), index, positions_apart(path, names, rows_are_named_by, roles))


def _explain(path: Path, line: int, row: list[str], layout: _Layout) -> DataError:
    """Say which field of a row cannot be read."""
    dialect = layout.dialect
    for position, found in enumerate(row):
        known = dialect.value(found) is not None or is_missing(found)
        if position == layout.index or position in layout.apart.values() or known:
            continue
        name = _named(layout.names, position)
        if THOUSANDS.fullmatch(found.strip()):
            return DataError(
                f"{path}: column {name} holds {shortened(found)!r} at line {line}, whose thousands seem to be set "
                "apart: write numbers without separators of thousands, or tell another decimal sign by --decimal"
            )
        for other, what in SEPARATORS.items():
            if other in found.strip() and other != dialect.separator and other != " ":
                return DataError(
                    f"{path}: column {name} holds {shortened(found)!r} at line {line} and {dialect}: if its fields are "
                    f"separated by {what}, or decimals written otherwise, tell by --separator and --decimal"
                )
        return DataError(
            f"{path}: column {name} is not numeric (line {line} holds {shortened(found)!r}), drop it or, if it "
            "names the rows, choose it as the index column"
        )
    return DataError(f"{path}: line {line} cannot be read as numbers")
