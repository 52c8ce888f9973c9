"""What simulators of cells return: expression, and the truth behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from identica.datasets.annotated import cells_as_anndata, edge_table
from identica.datasets.regulation import FloatArray, Regulation
from identica.datasets.regulons import Regulon
from identica.io.files import atomic_write

if TYPE_CHECKING:
    import anndata

__all__ = ["SimulatedCells"]


@final
@dataclass(frozen=True, eq=False)
class SimulatedCells:
    """Expression together with the concentrations and the network behind it.

    Iterating gives `X`, `latents` and `jacobians`, as for :class:`identica.datasets.Mixture`.

    Parameters
    ----------
    X : ndarray of shape (n_cells, n_genes)
        Expression as measured.
    clean : ndarray of shape (n_cells, n_genes)
        Expression without technical noise and without the shifts of batches; a doublet's is the sum of its two cells.
    latents : ndarray of shape (n_cells, n_factors)
        Concentrations of the transcription factors in the very cells; a doublet's are the means of its two cells.
    bins : ndarray of int of shape (n_cells,) or None
        Cell type, where there are types; a doublet has that of the first of its two cells.
    factors, genes : tuple of str
        Names.
    regulon : Regulon
        The true edges, cross-talk left out.
    regulation : Regulation
        All edges with their strengths.
    decay : float
        Of the genes.
    batches : ndarray of int of shape (n_cells,), optional
        Batch, where there are batches.
    doublets : ndarray of bool of shape (n_cells,), optional
        Which cells are the sum of two, where there are doublets.
    """

    X: FloatArray
    clean: FloatArray
    latents: FloatArray
    bins: NDArray[np.intp] | None
    factors: tuple[str, ...]
    genes: tuple[str, ...]
    regulon: Regulon
    regulation: Regulation
    decay: float
    batches: NDArray[np.intp] | None = None
    doublets: NDArray[np.bool_] | None = None

    @property
    def obs(self) -> pd.DataFrame:
        """What is known of each cell, by its name: cell_type, batch and doublet, as far as there are any."""
        table = pd.DataFrame(index=[f"cell_{i}" for i in range(len(self.X))])
        if self.bins is not None:
            table["cell_type"] = pd.Categorical([f"type_{b}" for b in self.bins])
        if self.batches is not None:
            table["batch"] = pd.Categorical([f"batch_{b}" for b in self.batches])
        if self.doublets is not None:
            table["doublet"] = self.doublets
        return table

    @cached_property
    def jacobians(self) -> FloatArray:
        """Exact dx/ds of the quasi-steady state at `latents`, of shape (n_cells, n_genes, n_factors); then kept."""
        return self.jacobian(self.latents)

    def jacobian(self, latents: ArrayLike) -> FloatArray:
        """Compute dx/ds of the quasi-steady state x = P(s) / lambda.

        Parameters
        ----------
        latents : array-like of shape (n_cells, n_factors)
            Positive concentrations.

        Returns
        -------
        ndarray of shape (n_cells, n_genes, n_factors)
            Exact derivatives.

        Raises
        ------
        ValueError
            If `latents` is no table of finite concentrations, not negative, with one column per factor.
        """
        levels = np.asarray(latents, dtype=np.float64)
        if levels.ndim != 2 or levels.shape[1] != len(self.factors):
            raise ValueError(f"latents have the shape {levels.shape}: give (n_cells, {len(self.factors)})")
        if not (np.isfinite(levels) & (levels >= 0)).all():
            raise ValueError("latents hold values that are negative, infinite or NaN: give positive concentrations")
        return self.regulation.derivative(levels) / self.decay

    def __iter__(self) -> Any:
        yield self.X
        yield self.latents
        yield self.jacobians

    def to_anndata(self, *, jacobians: bool = False) -> anndata.AnnData:
        """Give the cells as AnnData.

        Parameters
        ----------
        jacobians : bool, default=False
            Whether to add the Jacobians as obsm["tf_jacobian"], flattened to (n_cells, n_genes * n_factors).

        Returns
        -------
        AnnData
            With obsm["tf_concentration"] (a DataFrame), layers["clean"], uns["regulon"] (the true signed edges),
            uns["regulation"] (every edge with its strength, Hill coefficient and half response, cross-talk too),
            uns["decay"] and, where cells have types, batches or doublets, obs["cell_type"], obs["batch"] and
            obs["doublet"].

        Raises
        ------
        ImportError
            If anndata is not installed.
        """
        true = self.regulation
        regulation = edge_table(
            self.factors, self.genes, true.regulator, true.target, true.strength, true.hill, true.half_response
        )
        concentrations = pd.DataFrame(self.latents, columns=list(self.factors))
        result = cells_as_anndata(self.X, self.genes, concentrations, regulation, None)
        result.layers["clean"] = self.clean
        result.uns["regulon"] = self.regulon.to_frame()
        result.uns["decay"] = float(self.decay)
        result.obs = self.obs
        if jacobians:
            result.obsm["tf_jacobian"] = self.jacobians.reshape(len(self.X), -1)
        return result

    def write_h5ad(self, path: str | os.PathLike[str]) -> None:
        """Write the cells as AnnData's file, whole or not at all.

        Parameters
        ----------
        path : str or path
            Name of the file, ending in .h5ad.
        """
        cells = self.to_anndata()
        with atomic_write(path) as file:
            cells.write_h5ad(file.name)
