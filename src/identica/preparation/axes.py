"""The principal axes that networks start from."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils.extmath import randomized_svd

from identica.preparation.standardise import FloatArray

__all__ = ["pca_solver", "principal_axes"]

EXACT_PCA = 2000


def pca_solver(n_samples: int, n_features: int) -> Literal["covariance_eigh", "full", "randomized"]:
    """Return the solver of PCA that is exact where that costs little, so that comparisons do not depend on chance.

    Parameters
    ----------
    n_samples, n_features : int
        Shape of the data.

    Returns
    -------
    str
        For :class:`sklearn.decomposition.PCA`.
    """
    if n_features <= EXACT_PCA:
        return "covariance_eigh"
    return "full" if n_samples <= EXACT_PCA else "randomized"


def principal_axes(
    train: FloatArray, held_out: FloatArray, n_components: int, seed: int, *, centred: bool = True
) -> tuple[FloatArray, float]:
    """Return the loadings of principal components of unit variance, and the mean squared error of PCA on other rows.

    Parameters
    ----------
    train, held_out : ndarray of shape (n_samples, n_features)
        Standardised rows to fit on and to reconstruct.
    n_components : int
        Number of components.
    seed : int
        Of the solver, and of the small random axes where there are fewer principal ones than components.
    centred : bool, default=True
        Whether axes go through the mean of the rows, or through zero.

    Returns
    -------
    axes : ndarray of shape (n_components, n_features)
        Loadings; exactly zero where a feature is.
    error : float
        Mean squared error of an entry of the rows held out.
    """
    n_found = min(n_components, *train.shape)
    if centred:
        pca = PCA(n_found, svd_solver=pca_solver(*train.shape), random_state=seed).fit(train)
        components, variances = pca.components_, pca.explained_variance_
        restored = pca.inverse_transform(pca.transform(held_out))
    else:
        _, sizes, rows = randomized_svd(train, n_found, random_state=seed)
        components, variances = rows, np.square(sizes) / len(train)
        restored = held_out @ rows.T @ rows
    error = float(np.mean(np.square(restored - held_out, dtype=np.float64)))
    axes = np.random.default_rng(seed).standard_normal((n_components, train.shape[1])) * 1e-3
    largest = max(float(variances[0]), 1e-6)
    axes[:n_found] = components * np.sqrt(np.maximum(variances, 1e-6 * largest))[:, None]
    # Rounding of the solver would be enough: an adaptive optimiser takes steps of one size whatever the gradient's.
    axes[:, ~train.any(axis=0)] = 0
    return axes, error
