"""The rows to train on and those held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["split_rows"]


def split_rows(n_samples: int, fraction: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the rows to train on and those held out for validation.

    Parameters
    ----------
    n_samples : int
        Number of all rows.
    fraction : float
        Share to hold out.
    seed : int
        Of the draw.

    Returns
    -------
    kept : ndarray of int
        Rows to train on.
    held_out : ndarray of int
        The others; none where fewer than two rows would be left.
    """
    rows = np.random.default_rng(seed).permutation(n_samples)
    n_held_out = round(fraction * n_samples)
    if n_samples - n_held_out < 2:
        n_held_out = 0
    return rows[n_held_out:], rows[:n_held_out]
