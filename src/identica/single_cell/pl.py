"""Pictures of what the tools have written into an AnnData; each takes an axis and returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from identica import plotting
from identica.arguments import check_integer
from identica.single_cell.expression import check_anndata
from identica.single_cell.written import component_names, influence_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["activities", "influence"]


def influence(adata: AnnData, *, key: str = "dica", n_genes: int = 30, ax: Axes | None = None) -> Axes:
    """Draw the mean influence of each component on the genes that it influences most.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`; named by :func:`identica.tl.label_components`, if that was called.
    key : str, default="dica"
        Name under which the components were written.
    n_genes : int, default=30
        Genes to show, those that some component influences most.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    TypeError
        If `adata` is no AnnData.
    KeyError
        If there are no components of that name.
    """
    check_anndata(adata)
    check_integer("n_genes", n_genes, 1)
    values = influence_of(adata, key)
    used = np.flatnonzero(np.abs(values).sum(axis=1) > 0)
    strongest = used[np.argsort(-np.abs(values[used]).max(axis=1), kind="stable")][:n_genes]
    return plotting.signed_heatmap(
        values[strongest],
        [str(name) for name in adata.var_names[strongest]],
        component_names(adata, key, values.shape[1]),
        label="mean dx/ds, signed",
        ax=ax,
    )


def activities(adata: AnnData, groupby: str, *, key: str = "dica", ax: Axes | None = None) -> Axes:
    """Draw the mean of each component in each group of cells, in standard deviations of the component.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    groupby : str
        Column of obs with the groups.
    key : str, default="dica"
        Name under which the components were written.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    TypeError
        If `adata` is no AnnData, or `groupby` no name.
    KeyError
        If there are no components of that name, or no such column.
    ValueError
        If no cell has a group, the column holds real numbers, or components are not finite.
    """
    check_anndata(adata)
    if f"X_{key}" not in adata.obsm:
        raise KeyError(f'obsm["X_{key}"] is not there: call identica.tl.dica before')
    if not isinstance(groupby, str):
        raise TypeError(f"groupby={groupby!r} is not possible: give the name of one column of obs")
    if groupby not in adata.obs:
        raise KeyError(f"obs has no column {groupby!r}, it has {', '.join(map(str, adata.obs.columns)) or 'none'}")
    values = np.asarray(adata.obsm[f"X_{key}"])
    if not np.isfinite(values).all():
        raise ValueError(f'obsm["X_{key}"] has values that are NaN or infinite: call identica.tl.dica again')
    if adata.obs[groupby].dtype.kind == "f":
        raise ValueError(f"obs[{groupby!r}] holds real numbers: give a column that says which group a cell is of")
    groups = adata.obs[groupby].astype("category").cat.remove_unused_categories()  # keeps their order; no group, no row
    names = [str(name) for name in groups.cat.categories]
    if not names:
        raise ValueError(f"no cell has a group in obs[{groupby!r}]: give a column that has some")
    means = np.array([values[groups.cat.codes.to_numpy() == code].mean(axis=0) for code in range(len(names))])
    label = "mean, in standard deviations of the component"
    return plotting.signed_heatmap(means, names, component_names(adata, key, values.shape[1]), label=label, ax=ax)
