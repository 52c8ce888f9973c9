"""How well blocks of true components are predicted from blocks of estimated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array, check_blocks, check_components
from identica.metrics.prediction import ALPHAS, GAMMAS, MAX_SAMPLES, kernel_ridge_r2
from identica.metrics.regression import MIN_SAMPLES, r2_matrix

__all__ = ["BlockR2", "block_r2"]


@final
@dataclass(frozen=True, eq=False)
class BlockR2:
    """How well each true block is predicted from its matched block of estimates, and from the others.

    Parameters
    ----------
    order : ndarray of int, of shape (n_true_blocks,)
        Block of estimates matched with each true block; -1 where none is left.
    scores : ndarray of shape (n_true_blocks,)
        R^2 of each true block from its matched block, in [0, 1]; 0 where `order` is -1.
    matrix : ndarray of shape (n_true_blocks, n_estimated_blocks)
        R^2 of every true block from every block of estimates.
    estimated_blocks : tuple of tuple of int
        Columns of each block of estimates, as given or as assigned.

    Examples
    --------
    >>> found = BlockR2(np.array([1, 0]), np.array([1.0, 0.5]), np.array([[0.25, 1.0], [0.5, 0.25]]), ((0,), (1,)))
    >>> found.mean, found.slot_identifiability
    (0.75, 0.5)
    """

    order: NDArray[np.intp]
    scores: Array
    matrix: Array
    estimated_blocks: tuple[tuple[int, ...], ...]

    @property
    def mean(self) -> float:
        """Mean score over the true blocks, those without a match included."""
        return float(self.scores.mean())

    @property
    def slot_identifiability(self) -> float:
        """Mean score less the mean over true blocks of the best R^2 from a block that is not the match."""
        others = np.where(np.arange(self.matrix.shape[1]) == self.order[:, None], 0.0, self.matrix)
        return float(self.mean - others.max(axis=1).mean())


def block_r2(
    true: ArrayLike,
    estimated: ArrayLike,
    true_blocks: Sequence[Sequence[int]],
    estimated_blocks: Sequence[Sequence[int]] | None = None,
    *,
    alphas: Sequence[float] = ALPHAS,
    gammas: Sequence[float] = GAMMAS,
    max_samples: int = MAX_SAMPLES,
    random_state: int | RandomState | None = 0,
) -> BlockR2:
    """Compute how well each true block is predicted from its matched block of estimates.

    The R^2 of true block B from block C of estimates is the mean of :func:`kernel_ridge_r2` of the components of B,
    given those of C. Blocks are matched one to one so that the sum of their R^2 is as large as possible.

    Without `estimated_blocks`, each estimate is first assigned to a true block, and block k of the estimates is the
    match of true block k. No true block gets more estimates than it has components, and the assignment maximises

        sum_k sum_{j in B(k)} R^2[j, k],

    with R^2 of :func:`r2_matrix`, of true component j given estimate k alone, and B(k) the block to which estimate k
    is assigned. Surplus estimates belong to no block; a block that gets none has the score 0. This looks at the
    truth, and so it is generous: pass the blocks where the method has them.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    true_blocks : sequence of sequences of int
        Columns of `true` in each block, each column once.
    estimated_blocks : sequence of sequences of int, or None, default=None
        Columns of `estimated` in each block, none twice; columns in no block are not used.
    alphas, gammas : sequence of float
        Candidates of :func:`kernel_ridge_r2`.
    max_samples : int, default=1000
        Most samples used for the kernel ridge regression; the assignment uses all.
    random_state : int, RandomState or None, default=0
        Draws the samples and the folds.

    Returns
    -------
    BlockR2
        The matched blocks, their scores and those of all pairs of blocks.

    Raises
    ------
    ValueError
        As :func:`kernel_ridge_r2`, and if blocks are empty, overlap, name columns that do not exist or, for
        `true_blocks`, leave one out.
    TypeError
        If an input does not hold real numbers, or the blocks or `max_samples` no integers.

    References
    ----------
    J. Brady, R. S. Zimmermann, Y. Sharma, B. Schölkopf, J. von Kügelgen and W. Brendel, "Provably learning
    object-centric representations", ICML 2023, experiments: the slot identifiability score. Here it is not corrected
    for dependence between the true blocks; the assignment of single estimates is our choice.

    Examples
    --------
    >>> true = np.random.default_rng(0).normal(size=(200, 4))
    >>> estimated = np.hstack([true[:, 2:] @ [[1.0, 1.0], [-1.0, 1.0]], true[:, :2]])
    >>> found = block_r2(true, estimated, [[0, 1], [2, 3]])
    >>> found.estimated_blocks, found.scores.round(1).tolist()
    (((2, 3), (0, 1)), [1.0, 1.0])
    """
    true, estimated = check_components(true, estimated, min_samples=MIN_SAMPLES)
    blocks = check_blocks(true_blocks, true.shape[1], "true_blocks")
    if estimated_blocks is None:
        found = _assigned_blocks(r2_matrix(true, estimated, random_state=random_state), blocks)
    else:
        found = check_blocks(estimated_blocks, estimated.shape[1], "estimated_blocks", complete=False)
    of_components = np.zeros((true.shape[1], len(found)))
    for k, columns in enumerate(found):
        if columns:
            of_components[:, k] = kernel_ridge_r2(
                true,
                estimated[:, list(columns)],
                alphas=alphas,
                gammas=gammas,
                max_samples=max_samples,
                random_state=random_state,
            )
    matrix = np.array([of_components[list(block)].mean(axis=0) for block in blocks])
    if estimated_blocks is not None:
        order, scores = best_assignment(matrix)
    else:
        order = np.array([k if columns else -1 for k, columns in enumerate(found)], dtype=np.intp)
        scores = matrix.diagonal().copy()
    return BlockR2(order, scores, matrix, found)


def _assigned_blocks(agreement: Array, blocks: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """Return the estimates of each true block under the best assignment with the blocks' sizes as capacities."""
    by_block = [agreement[list(block)].sum(axis=0) for block in blocks]
    places = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    order, _ = best_assignment(np.array(by_block)[places])
    return tuple(tuple(sorted(order[(places == b) & (order >= 0)].tolist())) for b in range(len(blocks)))
