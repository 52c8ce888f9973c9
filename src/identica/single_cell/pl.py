"""Pictures of what the tools have written into an AnnData, as matplotlib's axes.

``influence`` and ``activities`` draw on an axis of yours, or a new one; ``embedding`` and ``matrixplot`` go through
scanpy's functions of these names, and take their options.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from identica import plotting
from identica.arguments import check_integer
from identica.single_cell.expression import check_anndata
from identica.single_cell.written import component_names, influence_of, tick_names, values_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["activities", "embedding", "influence", "matrixplot"]

COLOURS = "RdBu_r"
MEANS = "mean, in standard deviations of the component"


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
        If `adata` is no AnnData, or `ax` no axis.
    KeyError
        If there are no components of that name.
    """
    check_anndata(adata)
    check_integer("n_genes", n_genes, 1)
    _check_axis(ax)
    values = influence_of(adata, key)
    used = np.flatnonzero(np.abs(values).sum(axis=1) > 0)
    strongest = used[np.argsort(-np.abs(values[used]).max(axis=1), kind="stable")][:n_genes]
    return plotting.signed_heatmap(
        values[strongest],
        [str(name) for name in adata.var_names[strongest]],
        tick_names(adata, key, values.shape[1]),
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
        If `adata` is no AnnData, `groupby` no name, or `ax` no axis.
    KeyError
        If there are no components of that name, or no such column.
    ValueError
        If no cell has a group, the column holds real numbers, or components are not finite.
    """
    _check_axis(ax)
    values, groups = _grouped(adata, groupby, key)
    names = [str(name) for name in groups.cat.categories]
    means = np.array([values[groups.cat.codes.to_numpy() == code].mean(axis=0) for code in range(len(names))])
    return plotting.signed_heatmap(means, names, tick_names(adata, key, values.shape[1]), label=MEANS, ax=ax)


def embedding(
    adata: AnnData,
    basis: str = "umap",
    *,
    components: Sequence[int | str] | int | str | None = None,
    key: str = "dica",
    **options: Any,
) -> list[Axes]:
    """Draw cells where an embedding has them, coloured by each component, by ``scanpy.pl.embedding``.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`, with obsm["X_umap"] or another embedding.
    basis : str, default="umap"
        Name of the embedding, an entry of obsm; "umap" stands for "X_umap", too.
    components : sequence of int or str, optional
        Components to show, by number or by name; all by default.
    key : str, default="dica"
        Name under which the components were written.
    **options
        Of ``scanpy.pl.embedding``, such as ``ncols``, ``size`` or ``ax`` for a single component.

    Returns
    -------
    list of matplotlib.axes.Axes
        One for each component shown.

    Raises
    ------
    ImportError
        If scanpy is not installed.
    TypeError
        If `adata` is no AnnData, `basis` no name, `components` are no list, or an option is one that is set here.
    KeyError
        If there are no components, or no embedding, of that name.
    ValueError
        If there is no component of such a number or name, none is named, or several are to be on one axis.
    """
    check_anndata(adata)
    _check_options("embedding", options, color="components= says what is drawn")
    if not isinstance(basis, str):
        raise TypeError(f"basis={basis!r} is not possible: give the name of one embedding in obsm")
    values = values_of(adata, key)
    places = [name for name in (basis, f"X_{basis}") if name in adata.obsm]
    if not places:
        raise KeyError(f"obsm has no embedding {basis!r}, it has {', '.join(adata.obsm)}: call scanpy.tl.umap before")
    names, ticks = (name(adata, key, values.shape[1]) for name in (component_names, tick_names))
    chosen = _chosen(components, names)
    if options.get("ax") is not None and len(chosen) > 1:
        raise ValueError(
            f"ax= is for a single component, and {len(chosen)} are to be drawn: give components= one of them, or leave "
            "ax out"
        )
    light = _light(adata, values, ticks)
    light.obsm[places[0]] = np.asarray(adata.obsm[places[0]])
    shown = [ticks[j] for j in chosen]
    options = {"cmap": COLOURS, "vcenter": 0.0, **options}
    axes = _scanpy().pl.embedding(light, basis, color=shown, **options, show=False)
    return axes if isinstance(axes, list) else [axes]


def matrixplot(adata: AnnData, groupby: str, *, key: str = "dica", **options: Any) -> Axes:
    """Draw the mean of each component in each group of cells, by ``scanpy.pl.matrixplot``.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    groupby : str
        Column of obs with the groups.
    key : str, default="dica"
        Name under which the components were written.
    **options
        Of ``scanpy.pl.matrixplot``, such as ``dendrogram``, ``swap_axes`` or ``figsize``.

    Returns
    -------
    matplotlib.axes.Axes
        That of the matrix, in a new figure.

    Raises
    ------
    ImportError
        If scanpy is not installed.
    TypeError
        If `adata` is no AnnData, `groupby` no name, or an option is one that is set here.
    KeyError
        If there are no components of that name, or no such column.
    ValueError
        If no cell has a group, the column holds real numbers, or components are not finite.
    """
    check_anndata(adata)
    _check_options("matrixplot", options, var_names="all components are drawn")
    values, groups = _grouped(adata, groupby, key)
    names = tick_names(adata, key, values.shape[1])
    light = _light(adata, values, names)
    # Under a name that is none of a component's, by which scanpy would find two things.
    by = groupby
    while by in names:
        by += "_"
    light.obs[by] = groups
    options = {"cmap": COLOURS, "vcenter": 0.0, "colorbar_title": "mean", **options}
    axes: Axes = _scanpy().pl.matrixplot(light, names, by, **options, show=False)["mainplot_ax"]
    return axes


def _grouped(adata: AnnData, groupby: str, key: str) -> tuple[NDArray[np.floating[Any]], pd.Series[Any]]:
    """Return the components and the group of each cell, whose categories are those that occur, in their order."""
    check_anndata(adata)
    values = values_of(adata, key)
    if not isinstance(groupby, str):
        raise TypeError(f"groupby={groupby!r} is not possible: give the name of one column of obs")
    if groupby not in adata.obs:
        raise KeyError(f"obs has no column {groupby!r}, it has {', '.join(map(str, adata.obs.columns)) or 'none'}")
    if adata.obs[groupby].dtype.kind == "f":
        raise ValueError(f"obs[{groupby!r}] holds real numbers: give a column that says which group a cell is of")
    groups = adata.obs[groupby].astype("category").cat.remove_unused_categories()
    if not len(groups.cat.categories):
        raise ValueError(f"no cell has a group in obs[{groupby!r}]: give a column that has some")
    return values, groups.cat.rename_categories(str)


def _chosen(components: Sequence[int | str] | int | str | None, names: list[str]) -> list[int]:
    """Return the numbers of components that are given by number or by name."""
    if components is None:
        return list(range(len(names)))
    if isinstance(components, str | int | np.integer):
        components = [components]
    if not isinstance(components, Sequence | pd.Index | np.ndarray):
        raise TypeError(f"components={components!r} is not possible: give numbers or names of components, or None")
    if not len(components):
        raise ValueError(f"components={components!r} names none: give numbers or names, or None for all of them")
    chosen = []
    for given in components:
        if isinstance(given, str) and given in names:
            chosen.append(names.index(given))
        elif isinstance(given, int | np.integer) and not isinstance(given, bool) and 0 <= given < len(names):
            chosen.append(int(given))
        else:
            raise ValueError(f"there is no component {given!r}: give numbers below {len(names)}, or {', '.join(names)}")
    return chosen


def _check_axis(ax: object) -> None:
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax={ax!r} is not possible: give an axis of matplotlib, or leave it out for a new figure")


def _check_options(picture: str, options: dict[str, Any], **others: str) -> None:
    """Refuse options of scanpy's that this module has set, with the reason, and what is no axis."""
    reasons = {
        "show": "axes are returned, and matplotlib.pyplot.show() shows them",
        "return_fig": "axes are returned, which know their figure",
        **others,
    }
    for name, reason in reasons.items():
        if name in options:
            raise TypeError(f"pl.{picture} has no option {name!r}: {reason}, leave it out")
    _check_axis(options.get("ax"))


def _light(adata: AnnData, values: NDArray[np.floating[Any]], names: list[str]) -> AnnData:
    """Return the components as an AnnData of their own, so that nothing is added to the one given."""
    return type(adata)(
        values.astype(np.float32), obs=pd.DataFrame(index=adata.obs_names), var=pd.DataFrame(index=names)
    )


def _scanpy() -> Any:
    try:
        return importlib.import_module("scanpy")
    except ImportError as error:
        raise ImportError(
            "this picture is drawn by scanpy, which is not installed: pip install 'identica[scanpy]'"
        ) from error
