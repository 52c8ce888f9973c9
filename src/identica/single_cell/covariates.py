"""Columns of obs that a fit is told: batches and other covariates, and the depth of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

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
        If names are one text in the place of a sequence.
    """

    batch: str | None = None
    categorical: Sequence[str] | None = None
    continuous: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a single name where several are asked for."""
        for kind in ("categorical", "continuous"):
            if isinstance(getattr(self, kind), str):
                name = getattr(self, kind)
                raise TypeError(f"{kind}_covariate_keys={name!r} is one name: give a list of names, [{name!r}]")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, each once."""
        batch = () if self.batch is None else (self.batch,)
        return tuple(dict.fromkeys((*batch, *(self.categorical or ()), *(self.continuous or ()))))

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
            If a column is not there, or one of numbers holds something else.
        """
        columns = {}
        for name in self.names:
            column = _column(adata, name)
            if name in (self.continuous or ()):
                if not types.is_numeric_dtype(column.dtype):
                    raise ValueError(
                        f"obs[{name!r}] holds {str(column.iloc[0])!r}, no number: name it in categorical_covariate_keys"
                    )
                columns[name] = column.astype(np.float64)
            else:
                columns[name] = column.astype(object).where(column.notna(), None)
        return pd.DataFrame(columns, index=adata.obs_names)


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
    ValueError
        If the column is not there or holds no numbers, or the counts are none.
    """
    if key is None:
        return np.maximum(cell_totals(adata, layer), 1.0)
    column = _column(adata, key)
    if not types.is_numeric_dtype(column.dtype):
        raise ValueError(f"obs[{key!r}] holds {str(column.iloc[0])!r}, no number: give size factors")
    return column.to_numpy(dtype=np.float64)


def _column(adata: AnnData, name: str) -> pd.Series[Any]:
    if name not in adata.obs:
        raise ValueError(f"obs has no column {name!r}: it has {', '.join(map(str, adata.obs.columns)) or 'none'}")
    column: pd.Series[Any] = adata.obs[name]
    return column
