"""How deep samples of counts are: by a column of size factors, or by totals over all genes, as the fit had it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from identica.cli.cells import holds_cells, totals_over_all_genes

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["column_of_depths", "depth_in_words", "with_depths_of_fit", "with_depths_of_model"]

LEAST_RATIO = 0.8
"""Of depths to the totals over some genes, from which they may be totals over all."""


def with_depths_of_fit(
    estimator: ComponentAnalysis, table: Table, *, layer: str | None, column: str | None
) -> tuple[Table, dict[str, Any] | None]:
    """Add the depths of samples that are to be fitted, where they are not the totals over the features.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Its likelihood tells whether there are counts.
    table : Table
        The samples; it has the column of size factors already.
    layer : str or None
        Where counts are in AnnData.
    column : str or None
        Of size factors.

    Returns
    -------
    table : Table
        With size factors, where some are needed.
    record : dict or None
        Where depths come from, for run.json; None where there are no counts.

    Raises
    ------
    ValueError
        If there is a column of size factors and are no counts, or the values are no counts.
    """
    if estimator.likelihood == "gaussian":
        if column is not None:
            raise ValueError(
                f"--size-factor-key {column} is of use for counts, and the likelihood is gaussian: add --likelihood "
                "poisson, or leave it out"
            )
        return table, None
    n_genes = table.shape[1]
    if column is None and holds_cells(table.path):
        totals, n_genes = totals_over_all_genes(table.path, layer)
        table = _with(table, totals) if n_genes > table.shape[1] else table
    return table, {"column": column, "n_genes": n_genes}


def column_of_depths(
    model: ComponentAnalysis, record: Mapping[str, Any] | None, *, told: str | None, path: Path
) -> str | None:
    """Return the column of size factors that a model's data have.

    Parameters
    ----------
    model : ComponentAnalysis
        Fitted.
    record : mapping or None
        Of its fit; None where there is none that can be read.
    told : str or None
        A column in place of the one in the record.
    path : Path
        The model, for messages.

    Returns
    -------
    str or None
        The column; None where depths are totals, or there are no counts.

    Raises
    ------
    ValueError
        If a column is told and there are no counts, or depths are needed and nothing says which they were.
    """
    if model.observed_.counts is None:
        if told is not None:
            raise ValueError(f"--size-factor-key {told} is of use for counts, and {path} is of none: leave it out")
        return None
    if told is None and record is None and model.observed_.depths_given:
        raise ValueError(
            f"{path} was fitted with depths that totals over its features cannot replace, and no run.json beside it "
            "says which: put that file there, or, in transform, name a column of them by --size-factor-key"
        )
    if told is None and record is None:
        warnings.warn(
            f"{path} is of counts and has no run.json beside it, so depths are taken to be totals over its features: "
            "give --size-factor-key if the fit had other ones",
            UserWarning,
            stacklevel=2,
        )
    column = _depth(record).get("column") if told is None else told
    return column if isinstance(column, str) else None


def with_depths_of_model(
    model: ComponentAnalysis, record: Mapping[str, Any] | None, table: Table, *, layer: str | None
) -> Table:
    """Add the depths of samples that a model is to see, where they are totals over more than its features.

    Parameters
    ----------
    model : ComponentAnalysis
        Fitted.
    record : mapping or None
        Of its fit.
    table : Table
        The samples; it has the column of size factors already, where there is one.
    layer : str or None
        Where counts are in AnnData.

    Returns
    -------
    Table
        With size factors, where some are needed.

    Raises
    ------
    DataError
        If the other genes are not in the file.
    """
    from identica.io import DataError
    from identica.preparation import ratio_to_totals
    from identica.single_cell.expression import looks_like_counts

    if model.observed_.counts is None:
        return table
    if (table.values % 1).any() and not looks_like_counts(table.values):
        warnings.warn(
            f"the model is of counts, and {table.path} holds fractions: give the values that were counted, in another "
            "--layer for instance",
            UserWarning,
            stacklevel=2,
        )
    n_genes = _depth(record).get("n_genes")
    wide = isinstance(n_genes, int) and n_genes > model.n_features_in_
    given = table.beside.size_factors
    if given is not None and wide and _depth(record).get("column") is None:
        # Totals over more than the table's features are no less than those over these.
        ratio = ratio_to_totals(table.values, given)
        if ratio < LEAST_RATIO:
            warnings.warn(
                f"the model's depths are totals over {n_genes} genes, and the size factors of {table.path} are "
                f"{ratio:.3g} times the totals over {table.shape[1]} of them: give --size-factor-key a column of "
                "totals, or leave it out",
                UserWarning,
                stacklevel=2,
            )
    if given is not None or not wide:
        return table
    if not holds_cells(table.path):
        raise DataError(
            f"the model's depths are totals over {n_genes} genes, of which {table.path} has {table.shape[1]}: give a "
            ".h5ad file with all genes, or add a column of totals and name it by --size-factor-key"
        )
    return _with(table, totals_over_all_genes(table.path, layer)[0])


def depth_in_words(depth: Mapping[str, Any]) -> str:
    """Say where depths come from.

    Parameters
    ----------
    depth : mapping
        As :func:`with_depths_of_fit` gives it.

    Returns
    -------
    str
        A column, or totals.
    """
    return f"column {depth['column']}" if depth["column"] is not None else f"totals over {depth['n_genes']} features"


def _depth(record: Mapping[str, Any] | None) -> Mapping[str, Any]:
    depth = (record or {}).get("depth")
    return depth if isinstance(depth, dict) else {}


def _with(table: Table, totals: Any) -> Table:
    return dataclasses.replace(table, beside=dataclasses.replace(table.beside, size_factors=totals))
