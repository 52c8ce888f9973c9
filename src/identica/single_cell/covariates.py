"""Columns of obs that a fit is told: batches and other covariates, and the depth of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from identica.preparation.covariates import MOST_LEVELS
from identica.single_cell.expression import cell_totals

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["CovariateKeys", "size_factors"]


@final
@dataclass(frozen=True)
class CovariateKeys:
    """Names of columns of obs, as scvi-tools has them.

    Parameters
    ----------
    batch : str, optional
        Of batches.
    categorical, continuous : sequence of str, optional
        Of labels and of numbers.

    Raises
    ------
    TypeError
        If a name is no text, or names are one text in the place of a sequence.
    ValueError
        If a column is named as one of labels and as one of numbers.
    """

    batch: str | None = None
    categorical: Sequence[str] | None = None
    continuous: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a single name where several are asked for, and what is no name."""
        if not isinstance(self.batch, str | None):
            raise TypeError(f"batch_key={self.batch!r} is not possible: give the name of one column of obs")
        for kind in ("categorical", "continuous"):
            names = getattr(self, kind)
            if isinstance(names, str):
                raise TypeError(f"{kind}_covariate_keys={names!r} is one name: give a list of names, [{names!r}]")
            if names is not None and not (
                isinstance(names, Sequence | pd.Index | np.ndarray) and all(isinstance(name, str) for name in names)
            ):
                raise TypeError(f"{kind}_covariate_keys={names!r} is not possible: give a list of names of columns")
        both = {self.batch, *_listed(self.categorical)} & {*_listed(self.continuous)}
        if both:
            name = min(map(str, both))
            raise ValueError(f"{name!r} is named as a column of labels and as one of numbers: name it once")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, each once."""
        batch = () if self.batch is None else (self.batch,)
        return tuple(dict.fromkeys((*batch, *_listed(self.categorical), *_listed(self.continuous))))

    def read(self, adata: AnnData) -> pd.DataFrame:
        """Return the columns, labels as text and numbers as floating-point numbers.

        Parameters
        ----------
        adata : AnnData
            The data.

        Returns
        -------
        DataFrame of shape (n_obs, n_covariates)
            Missing values stay missing.

        Raises
        ------
        ValueError
            If a column is not there, one of numbers holds something else, a cell has no value, or all have the same.
        """
        columns = {}
        for name in self.names:
            column = _column(adata, name)
            _check_whole(adata, name, column)
            if name in _listed(self.continuous):
                columns[name] = _numbers(adata, name, column)
            else:
                columns[name] = self._labels(adata, name, column)
        return pd.DataFrame(columns, index=adata.obs_names)

    def _labels(self, adata: AnnData, name: str, column: pd.Series[Any]) -> pd.Series[Any]:
        labels = column.astype(object)
        kind = "batch_key" if name == self.batch else "categorical_covariate_keys"
        counts = labels.astype(str).value_counts()
        if len(counts) == 1:
            raise ValueError(
                f"obs[{name!r}] is {counts.index[0]!r} for all {adata.n_obs:,} cells, so that there is nothing to take "
                f"out: leave it out of {kind}"
            )
        if len(counts) * MOST_LEVELS > adata.n_obs:
            numbers = ", or name it in continuous_covariate_keys" if types.is_numeric_dtype(column.dtype) else ""
            raise ValueError(
                f"obs[{name!r}] has {len(counts):,} different labels in {adata.n_obs:,} cells: give a column in which "
                f"several cells share each label{numbers}"
            )
        return labels


def size_factors(adata: AnnData, layer: str | None, key: str | None) -> NDArray[np.float64]:
    """Return the depth of each cell: a column of obs, or the total over all genes.

    Parameters
    ----------
    adata : AnnData
        The data.
    layer : str or None
        Where the counts are; None means X.
    key : str or None
        The column; None means totals.

    Returns
    -------
    ndarray of shape (n_obs,)
        Positive numbers; 1 for cells without any count.

    Raises
    ------
    TypeError
        If `key` is no text.
    ValueError
        If the column is not there or holds something else than positive numbers, or the counts are none.
    """
    if key is None:
        return np.maximum(cell_totals(adata, layer), 1.0)
    if not isinstance(key, str):
        raise TypeError(f"size_factor_key={key!r} is not possible: give the name of one column of obs")
    column = _column(adata, key)
    _check_whole(adata, key, column)
    if not types.is_numeric_dtype(column.dtype):
        raise ValueError(f"obs[{key!r}] holds {str(column.iloc[0])!r}, no number: give size factors")
    values = column.to_numpy(dtype=np.float64)
    bad = ~((values > 0) & (values < np.inf))
    if bad.any():
        raise ValueError(
            f"obs[{key!r}] is not positive or infinite in {int(bad.sum()):,} of {adata.n_obs:,} cells, the first "
            f"{str(adata.obs_names[bad][0])!r}, where it is {values[bad][0]:g}: give numbers above 0, and leave out "
            "cells without any count"
        )
    return values


def _column(adata: AnnData, name: str) -> pd.Series[Any]:
    if name not in adata.obs:
        raise ValueError(f"obs has no column {name!r}: it has {', '.join(map(str, adata.obs.columns)) or 'none'}")
    if list(adata.obs.columns).count(name) > 1:
        raise ValueError(f"obs has several columns {name!r}: rename all but one")
    column: pd.Series[Any] = adata.obs[name]
    if "complex" in types.infer_dtype(column, skipna=True):
        raise ValueError(f"obs[{name!r}] holds complex numbers: give real numbers or labels")
    return column


def _listed(names: Sequence[str] | None) -> list[str]:
    return [] if names is None else list(names)


def _check_whole(adata: AnnData, name: str, column: pd.Series[Any]) -> None:
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"obs[{name!r}] has no value for {int(missing.sum()):,} of {adata.n_obs:,} cells, the first of them "
            f"{str(adata.obs_names[missing][0])!r}: leave these cells out, or give them a value"
        )


def _numbers(adata: AnnData, name: str, column: pd.Series[Any]) -> pd.Series[Any]:
    if not types.is_numeric_dtype(column.dtype):
        raise ValueError(
            f"obs[{name!r}] holds {str(column.iloc[0])!r}, no number: name it in categorical_covariate_keys"
        )
    numbers = column.astype(np.float64)
    infinite = ~np.isfinite(numbers.to_numpy())
    if infinite.any():
        raise ValueError(
            f"obs[{name!r}] is infinite for cell {str(adata.obs_names[infinite][0])!r}: leave such cells out"
        )
    if numbers.nunique() == 1:
        raise ValueError(
            f"obs[{name!r}] is {numbers.iloc[0]:g} for all {adata.n_obs:,} cells, so that there is nothing to take "
            "out: leave it out of continuous_covariate_keys"
        )
    return numbers
