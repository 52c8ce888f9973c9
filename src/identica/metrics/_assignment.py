"""The assignment problem behind every matched score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from identica.metrics._validation import Array


def best_assignment(agreement: Array) -> tuple[NDArray[np.intp], Array]:
    """Return each row's column (-1 for none) and its score under the assignment with the largest sum."""
    rows, columns = linear_sum_assignment(agreement, maximize=True)
    order = np.full(len(agreement), -1, dtype=np.intp)
    scores = np.zeros(len(agreement))
    order[rows] = columns
    scores[rows] = agreement[rows, columns]
    return order, scores
