"""What the tools have written into an AnnData, read back and checked, since anybody may have changed it since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["component_names", "influence_of", "record_of"]


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


def component_names(adata: AnnData, key: str, n_components: int) -> list[str]:
    """Return the components' labels, numbered where they have none.

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
        One per component.

    Raises
    ------
    ValueError
        If the labels are those of other components.
    """
    labels = record_of(adata, key).get("labels")
    if labels is None:
        return [str(j) for j in range(n_components)]
    if not isinstance(labels, pd.DataFrame) or len(labels) != n_components or "label" not in labels:
        raise ValueError(
            f'uns["{key}"]["labels"] is no table of {n_components} labels: call identica.tl.label_components again'
        )
    return [f"{j} {name}" if name != "unassigned" else str(j) for j, name in enumerate(labels["label"])]
