"""The scores by which components are compared with true ones, all at once."""

from __future__ import annotations

from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.metrics.correlation import mean_correlation_coefficient
from identica.metrics.matching import Matching, match_components

__all__ = ["score_components"]


def score_components(
    true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0
) -> tuple[dict[str, float], Matching]:
    """Score components against the true ones, up to order and maps of single components.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_components)
        Those found, of the same samples.
    random_state : int, RandomState or None, default=0
        Of the split between samples on which R² is fitted and scored.

    Returns
    -------
    scores : dict of str to float
        "r2_mean", "mcc_pearson" and "mcc_spearman".
    matching : Matching
        By R².

    Examples
    --------
    >>> import numpy as np
    >>> s = np.random.default_rng(0).uniform(size=(400, 2))
    >>> scores, matching = score_components(s, s[:, ::-1])
    >>> round(scores["mcc_pearson"], 2), matching.order.tolist()
    (1.0, [1, 0])
    """
    matching = match_components(true, estimated, method="r2", random_state=random_state)
    scores = {
        "r2_mean": matching.mean,
        "mcc_pearson": mean_correlation_coefficient(true, estimated, method="pearson"),
        "mcc_spearman": mean_correlation_coefficient(true, estimated, method="spearman"),
    }
    return scores, matching
