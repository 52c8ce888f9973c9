"""Columns of a table that are no features: one names the rows, one is an auxiliary variable."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from identica.io.errors import DataError

__all__ = ["Roles", "few", "position_apart", "shortened"]


@dataclass(frozen=True)
class Roles:
    """What columns of a table are, beside features.

    Parameters
    ----------
    index : str, optional
        Column that holds the names of the rows.
    auxiliary : str, optional
        Column that holds an auxiliary variable, which has to be there.
    without : str, optional
        Column to leave out where there is one.
    """

    index: str | None = None
    auxiliary: str | None = None
    without: str | None = None


def position_apart(path: Path, names: Sequence[str], rows_are_named_by: Collection[str], roles: Roles) -> int | None:
    """Find the column that is neither a feature nor the names of the rows.

    Parameters
    ----------
    path : Path
        The file, for messages.
    names : sequence of str
        Of all its columns.
    rows_are_named_by : collection of str
        Columns that hold the names of the rows.
    roles : Roles
        What was asked for.

    Returns
    -------
    int or None
        Its position; None where there is none.

    Raises
    ------
    DataError
        If the auxiliary variable is missing, occurs twice, or names the rows.
    """
    name = roles.auxiliary
    if name is None:
        name = roles.without
        return names.index(name) if name in names and name not in rows_are_named_by else None
    if name not in names:
        raise DataError(f"{path} has no column {name!r}, its first columns are {few(names)}")
    if names.count(name) > 1:
        raise DataError(f"{path}: the column name {name!r} occurs twice, give every column its own name")
    if name in rows_are_named_by:
        raise DataError(f"{path}: column {name!r} names the rows, give another one as the auxiliary variable")
    return names.index(name)


def few(names: Sequence[str]) -> str:
    """List the first names.

    Parameters
    ----------
    names : sequence of str
        All of them.

    Returns
    -------
    str
        Five at most, none of them long.
    """
    return ", ".join(repr(shortened(name)) for name in names[:5])


def shortened(text: str) -> str:
    """Cut a long text off.

    Parameters
    ----------
    text : str
        Of any length.

    Returns
    -------
    str
        40 letters at most.
    """
    return text if len(text) <= 40 else text[:37] + "..."
