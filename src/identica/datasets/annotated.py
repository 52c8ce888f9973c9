"""Simulated cells as AnnData: one form for all simulators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from identica.datasets.regulation import FloatArray

if TYPE_CHECKING:
    import anndata

__all__ = ["cells_as_anndata", "edge_table"]


def cells_as_anndata(
    X: FloatArray,
    genes: Sequence[str],
    concentrations: pd.DataFrame,
    regulation: pd.DataFrame,
    bins: NDArray[np.intp] | None,
) -> anndata.AnnData:
    """Put cells and the truth about them into an AnnData.

    Parameters
    ----------
    X : ndarray of shape (n_cells, n_genes)
        Expression.
    genes : sequence of str
        Names of its columns.
    concentrations : DataFrame of shape (n_cells, n_factors)
        Of the transcription factors, by name, in the very cells.
    regulation : DataFrame
        Edges, from :func:`edge_table`.
    bins : ndarray of int of shape (n_cells,) or None
        Cell type, where there are types.

    Returns
    -------
    AnnData
        With obsm["tf_concentration"], uns["regulation"] and, where cells have types, obs["cell_type"].

    Raises
    ------
    ImportError
        If anndata is not installed.
    """
    try:
        import anndata
    except ImportError as error:
        raise ImportError("to_anndata needs anndata: pip install 'identica[single-cell]'") from error
    names = [f"cell_{i}" for i in range(len(X))]
    result = anndata.AnnData(X, obs=pd.DataFrame(index=names), var=pd.DataFrame(index=list(genes)))
    result.obsm["tf_concentration"] = concentrations.set_axis(names, axis=0)
    result.uns["regulation"] = regulation
    if bins is not None:
        result.obs["cell_type"] = pd.Categorical([f"type_{b}" for b in bins])
    return result


def edge_table(
    sources: Sequence[str],
    targets: Sequence[str],
    regulator: NDArray[np.intp],
    target: NDArray[np.intp],
    strength: FloatArray,
    hill: FloatArray,
    half_response: FloatArray,
) -> pd.DataFrame:
    """Put the edges of a network into a table, by name.

    Parameters
    ----------
    sources, targets : sequence of str
        Names of the regulators and of the genes.
    regulator, target : ndarray of int of shape (n_edges,)
        Their numbers, edge by edge.
    strength, hill, half_response : ndarray of shape (n_edges,)
        Parameters of the edges.

    Returns
    -------
    DataFrame
        With the columns source, target, strength, hill and half_response.
    """
    return pd.DataFrame(
        {
            "source": [sources[i] for i in regulator],
            "target": [targets[i] for i in target],
            "strength": strength,
            "hill": hill,
            "half_response": half_response,
        }
    )
