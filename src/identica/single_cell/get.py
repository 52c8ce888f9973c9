"""Tables of what the tools have written into an AnnData, and the forms that enrichment takes.

``net`` is a table as decoupler takes it, ``gene_sets`` a dict as gseapy takes it, ``weights`` what both rank genes by:
influence in units of each gene's standard deviation, and of counts in that of the gene's own noise at the mean depth
(var["dica_scale"]), so that genes do not come first for being strongly expressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from identica.arguments import check_integer
from identica.single_cell.expression import check_anndata
from identica.single_cell.written import component_names, components_of, weights_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["components", "gene_sets", "net", "programs", "weights"]

N_GENES = 50
"""Genes of a program where no number is given."""
LEFT_OUT = ("empty", "duplicate")
"""States of components that are no programs of their own."""


def programs(adata: AnnData, *, key: str = "dica", n_genes: int | None = N_GENES) -> pd.DataFrame:
    """Return the genes that follow each component most.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`; named by :func:`identica.tl.label_components`, if that was called.
    key : str, default="dica"
        Name under which the components were written.
    n_genes : int or None, default=50
        Genes for each component; None means all that were fitted.

    Returns
    -------
    DataFrame of shape (n_components * n_genes, 4)
        Sorted by component and rank. component, its label or "component_0" and so on; gene; weight, signed, in standard
        deviations of the gene for one of the component; rank, 1 for the largest absolute weight of the component. Genes
        with a weight of 0 are left out.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData, or `n_genes` no whole number.
    ValueError
        If `n_genes` is below 1, or what was written has been changed into something else.

    Examples
    --------
    >>> from identica import Training, get, tl
    >>> from identica.datasets import make_cells
    >>> adata = make_cells(200, 2, random_state=0).to_anndata()
    >>> tl.dica(adata, 2, n_init=1, training=Training(max_steps=40))
    >>> table = get.programs(adata, n_genes=3)
    >>> list(table.columns), table["component"].unique().tolist(), table["rank"].tolist()
    (['component', 'gene', 'weight', 'rank'], ['component_0', 'component_1'], [1, 2, 3, 1, 2, 3])
    """
    values = weights(adata, key=key)
    count = values.shape[1] if n_genes is None else check_integer("n_genes", n_genes, 1)
    parts = []
    for name, row in zip(values.index, values.to_numpy(), strict=True):
        chosen = np.argsort(-np.abs(row), kind="stable")[:count]
        chosen = chosen[row[chosen] != 0]
        columns = {"gene": values.columns[chosen], "weight": row[chosen], "rank": np.arange(1, len(chosen) + 1)}
        parts.append(pd.DataFrame({"component": name, **columns}))
    return pd.concat(parts, ignore_index=True)


def net(adata: AnnData, *, key: str = "dica", n_genes: int | None = N_GENES) -> pd.DataFrame:
    """Return the programs as a network, by which decoupler tells how active each is in other data.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str, default="dica"
        Name under which the components were written.
    n_genes : int or None, default=50
        Genes for each component; None means all that were fitted.

    Returns
    -------
    DataFrame of shape (n_edges, 3)
        source, the component; target, the gene; weight, signed, as in :func:`programs`. Components that are empty or
        duplicates of others are left out. This is the ``net`` of ``decoupler.mt.ulm`` and of its other methods.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData, or `n_genes` no whole number.
    ValueError
        If `n_genes` is below 1, or what was written has been changed into something else.
    """
    table = programs(adata, key=key, n_genes=n_genes)
    kept = table[table["component"].isin(_own(adata, key))]
    renamed = kept.rename(columns={"component": "source", "gene": "target"})
    return renamed[["source", "target", "weight"]].reset_index(drop=True)


def gene_sets(
    adata: AnnData, *, key: str = "dica", n_genes: int | None = N_GENES, by_sign: bool = False
) -> dict[str, list[str]]:
    """Return the genes of each program by its name, for gseapy.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str, default="dica"
        Name under which the components were written.
    n_genes : int or None, default=50
        Genes for each component; None means all that were fitted.
    by_sign : bool, default=False
        Whether genes that rise and genes that fall with a component are sets of their own, whose names end in "_up" and
        "_down".

    Returns
    -------
    dict of str to list of str
        The strongest gene first. Components that are empty or duplicates of others are left out. This is the
        ``gene_sets`` of ``gseapy.prerank``, ``gseapy.gsea`` and ``gseapy.enrich``.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData, `n_genes` no whole number, or `by_sign` neither True nor False.
    ValueError
        If `n_genes` is below 1, or what was written has been changed into something else.
    """
    if not isinstance(by_sign, bool | np.bool_):
        raise TypeError(f"by_sign={by_sign!r} is not possible: give True or False")
    table = net(adata, key=key, n_genes=n_genes)
    names = table["source"]
    if by_sign:
        names = names + np.where(table["weight"] > 0, "_up", "_down")
    return {str(name): part.tolist() for name, part in table["target"].groupby(names, sort=False)}


def weights(adata: AnnData, *, key: str = "dica") -> pd.DataFrame:
    """Return how all genes follow each component, for enrichment by known sets or networks.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str, default="dica"
        Name under which the components were written.

    Returns
    -------
    DataFrame of shape (n_components, n_genes)
        Components by the genes that were fitted, in standard deviations of the gene for one of the component, signed.
        The whole is the ``data`` of ``decoupler.mt.ulm``, a row the ``rnk`` of ``gseapy.prerank``.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData.
    ValueError
        If what was written has been changed into something else.
    """
    check_anndata(adata)
    values, used = weights_of(adata, key)
    names = component_names(adata, key, values.shape[1])
    return pd.DataFrame(values.T, index=names, columns=adata.var_names[used].astype(str).rename(None))


def components(adata: AnnData, *, key: str = "dica") -> pd.DataFrame:
    """Return what is known of each component: its name, and whether it is one of its own.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str, default="dica"
        Name under which the components were written.

    Returns
    -------
    DataFrame of shape (n_components, 8)
        By name. component, the column of obsm["X_dica"], and what uns["dica"]["components"] has: strength, how much it
        moves all genes, relative to the mean of all components; top_weight, the mean of its ten largest absolute
        weights; n_genes, those that follow it most of all components; told, the share of its variance that all stronger
        components tell; technical, the share that depth and covariates told before it was taken out; state, "empty"
        (its strength is below 0.01), "technical" (that share is half and more), "duplicate" (its ranks are those of a
        stronger one, with a correlation above 0.98), "split" (0.8 and more of it is told), "faint" (its top_weight is
        below 0.6 of the median) or "own"; partner, the stronger component that a duplicate or split one goes with, and
        -1 for the others.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData.
    ValueError
        If what was written has been changed into something else.
    """
    check_anndata(adata)
    d = weights_of(adata, key)[0].shape[1]
    table = components_of(adata, key, d)
    if table is None:
        raise KeyError(f'uns["{key}"]["components"] is not there: call identica.tl.dica again')
    table = table.set_axis(component_names(adata, key, d), axis=0)
    table.insert(0, "component", np.arange(d))
    return table


def _own(adata: AnnData, key: str) -> list[str]:
    """Return the names of components that are neither empty nor duplicates."""
    d = weights_of(adata, key)[0].shape[1]
    names, table = component_names(adata, key, d), components_of(adata, key, d)
    if table is None:
        return names
    return [name for name, state in zip(names, table["state"], strict=True) if str(state) not in LEFT_OUT]
