"""How much the columns of a Jacobian, or blocks of them, share: in angle, or in the rows that they act on.

J of shape (m, d) has the derivatives of m features by d components.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from identica.metrics._validation import Array, check_array, check_blocks

__all__ = ["compositional_contrast", "independent_mechanism_contrast"]


def independent_mechanism_contrast(jacobians: ArrayLike) -> float:
    """Compute the mean contrast of independent mechanism analysis.

        mean over samples of  sum_j log ||J[:, j]|| - 1/2 log det J'J

    It is 0 where the columns of each Jacobian are orthogonal, more elsewhere (Hadamard's inequality), and infinite
    where columns are linearly dependent to working precision. It does not change with the order and scale of the
    columns, nor with rotations of the features.

    Parameters
    ----------
    jacobians : array-like of shape (n_samples, n_features, n_components)
        Jacobians of the decoder, or of the true mixing.

    Returns
    -------
    float
        At least 0, in nats.

    Raises
    ------
    ValueError
        If the input is no finite array of three axes, if there are fewer features than components, or if a column
        is zero.
    TypeError
        If the input does not hold real numbers.

    References
    ----------
    L. Gresele, J. von Kügelgen, V. Stimper, B. Schölkopf and M. Besserve, "Independent mechanism analysis, a new
    concept?", NeurIPS 2021, equation (10).

    Examples
    --------
    >>> independent_mechanism_contrast([[[2.0, 0.0], [0.0, 3.0]]])
    0.0
    >>> round(2 * independent_mechanism_contrast([[[1.0, 1.0], [0.0, 1.0]]]), 6)  # log 2
    0.693147
    """
    checked = check_array(jacobians, "jacobians", ("n_samples", "n_features", "n_components"))
    n_features, n_components = checked.shape[1:]
    if n_features < n_components:
        raise ValueError(
            f"jacobians have {n_features} features and {n_components} components: the volume needs at least as many "
            "features as components"
        )
    largest = np.abs(checked).max(axis=1, keepdims=True)
    zero = np.argwhere(largest[:, 0] == 0)
    if zero.size:
        sample, component = zero[0]
        raise ValueError(
            f"jacobians[{sample}] has a zero column {component}: the contrast is not defined there, drop components "
            "that change nothing"
        )
    scaled = checked / largest  # so that no square overflows or vanishes
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    heights = np.abs(np.diagonal(np.linalg.qr(scaled, mode="r"), axis1=1, axis2=2))
    flat = heights <= np.finfo(np.float64).eps * n_features
    if flat.any():
        return float("inf")
    return float(np.maximum(-np.log(heights).sum(axis=1), 0.0).mean())


def compositional_contrast(
    jacobians: ArrayLike, blocks: Sequence[Sequence[int]] | None = None, *, normalized: bool = False
) -> float:
    """Compute the mean compositional contrast: how far features depend on several blocks of components at once.

    With a_ik the norm of row i of J in the columns of block k, it is the mean over samples of

        sum_i sum_{k < l} a_ik a_il,

    or, normalised, of the mean over the pairs k < l of

        sum_i a_ik a_il / (||a_.k|| ||a_.l||),

    the cosine of the angle between two blocks' norms. Both are 0 if and only if each feature depends on one block
    at most; the normalised form is 1 where all blocks act on the features in the same proportions, and does not
    change with the scale of a block. Pairs with a block that is zero, and single blocks, have the contrast 0.

    Both score components as they are: they change with linear maps of the components of a block, but for rotations
    and, where normalised, a common scale. The criterion :class:`identica.criteria.Compositionality`, by which
    components are sought, takes a_ik in an orthonormal basis of each block's columns instead: within a block any
    linear map is as good there, and columns that fall together must not pay. So minus the criterion is the normalised
    contrast of Jacobians whose blocks have been replaced by orthonormal bases of them. For blocks of one component the
    two are equal, and both are 0 at the same Jacobians.

    Parameters
    ----------
    jacobians : array-like of shape (n_samples, n_features, n_components)
        Jacobians of the decoder, or of the true mixing.
    blocks : sequence of sequences of int, or None, default=None
        Columns of each block, each column once; None means that each column is a block.
    normalized : bool, default=False
        Whether to take cosines.

    Returns
    -------
    float
        At least 0, in squared units of the Jacobian; between 0 and 1 where normalised.

    Raises
    ------
    ValueError
        If the input is no finite array of three axes, if the blocks do not hold each column once, or if a contrast is
        larger than all floating-point numbers.
    TypeError
        If the input does not hold real numbers, if the blocks are no lists of integers, or if `normalized` is neither
        true nor false.

    References
    ----------
    J. Brady, R. S. Zimmermann, Y. Sharma, B. Schölkopf, J. von Kügelgen and W. Brendel, "Provably learning
    object-centric representations", ICML 2023, definition of the compositional contrast. The normalised form is
    our choice.

    Examples
    --------
    >>> jacobian = [[[3.0, 4.0, 0.0], [0.0, 0.0, 2.0], [0.0, 1.0, 1.0]]]
    >>> compositional_contrast(jacobian, [[0, 1], [2]])
    1.0
    >>> compositional_contrast(jacobian)
    13.0
    """
    if not isinstance(normalized, bool | np.bool_):
        raise TypeError(f"normalized={normalized!r} is neither True nor False: pass one of them")
    checked = check_array(jacobians, "jacobians", ("n_samples", "n_features", "n_components"))
    n_components = checked.shape[2]
    columns = [[k] for k in range(n_components)] if blocks is None else check_blocks(blocks, n_components, "blocks")
    if len(columns) == 1:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.stack([_row_norms(checked[:, :, list(block)], bool(normalized)) for block in columns], axis=2)
        of_pairs = np.matmul(norms.transpose(0, 2, 1), norms)[:, *np.triu_indices(len(columns), 1)]
        contrast = float((of_pairs.mean(axis=1).clip(0.0, 1.0) if normalized else of_pairs.sum(axis=1)).mean())
    if not np.isfinite(contrast):
        raise ValueError(
            f"jacobians have values up to {np.abs(checked).max():g}, whose products are too large for a float: divide "
            "them by a number, or pass normalized=True"
        )
    return contrast


def _row_norms(block: Array, normalized: bool) -> Array:
    """Return the norms of a block's rows, of shape (n_samples, n_features), as unit vectors if asked for."""
    if not normalized:
        return np.asarray(np.linalg.norm(block, axis=2))
    largest = np.abs(block).max(axis=(1, 2))[:, None]
    # Scaled first, so that no square overflows or vanishes; a zero block stays zero.
    norms = np.linalg.norm(block / np.where(largest > 0, largest, 1.0)[:, :, None], axis=2)
    return np.asarray(norms / np.where(largest > 0, np.linalg.norm(norms, axis=1, keepdims=True), 1.0))
