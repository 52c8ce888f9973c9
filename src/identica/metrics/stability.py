"""Whether several fits of the same samples agree, which needs no truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from identica.arguments import check_choice, check_list
from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array, check_array, is_constant
from identica.metrics.correlation import correlation_matrix

__all__ = ["SeedAgreement", "seed_agreement"]


@final
@dataclass(frozen=True, eq=False)
class SeedAgreement:
    """How well several fits agree with one another.

    Parameters
    ----------
    mean : float
        Mean over all pairs of fits, in [0, 1].
    per_fit : ndarray of shape (n_fits,)
        Mean agreement of each fit with the others: a low one marks the fit that stands apart.
    pairs : ndarray of shape (n_fits, n_fits)
        Agreement of each two fits; 1 on the diagonal.
    """

    mean: float
    per_fit: Array
    pairs: Array


def seed_agreement(
    components: Sequence[ArrayLike], *, method: Literal["pearson", "spearman"] = "spearman"
) -> SeedAgreement:
    """Compute how well the components of several fits agree, up to order, sign and scale.

    The agreement of two fits is the mean absolute correlation of their components after the best one-to-one
    matching (:func:`mean_correlation_coefficient`),

        mean over pairs a < b of  max over permutations pi of  1/d sum_j |corr(s_a,j , s_b,pi(j))|.

    High agreement does not make components true: fits can share a fault. Low agreement says that at most some of
    them are right. A constant component agrees with nothing.

    Parameters
    ----------
    components : sequence of array-like, each of shape (n_samples, n_components)
        Components of the same samples, one matrix for each fit.
    method : {"pearson", "spearman"}, default="spearman"
        Which correlation; "spearman" does not see monotone maps of single components.

    Returns
    -------
    SeedAgreement
        The mean over pairs, the mean of each fit, and all pairs.

    Raises
    ------
    ValueError
        If there are fewer than two fits, if they differ in shape or have fewer than 2 rows, if one is no finite
        matrix, or if `method` is not known.
    TypeError
        If there is no list of fits, or one is no array or does not hold real numbers.

    References
    ----------
    A. Hyvarinen and H. Morioka, "Unsupervised feature extraction by time-contrastive learning and nonlinear
    ICA", NeurIPS 2016: mean absolute correlation after matching, here between estimates.
    J. Himberg, A. Hyvarinen and F. Esposito, "Validating the independent components of neuroimaging time series
    via clustering and visualization", NeuroImage 22(3), 2004: agreement of several runs as a sign of reliability.

    Examples
    --------
    >>> first = np.random.default_rng(0).normal(size=(100, 2))
    >>> round(seed_agreement([first, -first[:, ::-1], np.exp(first)]).mean, 6)
    1.0
    """
    check_choice("method", method, ("pearson", "spearman"))
    axes = ("n_samples", "n_components")
    given = check_list("components", components, "one matrix for each fit, as [first, second]")
    fits = [check_array(fit, f"components[{k}]", axes) for k, fit in enumerate(given)]
    if len(fits) < 2:
        raise ValueError(f"components holds {len(fits)} fits: pass at least two to compare")
    for k, fit in enumerate(fits):
        if fit.shape != fits[0].shape:
            raise ValueError(
                f"components[{k}] has shape {fit.shape} and components[0] has {fits[0].shape}: "
                "all fits must have as many components of the same samples"
            )
    if len(fits[0]) < 2:
        raise ValueError(f"n_samples={len(fits[0])} is too few: pass at least 2 rows")
    pairs = np.eye(len(fits))
    for a, b in combinations(range(len(fits)), 2):
        pairs[a, b] = pairs[b, a] = _agreement(fits[a], fits[b], method)
    per_fit = (pairs.sum(axis=1) - 1) / (len(fits) - 1)
    return SeedAgreement(mean=float(per_fit.mean()), per_fit=per_fit, pairs=pairs)


def _agreement(first: Array, second: Array, method: Literal["pearson", "spearman"]) -> float:
    """Return the mean absolute correlation of matched components, where constant ones have 0."""
    correlations = np.zeros((first.shape[1], second.shape[1]))
    varies = ~is_constant(first)
    if varies.any():
        correlations[varies] = np.abs(correlation_matrix(first[:, varies], second, method=method))
    return float(best_assignment(correlations)[1].mean())
