"""Ranks of methods over data sets, and whether they differ by more than chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from identica.arguments import check_integer, check_real

__all__ = ["average_ranks", "critical_difference", "friedman_test", "indistinct_groups"]


def average_ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Rank the methods on each data set, 1 for the best, and average over data sets.

    Parameters
    ----------
    scores : array-like of shape (n_datasets, n_methods)
        More is better; minus infinity where there is none. Equal scores share the mean of their ranks.

    Returns
    -------
    ndarray of shape (n_methods,)
        In [1, n_methods], with the sum n_methods (n_methods + 1) / 2.

    Raises
    ------
    ValueError
        If there is no score, or one is NaN.

    Examples
    --------
    >>> average_ranks([[0.9, 0.5, 0.5], [0.8, 0.7, -np.inf]]).tolist()
    [1.0, 2.25, 2.75]
    """
    return np.asarray(_ranks(scores).mean(axis=0))


def friedman_test(scores: ArrayLike) -> tuple[float, float]:
    """Test whether all methods are equally good.

    The statistic is 12 N / (k (k + 1)) [sum_j R_j² - k (k + 1)² / 4] with N data sets, k methods and average ranks R_j,
    corrected for ties; without any difference it has nearly the chi-squared distribution with k - 1 degrees of freedom.

    Parameters
    ----------
    scores : array-like of shape (n_datasets, n_methods)
        As in :func:`average_ranks`.

    Returns
    -------
    statistic : float
        0 where all methods are tied on all data sets.
    p_value : float
        Of so large a statistic, or a larger one.

    Raises
    ------
    ValueError
        If there are fewer than three methods or two data sets, or a score is NaN.

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, section 3.2.2.

    Examples
    --------
    >>> statistic, p_value = friedman_test([[3, 2, 1], [3, 2, 1], [3, 2, 1]])
    >>> round(statistic, 6), round(p_value, 4)
    (6.0, 0.0498)
    """
    ranks = _ranks(scores)
    n_datasets, n_methods = ranks.shape
    if n_methods < 3 or n_datasets < 2:
        raise ValueError(
            f"{n_methods} methods on {n_datasets} data sets are too few for Friedman's test: give at least 3 on 2"
        )
    if np.all(ranks == ranks[0, 0]):
        return 0.0, 1.0
    found = friedmanchisquare(*ranks.T)
    return float(found.statistic), float(found.pvalue)


def critical_difference(n_methods: int, n_datasets: int, *, alpha: float = 0.05) -> float:
    """Return by how much average ranks of two methods must differ for Nemenyi's test to tell the methods apart.

    CD = q sqrt(k (k + 1) / (6 N)) with N data sets and k methods; q is the quantile 1 - alpha of the studentized range
    of k means with infinite degrees of freedom, over sqrt(2).

    Parameters
    ----------
    n_methods, n_datasets : int
        How many there are of each.
    alpha : float, default=0.05
        Level of the test, over all pairs together.

    Returns
    -------
    float
        The difference.

    Raises
    ------
    TypeError
        If a number is of another kind.
    ValueError
        If there are fewer than two methods or no data set, or `alpha` is not between 0 and 1.

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, section 3.2.2, table 5.

    Examples
    --------
    >>> round(critical_difference(4, 14), 2), round(critical_difference(4, 14, alpha=0.1), 2)
    (1.25, 1.12)
    """
    n_methods = check_integer("n_methods", n_methods, 2)
    n_datasets = check_integer("n_datasets", n_datasets, 1)
    alpha = check_real("alpha", alpha, above=0, below=1)
    quantile = float(studentized_range.ppf(1 - alpha, n_methods, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets)))


def indistinct_groups(ranks: ArrayLike, difference: float) -> tuple[tuple[int, ...], ...]:
    """Group methods whose average ranks do not differ by a critical difference.

    Parameters
    ----------
    ranks : array-like of shape (n_methods,)
        Average ranks.
    difference : float
        See :func:`critical_difference`.

    Returns
    -------
    tuple of tuple of int
        Indices of methods, the best first. Each group is as large as can be and has at least two; groups may overlap.

    Examples
    --------
    >>> indistinct_groups([1.2, 3.9, 2.0, 2.9], 1.0)
    ((0, 2), (2, 3))
    """
    values = np.asarray(ranks, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    groups: list[tuple[int, ...]] = []
    end = 0
    for start, first in enumerate(order):
        last = start + int(np.sum(values[order[start:]] - values[first] < difference))
        # A group that ends where one before it does is a part of that one.
        if last > max(end, start + 1):
            groups.append(tuple(order[start:last].tolist()))
            end = last
    return tuple(groups)


def _ranks(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or np.isnan(values).any():
        raise ValueError(
            f"scores of shape {values.shape} cannot be ranked: give one row per data set and one column per method, "
            "with minus infinity where there is no score"
        )
    return np.asarray(rankdata(-values, axis=1), dtype=np.float64)
