"""How regulators set the production of genes: Hill curves, with exact derivatives.

The equations are those of the simulator SERGIO (P. Dibaeinia and S. Sinha, Cell Systems 11, 2020), in our own words
and code. Symbols: x = concentration of a regulator, K = strength, n = Hill coefficient, H = half response.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

__all__ = ["Regulation", "hill_curve"]

FloatArray = NDArray[np.float64]
ENTRIES_AT_ONCE = 2**22


def hill_curve(concentration: ArrayLike, half_response: ArrayLike, hill: ArrayLike) -> FloatArray:
    """Return the share of its full effect that a regulator has, x^n / (H^n + x^n).

    Parameters
    ----------
    concentration, half_response, hill : array-like
        x >= 0, H > 0 and n > 0, broadcast against each other.

    Returns
    -------
    ndarray
        Between 0, at x = 0, and 1.

    Examples
    --------
    >>> hill_curve([0.0, 1.0, 3.0], 1.0, 2.0).round(9).tolist()
    [0.0, 0.5, 0.9]
    """
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.asarray(half_response, dtype=np.float64) / np.asarray(concentration, dtype=np.float64)
        return np.asarray(1.0 / (1.0 + ratio ** np.asarray(hill, dtype=np.float64)))


@final
@dataclass(frozen=True, eq=False)
class Regulation:
    """Edges by which regulators act on genes, P_i(x) = sum_j |K_ij| h_ij(x_j), with 1 - h for a repressor.

    Parameters
    ----------
    regulator, target : ndarray of int of shape (n_edges,)
        Positions among the regulators and among the genes.
    strength : ndarray of shape (n_edges,)
        K; negative for a repressor.
    hill : ndarray of shape (n_edges,)
        n.
    half_response : ndarray of shape (n_edges,)
        H.
    n_regulators, n_genes : int
        How many there are of each.
    """

    regulator: NDArray[np.intp]
    target: NDArray[np.intp]
    strength: FloatArray
    hill: FloatArray
    half_response: FloatArray
    n_regulators: int
    n_genes: int

    def production(self, concentration: ArrayLike) -> FloatArray:
        """Return the rate at which each gene is produced.

        Parameters
        ----------
        concentration : array-like of shape (n_cells, n_regulators)
            Concentrations, not negative.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            P.
        """
        x = np.asarray(concentration, dtype=np.float64)
        spread, constant = self._spread(self.strength), np.zeros(self.n_genes)
        repressing = self.strength < 0
        np.add.at(constant, self.target[repressing], -self.strength[repressing])
        result = np.empty((len(x), self.n_genes))
        for part in self._parts(len(x)):
            share = hill_curve(x[part][:, self.regulator], self.half_response, self.hill)
            result[part] = (spread @ share.T).T + constant
        return result

    def derivative(self, concentration: ArrayLike) -> FloatArray:
        """Return how each gene's production changes with each regulator, exactly.

        Parameters
        ----------
        concentration : array-like of shape (n_cells, n_regulators)
            Concentrations, not negative; positive where a Hill coefficient is below 1.

        Returns
        -------
        ndarray of shape (n_cells, n_genes, n_regulators)
            dP_i / dx_j = K n H^n x^(n - 1) / (H^n + x^n)^2 = K n h (1 - h) / x, which overflows for no n.
        """
        x = np.asarray(concentration, dtype=np.float64)
        result = np.zeros((len(x), self.n_genes, self.n_regulators))
        entry = self.target * self.n_regulators + self.regulator
        flat = result.reshape(len(x), -1)
        for part in self._parts(len(x)):
            given = x[part][:, self.regulator]
            share, rest = (
                hill_curve(given, self.half_response, self.hill),
                hill_curve(self.half_response, given, self.hill),
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                slopes = self.strength * self.hill * share * rest / given
            at_zero = np.where(self.hill == 1, self.strength / self.half_response, 0.0)
            slopes = np.where(given == 0, at_zero, slopes)
            np.add.at(flat[part].T, entry, slopes.T)
        return result

    def _spread(self, values: FloatArray) -> csr_array:
        return csr_array((values, (self.target, np.arange(len(values)))), shape=(self.n_genes, len(values)))

    def _parts(self, n_cells: int) -> list[slice]:
        size = max(1, ENTRIES_AT_ONCE // max(1, len(self.strength)))
        return [slice(start, start + size) for start in range(0, n_cells, size)]
