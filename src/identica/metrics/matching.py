"""Which estimated component belongs to which true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_choice
from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array
from identica.metrics.correlation import correlation_matrix
from identica.metrics.regression import r2_matrix


@dataclass(frozen=True, eq=False)
class Matching:
    """A one-to-one pairing of true and estimated components, and how well the pairs agree.

    With as many estimates as true components, ``estimated[:, matching.order]`` has the order of `true`.

    Parameters
    ----------
    order : ndarray of int, of shape (n_true,)
        Column of `estimated` paired with each column of `true`; -1 where no estimate is left.
    scores : ndarray of shape (n_true,)
        Agreement of each pair, in [0, 1]; 0 where `order` is -1.
    matrix : ndarray of shape (n_true, n_estimated)
        Agreement of every true with every estimated component.

    Examples
    --------
    >>> Matching(np.array([1, 0]), np.array([1.0, 0.5]), np.array([[0.2, 1.0], [0.5, 0.1]])).mean
    0.75
    """

    order: NDArray[np.intp]
    scores: Array
    matrix: Array

    @property
    def mean(self) -> float:
        """Mean score over the true components, those without an estimate included."""
        return float(self.scores.mean())


def match_components(
    true: ArrayLike,
    estimated: ArrayLike,
    *,
    method: Literal["pearson", "spearman", "r2"] = "pearson",
    random_state: int | RandomState | None = 0,
) -> Matching:
    """Pair true with estimated components so that the sum of the pairs' agreements is as large as possible.

    The agreement is the absolute correlation or the held-out R^2 of the true component given the estimate.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    method : {"pearson", "spearman", "r2"}, default="pearson"
        What agreement is.
    random_state : int, RandomState or None, default=0
        Draws the folds for "r2"; not used otherwise.

    Returns
    -------
    Matching
        The pairs, their scores and the scores of all pairs.

    Raises
    ------
    ValueError
        If `method` is not known, and as :func:`correlation_matrix` and :func:`r2_matrix`.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    H. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> true = np.random.default_rng(0).normal(size=(100, 3))
    >>> match_components(true, -true[:, [2, 0, 1]], method="spearman").order.tolist()
    [1, 2, 0]
    """
    check_choice("method", method, ("pearson", "spearman", "r2"))
    if method == "r2":
        matrix = r2_matrix(true, estimated, random_state=random_state)
    else:
        matrix = np.abs(correlation_matrix(true, estimated, method=method))
    order, scores = best_assignment(matrix)
    return Matching(order, scores, matrix)
