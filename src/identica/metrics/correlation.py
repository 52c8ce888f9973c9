"""Mean correlation coefficient between true and estimated components."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array, check_components, is_constant


def correlation_matrix(
    true: ArrayLike, estimated: ArrayLike, *, method: Literal["pearson", "spearman"] = "pearson"
) -> Array:
    """Compute the correlation of every true with every estimated component."""
    true, estimated = check_components(true, estimated)
    if method == "spearman":
        true, estimated = rankdata(true, axis=0), rankdata(estimated, axis=0)
    return np.asarray(_unit_columns(true).T @ _unit_columns(estimated)).clip(-1, 1)


def _unit_columns(matrix: Array) -> Array:
    centred = matrix - matrix.mean(axis=0)
    centred[:, is_constant(matrix)] = 0.0
    norms = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(norms == 0, 1.0, norms))


def mean_correlation_coefficient(
    true: ArrayLike, estimated: ArrayLike, *, method: Literal["pearson", "spearman"] = "pearson"
) -> float:
    """Compute the mean absolute correlation of matched components (MCC)."""
    matrix = np.abs(correlation_matrix(true, estimated, method=method))
    return float(best_assignment(matrix)[1].mean())
