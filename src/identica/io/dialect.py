"""How a text file separates its fields and writes its decimals: told, or found out from its first lines."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

__all__ = ["SEPARATORS", "Dialect", "find_dialect", "is_missing"]

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars", " ": "blanks"}
"""What separates fields, and what it is called."""
DECIMALS = {".": "points", ",": "commas"}
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"})
"""Fields that say that a value is missing, in lower case."""
MOST_FIELDS = 100_000
"""By which the dialect is found out, at most."""
BOOLEANS = {"true": 1.0, "false": 0.0}


@final
@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Parameters
    ----------
    separator : str
        Between fields: a comma, a tab, a semicolon, a vertical bar, or a blank, which stands for any number of them.
    decimal : str, default="."
        Before the fraction of a number: a point or a comma.
    """

    separator: str
    decimal: str = "."

    def __str__(self) -> str:
        """Return it as the end of a sentence."""
        return f"fields are separated by {SEPARATORS[self.separator]} and decimals by {DECIMALS[self.decimal]}"

    def rows(self, lines: Iterable[str]) -> _Rows:
        """Split lines into fields.

        Parameters
        ----------
        lines : iterable of str
            With their ends, so that quoted fields may hold some.

        Returns
        -------
        iterator of list of str
            One list for each row; its attribute ``line_num`` is the number of lines read.
        """
        blanks = self.separator == " "
        trimmed = (line.strip(" \r\n") + "\n" for line in lines) if blanks else lines
        return _Rows(csv.reader(trimmed, delimiter=self.separator, skipinitialspace=blanks))

    def number(self, field: str) -> float | None:
        """Read a number.

        Parameters
        ----------
        field : str
            As it stands in the file.

        Returns
        -------
        float or None
            None where it is none, or is written in another way.
        """
        if "_" in field:  # Python reads 1_2 as 12
            return None
        if self.decimal != ".":
            if "." in field:
                return None
            field = field.replace(self.decimal, ".")
        try:
            return float(field)
        except ValueError:
            return None

    def numbers(self, fields: Sequence[str]) -> list[float | None]:
        """Read many numbers.

        Parameters
        ----------
        fields : sequence of str
            As they stand in the file.

        Returns
        -------
        list of float or None
            What :meth:`number` gives for each.
        """
        if self.decimal == "." and "_" not in "".join(fields):
            with suppress(ValueError):  # as most rows of most files, and faster
                return list(map(float, fields))
        return [self.number(field) for field in fields]

    def value(self, field: str) -> float | None:
        """Read a number or a truth value, which is 1 or 0.

        Parameters
        ----------
        field : str
            As it stands in the file.

        Returns
        -------
        float or None
            None where it is neither.
        """
        number = self.number(field)
        return BOOLEANS.get(field.strip().lower()) if number is None else number


@final
class _Rows(Iterator[list[str]]):
    """What csv.reader gives, with a type."""

    def __init__(self, reader: Iterator[list[str]]) -> None:
        self._reader = reader

    @property
    def line_num(self) -> int:
        number: int = self._reader.line_num  # type: ignore[attr-defined]
        return number

    def __next__(self) -> list[str]:
        return next(self._reader)


def is_missing(field: str) -> bool:
    """Tell whether a field says that its value is missing.

    Parameters
    ----------
    field : str
        As it stands in the file.

    Returns
    -------
    bool
        Whether it is empty, NA, null or the like.
    """
    return field.strip().lower() in MISSING


def find_dialect(
    lines: Sequence[str], usual: Dialect, *, separator: str | None = None, decimal: str | None = None
) -> Dialect:
    """Find out how a text file is written: as is usual for it, unless another way reads more of its fields as numbers.

    Parameters
    ----------
    lines : sequence of str
        The first ones of the file, with their ends.
    usual : Dialect
        Of files with its ending.
    separator, decimal : str, optional
        What was told; not found out then.

    Returns
    -------
    Dialect
        One in which all of these rows have the same number of fields, two or more, but for a header that lacks the
        names' own; the usual one, with what was told, where there is none.

    Examples
    --------
    >>> find_dialect(["a;b", "1,5;2"], Dialect(","))
    Dialect(separator=';', decimal=',')
    >>> find_dialect(["name,b", "x;1,2"], Dialect(","))
    Dialect(separator=',', decimal='.')
    """
    told = Dialect(separator or usual.separator, decimal or usual.decimal)
    others = (Dialect(other, mark) for other in SEPARATORS for mark in DECIMALS if mark != other)
    best, most = told, _share_of_numbers(lines, told)
    for dialect in others:
        if separator in (None, dialect.separator) and decimal in (None, dialect.decimal):
            share = _share_of_numbers(lines, dialect)
            if share > most:
                best, most = dialect, share
    return best


def _share_of_numbers(lines: Sequence[str], dialect: Dialect) -> float:
    """Return how many of the fields below the first row are numbers, as a share; negative where rows differ."""
    try:
        rows = [row for row in dialect.rows(lines) if row]
    except csv.Error:
        return -1.0
    below = rows[1:] or rows
    widths = {len(row) for row in below}
    if len(widths) != 1 or max(widths) < 2 or not 0 <= len(below[0]) - len(rows[0]) <= 1:
        return -1.0
    fields = list(itertools.islice(itertools.chain.from_iterable(below), MOST_FIELDS))
    return sum(dialect.value(field) is not None or is_missing(field) for field in fields) / len(fields)
