"""Columns of the same length, whatever their units."""

from __future__ import annotations

import numpy as np

from identica.metrics._validation import Array, is_constant


def unit_columns(matrix: Array) -> Array:
    """Return centred columns of unit length; a constant column becomes zero."""
    constant = is_constant(matrix)
    # Scaled first, so that no square overflows or vanishes.
    scaled = matrix / np.where(constant, 1.0, np.abs(matrix).max(axis=0))
    centred = np.where(constant, 0.0, scaled - scaled.mean(axis=0))
    return np.asarray(centred / np.where(constant, 1.0, np.linalg.norm(centred, axis=0)))
