"""The scores by which components are compared with true ones, all at once."""

from __future__ import annotations

from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.arguments import check_integer, local_random
from identica.metrics._validation import check_components
from identica.metrics.correlation import mean_correlation_coefficient
from identica.metrics.disentanglement import MIN_DCI_SAMPLES, dci
from identica.metrics.information import infomec
from identica.metrics.matching import Matching, match_components

__all__ = ["disentanglement_scores", "score_components"]


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


def disentanglement_scores(
    true: ArrayLike, estimated: ArrayLike, *, max_samples: int = 20_000, random_state: int | RandomState | None = 0
) -> dict[str, float]:
    """Measure how components and true ones correspond, by :func:`dci` and :func:`infomec`.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_components)
        Those found, of the same samples.
    max_samples : int, default=20,000
        Of more samples, so many are drawn: forests of many take long, and tell no more.
    random_state : int, RandomState or None, default=0
        Of the draw and of the folds of both.

    Returns
    -------
    dict of str to float
        Each measure by its name, that of the function before it: "dci_disentanglement", "infomec_modularity" and so
        on.

    Examples
    --------
    >>> import numpy as np
    >>> s = np.random.default_rng(0).uniform(size=(400, 2))
    >>> scores = disentanglement_scores(s, s[:, ::-1])
    >>> scores["dci_informativeness"] > 0.95, round(scores["infomec_explicitness"], 6)
    (True, 1.0)
    """
    check_integer("max_samples", max_samples, MIN_DCI_SAMPLES)
    true, estimated = check_components(true, estimated, min_samples=MIN_DCI_SAMPLES)
    if len(true) > max_samples:
        rows = local_random(random_state).choice(len(true), max_samples, replace=False)
        true, estimated = true[rows], estimated[rows]
    of_dci = dci(true, estimated, random_state=random_state)
    information = infomec(true, estimated, random_state=random_state)
    return {
        "dci_disentanglement": of_dci.disentanglement,
        "dci_completeness": of_dci.completeness,
        "dci_informativeness": of_dci.informativeness,
        "infomec_modularity": information.modularity,
        "infomec_compactness": information.compactness,
        "infomec_explicitness": information.explicitness,
    }
