"""The observations of a command that fits, and the auxiliary variable that a method may need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from identica.cli.reading import Reading
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["check_use", "read_observations"]


def read_observations(data: Path, reading: Reading, auxiliary: str | None) -> Table:
    """Read what is to be fitted.

    Parameters
    ----------
    data : Path
        Table of observations, or images.
    reading : Reading
        How to read it.
    auxiliary : str or None
        Column, or file, of the auxiliary variable.

    Returns
    -------
    Table
        Two rows or more.

    Raises
    ------
    DataError
        If the file cannot be used, or has one row.
    """
    from identica.io import DataError

    table = reading.table(data, auxiliary=auxiliary)
    if len(table.values) < 2:
        raise DataError(
            f"{data} has {len(table.values)} row, a fit needs a minimum of 2: samples go into rows, transpose the "
            "table if they are in columns"
        )
    return table


def check_use(estimator: ComponentAnalysis, auxiliary: str | None) -> None:
    """Make sure that a method is told an auxiliary variable if it needs one, and only then.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The method.
    auxiliary : str or None
        What was given.

    Raises
    ------
    ValueError
        If it lacks one, or has no use for it.
    """
    from sklearn.utils import get_tags

    from identica.estimators import METHODS

    needed = get_tags(estimator).target_tags.required
    if needed and auxiliary is None:
        raise ValueError(
            f"method {estimator.method} needs an auxiliary variable and none was given: add --auxiliary with the name "
            "of a column, or of a .npy file for data without columns"
        )
    if auxiliary is not None and not needed:
        using = ", ".join(name for name, cls in METHODS.items() if get_tags(cls()).target_tags.required)
        raise ValueError(
            f"--auxiliary {auxiliary} was given and method {estimator.method} does not use it: leave it out, or choose "
            f"a method that does: {using}"
        )
