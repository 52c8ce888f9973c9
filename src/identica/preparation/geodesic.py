"""Coordinates that unfold the data: distances along the manifold in place of straight ones.

Where the mixing bends strongly, the first principal components fold: two distant points have the same coordinates, and
a network that starts there may never tell them apart. Isomap's coordinates follow the manifold. With many features they
are nearly linear in the observations, and a start that has this linear map inside begins unfolded.

References
----------
J. B. Tenenbaum, V. de Silva and J. C. Langford, "A Global Geometric Framework for Nonlinear Dimensionality Reduction",
Science 290, 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.csgraph import shortest_path
from sklearn.neighbors import kneighbors_graph

from identica.preparation.standardise import FloatArray

__all__ = ["Basis", "geodesic_basis"]

ROWS = 1500
FEWEST_ROWS = 200
NEIGHBOURS = 10
RIDGE = 1e-2


@final
@dataclass(frozen=True, eq=False)
class Basis:
    """Linear maps that a start has inside before it is trained.

    Parameters
    ----------
    name : str
        Where they come from.
    outward : ndarray of shape (n_components, rank)
        From latents to coordinates.
    inward : ndarray of shape (rank, n_components), optional
        From coordinates to latents; the pseudo-inverse of the other if None.
    """

    name: str
    outward: FloatArray
    inward: FloatArray | None = None

    def in_features(self, loadings: FloatArray) -> Basis:
        """Return the same maps to and from features.

        Parameters
        ----------
        loadings : ndarray of shape (n_features, rank)
            From coordinates to features, with orthogonal columns of one length.

        Returns
        -------
        Basis
            Of n_features coordinates.
        """
        outward = self.outward @ loadings.T
        if self.inward is None:
            return Basis(self.name, outward)
        return Basis(self.name, outward, loadings @ self.inward / np.square(loadings[:, 0]).sum())


def geodesic_basis(coordinates: FloatArray, n_components: int, seed: int) -> Basis | None:
    """Find linear maps to and from latents that follow Isomap's coordinates of some rows.

    Parameters
    ----------
    coordinates : ndarray of shape (n_samples, rank)
        Rows in the compact space.
    n_components : int
        Number of latents.
    seed : int
        Of the choice of rows.

    Returns
    -------
    Basis or None
        None where there are too few rows, or these fall apart into pieces without a path between them.
    """
    n_samples, rank = coordinates.shape
    if n_samples < FEWEST_ROWS or n_components > rank:
        return None
    chosen = np.random.default_rng(seed).permutation(n_samples)[:ROWS]
    rows = coordinates[chosen].astype(np.float64)
    rows = rows[np.unique(rows, axis=0, return_index=True)[1]]
    if len(rows) < FEWEST_ROWS:
        return None
    unfolded = _isomap(rows, n_components)
    if unfolded is None:
        return None
    gram = rows.T @ rows + RIDGE * len(rows) * rows.var(axis=0).mean() * np.eye(rank)
    inward = np.linalg.solve(gram, rows.T @ unfolded)
    latents = coordinates.astype(np.float64) @ inward
    deviations = latents.std(axis=0)
    if not (np.isfinite(deviations).all() and (deviations > 0).all()):
        return None
    inward, latents = inward / deviations, latents / deviations
    outward = np.linalg.lstsq(latents, coordinates.astype(np.float64), rcond=None)[0]
    return Basis("geodesic", outward, inward)


def _isomap(rows: NDArray[np.float64], n_components: int) -> NDArray[np.float64] | None:
    """Return Isomap's coordinates; scikit-learn's own draws from the global random state."""
    graph: Any = kneighbors_graph(rows, NEIGHBOURS, mode="distance")
    distances = shortest_path(graph.maximum(graph.T), directed=False)
    if not np.isfinite(distances).all():
        return None
    squares = np.square(distances)
    inner = -0.5 * (squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean())
    n = len(rows)
    values, vectors = eigh(inner, subset_by_index=(n - n_components, n - 1))
    if values[0] <= 0:
        return None
    return np.asarray(vectors * np.sqrt(values))
