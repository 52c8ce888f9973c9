"""The matrix of an AnnData that is to be fitted: which genes, which layer, counts recognised, dense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.machine import memory_shortage

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "cell_totals",
    "check_anndata",
    "check_writable",
    "dense_expression",
    "looks_like_counts",
    "negatives_in_words",
    "normalise_counts",
    "select_genes",
]

FloatArray = NDArray[np.floating[Any]]
ENTRIES_AT_ONCE = 2**24
"""Size of a block in which a matrix is read, 64 MiB in float32."""
LARGEST_COUNT = 2.0**24
"""No count goes as far; every larger number is whole in single precision."""
FEW_NEGATIVE = 0.1
"""Of the entries that are not zero, at most how many are negative where the others may be raw counts."""
WHOLE_SHARE = 0.99
"""Of the entries above zero, how many are whole numbers where values are taken for raw counts."""


def check_anndata(adata: object) -> None:
    """Refuse what is no AnnData.

    Parameters
    ----------
    adata : object
        What was given.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not hasattr(adata, "obsm"):
        raise TypeError(
            f"adata is a {type(adata).__name__}: give an AnnData, or call identica.DICA(...).fit on a table"
        )


def check_writable(adata: AnnData, *, copy: bool) -> None:
    """Refuse an AnnData in which results could not be written, or not by gene.

    Parameters
    ----------
    adata : AnnData
        The data.
    copy : bool
        Whether a copy is to be written into.

    Raises
    ------
    TypeError
        If `copy` is neither True nor False.
    ValueError
        If the data stay in a file and a copy or a part of them is to be written to, or genes have one name.
    """
    if not isinstance(copy, bool | np.bool_):
        raise TypeError(f"copy={copy!r} is not possible: give True or False")
    if adata.isbacked and (copy or adata.is_view):
        raise ValueError(
            "the data stay in a file, and a copy or a part of them cannot be written to: call adata.to_memory() before"
        )
    twice = adata.var_names[adata.var_names.duplicated()]
    if len(twice):
        raise ValueError(f"the gene name {twice[0]!r} occurs several times: call adata.var_names_make_unique() before")


def select_genes(adata: AnnData, use_highly_variable: bool | None) -> NDArray[np.bool_]:
    """Choose genes as scanpy does.

    Parameters
    ----------
    adata : AnnData
        The data.
    use_highly_variable : bool or None
        Whether to take only those marked in var["highly_variable"]; None means where there is such a column.

    Returns
    -------
    ndarray of bool of shape (n_vars,)
        The genes chosen.

    Raises
    ------
    ValueError
        If they are asked for and not marked, or none is.
    """
    if adata.n_vars == 0:
        raise ValueError("the data have no genes: give some")
    marked = "highly_variable" in adata.var
    if use_highly_variable and not marked:
        raise ValueError(
            'use_highly_variable=True needs var["highly_variable"]: call scanpy.pp.highly_variable_genes before, or '
            "leave it out"
        )
    if not (marked if use_highly_variable is None else use_highly_variable):
        return np.ones(adata.n_vars, dtype=bool)
    column = adata.var["highly_variable"]
    if column.isna().any() or not set(column.unique()) <= {True, False}:
        raise ValueError(
            'var["highly_variable"] holds something else than True and False: mark each gene by one of them'
        )
    chosen = np.asarray(column, dtype=bool)
    if not chosen.any():
        raise ValueError('no gene is marked in var["highly_variable"]: mark some, or pass use_highly_variable=False')
    return chosen


def dense_expression(adata: AnnData, layer: str | None, genes: NDArray[np.bool_]) -> FloatArray:
    """Take the values of some genes into memory, from a dense, sparse or backed matrix.

    Parameters
    ----------
    adata : AnnData
        The data.
    layer : str or None
        Name of a layer; None means X.
    genes : ndarray of bool of shape (n_vars,)
        Which.

    Returns
    -------
    ndarray of shape (n_obs, n_genes)
        In float32, or float64 where the data are.

    Raises
    ------
    ValueError
        If there is no such layer, or the values do not fit into memory.
    """
    values = _matrix(adata, layer)
    kind = np.dtype(np.float64 if values.dtype == np.float64 else np.float32)
    n_genes = int(genes.sum())
    if isinstance(values, np.ndarray) and values.dtype == kind and genes.all():
        return np.asarray(values)  # nothing more to hold
    if shortage := memory_shortage(kind.itemsize * adata.n_obs * n_genes):
        raise ValueError(
            f"{adata.n_obs} cells of {n_genes} genes when dense take {shortage}: mark highly variable genes and use "
            "them alone"
        )
    place: NDArray[np.intp] = np.cumsum(genes) - genes
    dense = np.empty((adata.n_obs, n_genes), dtype=kind)
    for rows, columns, block in _blocks(values):
        dense[rows, place[columns][genes[columns]]] = _as_array(block)[:, genes[columns]]
    return dense


