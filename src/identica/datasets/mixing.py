"""Smooth nonlinear mixings with exact Jacobians, built from monotone bends, a matrix and sine waves.

Every mixing of this package is one formula,

    f(s) = g( A h(s) + B sin(W s + phi) ),

with strictly increasing maps h (one per component) and g (one per feature), and so is its Jacobian,

    J(s) = diag(g') ( A diag(h') + B diag(cos(W s + phi)) W ).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bend:
    """Strictly increasing maps, one per column, each of which bends once from one slope to another.

    Column j is mapped by

        b_j(u) = (u + strength * (r_j(u) - r_j(0))) / (1 + strength),
        r_j(u) = c_j / k_j * log(1 + exp(c_j k_j (u - t_j))),

    which takes 0 to 0 and whose slope lies between 1 / (1 + strength) and 1 everywhere: it has an inverse on
    the whole line, and one of bounded slope. It is convex where c_j = 1 and concave where c_j = -1.

    Parameters
    ----------
    strength : float
        How strongly the maps bend, at least 0; with 0 they are the identity.
    sharpness : ndarray of shape (n_columns,)
        k_j, positive: the inverse width of the bend.
    threshold : ndarray of shape (n_columns,)
        t_j: where the bend is.
    curvature : ndarray of shape (n_columns,)
        c_j, 1 for a convex and -1 for a concave map.

    Examples
    --------
    >>> bend = Bend(3.0, np.ones(1), np.zeros(1), np.ones(1))
    >>> bend.slope(np.array([[-50.0], [0.0], [50.0]])).ravel().tolist()
    [0.25, 0.625, 1.0]
    """

    strength: float
    sharpness: Array
    threshold: Array
    curvature: Array

    def __call__(self, values: Array) -> Array:
        """Return the mapped columns, of the shape of `values`, (n_samples, n_columns)."""
        rise = self._rise(values) - self._rise(np.zeros(1))
        return np.asarray((values + self.strength * rise) / (1 + self.strength))

    def slope(self, values: Array) -> Array:
        """Return the derivative of each column's map at `values`, of shape (n_samples, n_columns)."""
        return np.asarray((1 + self.strength * expit(self._argument(values))) / (1 + self.strength))

    def _rise(self, values: Array) -> Array:
        return np.asarray(self.curvature / self.sharpness * np.logaddexp(0.0, self._argument(values)))

    def _argument(self, values: Array) -> Array:
        return self.curvature * self.sharpness * (values - self.threshold)


@dataclass(frozen=True, eq=False)
class Fold:
    """Maps of single columns that turn back, b_j(u) = (sin(w_j u + phi_j) - sin(phi_j)) / w_j; cos(phi_j) u at w_j = 0.

    Their slope, cos(w_j u + phi_j), changes its sign: no column has an inverse, only many of them together have.

    Parameters
    ----------
    frequency : ndarray of shape (n_columns,) or (n_columns, n_inputs)
        w, at least 0, radians per unit of the values.
    phase : ndarray of the same shape
        phi, radians.

    Examples
    --------
    >>> fold = Fold(np.full(1, np.pi), np.zeros(1))
    >>> fold.slope(np.array([[0.0], [1.0]])).ravel().tolist()
    [1.0, -1.0]
    """

    frequency: Array
    phase: Array

    def __call__(self, values: Array) -> Array:
        """Return the mapped columns, of the shape of `values`."""
        half = self.frequency * values / 2
        # sin(a + b) - sin(b) = 2 sin(a / 2) cos(b + a / 2), which has no division by a frequency of zero.
        return np.asarray(values * np.sinc(half / np.pi) * np.cos(self.phase + half))

    def slope(self, values: Array) -> Array:
        """Return the derivative of each column's map at `values`, of the shape of `values`."""
        return np.asarray(np.cos(self.frequency * values + self.phase))


