"""Nonlinear mixtures of dependent or independent components, with the truth about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from identica.datasets import sampling
from identica.datasets.mixing import Array, Mixing

Kind = Literal["linear", "post-nonlinear", "perturbed", "orthogonal", "sparse", "isotropic"]
Latents = Literal["uniform", "dependent", "gaussian"]
KINDS: tuple[str, ...] = get_args(Kind)
LATENTS: tuple[str, ...] = get_args(Latents)
STRENGTHS = {"post-nonlinear": 4.0, "sparse": 4.0, "isotropic": 4.0, "perturbed": 0.5, "orthogonal": 0.5}
"""Default strength of the nonlinear part for each kind that has one."""

INNER_STRENGTH = 2.0


@dataclass(frozen=True, eq=False)
class Mixture:
    """Observations together with the components, the mixing and the Jacobians behind them.

    Iterating gives ``X, latents, jacobians``.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Observations, noise included.
    latents : ndarray of shape (n_samples, n_components)
        True components.
    mixing : Mixing
        The noise-free map; ``mixing(latents)`` has shape (n_samples, n_features).
    """

    X: Array
    latents: Array
    mixing: Mixing

    @cached_property
    def jacobians(self) -> Array:
        """Exact dX/ds of the noise-free mixing, of shape (n_samples, n_features, n_components)."""
        return self.mixing.jacobian(self.latents)

    def jacobian(self, latents: ArrayLike) -> Array:
        """Return the exact Jacobians at any latents, of shape (n_samples, n_features, n_components)."""
        return self.mixing.jacobian(np.asarray(latents, dtype=np.float64))

    def __iter__(self) -> Iterator[Array]:
        yield self.X
        yield self.latents
        yield self.jacobians


def make_mixture(
    n_samples: int = 1000,
    n_features: int = 50,
    n_components: int = 3,
    *,
    kind: Kind = "post-nonlinear",
    latents: Latents = "dependent",
    correlation: float = 0.5,
    strength: float | None = None,
    n_active: int = 2,
    noise: float = 0.0,
    random_state: int | RandomState | None = None,
) -> Mixture:
    """Generate a nonlinear mixture whose components, mixing and Jacobians are known."""
    random = check_random_state(random_state)
    strength = STRENGTHS.get(kind, 0.0) if strength is None else float(strength)
    mixing = _draw_mixing(kind, latents, n_features, n_components, correlation, strength, n_active, random)
    components = sampling.draw_latents(latents, n_samples, n_components, correlation, random)
    X = mixing(components)
    if noise:
        X = X + noise * X.std(axis=0) * random.standard_normal(X.shape)
    return Mixture(X, components, mixing)


def _draw_mixing(
    kind: str,
    latents: str,
    n_features: int,
    n_components: int,
    correlation: float,
    strength: float,
    n_active: int,
    random: RandomState,
) -> Mixing:
    inner = sampling.draw_bend(np.ones(n_components), INNER_STRENGTH, random)
    if kind == "isotropic":
        matrix = random.standard_normal((n_features, n_components)) / np.sqrt(n_components)
    elif kind == "sparse":
        matrix = sampling.sparse_rows(n_features, n_components, n_active, random)
    else:
        matrix = sampling.l1_sphere_rows(n_features, n_components, random)
    if kind == "linear":
        return Mixing(matrix, inner)
    if kind == "orthogonal":
        n_bent = min(n_components, n_features - n_components)
        more = sampling.l1_sphere_rows(n_features, n_bent, random)
        columns = sampling.nearest_orthonormal(np.hstack([matrix, more]))
        frequencies = np.diag(random.uniform(1.0, 2.0, n_components))[:n_bent]
        waves = sampling.draw_waves(strength * columns[:, n_components:], frequencies, random)
        return Mixing(columns[:, :n_components], inner, waves=waves)
    covariance = sampling.correlation_matrix(n_components, 0.0 if latents == "uniform" else correlation)
    scale = np.sqrt(np.einsum("ij,jk,ik->i", matrix, covariance, matrix))
    if kind == "perturbed":
        n_waves = 2 * n_components
        frequencies = random.standard_normal((n_waves, n_components)) / np.sqrt(n_components)
        amplitudes = random.standard_normal((n_features, n_waves)) * np.sqrt(2 / n_waves)
        return Mixing(
            matrix,
            inner,
            waves=sampling.draw_waves(strength * scale[:, None] * amplitudes, frequencies, random),
        )
    return Mixing(matrix, inner, outer=sampling.draw_bend(scale, strength, random))
