"""Mean correlation coefficient between true and estimated components."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from identica.arguments import check_choice
from identica.metrics._assignment import best_assignment
from identica.metrics._scaling import unit_columns
from identica.metrics._validation import Array, check_components


def correlation_matrix(
    true: ArrayLike, estimated: ArrayLike, *, method: Literal["pearson", "spearman"] = "pearson"
) -> Array:
    """Compute the correlation of every true with every estimated component.

    Entry (j, k) is Pearson's correlation of column j of `true` with column k of `estimated`, or that of their
    ranks (Spearman's; ties have their mean rank). A constant estimated component has correlation 0 with all.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    method : {"pearson", "spearman"}, default="pearson"
        Which correlation.

    Returns
    -------
    ndarray of shape (n_true, n_estimated)
        Correlations in [-1, 1].

    Raises
    ------
    ValueError
        If an input is no finite matrix, if the two differ in length or have fewer than 2 rows, if a true
        component is constant, or if `method` is not known.
    TypeError
        If an input does not hold real numbers.

    Examples
    --------
    >>> true = np.array([[0.0], [1.0], [2.0]])
    >>> correlation_matrix(true, np.hstack([-3 * true, 0 * true])).round(6).tolist()
    [[-1.0, 0.0]]
    """
    check_choice("method", method, ("pearson", "spearman"))
    true, estimated = check_components(true, estimated)
    if method == "spearman":
        true, estimated = rankdata(true, axis=0), rankdata(estimated, axis=0)
    correlations = unit_columns(true).T @ unit_columns(estimated)
    return np.asarray(correlations.clip(-1.0, 1.0))


def mean_correlation_coefficient(
    true: ArrayLike, estimated: ArrayLike, *, method: Literal["pearson", "spearman"] = "pearson"
) -> float:
    """Compute the mean absolute correlation of true components with their matched estimates (MCC).

        MCC = max over one-to-one maps pi of  1/d sum_j |corr(s_j, s_hat_pi(j))|,   d = n_true.

    It does not change with the order, sign and scale of the components and, for "spearman", with monotone
    maps of single ones. Where there are fewer estimates than true components, those left over count as 0;
    surplus estimates do not count.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    method : {"pearson", "spearman"}, default="pearson"
        Which correlation.

    Returns
    -------
    float
        Between 0 and 1, where 1 is perfect.

    Raises
    ------
    ValueError
        As :func:`correlation_matrix`.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    A. Hyvarinen and H. Morioka, "Unsupervised feature extraction by time-contrastive learning and nonlinear
    ICA", NeurIPS 2016: mean absolute correlation after matching.
    I. Khemakhem, D. Kingma, R. Monti and A. Hyvarinen, "Variational autoencoders and nonlinear ICA: a
    unifying framework", AISTATS 2020: the name, and the assignment problem.
    H. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> true = np.random.default_rng(0).normal(size=(100, 2))
    >>> round(mean_correlation_coefficient(true, -5 * true[:, ::-1]), 6)
    1.0
    """
    return float(best_assignment(np.abs(correlation_matrix(true, estimated, method=method)))[1].mean())
