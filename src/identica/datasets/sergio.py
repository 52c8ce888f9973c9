"""The stochastic simulator of gene expression SERGIO, implemented from its equations.

A gene's expression x follows, in steps of length dt,

    x(t + 1) = max(0, x + dt (P - lambda x) + sqrt(dt) N)

with the production P by the regulators at the same step, the decay lambda and the noise N: with w, w1 and w2 standard
normal, "sp" q sqrt(P) w, "spd" q (sqrt(P) + sqrt(lambda x)) w, "dpd" q (sqrt(P) w1 + sqrt(lambda x) w2). Genes
without regulators, the masters, are produced at a constant rate in each bin, which is a cell type. Layers of the
network run one after the other, top down; each cell is one step, drawn with replacement, of its bin's run.

Source: P. Dibaeinia and S. Sinha, "SERGIO: a single-cell expression simulator guided by gene regulatory networks",
Cell Systems 11, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final, get_args

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from identica.arguments import check_choice, check_integer, check_real
from identica.datasets.annotated import cells_as_anndata, edge_table
from identica.datasets.gene_network import GeneNetwork
from identica.datasets.integration import integrate
from identica.datasets.regulation import FloatArray, Regulation

if TYPE_CHECKING:
    import anndata

__all__ = ["SergioRun", "run_sergio"]

NoiseType = Literal["sp", "spd", "dpd"]
NOISE_TYPES: tuple[str, ...] = get_args(NoiseType)
STEP = 0.01
"""Length of a step in SERGIO."""
ENTRIES_AT_ONCE = 2**23


@final
@dataclass(frozen=True, eq=False)
class SergioRun:
    """What a simulation gave.

    Parameters
    ----------
    network : GeneNetwork
        What was simulated.
    expression : ndarray of shape (n_bins, n_genes, n_cells)
        Expression of the sampled cells, without technical noise.
    half_response : ndarray of shape (n_edges,)
        H of every edge of the network, given or estimated.
    decay : ndarray of shape (n_genes,)
        lambda of every gene.
    sampled : ndarray of int of shape (n_cells,)
        The steps that are the cells.
    trajectory : ndarray of shape (n_genes, n_bins, n_steps) or None
        Every step, if asked for.
    """

    network: GeneNetwork
    expression: FloatArray
    half_response: FloatArray
    decay: FloatArray
    sampled: NDArray[np.intp]
    trajectory: FloatArray | None = None

    @property
    def cells(self) -> FloatArray:
        """Expression as a table of shape (n_bins * n_cells, n_genes), bin after bin."""
        return np.ascontiguousarray(self.expression.transpose(0, 2, 1).reshape(-1, self.expression.shape[1]))

    @cached_property
    def jacobians(self) -> FloatArray:
        """How the quasi-steady state x = P / lambda of every gene follows its regulators at once, cell by cell.

        Exact derivatives at the cells' own concentrations, of shape (n_bins * n_cells, n_genes, n_regulators), the
        regulators in the order of their numbers; computed once and kept. Masters, which nothing regulates, have 0.
        """
        network = self.network
        numbers, regulator = np.unique(network.regulator, return_inverse=True)
        regulation = Regulation(
            regulator=regulator,
            target=network.target,
            strength=network.strength,
            hill=network.hill,
            half_response=self.half_response,
            n_regulators=len(numbers),
            n_genes=network.n_genes,
        )
        return regulation.derivative(self.cells[:, numbers]) / self.decay[:, None]

    def to_anndata(self, *, jacobians: bool = False) -> anndata.AnnData:
        """Give the cells as AnnData, genes named gene_0, gene_1 and so on.

        Parameters
        ----------
        jacobians : bool, default=False
            Whether to add the Jacobians as obsm["tf_jacobian"], flattened to (n_cells, n_genes * n_regulators).

        Returns
        -------
        AnnData
            With all genes in X, those that regulate others also in obsm["tf_concentration"] (a DataFrame), edges with
            their parameters in uns["regulation"], and obs["cell_type"].

        Raises
        ------
        ImportError
            If anndata is not installed.
        """
        network = self.network
        names = [f"gene_{i}" for i in range(network.n_genes)]
        cells, regulators = self.cells, np.unique(network.regulator)
        edges = edge_table(
            names, names, network.regulator, network.target, network.strength, network.hill, self.half_response
        )
        result = cells_as_anndata(
            cells,
            names,
            pd.DataFrame(cells[:, regulators], columns=[names[i] for i in regulators]),
            edges,
            np.repeat(np.arange(network.n_bins), self.expression.shape[2]),
        )
        if jacobians:
            result.obsm["tf_jacobian"] = self.jacobians.reshape(len(cells), -1)
        return result


def run_sergio(
    network: GeneNetwork,
    n_cells: int = 300,
    *,
    noise: NoiseType = "dpd",
    noise_strength: ArrayLike = 1.0,
    decay: ArrayLike = 0.8,
    dt: float = STEP,
    sampling_state: int = 15,
    half_response: ArrayLike | None = None,
    keep_trajectory: bool = False,
    draws: ArrayLike | None = None,
    sampled: ArrayLike | None = None,
    random_state: int | RandomState | None = None,
) -> SergioRun:
    """Simulate every gene of a network in every bin.

    Parameters
    ----------
    network : GeneNetwork
        What regulates what.
    n_cells : int, default=300
        Cells of each bin.
    noise : {"sp", "spd", "dpd"}, default="dpd"
        Noise of production alone, of production and decay by one draw, or by two.
    noise_strength : float or array-like of shape (n_genes,), default=1.0
        q.
    decay : float or array-like of shape (n_genes,), default=0.8
        lambda, per unit of time.
    dt : float, default=0.01
        Length of a step, shorter than 1 / lambda: longer ones leap past the state to which a gene relaxes.
    sampling_state : int, default=15
        A run has this many steps for each cell.
    half_response : array-like of shape (n_edges,), optional
        H of each edge; otherwise the mean over bins of the regulator's mean over its cells.
    keep_trajectory : bool, default=False
        Whether to give every step back.
    draws : array-like of shape (n_genes, n_draws, n_bins, n_steps - 1), optional
        Standard normal numbers to use, two of them ("dpd") or one per step.
    sampled : array-like of int of shape (n_cells,), optional
        Steps that become the cells; negative ones count from the end.
    random_state : int, RandomState or None, default=None
        Seed or generator.

    Returns
    -------
    SergioRun
        Expression and what belongs to it.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If it is out of range or an array has the wrong shape. If expression becomes infinite.
    ImportError
        If numba is not installed.

    Examples
    --------
    >>> edges = {"regulator": np.array([0]), "target": np.array([1]), "strength": np.ones(1), "hill": np.ones(1)}
    >>> network = GeneNetwork(2, **edges, masters=np.array([0]), rates=np.array([[0.5, 1.0]]))
    >>> run_sergio(network, 10, random_state=0).expression.shape
    (2, 2, 10)
    """
    check_choice("noise", noise, NOISE_TYPES)
    n_cells = check_integer("n_cells", n_cells, 1)
    n_steps = n_cells * check_integer("sampling_state", sampling_state, 1)
    dt = check_real("dt", dt, above=0)
    strengths = _per_gene("noise_strength", noise_strength, network.n_genes, positive=False)
    decays = _per_gene("decay", decay, network.n_genes, positive=True)
    if dt * decays.max() >= 1:
        raise ValueError(
            f"dt={dt:g} is too long for a decay of {decays.max():g}, by which expression relaxes within "
            f"{1 / decays.max():g}: use a step shorter than that"
        )
    # A generator of the new kind, which is faster, from a seed or a generator of either kind.
    seed = None if random_state is None else check_random_state(random_state).randint(2**31 - 1, size=4)
    random = np.random.default_rng(seed)
    n_draws = 2 if noise == "dpd" else 1
    steps = random.integers(n_steps, size=n_cells) if sampled is None else np.asarray(sampled)
    if steps.shape != (n_cells,) or steps.dtype.kind not in "iu":
        raise ValueError(f"sampled has the shape {steps.shape} and type {steps.dtype}: give {n_cells} integers")
    given = None if draws is None else np.asarray(draws, dtype=np.float64)
    expected = (network.n_genes, n_draws, network.n_bins, n_steps - 1)
    if given is not None and given.shape != expected:
        raise ValueError(f"draws has the shape {given.shape}: {expected} is needed")
    if given is not None and not np.isfinite(given).all():
        raise ValueError("draws holds a number that is not finite: give standard normal ones")
    known = None if half_response is None else np.asarray(half_response, dtype=np.float64)
    if known is not None and known.shape != network.strength.shape:
        raise ValueError(
            f"half_response has the shape {known.shape}: give one for each of the {len(network.strength)} edges"
        )
    if known is not None and not ((known > 0) & np.isfinite(known)).all():
        raise ValueError("a half response is not positive and finite: give numbers above 0")
    if steps.min(initial=0) < -n_steps or steps.max(initial=0) >= n_steps:
        raise ValueError(f"sampled names steps outside the run: give numbers from {-n_steps} to {n_steps - 1}")
    run = _Run(network, n_steps, steps, known, keep_all=keep_trajectory)
    entries = n_draws * network.n_bins * n_steps
    for layer in network.layers():
        for genes in np.array_split(layer, max(1, len(layer) * entries // ENTRIES_AT_ONCE)):
            shape = (len(genes), *expected[1:])
            numbers = random.standard_normal(shape) if given is None else given[genes]
            run.simulate(genes, numbers, NOISE_TYPES.index(noise), strengths[genes], decays[genes], dt)
    if not np.isfinite(run.expression).all():
        raise ValueError(
            f"expression is not finite with strengths of up to {np.abs(network.strength).max(initial=0):g} and a "
            f"noise_strength of up to {strengths.max():g}: use smaller numbers"
        )
    return SergioRun(
        network=network,
        expression=run.expression.transpose(1, 0, 2).copy(),
        half_response=run.half_response,
        decay=decays,
        sampled=steps,
        trajectory=run.kept if keep_trajectory else None,
    )


class _Run:
    """The genes that are simulated so far; whole runs are kept of those that regulate others."""

    def __init__(
        self,
        network: GeneNetwork,
        n_steps: int,
        sampled: NDArray[np.intp],
        known: FloatArray | None,
        *,
        keep_all: bool,
    ) -> None:
        self.network = network
        self.sampled = sampled
        self.known = known is not None
        self.half_response = np.full(len(network.strength), np.nan) if known is None else known.copy()
        kept = np.arange(network.n_genes) if keep_all else np.unique(network.regulator)
        self.slot = np.full(network.n_genes, -1)
        self.slot[kept] = np.arange(len(kept))
        self.kept = np.empty((len(kept), network.n_bins, n_steps))
        self.means = np.empty((len(kept), network.n_bins))
        self.expression = np.empty((network.n_genes, network.n_bins, len(sampled)))

    def simulate(
        self, genes: NDArray[np.intp], draws: FloatArray, noise: int, q: FloatArray, decay: FloatArray, dt: float
    ) -> None:
        """Run genes whose regulators have been run."""
        network = self.network
        place = np.full(network.n_genes, -1)
        place[genes] = np.arange(len(genes))
        edges = np.flatnonzero(place[network.target] >= 0)
        edges = edges[np.argsort(place[network.target[edges]], kind="stable")]
        regulators = self.slot[network.regulator[edges]]
        if not self.known:
            self.half_response[edges] = self.means[regulators].mean(axis=1)
        constant = np.zeros((len(genes), network.n_bins))
        made = place[network.masters] >= 0
        constant[place[network.masters[made]]] = network.rates[made]
        out = np.empty((len(genes), *self.kept.shape[1:]))
        integrate(
            out,
            self.kept,
            self.means,
            np.searchsorted(place[network.target[edges]], np.arange(len(genes) + 1)),
            regulators,
            network.strength[edges],
            network.hill[edges],
            self.half_response[edges],
            constant,
            draws,
            noise,
            q,
            decay,
            dt,
        )
        self.expression[genes] = out[..., self.sampled]
        regulating = self.slot[genes] >= 0
        self.kept[self.slot[genes[regulating]]] = out[regulating]
        self.means[self.slot[genes[regulating]]] = self.expression[genes[regulating]].mean(axis=-1)


def _per_gene(name: str, value: Any, n_genes: int, *, positive: bool) -> FloatArray:
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.shape not in ((), (n_genes,)):
        raise ValueError(f"{name} has the shape {numbers.shape}: give one number, or one for each of {n_genes} genes")
    if not np.isfinite(numbers).all() or (numbers < 0).any() or (positive and (numbers == 0).any()):
        raise ValueError(f"{name} must be finite and {'positive' if positive else 'not negative'} for every gene")
    return np.broadcast_to(numbers, (n_genes,)).copy()
