"""Columns that say of each sample what is no feature and shall be no component: covariates and size factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import arg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = [
    "BesideOptions",
    "FlatBeside",
    "SizeFactor",
    "check_levels",
    "columns_beside",
    "described",
    "in_words",
    "kinds_in_model",
]

Column = Annotated[str | None, arg(metavar="COLUMN")]
Columns = Annotated[tuple[str, ...] | None, arg(metavar="COLUMN ...")]
SizeFactor = Annotated[str | None, arg(metavar="COLUMN", aliases=["--size-factor"])]


@final
@dataclass(frozen=True)
class BesideOptions:
    """Columns of the table, or of obs of AnnData, that are told to the fit.

    Parameters
    ----------
    covariates : tuple of str
        Columns of covariates, whose effects are taken out: text, whole numbers, truth values and categories are labels,
        real numbers are numbers.
    batch_key : str
        Column of batches, a covariate of labels.
    categorical_covariate_keys : tuple of str
        Columns of covariates whose values are labels, whatever they look like.
    continuous_covariate_keys : tuple of str
        Columns of covariates whose values are numbers, whole ones too.
    size_factor_key : str
        Column of the depth of each sample, for likelihoods of counts; by default its total, over all genes of a .h5ad
        file whichever are fitted.
    """

    covariates: Columns = None
    batch_key: Column = None
    categorical_covariate_keys: Columns = None
    continuous_covariate_keys: Columns = None
    size_factor_key: SizeFactor = None

    def kinds(self) -> dict[str, str]:
        """Return the covariates and their kinds, as :func:`identica.io.read_table` takes them.

        Returns
        -------
        dict of str to str
            In the order in which they were named.

        Raises
        ------
        ValueError
            If a column is named twice, or none is where some are asked for.
        """
        for option in ("covariates", "categorical_covariate_keys", "continuous_covariate_keys"):
            if getattr(self, option) == ():
                told = "--" + option.replace("_", "-")
                raise ValueError(f"{told} was given without a name: name one column or more, or leave it out")
        labels = (*(() if self.batch_key is None else (self.batch_key,)), *(self.categorical_covariate_keys or ()))
        named = [
            *((name, "any") for name in self.covariates or ()),
            *((name, "label") for name in labels),
            *((name, "number") for name in self.continuous_covariate_keys or ()),
        ]
        counts = Counter([name for name, _ in named] + ([] if self.size_factor_key is None else [self.size_factor_key]))
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice among covariates and size factors: name it once")
        return dict(named)

    def names(self) -> tuple[str, ...]:
        """Return all columns that are named.

        Returns
        -------
        tuple of str
            Covariates, then size factors.
        """
        return (*self.kinds(), *(() if self.size_factor_key is None else (self.size_factor_key,)))


FlatBeside = Annotated[BesideOptions, arg(name="")]
"""Whose fields are options of the command itself."""


def check_levels(table: Table, train: NDArray[np.intp]) -> None:
    """Make sure, before any long work, that labels can be fitted and that rows held out have no others.

    Parameters
    ----------
    table : Table
        All rows.
    train : ndarray of int
        Those that are fitted.

    Raises
    ------
    DataError
        If a label has nearly as many levels as there are rows, or a level is only in rows held out.
    """
    import pandas as pd

    from identica.io import DataError
    from identica.preparation.covariates import MOST_LEVELS

    covariates = table.beside.covariates
    if covariates is None:
        return
    for name in covariates:
        column = covariates[name]
        if column.dtype.kind == "f":
            continue
        fitted = set(column.iloc[train])
        if len(fitted) * MOST_LEVELS > len(train):
            numbers = pd.to_numeric(column, errors="coerce").notna().all()
            remedy = "name it in --continuous-covariate-keys, or leave it out" if numbers else "leave it out"
            of = "" if len(train) == len(column) else f", {len(train):,} of which are fitted"
            raise DataError(
                f"{table.path}: covariate {name!r} has {column.nunique():,} different labels in {len(column):,} rows"
                f"{of}, and several rows must share each label: {remedy}"
            )
        unseen = sorted(set(column) - fitted)
        if unseen:
            raise DataError(
                f"{table.path}: the level {unseen[0]!r} of covariate {name!r} is only in rows that are held out of the "
                "fit, so that nothing would be known of it: hold out none (--holdout 0), choose another seed, or leave "
                "such rows out"
            )


def kinds_in_model(model: ComponentAnalysis) -> dict[str, str]:
    """Return the covariates that a model was fitted with, and their kinds.

    Parameters
    ----------
    model : fitted estimator
        Of this library.

    Returns
    -------
    dict of str to str
        As :func:`identica.io.read_table` takes them.
    """
    covariates = model.observed_.covariates
    if covariates is None:
        return {}
    return {column.name: "number" if column.levels is None else "label" for column in covariates.columns}


def columns_beside(record: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the columns beside the features that the record of a fit names.

    Parameters
    ----------
    record : mapping or None
        The content of run.json.

    Returns
    -------
    tuple of str
        Covariates and size factors.
    """
    content = record or {}
    covariates, depth = content.get("covariates"), content.get("depth")
    names = [each.get("name") for each in covariates if isinstance(each, dict)] if isinstance(covariates, list) else []
    if isinstance(depth, dict):
        names.append(depth.get("column"))
    return tuple(name for name in names if isinstance(name, str))


def described(model: ComponentAnalysis) -> list[dict[str, Any]]:
    """Describe the covariates of a fit for run.json.

    Parameters
    ----------
    model : fitted estimator
        Of this library.

    Returns
    -------
    list of dict
        The name of each and how many levels it has, None for numbers.
    """
    covariates = model.observed_.covariates
    columns = () if covariates is None else covariates.columns
    return [{"name": each.name, "n_levels": None if each.levels is None else len(each.levels)} for each in columns]


def in_words(covariates: list[dict[str, Any]]) -> str:
    """Say what covariates are.

    Parameters
    ----------
    covariates : list of dict
        As :func:`described` gives them.

    Returns
    -------
    str
        Their names and kinds.
    """
    kinds = ("number" if each["n_levels"] is None else f"{each['n_levels']} levels" for each in covariates)
    return ", ".join(f"{each['name']} ({kind})" for each, kind in zip(covariates, kinds, strict=True))
