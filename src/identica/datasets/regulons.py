"""Regulons: which transcription factors act on which genes, and with which sign; looked over, cleaned, drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from identica.arguments import check_integer, check_real, local_random

__all__ = ["COLUMNS", "Regulon", "RegulonReport", "make_regulon"]

Pair = tuple[str, str]
COLUMNS = ("source", "target", "weight")


@final
@dataclass(frozen=True)
class RegulonReport:
    """What is odd about a regulon.

    Parameters
    ----------
    n_edges, n_factors, n_genes : int
        Rows, different sources and different targets.
    n_unsigned : int
        Rows of unknown sign.
    self_loops : tuple of str
        Factors that act on themselves.
    duplicates : tuple of (str, str)
        Pairs that occur again with the same sign, once for every repetition.
    conflicts : tuple of (str, str)
        Pairs that occur with both signs.
    largest_cycle : int
        Number of genes in the largest set whose members all act on each other in the end; 0 where there is none.
    """

    n_edges: int
    n_factors: int
    n_genes: int
    n_unsigned: int
    self_loops: tuple[str, ...]
    duplicates: tuple[Pair, ...]
    conflicts: tuple[Pair, ...]
    largest_cycle: int

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.n_edges} edges from {self.n_factors} factors to {self.n_genes} genes: {self.n_unsigned} without a "
            f"sign, {len(self.self_loops)} self-loops, {len(self.duplicates)} duplicates, {len(self.conflicts)} pairs "
            f"with both signs, {self.largest_cycle} genes in the largest cycle"
        )


@final
@dataclass(frozen=True, eq=False)
class Regulon:
    """Edges from transcription factors to the genes that they act on.

    Parameters
    ----------
    sources, targets : array-like of str of shape (n_edges,)
        Names.
    weights : array-like of shape (n_edges,)
        Positive for activation, negative for repression, 0 where that is unknown.

    Raises
    ------
    ValueError
        If the three differ in length, a name is missing or a weight is not finite.

    Examples
    --------
    >>> regulon = Regulon(["A", "A", "B"], ["x", "y", "x"], [1, -1, 1])
    >>> regulon.factors, regulon.genes
    (('A', 'B'), ('x', 'y'))
    >>> regulon.matrix().tolist()
    [[1.0, 1.0], [-1.0, 0.0]]
    """

    sources: NDArray[np.str_]
    targets: NDArray[np.str_]
    weights: NDArray[np.float64]

    def __init__(self, sources: ArrayLike, targets: ArrayLike, weights: ArrayLike) -> None:
        columns = (np.asarray(sources, dtype=np.str_), np.asarray(targets, dtype=np.str_))
        numbers = np.asarray(weights, dtype=np.float64)
        if not (columns[0].shape == columns[1].shape == numbers.shape) or numbers.ndim != 1:
            raise ValueError(
                f"sources, targets and weights have the shapes {columns[0].shape}, {columns[1].shape} and "
                f"{numbers.shape}: give one of each for every edge"
            )
        for name, given, names in zip(("source", "target"), (sources, targets), columns, strict=True):
            missing = pd.isna(np.asarray(given, dtype=object)) | (names == "")  # as text None is a name like others
            if missing.any():
                raise ValueError(f"edge {int(np.argmax(missing))} has no {name}: give its name, or leave the edge out")
        if not np.isfinite(numbers).all():
            raise ValueError(f"the weight of edge {int(np.argmin(np.isfinite(numbers)))} is not finite: give a number")
        for name, column in zip(("sources", "targets", "weights"), (*columns, numbers), strict=True):
            object.__setattr__(self, name, column)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Regulon:
        """Take over a table of the form that decoupler uses.

        Parameters
        ----------
        frame : DataFrame
            Has the columns "source", "target" and "weight"; with the first two alone all edges activate.

        Returns
        -------
        Regulon
            Its edges.

        Raises
        ------
        TypeError
            If it is no DataFrame.
        ValueError
            If a column is missing or doubled, a row has no name, or a weight is no number.
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"frame is a {type(frame).__name__}: give a DataFrame with source, target and weight")
        if not frame.columns.is_unique:
            name = frame.columns[frame.columns.duplicated()][0]
            raise ValueError(f"the table has several columns of the name {name!r}: keep one of them")
        missing = [name for name in COLUMNS[:2] if name not in frame]
        if missing:
            raise ValueError(f"the table has no column {missing[0]!r}, it has {', '.join(map(str, frame.columns[:6]))}")
        if "weight" not in frame and frame.shape[1] > 2:
            raise ValueError(
                f"the table has no column 'weight', it has {', '.join(map(str, frame.columns[:6]))}: rename the one "
                "with the sign"
            )
        if frame["source"].isna().any() or frame["target"].isna().any():
            raise ValueError("the table has a row without a source or a target: leave such rows out")
        weights = pd.to_numeric(frame["weight"], errors="coerce") if "weight" in frame else np.ones(len(frame))
        if np.isnan(weights).any():
            edge = int(np.argmax(np.isnan(weights)))
            raise ValueError(f"the weight of edge {edge}, {frame['weight'].iloc[edge]!r}, is not a number: give one")
        return cls(frame["source"].astype(str), frame["target"].astype(str), weights)

    def to_frame(self) -> pd.DataFrame:
        """Give the edges as a table of the form that decoupler uses.

        Returns
        -------
        DataFrame
            With the columns source, target and weight.
        """
        return pd.DataFrame(dict(zip(COLUMNS, (self.sources, self.targets, self.weights), strict=True)))

    def __len__(self) -> int:
        return len(self.weights)

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """Different sources, those with most edges first, ties by name."""
        counts = Counter(self.sources.tolist())
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @cached_property
    def genes(self) -> tuple[str, ...]:
        """Different targets by name."""
        return tuple(sorted(set(self.targets.tolist())))

    def matrix(self, factors: Sequence[str] | None = None, genes: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Give the weights as a matrix; those of edges that occur several times are added.

        Parameters
        ----------
        factors, genes : sequence of str, optional
            Columns and rows; all by default. Edges of others are left out.

        Returns
        -------
        ndarray of shape (n_genes, n_factors)
            0 where there is no edge.
        """
        column = {name: i for i, name in enumerate(self.factors if factors is None else factors)}
        row = {name: i for i, name in enumerate(self.genes if genes is None else genes)}
        result = np.zeros((len(row), len(column)))
        for source, target, weight in zip(self.sources.tolist(), self.targets.tolist(), self.weights, strict=True):
            if source in column and target in row:
                result[row[target], column[source]] += weight
        return result

    def restrict(self, factors: Iterable[str]) -> Regulon:
        """Keep the edges of some factors.

        Parameters
        ----------
        factors : iterable of str
            Their names.

        Returns
        -------
        Regulon
            Their edges.

        Raises
        ------
        ValueError
            If one has no edge here.
        """
        wanted = list(factors)
        unknown = [name for name in wanted if name not in set(self.factors)]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no factor of this regulon, it has {', '.join(self.factors[:5])}, ...")
        return self._where(np.isin(self.sources, wanted))

    def largest(self, n_factors: int) -> Regulon:
        """Keep the edges of the factors with most targets.

        Parameters
        ----------
        n_factors : int
            How many factors.

        Returns
        -------
        Regulon
            Their edges.

        Raises
        ------
        ValueError
            If there are fewer factors.
        """
        if not self.factors:
            raise ValueError("the regulon has no edges, of a known sign and to genes that are no factors: give another")
        if check_integer("n_factors", n_factors, 1) > len(self.factors):
            raise ValueError(
                f"n_factors={n_factors} is out of range: use from 1 to {len(self.factors)}, all factors of the network "
                "with an edge of a known sign to a gene that is no factor, or give a larger network"
            )
        return self.restrict(self.factors[:n_factors])

    def clean(self) -> Regulon:
        """Keep what has one known sign, once, and leads from a factor to a gene that is none.

        Returns
        -------
        Regulon
            Weights are those of the first occurrence. Self-loops and cycles cannot be in it.
        """
        signed = self._where(self.weights != 0)
        conflicts = set(signed.report().conflicts)
        factors = set(signed.sources.tolist())
        seen: set[Pair] = set()
        keep = np.zeros(len(signed), dtype=bool)
        for i, pair in enumerate(zip(signed.sources.tolist(), signed.targets.tolist(), strict=True)):
            keep[i] = pair not in conflicts and pair not in seen and pair[1] not in factors
            seen.add(pair)
        return signed._where(keep)

    def report(self) -> RegulonReport:
        """Look for what is odd.

        Returns
        -------
        RegulonReport
            What there is.
        """
        pairs = list(zip(self.sources.tolist(), self.targets.tolist(), strict=True))
        signs = np.sign(self.weights).tolist()
        found: dict[Pair, set[float]] = {}
        duplicates = []
        for pair, sign in zip(pairs, signs, strict=True):
            known = found.setdefault(pair, set())
            if sign in known:
                duplicates.append(pair)
            known.add(sign)
        return RegulonReport(
            n_edges=len(self),
            n_factors=len(self.factors),
            n_genes=len(self.genes),
            n_unsigned=signs.count(0.0),
            self_loops=tuple(sorted({source for source, target in found if source == target})),
            duplicates=tuple(duplicates),
            conflicts=tuple(pair for pair, known in found.items() if {1.0, -1.0} <= known),
            largest_cycle=self._largest_cycle(),
        )

    def _largest_cycle(self) -> int:
        names, ends = np.unique(np.concatenate([self.sources, self.targets]), return_inverse=True)
        start, end = ends[: len(self)], ends[len(self) :]
        apart = start != end  # a self-loop is reported as such
        graph = coo_array((np.ones(apart.sum()), (start[apart], end[apart])), shape=(len(names), len(names)))
        sizes = np.bincount(connected_components(graph, directed=True, connection="strong")[1], minlength=1)
        return int(sizes.max()) if sizes.max() > 1 else 0

    def _where(self, keep: NDArray[np.bool_]) -> Regulon:
        return Regulon(self.sources[keep], self.targets[keep], self.weights[keep])


def make_regulon(
    n_factors: int = 553,
    n_genes: int = 1418,
    *,
    regulators_per_gene: float | None = None,
    activation: float = 0.66,
    random_state: int | RandomState | None = None,
) -> Regulon:
    """Draw a random signed network that looks like TRRUST's: few factors with many targets, many with one or two.

    A gene has 1 + G regulators, G geometric; it chooses them in proportion to the factors' weights, which are
    log-normal with a standard deviation of 1.4. Every gene has a regulator and every factor a target. The
    defaults are the sizes of the clean human network.

    Parameters
    ----------
    n_factors, n_genes : int
        Sizes.
    regulators_per_gene : float, optional
        Mean of 1 + G, at least 1; 2.55 by default, or as many as there are factors where these are fewer. No gene has
        more regulators than there are factors, so that near to that number the network's own mean is lower.
    activation : float, default=0.66
        Share of activating edges.
    random_state : int, RandomState or None, default=None
        Seed or generator.

    Returns
    -------
    Regulon
        Factors TF1, TF2, ... and genes G1, G2, ..., weights 1 and -1.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> regulon = make_regulon(20, 100, random_state=0)
    >>> len(regulon.factors), len(regulon.genes), len(regulon) > 150
    (20, 100, True)
    """
    check_integer("n_factors", n_factors, 1)
    check_integer("n_genes", n_genes, 1)
    mean = min(2.55, n_factors) if regulators_per_gene is None else regulators_per_gene
    check_real("regulators_per_gene", mean, at_least=1, at_most=n_factors)
    check_real("activation", activation, at_least=0, at_most=1)
    random = local_random(random_state)
    popularity = np.exp(1.4 * random.standard_normal(n_factors))
    popularity /= popularity.sum()
    numbers = np.minimum(random.geometric(1 / mean, n_genes), n_factors)
    edges = {
        (int(factor), gene)
        for gene, number in enumerate(numbers)
        for factor in random.choice(n_factors, number, replace=False, p=popularity)
    }
    lonely = sorted(set(range(n_factors)) - {factor for factor, _ in edges})
    edges |= {(factor, int(random.randint(n_genes))) for factor in lonely}
    ordered = sorted(edges)
    signs = np.where(random.random_sample(len(ordered)) < activation, 1.0, -1.0)
    return Regulon([f"TF{j + 1}" for j, _ in ordered], [f"G{i + 1}" for _, i in ordered], signs)
