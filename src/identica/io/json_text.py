"""JSON from files that anyone may have written: bounded in length, depth and number of values, without keys twice."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from identica.io.errors import DataError

__all__ = ["DEEPEST", "bounded_text", "check_values", "parse_json", "read_json"]

DEEPEST = 64
"""Lists and tables in each other, in any text."""
MOST_DIGITS = 300
"""Of a whole number: as many as the largest of other numbers has."""
MOST_VALUES = 2**21
MOST_NESTED = 2**19
"""Lists and tables altogether, which take many times the memory of their brackets."""
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""What gives a text its shape: brackets and commas, outside of strings."""


def read_json(path: Path, most_bytes: int, *, infinite: bool = False) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int
        The longest that it may be.
    infinite : bool, default=False
        Whether numbers may be infinite, or NaN.

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    DataError
        If it is longer, deeper, or no JSON; the message begins with the path.
    OSError
        If it cannot be read.
    """
    try:
        text = bounded_text(path, most_bytes)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not valid JSON: it is no UTF-8 text") from error
    return parse_json(text, str(path), infinite=infinite)


def bounded_text(path: Path, most_bytes: int) -> str:
    """Read a file of text, and refuse one that is longer than it may be.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int
        The longest that it may be.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    DataError
        If it is longer; the message begins with the path.
    UnicodeDecodeError
        If it is not in UTF-8.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise DataError(f"{path} is longer than {most_bytes} bytes, the most that is read of such a file: give another")
    return content.decode("utf-8-sig")


def parse_json(text: str, where: str, *, infinite: bool = False) -> Any:
    """Read a JSON text.

    Parameters
    ----------
    text : str
        As long as whoever calls allows.
    where : str
        What it is, as the beginning of a message.
    infinite : bool, default=False
        Whether numbers may be infinite, or NaN.

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    DataError
        If it is no JSON, has a key twice, lists or tables more than 64 deep, too many of them, or a number that is
        not finite.

    Examples
    --------
    >>> parse_json('{"a": [1, 2.5]}', "the text")
    {'a': [1, 2.5]}
    >>> parse_json('{"a": 1, "a": 2}', "the text")
    Traceback (most recent call last):
    identica.io.errors.DataError: the text is not valid JSON: the key 'a' comes twice
    """
    _check_shape(text, where)
    refuse = {} if infinite else {"parse_constant": _refused, "parse_float": _finite}
    try:
        return json.loads(text, object_pairs_hook=_table, parse_int=_whole, **refuse)  # type: ignore[arg-type]
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{where} is not valid JSON: {' '.join(str(error).split())}") from error


def check_values(value: Any, where: str) -> None:
    """Refuse values of another format that have more than 64 lists or tables in each other, or too long a number.

    Parameters
    ----------
    value : Any
        Plain values.
    where : str
        What they are of, as the beginning of a message.

    Raises
    ------
    DataError
        If they have.

    Examples
    --------
    >>> check_values({"a": [1, {"b": 2}]}, "the text")
    """
    level = [value]
    for _ in range(DEEPEST + 1):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [each for values in inner for each in values]
        if any(isinstance(each, int) and each.bit_length() > MOST_DIGITS * 4 for each in level):
            raise DataError(f"{where} has a whole number of more than {MOST_DIGITS} digits: give a smaller one")
        if not level:
            return
    raise DataError(f"{where} is more than {DEEPEST} lists or tables deep")


def _check_shape(text: str, where: str) -> None:
    """Refuse a text that is too deep, or has too many values, before anything is made of it."""
    depth = n_nested = n_values = 0
    for found in _MARKS.finditer(text):
        mark = text[found.start()]
        if mark == '"':
            continue
        n_values += mark not in "]}"
        if mark in "[{":
            depth, n_nested = depth + 1, n_nested + 1
        elif mark in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise DataError(f"{where} is not valid JSON for this: it is more than {DEEPEST} lists or tables deep")
        if n_nested > MOST_NESTED or n_values > MOST_VALUES:
            raise DataError(
                f"{where} is not valid JSON for this: it has more than {MOST_VALUES} values, or more than "
                f"{MOST_NESTED} lists and tables"
            )


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} comes twice")
    return table


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number has {len(digits)} digits, and {MOST_DIGITS} are the most")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:80]} is too large")
    return number


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number that it can hold")
