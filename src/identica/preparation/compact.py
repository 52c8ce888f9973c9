"""The compact space: the data's principal subspace, in which dense networks train.

The squared distance of a row from its reconstruction splits into a part inside the subspace and the part that the
subspace leaves out, which no network can change. A network between the subspace and the latents therefore costs the
same whatever the number of features.

Symbols: n samples, m = n_features, r = rank, V = axes (m, r) with orthonormal columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

from identica.preparation.standardise import FloatArray

__all__ = ["Subspace", "noise_floor", "principal_subspace"]

LEFT_OUT = 1e-3
"""Share of the variance that the subspace may leave out: far below the reconstruction that is asked for."""
RANK_PER_COMPONENT = 4
EXACT = 2000
"""Up to so many samples or features the decomposition is that of the smaller Gram matrix; above it is randomized."""
LARGEST_RANK = 1000
BLOCK = 2**22
NULL = 1e-10
"""Variances below this share of the largest are rounding."""


@final
@dataclass(frozen=True, eq=False)
class Subspace:
    """Principal subspace of standardised rows.

    Parameters
    ----------
    axes : ndarray of shape (n_features, rank)
        Orthonormal columns in the order of falling variance; exactly zero where a feature is constant.
    variances : ndarray of shape (rank,)
        Mean squares of the coordinates.
    left_out : float
        Share of the mean square of the rows that the subspace leaves out.
    """

    axes: FloatArray
    variances: FloatArray
    left_out: float

    @property
    def rank(self) -> int:
        """Number of axes."""
        return int(self.axes.shape[1])

    @property
    def stretch(self) -> float:
        """Factor that gives the coordinates the mean square of the features: sqrt(rank / n_features)."""
        return float(np.sqrt(self.rank / len(self.axes)))

    def project(self, values: FloatArray) -> FloatArray:
        """Return the coordinates that networks see, V'x times :attr:`stretch`.

        Parameters
        ----------
        values : ndarray of shape (n, n_features)
            Standardised rows.

        Returns
        -------
        ndarray of shape (n, rank)
            Their coordinates.
        """
        return np.asarray(values @ self.axes * self.axes.dtype.type(self.stretch))

    def share_left_out(self, values: FloatArray, mean_square: float) -> float:
        """Return how much of rows the subspace leaves out.

        Parameters
        ----------
        values : ndarray of shape (n, n_features)
            Standardised rows.
        mean_square : float
            Mean squared length of a row, the unit.

        Returns
        -------
        float
            Mean of ||x||^2 - ||V'x||^2 over the rows, in that unit.
        """
        left = [
            np.square(part, dtype=np.float64).sum() - np.square(part @ self.axes, dtype=np.float64).sum()
            for part in _blocks(values)
        ]
        return max(0.0, float(sum(left)) / len(values) / mean_square)

    def principal(self, n_components: int) -> FloatArray:
        """Return the loadings of the first principal components of unit variance, in the coordinates networks see.

        Parameters
        ----------
        n_components : int
            At most the rank.

        Returns
        -------
        ndarray of shape (n_components, rank)
            A diagonal matrix.
        """
        floor = max(1e-6 * float(self.variances[0]), 1e-12)
        loadings = np.zeros((n_components, self.rank))
        deviations = np.sqrt(np.maximum(self.variances[:n_components].astype(np.float64), floor))
        loadings[np.arange(n_components), np.arange(n_components)] = deviations * self.stretch
        return loadings


def principal_subspace(
    values: FloatArray,
    n_components: int,
    *,
    rank: int | None = None,
    left_out: float = LEFT_OUT,
    noise: float = 0.0,
    seed: int = 0,
) -> Subspace:
    """Find the principal subspace that leaves out no more than a share of the variance.

    The rank is at least four times the number of components, where the data have so many directions, since bends of
    small variance can be what tells components apart. With more than 2,000 samples and features a randomized range
    finder is used, of at most 1,000 dimensions; never is a dense matrix of all features by all features made where
    there are more than 2,000.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Standardised rows.
    n_components : int
        Number of components that the networks will have.
    rank : int, optional
        Instead of the rank that the share asks for.
    left_out : float, default=0.001
        The share.
    noise : float, default=0.0
        Variance up to which a direction is noise and need not be kept, as far as it is known.
    seed : int, default=0
        Of the randomized solver.

    Returns
    -------
    Subspace
        In the precision of the rows.

    Raises
    ------
    ValueError
        If the rank is less than the number of components or more than that of features.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((50, 2)) @ np.eye(2, 9)
    >>> principal_subspace(rows, 1).rank
    2
    """
    n_samples, n_features = values.shape
    if rank is not None and not n_components <= rank <= n_features:
        raise ValueError(
            f"compact={rank} is no rank for {n_components} components of {n_features} features: use {n_components} to "
            f"{n_features}, or True"
        )
    total = float(sum(np.square(part, dtype=np.float64).sum() for part in _blocks(values))) / n_samples
    most = min(n_samples, n_features)
    if most <= EXACT:
        variances, axes = _by_gram(values)
    else:
        variances, axes = _by_sampling(values, total, rank, left_out, n_components, seed)
    if rank is None:
        outside = 1 - np.cumsum(variances) / max(total, np.finfo(np.float64).tiny)
        rank = min(int(np.count_nonzero(outside > left_out)) + 1, int(np.count_nonzero(variances > noise)))
        rank = max(rank, RANK_PER_COMPONENT * n_components)
        # Directions of rounding are no data; but there must be one for each component.
        rank = max(n_components, min(rank, int(np.count_nonzero(variances > NULL * variances[0]))))
    axes = _filled(axes, rank, seed)
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(rank)])
    axes *= np.where(signs == 0, 1.0, signs)
    axes[~values.any(axis=0)] = 0
    kept = np.zeros(rank)
    kept[: len(variances[:rank])] = np.maximum(variances[:rank], 0)
    share = max(0.0, 1 - float(kept.sum()) / max(total, np.finfo(np.float64).tiny))
    return Subspace(axes.astype(values.dtype), kept.astype(values.dtype), share)


def noise_floor(values: FloatArray, variances: FloatArray) -> float | None:
    """Return the share of the variance that looks like noise of one size in every direction.

    With noise of variance s^2 in each of m features, n samples spread its eigenvalues about s^2 by about
    2 sqrt(m / n); the median of the smaller half of all eigenvalues estimates s^2, and m s^2 is
    what no method explains.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Standardised rows.
    variances : ndarray of shape (rank,)
        Mean squares along the principal axes that were kept.

    Returns
    -------
    float or None
        In [0, 1]; None where there are fewer than twice as many samples as features, which leaves no tail to look at.
    """
    n_samples, n_features = values.shape
    if n_samples < 2 * n_features:
        return None
    total = float(sum(np.square(part, dtype=np.float64).sum() for part in _blocks(values))) / n_samples
    rest = max(0.0, total - float(variances.sum(dtype=np.float64)))
    n_rest = n_features - len(variances)
    tail = np.sort(variances.astype(np.float64))
    half = max(1, n_features // 2)
    if n_rest > 0 and n_rest >= half:  # the smaller half was left out of the subspace: its mean is known
        level = rest / n_rest
    else:
        level = float(np.median(np.concatenate([np.full(n_rest, rest / max(n_rest, 1)), tail])[:half]))
    return float(min(1.0, n_features * level / max(total, np.finfo(np.float64).tiny)))


def _blocks(values: FloatArray) -> list[FloatArray]:
    size = max(1, BLOCK // values.shape[1])
    return [values[i : i + size] for i in range(0, len(values), size)]


def _by_gram(values: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all variances and axes from the eigenvectors of the smaller Gram matrix."""
    n_samples, n_features = values.shape
    if n_features <= n_samples:
        gram = np.zeros((n_features, n_features))
        for part in _blocks(values):
            double = part.astype(np.float64)
            gram += double.T @ double
        variances, axes = eigh(gram / n_samples)
        return variances[::-1], axes[:, ::-1].copy()
    rows: Any = values.astype(np.float64)
    variances, left = eigh(rows @ rows.T / n_samples)
    variances, left = variances[::-1], left[:, ::-1]
    found = variances > NULL * variances[0]
    return variances[found], rows.T @ left[:, found] / np.sqrt(n_samples * variances[found])


def _by_sampling(
    values: FloatArray, total: float, rank: int | None, left_out: float, n_components: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the leading variances and axes, as many as leave out little enough."""
    most = min(*values.shape, LARGEST_RANK) if rank is None else rank
    size = min(most, max(64, 2 * RANK_PER_COMPONENT * n_components)) if rank is None else rank
    while True:
        _, singular, right = randomized_svd(values, size, random_state=seed)
        variances = np.square(singular, dtype=np.float64) / len(values)
        if size >= most or 1 - variances.sum() / total <= left_out:
            return variances, right.T.astype(np.float64)
        size = min(most, 2 * size)


def _filled(axes: NDArray[np.float64], rank: int, seed: int) -> NDArray[np.float64]:
    """Return as many axes as asked for, random orthonormal ones after those of the data."""
    missing = rank - axes.shape[1]
    if missing <= 0:
        return axes[:, :rank].copy()
    random = np.random.default_rng(seed).standard_normal((len(axes), missing))
    return np.linalg.qr(np.hstack([axes, random]))[0] * 1.0
