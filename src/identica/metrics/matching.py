"""Which estimated component belongs to which true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array
from identica.metrics.correlation import correlation_matrix
from identica.metrics.regression import r2_matrix


@dataclass(frozen=True, eq=False)
class Matching:
    """The best one-to-one pairing of true and estimated components.

    Parameters
    ----------
    order : ndarray of int, of shape (n_true,)
        Column of `estimated` paired with each column of `true`; -1 where none is left to pair.
    scores : ndarray of shape (n_true,)
        Agreement of each pair, in [0, 1]; 0 where `order` is -1.
    matrix : ndarray of shape (n_true, n_estimated)
        Agreement of all pairs.
    """

    order: NDArray[np.intp]
    scores: Array
    matrix: Array

    @property
    def mean(self) -> float:
        """Mean score over the true components."""
        return float(self.scores.mean())


def match_components(
    true: ArrayLike,
    estimated: ArrayLike,
    *,
    method: Literal["pearson", "spearman", "r2"] = "pearson",
    random_state: int | RandomState | None = 0,
) -> Matching:
    """Pair true with estimated components so that the sum of their agreements is as large as it can be."""
    if method == "r2":
        matrix = r2_matrix(true, estimated, random_state=random_state)
    else:
        matrix = np.abs(correlation_matrix(true, estimated, method=method))
    order, scores = best_assignment(matrix)
    return Matching(order, scores, matrix)
