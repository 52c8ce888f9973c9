"""How far an estimated linear mixing is from the true one, up to order, sign and scale of its columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from identica.metrics._validation import Array, check_array

__all__ = ["amari_distance"]


def amari_distance(true_mixing: ArrayLike, estimated_mixing: ArrayLike) -> float:
    """Compute the normalised Amari error of an estimated mixing matrix.

    With A the true and B the estimated mixing, all columns scaled to length 1, and P = |pinv(B) A|,

        1 / (2 d (d - 1))  [ sum_i (sum_j P_ij / max_j P_ij - 1)  +  sum_j (sum_i P_ij / max_i P_ij - 1) ].

    It is 0 if and only if P is a permutation, up to sign and scale, and 1 where all entries of P are equal.
    It does not change with the order, sign and scale of the columns of either matrix: without the common length
    the error would depend on their scale. A row or column of P that is zero counts as the worst there can be.
    With more features than components, P does not see what of A lies outside the span of B.

    Parameters
    ----------
    true_mixing : array-like of shape (n_features, n_components)
        A, of full column rank.
    estimated_mixing : array-like of shape (n_features, n_components)
        B, of full column rank.

    Returns
    -------
    float
        Between 0 and 1, where 0 is perfect; 0 where there is one component.

    Raises
    ------
    ValueError
        If an input is no finite matrix, if the two differ in shape, or if the columns of one are linearly
        dependent.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    S. Amari, A. Cichocki and H. H. Yang, "A new learning algorithm for blind signal separation", NeurIPS 1996:
    the error, without the factor in front.
    F. R. Bach and M. I. Jordan, "Kernel independent component analysis", Journal of Machine Learning Research 3,
    2002: the factor. The columns of length 1 are our choice.

    Examples
    --------
    >>> mixing = np.array([[2.0, 1.0], [0.0, 1.0]])
    >>> round(amari_distance(mixing, -3 * mixing[:, ::-1]), 6)
    0.0
    >>> round(amari_distance([[1, 1], [1, -1]], np.eye(2)), 6)
    1.0
    """
    true = _unit_mixing(true_mixing, "true_mixing")
    estimated = _unit_mixing(estimated_mixing, "estimated_mixing")
    if true.shape != estimated.shape:
        raise ValueError(
            f"true_mixing has shape {true.shape} and estimated_mixing has {estimated.shape}: "
            "both must map as many components to the same features"
        )
    n_components = true.shape[1]
    if n_components == 1:
        return 0.0
    product = np.abs(np.linalg.pinv(estimated) @ true)
    excess = _excess(product).sum() + _excess(product.T).sum()
    return float(excess / (2 * n_components * (n_components - 1)))


def _unit_mixing(values: ArrayLike, name: str) -> Array:
    mixing = check_array(values, name, ("n_features", "n_components"))
    # Scaled first, so that no square overflows or vanishes.
    largest = np.abs(mixing).max(axis=0)
    scaled = mixing / np.where(largest > 0, largest, 1.0)
    scaled /= np.where(largest > 0, np.linalg.norm(scaled, axis=0), 1.0)
    rank = int(np.linalg.matrix_rank(scaled))
    if rank < scaled.shape[1]:
        raise ValueError(
            f"{name} has {scaled.shape[1]} columns of rank {rank}: they must be linearly independent, "
            "drop components that are zero or repeat others"
        )
    return np.asarray(scaled)


def _excess(product: Array) -> Array:
    """Return by how much the sum of each row exceeds its largest entry, in units of that entry."""
    largest = product.max(axis=1)
    # A row that is nothing but rounding error: nothing of it has been found.
    found = largest > np.finfo(np.float64).eps * len(product) * product.max()
    ratio = product.sum(axis=1) / np.where(found, largest, 1.0)
    return np.asarray(np.where(found, ratio - 1, product.shape[1] - 1.0))
