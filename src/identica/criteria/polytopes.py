"""Polytopes in which vectors are held, and their gauges: how far a vector is out, 1 on the boundary.

References
----------
G. Tatli and A. T. Erdogan, "Polytopic Matrix Factorization: Determinant Maximization Based Criterion and
Identifiability", IEEE Transactions on Signal Processing 69, 2021: the polytopes, section II.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["NONNEGATIVE", "POLYTOPES", "gauge"]

POLYTOPES = ("l1", "max", "simplex", "nonnegative-l1", "nonnegative-max")
"""Unit ball of the L1 norm, cube, unit simplex, and the parts of ball and cube with no negative entry."""
NONNEGATIVE = ("simplex", "nonnegative-l1", "nonnegative-max")
NEGATIVE_COST = 10.0
"""Length that a negative entry counts for, in the polytopes that have none: noise makes some."""


def gauge(rows: Tensor, polytope: str) -> Tensor:
    """Return the gauge of each row: the least number t >= 0 with row / t in the polytope.

    ============================  ======================================================
    "l1"                          sum_j |y_j|
    "max"                         max_j |y_j|
    "simplex", "nonnegative-l1"   sum_j y_j where y >= 0
    "nonnegative-max"             max_j y_j where y >= 0
    ============================  ======================================================

    A negative entry counts ten times its size in the last two lines, which makes the gauge finite: it is that of the
    polytope made larger by a tenth towards negative entries. The simplex is the face of the nonnegative L1
    ball that data with entries of sum 1 lie on, and the largest volume in the ball is that in the face.

    Parameters
    ----------
    rows : Tensor of shape (..., d)
        Vectors.
    polytope : str
        One of ``POLYTOPES``.

    Returns
    -------
    Tensor of shape (...)
        At least 0.

    Raises
    ------
    ValueError
        If the polytope is unknown.

    Examples
    --------
    >>> y = torch.tensor([3.0, -1.0])
    >>> [float(gauge(y, polytope)) for polytope in POLYTOPES]
    [4.0, 3.0, 13.0, 13.0, 10.0]
    """
    if polytope not in POLYTOPES:
        raise ValueError(f"polytope={polytope!r} is not known: use one of {', '.join(POLYTOPES)}")
    sizes = torch.where(rows < 0, -NEGATIVE_COST * rows, rows) if polytope in NONNEGATIVE else rows.abs()
    return sizes.amax(-1) if polytope.endswith("max") else sizes.sum(-1)