def cell_totals(adata: AnnData, layer: str | None) -> NDArray[np.float64]:
    """Return the total count of every cell over all genes, whichever of them are chosen: its depth.

    Parameters
    ----------
    adata : AnnData
        The data.
    layer : str or None
        Name of a layer; None means X.

    Returns
    -------
    ndarray of shape (n_obs,)
        Totals.

    Raises
    ------
    ValueError
        If there is no such layer, or a count or a total is negative, infinite or NaN, be it that of a gene that is not
        chosen.
    """
    totals = np.zeros(adata.n_obs)
    for rows, columns, block in _blocks(_matrix(adata, layer)):
        entries = block.data if hasattr(block, "toarray") else block
        if not ((entries >= 0) & (entries < np.inf)).all():
            dense = _as_array(block)
            i, j = np.argwhere(~((dense >= 0) & (dense < np.inf)))[0]
            raise ValueError(
                f"a cell's total is that of counts, and cell {str(adata.obs_names[rows][i])!r} has {dense[i, j]:g} of "
                f"gene {str(adata.var_names[columns][j])!r}, which counts in its total whether that gene is used or "
                "not: leave out such cells or genes, or choose the layer with the counts"
            )
        with np.errstate(over="ignore"):  # refused below
            totals[rows] += np.asarray(block.sum(axis=1, dtype=np.float64)).ravel()
    if not np.isfinite(totals).all():
        cell = str(adata.obs_names[~np.isfinite(totals)][0])
        raise ValueError(
            f"a cell's total is that of counts, and those of cell {cell!r} have an infinite sum: leave it out"
        )
    return totals


def _matrix(adata: AnnData, layer: str | None) -> Any:
    """Return X or a layer as it is kept, in memory or in a file."""
    if not isinstance(layer, str | None):
        raise TypeError(f"layer={layer!r} is not possible: give the name of one layer")
    if layer is not None and layer not in adata.layers:
        raise ValueError(f"layer={layer!r} is not there, the layers are: {', '.join(adata.layers) or 'none'}")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        raise ValueError(f"the data have no X, choose a layer: {', '.join(adata.layers) or 'there is none'}")
    if values.dtype.kind not in "buif":
        raise ValueError(
            f"{'X' if layer is None else f'layer {layer!r}'} holds values of type {values.dtype}: give real numbers"
        )
    return values


def _blocks(values: Any) -> Iterator[tuple[slice, slice, Any]]:
    """Cut a matrix along the axis by which it is stored, so that of a file only a block at a time is in memory."""
    by_columns = getattr(values, "format", None) == "csc"
    length, across = values.shape[::-1] if by_columns else values.shape
    size = max(1, ENTRIES_AT_ONCE // max(1, across))
    for start in range(0, length, size):
        part = slice(start, start + size)
        rows, columns = (slice(None), part) if by_columns else (part, slice(None))
        yield rows, columns, values[rows, columns]


def _as_array(block: Any) -> NDArray[Any]:
    return np.asarray(block.toarray() if hasattr(block, "toarray") else block)


def looks_like_counts(values: FloatArray) -> bool:
    """Tell whether values are raw counts: none negative, some above one, and of those above zero 99 % whole numbers.

    A few may be fractions, where somebody has corrected single counts; logarithms hardly ever are whole.

    Parameters
    ----------
    values : ndarray of shape (n_obs, n_genes)
        Expression.

    Returns
    -------
    bool
        Whether they look so.

    Examples
    --------
    >>> looks_like_counts(np.array([[0.0, 3.0]])), looks_like_counts(np.array([[0.0, 0.7]]))
    (True, False)
    """
    if values.min() < 0 or not 1 < values.max() < LARGEST_COUNT:
        return False
    n_fractions = np.count_nonzero(values != np.rint(values))
    return bool(n_fractions <= (1 - WHOLE_SHARE) * np.count_nonzero(values))


def negatives_in_words(values: FloatArray) -> str | None:
    """Say how many values are negative where the others look like raw counts, so that counts may be meant.

    Parameters
    ----------
    values : ndarray of shape (n_obs, n_genes)
        Expression, finite.

    Returns
    -------
    str or None
        A sentence; None where no value is negative, where many are, or where the others are no counts.

    Examples
    --------
    >>> counts = np.tile([0.0, 3.0], (10, 1))
    >>> counts[0, 0] = -1
    >>> negatives_in_words(counts)
    '1 value is negative and the others look like raw counts, but the likelihood is gaussian: if these are counts, ...'
    >>> negatives_in_words(counts - 0.5) is None
    True
    """
    low = values < 0
    n_low = int(np.count_nonzero(low))
    if n_low == 0 or n_low > FEW_NEGATIVE * np.count_nonzero(values) or not looks_like_counts(values[~low]):
        return None
    return (
        f"{n_low:,} value{' is' if n_low == 1 else 's are'} negative and the others look like raw counts, but the "
        "likelihood is gaussian: if these are counts, correct the negative values or leave those cells out, since the "
        "likelihood poisson takes none"
    )


def normalise_counts(values: FloatArray, totals: NDArray[np.float64]) -> FloatArray:
    """Bring every cell to the median total and take ln(1 + x), as scanpy's normalize_total and log1p.

    Parameters
    ----------
    values : ndarray of shape (n_obs, n_genes)
        Counts of the genes to use.
    totals : ndarray of shape (n_obs,)
        Counts of all genes of each cell.

    Returns
    -------
    ndarray of shape (n_obs, n_genes)
        Normalised; cells without any count stay zero.
    """
    target = np.median(totals[totals > 0]) if (totals > 0).any() else 1.0
    factors = np.divide(target, totals, out=np.zeros_like(totals), where=totals > 0)
    return np.asarray(np.log1p(values * factors[:, None]), dtype=values.dtype)
