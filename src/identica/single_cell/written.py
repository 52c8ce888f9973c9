"""What the tools have written into an AnnData, read back and checked, since anybody may have changed it since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = [
    "UNASSIGNED",
    "component_names",
    "components_of",
    "influence_of",
    "record_of",
    "tick_names",
    "values_of",
    "weights_of",
]

UNASSIGNED = "unassigned"
"""Label of a component that matches no factor."""
TABLE = "components"
"""Entry of uns[key] with a row for each component."""


def record_of(adata: AnnData, key: str) -> Mapping[str, Any]:
    """Return what is written about the components.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which they were written.

    Returns
    -------
    mapping
        uns["dica"], empty where there is none.

    Raises
    ------
    ValueError
        If something else is there.
    """
    record = adata.uns.get(key, {})
    if not isinstance(record, Mapping):
        raise ValueError(f'uns["{key}"] holds a {type(record).__name__}: call identica.tl.dica again')
    return record


def values_of(adata: AnnData, key: str) -> NDArray[np.floating[Any]]:
    """Return the components of each cell.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.

    Returns
    -------
    ndarray of shape (n_obs, n_components)
        obsm["X_dica"].

    Raises
    ------
    KeyError
        If it is not there.
    ValueError
        If it holds values that are not finite.
    """
    if f"X_{key}" not in adata.obsm:
        raise KeyError(f'obsm["X_{key}"] is not there: call identica.tl.dica before')
    values = np.asarray(adata.obsm[f"X_{key}"])
    if not np.isfinite(values).all():
        raise ValueError(f'obsm["X_{key}"] has values that are NaN or infinite: call identica.tl.dica again')
    return values


def influence_of(adata: AnnData, key: str) -> NDArray[np.float64]:
    """Return how each gene follows each component.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.

    Returns
    -------
    ndarray of shape (n_vars, n_components)
        varm["dica_influence"], dense.

    Raises
    ------
    KeyError
        If it is not there.
    ValueError
        If it holds values that are not finite, or no other than 0.
    """
    name = f'varm["{key}_influence"]'
    if f"{key}_influence" not in adata.varm:
        raise KeyError(f"{name} is not there: call identica.tl.dica before")
    kept = adata.varm[f"{key}_influence"]
    influence = np.asarray(kept.toarray() if hasattr(kept, "toarray") else kept, dtype=np.float64)
    if not np.isfinite(influence).all():
        raise ValueError(f"{name} has values that are NaN or infinite: call identica.tl.dica again")
    if not influence.any():
        raise ValueError(f"{name} holds no influence other than 0: call identica.tl.dica again")
    return influence


def weights_of(adata: AnnData, key: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how each gene follows each component, in units of the gene's standard deviation.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.

    Returns
    -------
    weights : ndarray of shape (n_used, n_components)
        Standard deviations of the gene, in counts those of its own noise, per standard deviation of the component.
    used : ndarray of bool of shape (n_vars,)
        Genes that were fitted and that some component influences.

    Raises
    ------
    KeyError
        If influences or scales are not there.
    ValueError
        If they hold values that are not finite, or none other than 0.
    """
    influence = influence_of(adata, key)
    if f"{key}_scale" not in adata.var:
        raise KeyError(f'var["{key}_scale"] is not there: call identica.tl.dica again')
    scale = np.asarray(adata.var[f"{key}_scale"], dtype=np.float64)
    if not np.isfinite(scale).all():
        raise ValueError(f'var["{key}_scale"] has values that are NaN or infinite: call identica.tl.dica again')
    used = (scale > 0) & (np.abs(influence).sum(axis=1) > 0)
    if not used.any():
        raise ValueError(
            f'no gene has both an influence and a scale other than 0 in varm["{key}_influence"] and '
            f'var["{key}_scale"]: call identica.tl.dica again'
        )
    return influence[used] / scale[used, None], used


def components_of(adata: AnnData, key: str, n_components: int) -> pd.DataFrame | None:
    """Return the table with a row for each component.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.
    n_components : int
        How many they are.

    Returns
    -------
    DataFrame or None
        uns["dica"]["components"]; None where there is none, as in files of an earlier version.

    Raises
    ------
    ValueError
        If it is that of other components.
    """
    table = record_of(adata, key).get(TABLE)
    if table is None:
        return None
    if not isinstance(table, pd.DataFrame) or len(table) != n_components or not {"state", "partner"} <= set(table):
        raise ValueError(
            f'uns["{key}"]["{TABLE}"] is no table of {n_components} components: call identica.tl.dica again'
        )
    return table


def _labels(adata: AnnData, key: str, n_components: int) -> list[str | None]:
    labels = record_of(adata, key).get("labels")
    if labels is None:
        return [None] * n_components
    if not isinstance(labels, pd.DataFrame) or len(labels) != n_components or "label" not in labels:
        raise ValueError(
            f'uns["{key}"]["labels"] is no table of {n_components} labels: call identica.tl.label_components again'
        )
    return [None if pd.isna(label) or label == UNASSIGNED else str(label) for label in labels["label"]]


def component_names(adata: AnnData, key: str, n_components: int) -> list[str]:
    """Return a name of its own for each component: its label, or its number.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.
    n_components : int
        How many they are.

    Returns
    -------
    list of str
        The label where there is one, and "component_0" and so on elsewhere. A label that several components have is
        followed by their numbers, and a slash, which no entry of a file can have in its name, is written as "|".

    Raises
    ------
    ValueError
        If the labels are those of other components.
    """
    labels = _labels(adata, key, n_components)
    names = [f"component_{j}" if label is None else label.replace("/", "|") for j, label in enumerate(labels)]
    counts = Counter(names)
    return [f"{name}_{j}" if counts[name] > 1 else name for j, name in enumerate(names)]


def tick_names(adata: AnnData, key: str, n_components: int) -> list[str]:
    """Return what is written beside components in pictures: number, label and mark.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    key : str
        Name under which the components were written.
    n_components : int
        How many they are.

    Returns
    -------
    list of str
        As "3 GATA1", "4" or "5 (duplicate of 2)".

    Raises
    ------
    ValueError
        If the labels or the table of components are those of others.
    """
    names = [str(j) if label is None else f"{j} {label}" for j, label in enumerate(_labels(adata, key, n_components))]
    table = components_of(adata, key, n_components)
    if table is None:
        return names
    marks = {"duplicate": " (duplicate of {})", "split": " (split from {})"}
    marks |= {state: f" ({state})" for state in ("empty", "technical", "faint")}
    pairs = zip(names, table["state"], table["partner"], strict=True)
    return [name + marks.get(str(state), "").format(partner) for name, state, partner in pairs]
