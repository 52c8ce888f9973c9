"""The observations of a command that fits: read, recognised as counts, with the auxiliary variable of the method."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from identica.cli.beside import BesideOptions
    from identica.cli.reading import Reading
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["check_use", "read_observations", "recognise_counts", "with_default_number"]

MANY_ZEROS = 0.05
"""Share of the entries from which whole numbers of a table are taken for counts."""


def read_observations(
    data: Path, reading: Reading, auxiliary: str | None, beside: BesideOptions | None = None
) -> Table:
    """Read what is to be fitted.

    Parameters
    ----------
    data : Path
        Table of observations, or images.
    reading : Reading
        How to read it.
    auxiliary : str or None
        Column, or file, of the auxiliary variable.
    beside : BesideOptions, optional
        Columns of covariates and size factors.

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

    table = reading.table(data, auxiliary=auxiliary, beside=beside)
    if len(table.values) < 2:
        raise DataError(
            f"{data} has {len(table.values)} row, a fit needs a minimum of 2: samples go into rows, transpose the "
            "table if they are in columns"
        )
    return table


def recognise_counts(estimator: ComponentAnalysis, table: Table, *, told: bool) -> ComponentAnalysis:
    """Take what looks like raw counts of cells for counts, as `identica.tl.dica` does, and warn of any others.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The method.
    table : Table
        What is to be fitted.
    told : bool
        Whether its likelihood was given; it stays as it is then.

    Returns
    -------
    ComponentAnalysis
        The method with the likelihood of counts, where it takes that.
    """
    from identica.cli.cells import holds_cells
    from identica.single_cell.expression import looks_like_counts, negatives_in_words
    from identica.single_cell.tl import OF_COUNTS

    values = table.values
    if told or table.sample_shape is not None:
        return estimator
    of_cells = holds_cells(table.path)
    many_zeros = (values == 0).mean() >= MANY_ZEROS
    if not looks_like_counts(values):
        if (of_cells or many_zeros) and (doubt := negatives_in_words(values)):
            warnings.warn(f"{table.path}: {doubt}", UserWarning, stacklevel=2)
        return estimator
    if of_cells and estimator.method == "dica":
        warnings.warn(
            f"{table.path} holds raw counts, whole numbers, which are fitted with the likelihood {OF_COUNTS}: give "
            "--likelihood to say what they are",
            UserWarning,
            stacklevel=2,
        )
        changed: ComponentAnalysis = estimator.set_params(likelihood=OF_COUNTS)
        return changed
    if many_zeros:
        warnings.warn(
            "the values are whole numbers with many zeros, as raw counts are, and are fitted as if they were "
            f"measurements: give --likelihood {OF_COUNTS} if they are counts",
            UserWarning,
            stacklevel=2,
        )
    return estimator


def with_default_number(estimator: ComponentAnalysis, table: Table, rows: NDArray[np.intp]) -> ComponentAnalysis:
    """Choose the number of components of cells as `identica.tl.dica` does where none is given, and say it.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The method, with the likelihood that it is to have.
    table : Table
        All rows, with depths and covariates.
    rows : ndarray of int
        Those that are to be fitted.

    Returns
    -------
    ComponentAnalysis
        The method with the number.
    """
    from identica.single_cell.tl import default_number

    number = default_number(table.values[rows], estimator.likelihood, table.beside.given(rows))
    warnings.warn(
        f"{table.path}: {number} component{'s are' if number > 1 else ' is'} looked for, as identica.tl.dica does "
        "where no number is given: give -d to choose it",
        UserWarning,
        stacklevel=2,
    )
    changed: ComponentAnalysis = estimator.set_params(n_components=number)
    return changed


def check_use(estimator: ComponentAnalysis, auxiliary: str | None) -> None:
    """Make sure, before anything is read, that a method has parameters that it can use, and what it must be told.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The method.
    auxiliary : str or None
        What was given: it is needed by some methods, and of use to them alone.

    Raises
    ------
    ValueError
        If a parameter cannot be used, or the method lacks an auxiliary variable, or has no use for it.
    """
    from sklearn.utils import get_tags

    from identica.estimators import METHODS
    from identica.estimators.parameters import check_parameters

    check_parameters(estimator)
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
