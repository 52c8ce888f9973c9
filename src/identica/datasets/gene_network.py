"""Which gene regulates which, how strongly, and how fast those are produced that nothing regulates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from identica.arguments import check_integer
from identica.datasets.regulation import FloatArray

__all__ = ["GeneNetwork"]


@final
@dataclass(frozen=True, eq=False)
class GeneNetwork:
    """A network of genes without cycles, with the production rates of those that nothing regulates.

    Parameters
    ----------
    n_genes : int
        Number of genes.
    regulator, target : ndarray of int of shape (n_edges,)
        Edges between genes.
    strength : ndarray of shape (n_edges,)
        K; negative for a repressor.
    hill : ndarray of shape (n_edges,)
        Hill coefficients.
    masters : ndarray of int of shape (n_masters,)
        The genes without regulators.
    rates : ndarray of shape (n_masters, n_bins)
        Their production in each bin.

    Raises
    ------
    TypeError
        If `n_genes` is no integer.
    ValueError
        If numbers are out of range or do not fit together. If a gene is both a master and regulated, or neither, or
        there is a cycle.
    """

    n_genes: int
    regulator: NDArray[np.intp]
    target: NDArray[np.intp]
    strength: FloatArray
    hill: FloatArray
    masters: NDArray[np.intp]
    rates: FloatArray

    def __post_init__(self) -> None:
        """Check the numbers and the structure."""
        check_integer("n_genes", self.n_genes, 1)
        for name in ("regulator", "target", "masters"):
            numbers = np.asarray(getattr(self, name))
            if numbers.size == 0:
                numbers = numbers.astype(np.intp)
            if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
                raise ValueError(f"{name} is not a row of integers: give the numbers of genes")
            if ((numbers < 0) | (numbers >= self.n_genes)).any():
                last = self.n_genes - 1
                raise ValueError(f"{name} names a gene that is not there: the genes' numbers go from 0 to {last}")
            object.__setattr__(self, name, numbers.astype(np.intp))
        for name in ("strength", "hill", "rates"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        for name in ("strength", "hill"):
            if getattr(self, name).ndim != 1:
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}: give one number for every edge")
        n_edges = len(self.target)
        if not len(self.regulator) == len(self.strength) == len(self.hill) == n_edges:
            raise ValueError(
                f"there are {len(self.regulator)} regulators, {n_edges} targets, {len(self.strength)} strengths and "
                f"{len(self.hill)} Hill coefficients: give one of each for every edge"
            )
        if np.ndim(self.rates) != 2 or len(self.rates) != len(self.masters):
            raise ValueError(f"rates have the shape {np.shape(self.rates)}: give ({len(self.masters)}, n_bins)")
        if self.rates.shape[1] == 0:
            raise ValueError("rates have no column: give each master's production in at least one bin")
        if len(np.unique(self.masters)) < len(self.masters):
            raise ValueError("a master is named twice: give each one row of rates")
        if not np.isfinite(self.strength).all():
            raise ValueError("a strength is not finite: give numbers")
        if not (np.isfinite(self.hill).all() and np.min(self.hill, initial=1.0) > 0):
            raise ValueError("a Hill coefficient is not positive and finite: give numbers above 0")
        if not (np.isfinite(self.rates).all() and np.min(self.rates, initial=0.0) >= 0):
            raise ValueError("a production rate is negative or not finite: give numbers from 0")
        regulated, masters = set(self.target.tolist()), set(self.masters.tolist())
        if regulated & masters:
            raise ValueError(f"gene {min(regulated & masters)} has both a production rate and regulators: give it one")
        left = set(range(self.n_genes)) - regulated - masters
        if left:
            raise ValueError(f"gene {min(left)} has neither a production rate nor regulators: give it one of them")
        self.layers()

    @property
    def n_bins(self) -> int:
        """Number of cell types."""
        return int(self.rates.shape[1])

    def layers(self) -> list[NDArray[np.intp]]:
        """Order the genes so that every regulator is in an earlier layer than its targets.

        Returns
        -------
        list of ndarray of int
            The masters first.

        Raises
        ------
        ValueError
            If there is a cycle.
        """
        waiting = np.bincount(self.target, minlength=self.n_genes)
        order = np.argsort(self.regulator, kind="stable")
        starts = np.searchsorted(self.regulator[order], np.arange(self.n_genes + 1))
        layer, result, n_placed = np.flatnonzero(waiting == 0), [], 0
        while len(layer):
            result.append(layer)
            n_placed += len(layer)
            edges = np.concatenate([order[starts[gene] : starts[gene + 1]] for gene in layer])
            np.subtract.at(waiting, self.target[edges], 1)
            reached = np.unique(self.target[edges])
            layer = reached[waiting[reached] == 0]
        if n_placed < self.n_genes:
            stuck = int(np.flatnonzero(waiting > 0)[0])
            raise ValueError(f"gene {stuck} is on a cycle or behind one: SERGIO's layers need a network without cycles")
        return result