@dataclass(frozen=True, eq=False)
class Waves:
    """A smooth bounded map that is no sum of single-component maps, B sin(W s + phi).

    Parameters
    ----------
    amplitudes : ndarray of shape (n_features, n_waves)
        B.
    frequencies : ndarray of shape (n_waves, n_components)
        W, radians per unit of the latents.
    phases : ndarray of shape (n_waves,)
        phi, radians.

    Examples
    --------
    >>> waves = Waves(np.ones((1, 1)), np.ones((1, 2)), np.zeros(1))
    >>> waves(np.zeros((1, 2))).item(), waves.jacobian(np.zeros((1, 2))).tolist()
    (0.0, [[[1.0, 1.0]]])
    """

    amplitudes: Array
    frequencies: Array
    phases: Array

    def __call__(self, latents: Array) -> Array:
        """Return the values at `latents`, of shape (n_samples, n_features)."""
        return np.asarray(np.sin(latents @ self.frequencies.T + self.phases) @ self.amplitudes.T)

    def jacobian(self, latents: Array) -> Array:
        """Return the Jacobians at `latents`, of shape (n_samples, n_features, n_components)."""
        cosines = np.cos(latents @ self.frequencies.T + self.phases)
        return np.asarray(self.amplitudes @ (cosines[:, :, None] * self.frequencies))


@dataclass(frozen=True, eq=False)
class Mixing:
    """A smooth map from latents to features, g(A h(s) + B sin(W s + phi)), with its exact Jacobian.

    Parameters
    ----------
    matrix : ndarray of shape (n_features, n_components)
        A.
    inner : Bend
        h, over components.
    outer : Bend, Fold or None
        g, over features; None is the identity.
    each : Fold or None
        Instead of h, a map of each component for each feature: A h(s) becomes sum_j A_ij h_ij(s_j).
    waves : Waves or None
        B sin(W s + phi); None is zero.

    Examples
    --------
    >>> identity = Bend(0.0, np.ones(2), np.zeros(2), np.ones(2))
    >>> mixing = Mixing(np.array([[1.0, 2.0]]), identity)
    >>> mixing(np.array([[3.0, 4.0]])).item(), mixing.jacobian(np.array([[3.0, 4.0]])).tolist()
    (11.0, [[[1.0, 2.0]]])
    """

    matrix: Array
    inner: Bend
    outer: Bend | Fold | None = None
    waves: Waves | None = None
    each: Fold | None = None

    def __call__(self, latents: ArrayLike) -> Array:
        """Compute the noise-free features.

        Parameters
        ----------
        latents : array-like of shape (n_samples, n_components)
            Where to evaluate.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            f(s).

        Raises
        ------
        ValueError
            If `latents` has another shape.
        """
        bent = self._before_outer(self._check(latents))
        return bent if self.outer is None else self.outer(bent)

    def jacobian(self, latents: ArrayLike) -> Array:
        """Compute the exact Jacobians.

        Parameters
        ----------
        latents : array-like of shape (n_samples, n_components)
            Where to evaluate.

        Returns
        -------
        ndarray of shape (n_samples, n_features, n_components)
            Entry (n, i, j) is the derivative of feature i by component j at sample n.

        Raises
        ------
        ValueError
            If `latents` has another shape.
        """
        latents = self._check(latents)
        if self.each is not None:
            jacobians = self.matrix * self.each.slope(latents[:, None, :])
        else:
            jacobians = self.matrix * self.inner.slope(latents)[:, None, :]
        if self.waves is not None:
            jacobians += self.waves.jacobian(latents)
        if self.outer is not None:
            jacobians *= self.outer.slope(self._before_outer(latents))[:, :, None]
        return jacobians

    def _check(self, latents: ArrayLike) -> Array:
        checked = np.asarray(latents, dtype=np.float64)
        n_components = self.matrix.shape[1]
        if checked.ndim != 2 or checked.shape[1] != n_components:
            raise ValueError(
                f"latents has shape {checked.shape}: this mixing takes (n_samples, {n_components}), "
                "one column per component"
            )
        return checked

    def _before_outer(self, latents: Array) -> Array:
        if self.each is not None:
            return self._sum_of_each(self.each, latents)
        mixed = np.asarray(self.inner(latents) @ self.matrix.T)
        return mixed if self.waves is None else mixed + self.waves(latents)

    def _sum_of_each(self, each: Fold, latents: Array) -> Array:
        """Return sum_j A_ij h_ij(s_j), one component at a time, so that no array of all pairs is made."""
        total = np.zeros((len(latents), len(self.matrix)))
        for j in range(self.matrix.shape[1]):
            fold = Fold(each.frequency[:, j], each.phase[:, j])
            total += self.matrix[:, j] * fold(latents[:, j : j + 1])
        return total
