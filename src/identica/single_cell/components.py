"""A table with a row for each component: how much it does, and whether it is one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from identica.trust.evidence import TOLD
from identica.trust.signs_of_fit import DEAD, TECHNICAL
from identica.trust.telling import share_told

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis

__all__ = ["describe_components"]

MOST_TOP = 10
"""Genes by which a component is compared with others, or a tenth of the genes where these are fewer."""
FAINT = 0.6
"""Of the usual weight of such genes, below which a component is faint. In six simulated sets of counts with two to four
superfluous components each, 9 of 22 of these had 0.24 to 0.56, and those that told a factor 0.78 or more."""
NOBODY = -1
"""In the place of a partner, since files hold no missing whole number."""


def describe_components(
    method: ComponentAnalysis, values: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]]
) -> pd.DataFrame:
    """Mark components that are empty, or tell what stronger ones tell.

    The marks and their bounds are those of :func:`identica.trust.choose`, as far as a single fit has them: whether a
    component comes out again from other cells only other fits can say. "faint" is one more, for counts, in which a
    superfluous component is hardly ever empty, since there is noise to follow.

    Parameters
    ----------
    method : fitted estimator
        Fitted.
    values : ndarray of shape (n_obs, n_components)
        The components of the cells.
    weights : ndarray of shape (n_genes, n_components)
        Mean influences in units of each gene's standard deviation.

    Returns
    -------
    DataFrame of shape (n_components, 7)
        By component: strength, how much it moves all genes, relative to the mean of all components; top_weight, the
        mean of its ten largest absolute weights; n_genes, those that it influences most of all components; told, the
        share of its variance that all stronger ones tell; technical, the share that depth and covariates told before
        it was taken out; state, "empty", "technical", "duplicate", "split", "faint" or "own"; partner, the stronger
        component that a duplicate or split one goes with, and -1 for the others.
    """
    strength = np.asarray(method.component_strength_, dtype=np.float64)
    strength = strength / max(strength.mean(), np.finfo(np.float64).tiny)
    size = method._criterion().group_size
    order = np.argsort(-strength, kind="stable").tolist()
    duplicate_of = {max(pair, key=order.index): min(pair, key=order.index) for pair in method.duplicates_}
    d, sizes = len(strength), np.abs(weights)
    top = np.sort(sizes, axis=0)[-min(MOST_TOP, -(-len(sizes) // 10)) :].mean(axis=0)
    technical = np.asarray(getattr(method, "explained_by_covariates_", np.zeros(d)), dtype=np.float64)
    told, state, partner = np.zeros(d), ["own"] * d, np.full(d, NOBODY)
    for place, j in enumerate(order):
        stronger = [k for k in order[:place] if k // size != j // size]
        if stronger:
            told[j] = share_told(values[:, [j]], values[:, stronger])[0]
        if strength[j] < DEAD:
            state[j] = "empty"
        elif technical[j] >= TECHNICAL:
            state[j] = "technical"
        elif j in duplicate_of:
            state[j], partner[j] = "duplicate", duplicate_of[j]
        elif told[j] >= TOLD:
            alone = [share_told(values[:, [j]], values[:, [k]])[0] for k in stronger]
            state[j], partner[j] = "split", stronger[int(np.argmax(alone))]
        elif top[j] < FAINT * np.median(top):
            state[j] = "faint"
    leading = np.bincount(sizes[sizes.any(axis=1)].argmax(axis=1), minlength=d)
    return pd.DataFrame(
        {
            "strength": strength,
            "top_weight": top,
            "n_genes": leading,
            "told": told,
            "technical": technical,
            "state": state,
            "partner": partner,
        },
        index=[f"component_{j}" for j in range(d)],
    )
