"""Random latents, mixing matrices, bends and waves: what make_mixture puts together."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from scipy.special import ndtr

from identica.datasets.mixing import Array, Bend, Fold, Waves


def draw_latents(kind: str, n_samples: int, n_components: int, correlation: float, random: RandomState) -> Array:
    """Draw latents of zero mean and unit variance, of shape (n_samples, n_components)."""
    half_width = np.sqrt(3.0)
    if kind == "uniform":
        return np.asarray(random.uniform(-half_width, half_width, (n_samples, n_components)))
    covariance = correlation_matrix(n_components, correlation)
    normal = random.standard_normal((n_samples, n_components)) @ np.linalg.cholesky(covariance).T
    return np.asarray(normal if kind == "gaussian" else half_width * (2 * ndtr(normal) - 1))


def correlation_matrix(n_components: int, correlation: float) -> Array:
    """Return the matrix with ones on the diagonal and `correlation` elsewhere."""
    return np.asarray((1 - correlation) * np.eye(n_components) + correlation)


def l1_sphere_rows(n_features: int, n_components: int, random: RandomState) -> Array:
    """Draw rows uniformly on the L1 sphere: random signs, absolute values uniform on the simplex."""
    rows = random.laplace(size=(n_features, n_components))
    return np.asarray(rows / np.abs(rows).sum(axis=1, keepdims=True))


def sparse_rows(n_features: int, n_components: int, n_active: int, random: RandomState) -> Array:
    """Draw rows on the L1 sphere with `n_active` non-zero entries; each component is active somewhere."""
    # The first entry goes round all components: no column is empty, and the matrix has full column rank.
    first = random.permutation(np.arange(n_features) % n_components)
    priority = random.uniform(size=(n_features, n_components))
    priority[np.arange(n_features), first] = 2.0
    active = np.argsort(-priority, axis=1)[:, :n_active]
    mask = np.zeros((n_features, n_components))
    np.put_along_axis(mask, active, 1.0, axis=1)
    rows = mask * random.laplace(size=mask.shape)
    return np.asarray(rows / np.abs(rows).sum(axis=1, keepdims=True))


def nearest_orthonormal(matrix: Array) -> Array:
    """Return the matrix with orthonormal columns that is nearest to `matrix` (its polar factor)."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(left @ right)


def draw_bend(scale: Array, strength: float, random: RandomState) -> Bend:
    """Draw one bend per column for values whose standard deviations are about `scale`."""
    size = scale.shape
    return Bend(
        strength=strength,
        sharpness=random.uniform(2.0, 4.0, size) / scale,
        threshold=random.uniform(-0.5, 0.5, size) * scale,
        curvature=random.choice([-1.0, 1.0], size),
    )


def draw_fold(shape: tuple[int, ...], strength: float, random: RandomState) -> Fold:
    """Draw one fold per entry, of an angular frequency between half the strength and all of it."""
    return Fold(strength * random.uniform(0.5, 1.0, shape), np.pi * random.uniform(-1.0, 1.0, shape))


def draw_joint_waves(size: Array, n_components: int, random: RandomState) -> Waves:
    """Draw waves over random combinations of components, of root mean square about `size` per feature."""
    n_waves = 2 * n_components
    frequencies = random.standard_normal((n_waves, n_components)) / np.sqrt(n_components)
    # A wave's mean square is one half.
    amplitudes = np.sqrt(2 / n_waves) * random.standard_normal((len(size), n_waves))
    return Waves(size[:, None] * amplitudes, frequencies, np.pi * random.uniform(-1.0, 1.0, (n_waves,)))


def draw_separate_waves(amplitudes: Array, n_components: int, random: RandomState) -> Waves:
    """Draw waves of known amplitudes, the k-th of which depends on component k alone."""
    n_waves = amplitudes.shape[1]
    frequencies = np.diag(random.uniform(1.0, 2.0, n_components))[:n_waves]
    return Waves(amplitudes, frequencies, np.pi * random.uniform(-1.0, 1.0, (n_waves,)))
