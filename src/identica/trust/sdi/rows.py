"""The rows of a Jacobian, scaled so that the smallest weighted L1 ball around them is the unit L1 ball.

Symbols: J = Jacobian of shape (m, d), w = weights of :func:`fit_weights`, Z = J diag(w), P = {x: Z x <= 1}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from identica.trust.sdi.weights import FloatArray, fit_weights

__all__ = ["ScaledRows"]

DECIMALS = 11
"""Rows that are equal to so many places are one row."""


@final
@dataclass(frozen=True, eq=False)
class ScaledRows:
    """Rows of Z, without duplicates and zeros, and the weights that scale them.

    Parameters
    ----------
    weights : ndarray of shape (n_components,)
        w.
    scaled : ndarray of shape (n_features, n_components)
        Z, every row.
    distinct : ndarray of shape (n_distinct, n_components)
        Rows that differ from each other and from zero; with their negatives where ``symmetric``.
    symmetric : bool
        Whether a row stands for itself and its negative.
    """

    weights: FloatArray
    scaled: FloatArray
    distinct: FloatArray
    symmetric: bool

    @classmethod
    def of(cls, jacobian: FloatArray, symmetric: bool) -> ScaledRows:
        """Scale a checked Jacobian.

        Parameters
        ----------
        jacobian : ndarray of shape (n_features, n_components)
            As :func:`check_jacobian` returns it.
        symmetric : bool
            Whether to add the negative of each row.

        Returns
        -------
        ScaledRows
            The largest L1 norm of a row is 1.
        """
        weights = fit_weights(jacobian)
        scaled = jacobian * weights
        both = np.concatenate([scaled, -scaled]) if symmetric else scaled
        rounded = np.round(both, DECIMALS) + 0.0  # no negative zeros
        _, first = np.unique(rounded, axis=0, return_index=True)
        first = np.sort(first[rounded[first].any(axis=1)])
        return cls(weights, scaled, both[first], symmetric)

    @property
    def n_components(self) -> int:
        """Number of columns."""
        return len(self.weights)

    def active(self, tol: float) -> NDArray[np.intp]:
        """Return the rows of J on the boundary of the ball.

        Parameters
        ----------
        tol : float
            How far below 1 their L1 norm in Z may be.

        Returns
        -------
        ndarray of int
            Indices.
        """
        return np.flatnonzero(np.abs(self.scaled).sum(axis=1) >= 1 - tol)

    @property
    def volume_efficiency(self) -> float:
        """det(Z'Z)^(1 / (2 d)) / sqrt(m / d), at most 1: the volume as a share of the largest that m rows can span.

        The rows of Z have L1 norms of at most 1, so the trace of Z'Z is at most m and its determinant at most
        (m / d)^d. It is the largest value over scales of the columns of :func:`identica.criteria.volume_efficiency` of
        J at p = infinity.
        """
        m, d = self.scaled.shape
        lengths = np.linalg.svd(self.scaled, compute_uv=False)
        if len(lengths) < d or lengths[-1] == 0:
            return 0.0
        return float(np.exp(np.log(lengths).mean()) / np.sqrt(m / d))

    def count_bound(self, tol: float) -> tuple[float, float]:
        """Return the sum of 2^(-number of nonzeros) over distinct active rows, and what the condition needs of it.

        A box vertex s has rows with Z_i s = 1 only among the active ones whose signs are those of s where they are not
        zero, and a row of k nonzeros is such a row for 2^(d - k) of the 2^d vertices. Each vertex needs d of them.
        Where rows stand for their negatives too, one row serves twice.

        Parameters
        ----------
        tol : float
            Of being active, and of being zero.

        Returns
        -------
        tuple of float
            The sum, and d, or d / 2 where ``symmetric``.
        """
        sizes = np.abs(self.distinct)
        nonzeros = (sizes > tol).sum(axis=1)[sizes.sum(axis=1) >= 1 - tol]
        shares = 2 if self.symmetric else 1
        return float(np.exp2(-nonzeros.astype(float)).sum()) / shares, self.n_components / shares
