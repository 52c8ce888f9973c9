"""Batches and doublets: what happens to cells between the tissue and the sequencer's technical noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from identica.datasets.regulation import FloatArray
from identica.datasets.technical_noise import TechnicalNoise

__all__ = ["Droplets", "draw_droplets"]


@final
@dataclass(frozen=True, eq=False)
class Droplets:
    """Which batch each cell belongs to, and which droplets hold a second cell.

    Parameters
    ----------
    batches : ndarray of int of shape (n_cells,) or None
        Batch of each cell, where there are batches.
    shifts : ndarray of shape (n_batches, n_genes) or None
        Factor of each gene in each batch.
    first, second : ndarray of int of shape (n_doublets,)
        Cells of which there are doublets, and the cells whose content is added to theirs.
    """

    batches: NDArray[np.intp] | None
    shifts: FloatArray | None
    first: NDArray[np.intp]
    second: NDArray[np.intp]

    def sequence(self, clean: FloatArray, technical: TechnicalNoise | None, random: RandomState) -> FloatArray:
        """Give what is measured of cells.

        Both cells of a doublet get depth, dropout and counts of their own, which then add up: a doublet has about
        twice the molecules of a cell.

        Parameters
        ----------
        clean : ndarray of shape (n_cells, n_genes)
            Expression of the single cells.
        technical : TechnicalNoise or None
            Technical noise.
        random : RandomState
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            Expression as measured.
        """
        shifted = clean if self.batches is None or self.shifts is None else clean * self.shifts[self.batches]
        if not len(self.first):
            return shifted if technical is None else technical.apply(shifted, random_state=random)
        contents = np.concatenate([shifted, shifted[self.second]])
        measured = contents if technical is None else technical.apply(contents, random_state=random)
        result = measured[: len(clean)].copy()
        result[self.first] += measured[len(clean) :]
        return result

    def sums(self, values: FloatArray) -> FloatArray:
        """Add the values of second cells to those of the first cells of doublets.

        Parameters
        ----------
        values : ndarray of shape (n_cells, n_columns)
            Of the single cells.

        Returns
        -------
        ndarray of shape (n_cells, n_columns)
            Of what the droplets hold.
        """
        if not len(self.first):
            return values
        result = values.copy()
        result[self.first] += values[self.second]
        return result

    def means(self, values: FloatArray) -> FloatArray:
        """Give the mean of both cells of each doublet.

        Parameters
        ----------
        values : ndarray of shape (n_cells, n_columns)
            Of the single cells.

        Returns
        -------
        ndarray of shape (n_cells, n_columns)
            Of what the droplets hold.
        """
        if not len(self.first):
            return values
        result = self.sums(values)
        result[self.first] /= 2
        return result


def draw_droplets(n_cells: int, shifts: FloatArray | None, doublets: float, random: RandomState) -> Droplets:
    """Draw the batch of each cell and the doublets, both independent of what the cells express.

    Parameters
    ----------
    n_cells : int
        Number of cells.
    shifts : ndarray of shape (n_batches, n_genes) or None
        Factors of the genes, where there are batches, all of which have the same number of cells but for one.
    doublets : float
        Share of cells that are doublets; the second cell is another one of the same batch, if that has any.
    random : RandomState
        Source of randomness.

    Returns
    -------
    Droplets
        Batches and doublets.
    """
    batches = None if shifts is None else random.permutation(n_cells) % len(shifts)
    first = np.zeros(0, dtype=np.intp)
    if doublets:
        first = np.sort(random.permutation(n_cells)[: round(doublets * n_cells)])
    # Cells of a batch stand in one block; the second cell lies some places further in the block, round its end.
    batch = np.zeros(n_cells, dtype=np.intp) if batches is None else batches
    order = np.argsort(batch, kind="stable")
    place = np.empty(n_cells, dtype=np.intp)
    place[order] = np.arange(n_cells)
    sizes = np.bincount(batch)
    starts = np.cumsum(sizes) - sizes
    own, size, start = batch[first], sizes[batch[first]], starts[batch[first]]
    further = 1 + np.floor(random.random_sample(len(own)) * (size - 1)).astype(np.intp)
    return Droplets(batches, shifts, first, order[start + (place[first] - start + further) % size])
