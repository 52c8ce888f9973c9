"""How much of each feature is noise of its own: factor analysis, and how many directions stand out from such noise.

Symbols: n samples, m = n_features, d = n_components, C = covariance, psi_i = variance that feature i has for itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

from identica.preparation.standardise import FloatArray

__all__ = ["factor_noise", "noise_edge"]

EXACT = 2000
"""Up to so many features their covariance is decomposed; above it rows are, at random."""
N_ROUNDS = 12
FEWER_ROUNDS = 4
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
    n_samples, n_features = values.shape
    variances: NDArray[np.float64] = np.mean(np.square(values, dtype=np.float64), axis=0)
    varies = variances > 0
    if not varies.any():
        return variances
    rows = values[:, varies]
    most = min(n_components, rows.shape[1] - 1, n_samples - 1)
    noise = variances[varies].copy()
    exact = n_features <= EXACT
    covariance = rows.T.astype(np.float64) @ rows / n_samples if exact and most > 0 else None
    for _ in range(0 if most < 1 else N_ROUNDS if exact else FEWER_ROUNDS):
        weights = 1 / np.sqrt(noise)
        if covariance is not None:
            size = len(covariance)
            found, axes = eigh(covariance * np.outer(weights, weights), subset_by_index=(size - most, size - 1))
        else:
            _, singular, right = randomized_svd(rows * weights.astype(rows.dtype), most, random_state=seed)
            found, axes = np.square(singular) / n_samples, right.T
        shared = (np.square(axes) * np.maximum(found - 1, 0.0)).sum(axis=1) * noise
        noise = np.maximum(variances[varies] - shared, LEAST * variances[varies])
    result = np.zeros(n_features)
    result[varies] = noise
    return result


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
