"""Nonlinear mixtures of dependent or independent components, with the truth about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.arguments import check_choice, check_correlation, check_integer, check_real, local_random
from identica.datasets.mixing import Array, Mixing
from identica.datasets.sampling import draw_latents
from identica.datasets.structures import draw_mixing
from identica.machine import memory_shortage

Kind = Literal[
    "linear",
    "post-nonlinear",
    "perturbed",
    "orthogonal",
    "sparse",
    "isotropic",
    "one-sided",
    "additive",
    "folded",
    "compositional",
]
Latents = Literal["uniform", "dependent", "gaussian"]
KINDS: tuple[str, ...] = get_args(Kind)
LATENTS: tuple[str, ...] = get_args(Latents)
DEFAULT_CORRELATION = 0.5


@dataclass(frozen=True, eq=False)
class Mixture:
    """Observations together with the components, the mixing and the Jacobians behind them.

    Iterating gives `X`, `latents` and `jacobians`, so that ``X, latents, jacobians = make_mixture()`` works.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Observations, noise included.
    latents : ndarray of shape (n_samples, n_components)
        True components.
    mixing : Mixing
        The noise-free map: ``mixing(latents)`` has shape (n_samples, n_features).

    Examples
    --------
    >>> mixture = make_mixture(100, 10, 2, random_state=0)
    >>> bool((mixture.mixing(mixture.latents) == mixture.X).all())
    True
    >>> mixture.jacobians.shape, mixture.jacobian(mixture.latents[:5]).shape
    ((100, 10, 2), (5, 10, 2))
    """

    X: Array
    latents: Array
    mixing: Mixing

    @cached_property
    def jacobians(self) -> Array:
        """Exact dX/ds of the noise-free mixing at `latents`, of shape (n_samples, n_features, n_components).

        Computed when first asked for and then kept: 400 MB for 10,000 samples, 500 features and
        10 components. For a few points use :meth:`jacobian`.
        """
        return self.mixing.jacobian(self.latents)

    def jacobian(self, latents: ArrayLike) -> Array:
        """Compute the exact Jacobians of the noise-free mixing at any points.

        Parameters
        ----------
        latents : array-like of shape (n_samples, n_components)
            Where to evaluate.

        Returns
        -------
        ndarray of shape (n_samples, n_features, n_components)
            Entry (n, i, j) is the derivative of feature i by component j at sample n.
        """
        return self.mixing.jacobian(latents)

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
    correlation: float | None = None,
    strength: float | None = None,
    n_active: int = 2,
    block_size: int | None = None,
    noise: float = 0.0,
    random_state: int | RandomState | None = None,
) -> Mixture:
    """Generate a nonlinear mixture whose components, mixing and Jacobians are known.

    With h a strictly increasing map of each component, whose steepest slope is up to three times its
    flattest, the kinds are

    ================  ==================================================================================
    "linear"          x = A h(s), rows of A uniform on the L1 sphere
    "post-nonlinear"  x = g(A h(s)), with a strictly increasing map of each feature on top
    "perturbed"       x = A h(s) + B sin(W s + phi), plus smooth waves in which all components interact
    "orthogonal"      x = A h(s) + B sin(D s + phi), D diagonal, the columns of [A, B] orthogonal: each
                      component runs along its own curve, and Jacobians have orthogonal columns everywhere
    "sparse"          as "post-nonlinear", with rows of `n_active` non-zero entries
    "isotropic"       x = g(A s), g as in "post-nonlinear", with Gaussian rows: no direction is special, and
                      the Jacobians cannot tell the components apart
    "one-sided"       as "post-nonlinear", with rows without a negative entry: all components move all features in one
                      direction, so that the rows fill one part of the L1 ball alone
    "additive"        x_i = sum_j A_ij h_ij(s_j), h_ij(u) = sin(w_ij u + phi_ij) / w_ij: each feature has a wave of
                      its own along each component, and rows of the Jacobian turn from point to point
    "folded"          x_i = sin(w_i a_i's + phi_i) / w_i: each feature goes up and down along its own direction, and
                      rows of the Jacobian keep their directions but not their sizes and signs
    "compositional"   as "perturbed", with each feature a function of one block of `block_size` components, such as
                      those of one object
    ================  ==================================================================================

    "perturbed" has a left inverse where the waves do not outweigh the linear part, "additive" and "folded" have one
    where there are many features for each component, all others for any `strength`. The last two bend strongly: from
    strengths of about 2 on principal components fold, and linear methods fail. Rows of their Jacobians cover the L1
    ball at every point.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of samples, at least 1.
    n_features : int, default=50
        Number of features, at least `n_components`.
    n_components : int, default=3
        Number of latent components, at least 1.
    kind : str
        The mixing, one of those above.
    latents : {"uniform", "dependent", "gaussian"}, default="dependent"
        Distribution of the components, each of zero mean and unit variance: independent uniform, uniform with
        a Gaussian copula, or jointly Gaussian.
    correlation : float, optional
        Correlation of each two components (default 0.5), of the copula's normals for "dependent"; between
        -1 / (n_components - 1) and 1, both excluded. "uniform" takes none.
    strength : float, optional
        Strength of the nonlinear part, at least 0; with 0 it is x = A h(s). For "post-nonlinear", "sparse",
        "isotropic" and "one-sided" (default 4) the steepest slope of a feature's map is up to 1 + strength times its
        flattest. For "perturbed" and "compositional" (default 0.5) it is the root mean square of the waves, roughly in
        units of that of A s. For "orthogonal" (default 0.5) it is the length of B's columns in units of A's. For
        "additive" (default 2) and "folded" (default 1.8) it is the largest angular frequency, in radians per standard
        deviation of what is folded; with 0 they are linear. "linear" takes none.
    n_active : int, default=2
        Number of components that influence a feature, for "sparse".
    block_size : int, optional
        Components of a block, for "compositional": n_components is a multiple of it; the least such number from 2 on
        that makes several blocks, or 1, if None. Blocks lie beside each other.
    noise : float, default=0.0
        Standard deviation of Gaussian noise, in units of each feature's own standard deviation.
    random_state : int, RandomState or None, default=None
        Seed or generator. The mixing is drawn first: with the same seed it is the same for all `n_samples`.

    Returns
    -------
    Mixture
        Observations `X`, `latents`, `mixing` and, when first asked for, `jacobians`.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If an argument is outside its range, the table is larger than the memory, or `strength` is given for "linear"
        or `correlation` for "uniform".

    Notes
    -----
    "orthogonal" needs n_features >= 2 * n_components to bend all components; with fewer, the first
    n_features - n_components only.

    References
    ----------
    H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
    Identifiability", NeurIPS 2025, arXiv:2510.17040: the L1 sphere is the boundary of (4).
    A. Taleb and C. Jutten, "Source separation in post-nonlinear mixtures", IEEE Transactions on Signal
    Processing 47(10), 1999: the post-nonlinear model.
    L. Gresele et al., "Independent mechanism analysis, a new concept?", NeurIPS 2021: orthogonal columns.

    Examples
    --------
    >>> X, latents, jacobians = make_mixture(200, 30, 3, kind="linear", latents="uniform", random_state=0)
    >>> X.shape, latents.shape, jacobians.shape
    ((200, 30), (200, 3), (200, 30, 3))
    """
    check_choice("kind", kind, KINDS)
    check_choice("latents", latents, LATENTS)
    n_samples = check_integer("n_samples", n_samples, 1)
    n_components = check_integer("n_components", n_components, 1)
    n_features = check_integer("n_features", n_features, 1)
    if n_components > n_features:
        raise ValueError(
            f"n_components={n_components} exceeds n_features={n_features}: a mixing must be injective, "
            f"use at most {n_features}"
        )
    noise = check_real("noise", noise, at_least=0.0)
    if latents == "uniform":
        if correlation is not None:
            raise ValueError(
                f"correlation={correlation} was given for latents='uniform', which are independent: leave it out, or "
                "use latents='dependent'"
            )
        correlation = 0.0
    else:
        correlation = DEFAULT_CORRELATION if correlation is None else correlation
        correlation = check_correlation(correlation, n_components)
    if shortage := memory_shortage(8 * n_samples * n_features):
        raise ValueError(f"n_samples={n_samples} of n_features={n_features} take {shortage}: use fewer")
    random = local_random(random_state)
    mixing = draw_mixing(kind, n_features, n_components, correlation, strength, n_active, block_size, random)
    components = draw_latents(latents, n_samples, n_components, correlation, random)
    X = mixing(components)
    if noise > 0:
        with np.errstate(over="ignore"):
            X += noise * X.std(axis=0) * random.standard_normal(X.shape)
    if not np.isfinite(X).all():
        raise ValueError(
            f"strength={strength} and noise={noise} make numbers too large to be represented: use smaller ones"
        )
    return Mixture(X, components, mixing)
