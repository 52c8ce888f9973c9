"""The mixing of each kind: which matrix, which bends, which waves."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from identica.arguments import check_integer, check_real
from identica.datasets import sampling
from identica.datasets.mixing import Array, Bend, Mixing, Waves

INNER_STRENGTH = 2.0
"""Strength of the bends of components, h: enough to tell h(s) from s, mild enough to be learned."""

DEFAULT_STRENGTH = {
    "post-nonlinear": 4.0,
    "perturbed": 0.5,
    "orthogonal": 0.5,
    "sparse": 4.0,
    "isotropic": 4.0,
    "one-sided": 4.0,
    "additive": 2.0,
    "folded": 1.8,
    "compositional": 0.5,
}
"""Strength of the nonlinear part of each kind that has one."""


def draw_mixing(
    kind: str,
    n_features: int,
    n_components: int,
    correlation: float,
    strength: float | None,
    n_active: int,
    block_size: int | None,
    random: RandomState,
) -> Mixing:
    """Draw a mixing of the given kind; see :func:`identica.datasets.make_mixture` for the arguments.

    Returns
    -------
    Mixing
        The map and its Jacobian.

    Raises
    ------
    ValueError
        If `strength`, `n_active` or `block_size` is outside its range, or if `strength` is given for "linear".
    """
    if kind == "linear" and strength is not None:
        raise ValueError(
            f'strength={strength} is given but kind="linear" has no nonlinear part: leave it out or use another kind'
        )
    strength = check_real("strength", DEFAULT_STRENGTH.get(kind, 0.0) if strength is None else strength, at_least=0.0)
    # Where rows have no direction, slopes of components would be one: they are left out.
    bent = 0.0 if kind == "isotropic" else INNER_STRENGTH
    inner = sampling.draw_bend(np.ones(n_components), bent, random)
    if kind == "isotropic":
        matrix = random.standard_normal((n_features, n_components)) / np.sqrt(n_components)
    elif kind == "sparse":
        n_active = check_integer("n_active", n_active, 1, n_components)
        matrix = sampling.sparse_rows(n_features, n_components, n_active, random)
    elif kind == "compositional":
        return _draw_compositional(n_features, n_components, strength, block_size, inner, random)
    else:
        matrix = sampling.l1_sphere_rows(n_features, n_components, random)
    if kind == "one-sided":
        matrix = np.abs(matrix)
    if kind == "linear":
        return Mixing(matrix, inner)
    if kind == "orthogonal":
        n_bent = min(n_components, n_features - n_components)
        curved = sampling.l1_sphere_rows(n_features, n_bent, random) if n_bent else np.empty((n_features, 0))
        columns = sampling.nearest_orthonormal(np.hstack([matrix, curved]))
        waves = sampling.draw_separate_waves(strength * columns[:, n_components:], n_components, random)
        return Mixing(columns[:, :n_components], inner, waves=waves)
    if kind == "additive":
        return Mixing(matrix, inner, each=sampling.draw_fold(matrix.shape, strength, random))
    scale = _scale(matrix, correlation)
    if kind == "folded":
        straight = sampling.draw_bend(np.ones(n_components), 0.0, random)
        return Mixing(matrix / scale[:, None], straight, outer=sampling.draw_fold((n_features,), strength, random))
    if kind == "perturbed":
        return Mixing(matrix, inner, waves=sampling.draw_joint_waves(strength * scale, n_components, random))
    return Mixing(matrix, inner, outer=sampling.draw_bend(scale, strength, random))


def _draw_compositional(
    n_features: int, n_components: int, strength: float, block_size: int | None, inner: Bend, random: RandomState
) -> Mixing:
    """Draw a mixing in which each feature depends on the components of one block, which interact."""
    if block_size is None:
        block_size = next((size for size in range(2, n_components) if n_components % size == 0), 1)
    block_size = check_integer("block_size", block_size, 1, n_components)
    if n_components % block_size:
        raise ValueError(
            f"n_components={n_components} is no multiple of block_size={block_size}: all blocks have the same size"
        )
    n_blocks, n_waves = n_components // block_size, 2 * block_size
    matrix = np.zeros((n_features, n_components))
    amplitudes = np.zeros((n_features, n_blocks * n_waves))
    frequencies = np.zeros((n_blocks * n_waves, n_components))
    phases = np.empty(n_blocks * n_waves)
    block_of = random.permutation(np.arange(n_features) % n_blocks)
    for k in range(n_blocks):
        features = np.flatnonzero(block_of == k)
        own, waves = slice(k * block_size, (k + 1) * block_size), slice(k * n_waves, (k + 1) * n_waves)
        matrix[features, own] = sampling.l1_sphere_rows(len(features), block_size, random)
        size = strength * np.linalg.norm(matrix[features], axis=1)
        drawn = sampling.draw_joint_waves(size, block_size, random)
        amplitudes[features, waves], frequencies[waves, own], phases[waves] = (
            drawn.amplitudes,
            drawn.frequencies,
            drawn.phases,
        )
    return Mixing(matrix, inner, waves=Waves(amplitudes, frequencies, phases))


def _scale(matrix: Array, correlation: float) -> Array:
    """Return the standard deviations of A s for latents of unit variance, of shape (n_features,)."""
    covariance = sampling.correlation_matrix(matrix.shape[1], correlation)
    return np.asarray(np.sqrt(np.sum(matrix @ covariance * matrix, axis=1)))
