"""Columns of a table that are no features: names of rows, an auxiliary variable, covariates, size factors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from identica.io.errors import DataError, MissingColumnError

__all__ = ["Roles", "few", "positions_apart", "shortened"]


@dataclass(frozen=True)
class Roles:
    """What columns of a table are, beside features.

    Parameters
    ----------
    index : str, optional
        Column that holds the names of the rows.
    auxiliary : str, optional
        Column that holds an auxiliary variable, which has to be there.
    covariates : mapping of str to str
        Columns that hold covariates, which have to be there, with their kinds: see :mod:`identica.io.beside`.
    size_factors : str, optional
        Column that holds the depth of each sample, which has to be there.
    without : sequence of str
        Columns to leave out where there are such.
    """

    index: str | None = None
    auxiliary: str | None = None
    covariates: Mapping[str, str] = field(default_factory=dict)
    size_factors: str | None = None
    without: Sequence[str] = ()

    @property
    def needed(self) -> dict[str, str]:
        """What has to be there, and as what: the end of a sentence."""
        return (
            ({} if self.auxiliary is None else {self.auxiliary: "the auxiliary variable"})
            | dict.fromkeys(self.covariates, "a covariate")
            | ({} if self.size_factors is None else {self.size_factors: "the size factors"})
        )


def positions_apart(
    path: Path, names: Sequence[str], rows_are_named_by: Collection[str], roles: Roles
) -> dict[str, int]:
    """Find the columns that are neither features nor the names of the rows.

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
    dict of str to int
        Their positions by name.

    Raises
    ------
    DataError
        If one that is needed occurs twice, or names the rows.
    MissingColumnError
        If one that is needed is missing.
    """
    for name, what in roles.needed.items():
        if name not in names:
            others = [other for other in names if other not in rows_are_named_by]
            remedy = f", its first columns are {few(others)}: name one of its columns as {what}"
            raise MissingColumnError(path, name, remedy)
        if names.count(name) > 1:
            raise DataError(f"{path}: the column name {name!r} occurs twice, give every column its own name")
        if name in rows_are_named_by:
            raise DataError(f"{path}: column {name!r} names the rows, give another one as {what}")
    left_out = [name for name in roles.without if name in names and name not in rows_are_named_by]
    return {name: names.index(name) for name in (*roles.needed, *left_out)}


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
