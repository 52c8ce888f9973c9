"""How much of each feature is noise of its own: factor analysis, and how many directions stand out from such noise.

Symbols: n samples, m = n_features, d = n_components, C = covariance, psi_i = variance that feature i has for itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

from identica.preparation.standardise import FloatArray

__all__ = ["factor_noise", "noise_edge", "standing_out"]

EXACT = 2000
"""Up to so many features their covariance is decomposed; above it rows are, at random."""
N_ROUNDS = 12
FEWER_ROUNDS = 4
CLEARLY = 1.1
"""Times the edge of noise from which on a variance stands out, since noise itself is known to a few hundredths."""
LEAST = 0.05
"""Share of a feature's variance that is taken for noise at least."""


def factor_noise(values: FloatArray, n_components: int, *, seed: int = 0) -> NDArray[np.float64]:
    """Return psi of the factor model C = A A' + diag(psi), by turns of A given psi and psi given A.

    With C scaled by psi on both sides, A holds the leading eigenvectors times the roots of their eigenvalues less 1.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Centred rows.
    n_components : int
        Columns of A.
    seed : int, default=0
        Of the randomized solver, above 2,000 features.

    Returns
    -------
    ndarray of shape (n_features,)
        At least 0.05 of each feature's variance; 0 where that is 0.

    References
    ----------
    D. N. Lawley and A. E. Maxwell, "Factor Analysis as a Statistical Method", The Statistician 12, 1962.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> rows = random.standard_normal((4000, 1)) * np.ones(6) + random.standard_normal((4000, 6)) * [1, 1, 1, 2, 2, 2]
    >>> factor_noise(rows, 1).round().tolist()
    [1.0, 1.0, 1.0, 4.0, 4.0, 4.0]
    """
    variances: NDArray[np.float64] = np.mean(np.square(values, dtype=np.float64), axis=0)
    varies = variances > 0
    if not varies.any():
        return variances
    rows = values[:, varies]
    most = min(n_components, rows.shape[1] - 1, len(rows) - 1)
    noise = variances[varies].copy()
    leading = _Leading(rows, seed)
    for _ in range(0 if most < 1 else N_ROUNDS if leading.exact else FEWER_ROUNDS):
        found, axes = leading(1 / np.sqrt(noise), most)
        shared = (np.square(axes) * np.maximum(found - 1, 0.0)).sum(axis=1) * noise
        noise = np.maximum(variances[varies] - shared, LEAST * variances[varies])
    result = np.zeros(values.shape[1])
    result[varies] = noise
    return result


class _Leading:
    """Leading eigenvalues and eigenvectors of the covariance of rows whose features are weighted.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Centred.
    seed : int
        Of the randomized solver.
    """

    def __init__(self, rows: FloatArray, seed: int) -> None:
        self.rows, self.seed = rows, seed
        self.exact = rows.shape[1] <= EXACT
        self.covariance = rows.T.astype(np.float64) @ rows / len(rows) if self.exact else None

    def __call__(self, weights: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the k largest eigenvalues and their eigenvectors as columns."""
        if self.covariance is not None:
            size = len(self.covariance)
            found, axes = eigh(self.covariance * np.outer(weights, weights), subset_by_index=(size - k, size - 1))
            return found, axes
        _, singular, right = randomized_svd(self.rows * weights.astype(self.rows.dtype), k, random_state=self.seed)
        return np.square(singular) / len(self.rows), right.T


def noise_edge(n_samples: int, n_features: int) -> float:
    """Return the largest eigenvalue that noise of variance 1 has in a sample, (1 + sqrt(m / n))^2.

    Parameters
    ----------
    n_samples, n_features : int
        Shape of the data.

    Returns
    -------
    float
        Of the covariance of rows.

    References
    ----------
    V. A. Marchenko and L. A. Pastur, "Distribution of eigenvalues for some sets of random matrices", Mathematics of the
    USSR-Sbornik 1, 1967.

    Examples
    --------
    >>> noise_edge(400, 100)
    2.25
    """
    return float((1 + np.sqrt(n_features / n_samples)) ** 2)


def standing_out(values: FloatArray, at_most: int, *, seed: int = 0) -> int:
    """Return how many directions have clearly more variance than noise gives to any, in units of each feature's noise.

    The noise depends on how many directions are none. Counting begins at one and goes on while there are more, since
    factors beyond those that are there take single features for signals.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Centred rows.
    at_most : int
        Where to stop counting.
    seed : int, default=0
        Of the randomized solver, above 2,000 features.

    Returns
    -------
    int
        Directions whose variance is 1.1 times :func:`noise_edge` or more: no more components can be told from noise.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> rows = random.standard_normal((4000, 2)) @ np.repeat(np.eye(2), 10, axis=1)
    >>> standing_out(rows + random.standard_normal((4000, 20)), 5)
    2
    """
    used = values[:, np.any(values != 0, axis=0)]
    at_most = min(at_most, used.shape[1] - 1, len(used) - 1)
    edge = CLEARLY * noise_edge(*used.shape)
    leading, found = _Leading(used, seed), 0
    while found < at_most:
        assumed = max(1, found)
        noise = factor_noise(used, assumed, seed=seed)
        variances, _ = leading(1 / np.sqrt(noise), at_most)
        found = int(np.count_nonzero(variances > edge))
        if found <= assumed:
            break
    return found
