"""Simulated single cells whose transcription factors are known: their concentrations drawn, genes by Hill curves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final, get_args

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_choice, check_correlation, check_integer, check_real, local_random
from identica.datasets.annotated import cells_as_anndata, edge_table
from identica.datasets.gene_network import GeneNetwork
from identica.datasets.regulation import FloatArray, Regulation
from identica.datasets.regulons import Regulon, make_regulon
from identica.datasets.sampling import draw_latents
from identica.datasets.sergio import NOISE_TYPES, STEP, NoiseType, run_sergio
from identica.datasets.technical_noise import TechnicalNoise
from identica.io.files import atomic_write

if TYPE_CHECKING:
    import anndata

__all__ = ["SimulatedCells", "make_cells"]

HalfResponses = Literal["factor", "edge"]
HALF_RESPONSES: tuple[str, ...] = get_args(HalfResponses)
RELAXATIONS = 5
"""How many times 1 / lambda the stochastic model runs before a cell of its own concentrations is taken."""
STEPS_PER_RELAXATION = 25
CELLS_AT_ONCE = 64
LARGEST_STRENGTH = 1e6
"""Of cross-talk and noise: a million times an edge's own strength is a slip, and would end in infinite expression."""


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
        Expression without technical noise.
    latents : ndarray of shape (n_cells, n_factors)
        Concentrations of the transcription factors in the very cells.
    bins : ndarray of int of shape (n_cells,) or None
        Cell type, where there are types.
    factors, genes : tuple of str
        Names.
    regulon : Regulon
        The true edges, cross-talk left out.
    regulation : Regulation
        All edges with their strengths.
    decay : float
        Of the genes.
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
            uns["decay"] and, where cells have types, obs["cell_type"].

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
        result = cells_as_anndata(self.X, self.genes, concentrations, regulation, self.bins)
        result.layers["clean"] = self.clean
        result.uns["regulon"] = self.regulon.to_frame()
        result.uns["decay"] = float(self.decay)
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


def make_cells(
    n_cells: int = 1000,
    n_factors: int = 10,
    *,
    regulon: Regulon | None = None,
    n_bins: int | None = None,
    correlation: float = 0.5,
    fold: float = 4.0,
    cross_talk: float = 0.2,
    hill: float = 2.0,
    half_responses: HalfResponses = "factor",
    strength: tuple[float, float] = (1.0, 5.0),
    decay: float = 0.8,
    noise: NoiseType | None = None,
    noise_strength: float | None = None,
    technical: TechnicalNoise | None = None,
    random_state: int | RandomState | None = None,
) -> SimulatedCells:
    """Simulate the expression of the targets of some transcription factors.

    A gene's expression is P(s) / lambda, with P the production by Hill curves of the factors' concentrations s, or
    follows the stochastic model of SERGIO about that. Where a gene has no activator it is what its repressors leave.

    Parameters
    ----------
    n_cells : int, default=1000
        Number of cells.
    n_factors : int, default=10
        Transcription factors: those of the regulon with most targets. Genes are their targets.
    regulon : Regulon, optional
        The network, cleaned; by default a random one that looks like TRRUST's.
    n_bins : int, optional
        Number of cell types, between which alone concentrations differ, as in SERGIO; by default each cell has
        concentrations of its own. With `noise` the cells of a type are moments of one run, which is 15 steps long for
        each of them: a handful of cells are then much alike.
    correlation : float, default=0.5
        Of each two factors' concentrations, of the normals of a Gaussian copula.
    fold : float, default=4.0
        Ratio of a factor's highest concentration to its lowest; the logarithm is uniform.
    cross_talk : float, default=0.2
        Standard deviation of the strength of influences without an edge, of every factor on every gene, which is
        normal about zero; an edge's is up to 5. 0 leaves them out; at most 1e6.
    hill : float, default=2.0
        Hill coefficient.
    half_responses : {"factor", "edge"}, default="factor"
        Half response of an edge: the mean concentration of its factor, as SERGIO estimates it, or one of its own,
        log-uniform within the factor's range.
    strength : (float, float), default=(1.0, 5.0)
        Range of an edge's strength, which is uniform.
    decay : float, default=0.8
        lambda, of all genes.
    noise : {"sp", "spd", "dpd"}, optional
        Noise of the stochastic model (see :func:`run_sergio`); by default none, the quasi-steady state. It acts on the
        factors, too, whose concentrations are then those of the very moment.
    noise_strength : float, optional
        q of the stochastic model, at most 1e6; 1 by default.
    technical : TechnicalNoise, optional
        Technical noise; none by default.
    random_state : int, RandomState or None, default=None
        Seed or generator. The network is drawn first: with the same seed it is the same for all `n_cells`.

    Returns
    -------
    SimulatedCells
        Expression `X`, concentrations `latents` and the network.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If it is out of range, or makes expression infinite. If `noise_strength` is given without `noise`.

    Examples
    --------
    >>> X, latents, jacobians = make_cells(50, 3, random_state=0)
    >>> X.shape[0], latents.shape, jacobians.shape == (50, X.shape[1], 3)
    (50, (50, 3), True)
    """
    n_cells = check_integer("n_cells", n_cells, 1)
    n_factors = check_integer("n_factors", n_factors, 1)
    check_choice("half_responses", half_responses, HALF_RESPONSES)
    correlation = check_correlation(correlation, n_factors)
    fold = check_real("fold", fold, above=1)
    cross_talk = check_real("cross_talk", cross_talk, at_least=0, at_most=LARGEST_STRENGTH)
    hill = check_real("hill", hill, above=0)
    decay = check_real("decay", decay, above=0)
    if noise is not None:
        check_choice("noise", noise, NOISE_TYPES)
    elif noise_strength is not None:
        raise ValueError(
            f"noise_strength={noise_strength} was given without noise: give noise, one of {', '.join(NOISE_TYPES)}, or "
            "leave it out"
        )
    q = check_real(
        "noise_strength", 1.0 if noise_strength is None else noise_strength, at_least=0, at_most=LARGEST_STRENGTH
    )
    if not isinstance(regulon, Regulon | None):
        raise TypeError(
            f"regulon is a {type(regulon).__name__}, and no Regulon: read one with read_regulon, make it of a table by "
            "Regulon.from_frame, or take make_regulon's"
        )
    if not isinstance(technical, TechnicalNoise | None):
        raise TypeError(f"technical={technical!r} is not a TechnicalNoise: make one of its stages")
    if not isinstance(strength, tuple | list) or len(strength) != 2:
        raise TypeError(f"strength={strength!r} is no range: give the lowest and the highest, such as (1, 5)")
    random = local_random(random_state)
    whole = make_regulon(random_state=random) if regulon is None else regulon.clean()
    true = whole.largest(n_factors)
    regulation = _draw_regulation(true, cross_talk, hill, half_responses, strength, fold, random)
    levels, bins = _draw_levels(n_cells, n_factors, n_bins, correlation, fold, random)
    if noise is None:
        with np.errstate(over="ignore"):  # refused below
            latents, clean = levels, regulation.production(levels) / decay
    else:
        latents, clean = _stochastic(regulation, levels, bins, noise, q, decay, random)
    if not np.isfinite(clean).all():
        raise ValueError(
            f"expression is not finite with strength={tuple(strength)}, cross_talk={cross_talk:g} and decay={decay:g}: "
            "use numbers nearer to 1"
        )
    return SimulatedCells(
        X=clean if technical is None else technical.apply(clean, random_state=random),
        clean=clean,
        latents=latents,
        bins=bins,
        factors=true.factors,
        genes=true.genes,
        regulon=true,
        regulation=regulation,
        decay=decay,
    )


def _draw_regulation(
    true: Regulon,
    cross_talk: float,
    hill: float,
    half_responses: str,
    strength: tuple[float, float],
    fold: float,
    random: RandomState,
) -> Regulation:
    low, high = strength
    check_real("the lower strength", low, above=0)
    check_real("the higher strength", high, at_least=low)
    signs = np.sign(true.matrix())
    n_genes, n_factors = signs.shape
    sizes = random.uniform(low, high, signs.shape)
    weak = cross_talk * random.standard_normal(signs.shape)
    strengths = np.where(signs != 0, signs * sizes, weak)
    target, regulator = np.nonzero(strengths)
    middle = np.log(fold) * random.uniform(-0.5, 0.5, signs.shape)
    # The mean of a concentration whose logarithm is uniform within +-log(fold) / 2.
    mean = (np.sqrt(fold) - 1 / np.sqrt(fold)) / np.log(fold)
    half_response = np.exp(middle) if half_responses == "edge" else np.full(signs.shape, mean)
    return Regulation(
        regulator=regulator,
        target=target,
        strength=strengths[target, regulator],
        hill=np.full(len(target), hill),
        half_response=half_response[target, regulator],
        n_regulators=n_factors,
        n_genes=n_genes,
    )


def _draw_levels(
    n_cells: int, n_factors: int, n_bins: int | None, correlation: float, fold: float, random: RandomState
) -> tuple[FloatArray, NDArray[np.intp] | None]:
    """Draw the concentrations at which the factors are held, of each cell or of its type."""
    n_states = n_cells if n_bins is None else check_integer("n_bins", n_bins, 1, n_cells)
    scores = draw_latents("dependent", n_states, n_factors, correlation, random) / (2 * np.sqrt(3.0))
    levels = np.exp(np.log(fold) * scores)
    if n_bins is None:
        return levels, None
    bins = np.sort(np.arange(n_cells) % n_bins)
    return levels[bins], bins


def _stochastic(
    regulation: Regulation,
    levels: FloatArray,
    bins: NDArray[np.intp] | None,
    noise: NoiseType,
    noise_strength: float,
    decay: float,
    random: RandomState,
) -> tuple[FloatArray, FloatArray]:
    """Run the stochastic model; return the factors' concentrations and the genes' expression in each cell."""
    n_factors = regulation.n_regulators

    def network(states: FloatArray) -> GeneNetwork:
        return GeneNetwork(
            n_genes=n_factors + regulation.n_genes,
            regulator=regulation.regulator,
            target=regulation.target + n_factors,
            strength=regulation.strength,
            hill=regulation.hill,
            masters=np.arange(n_factors),
            rates=states.T * decay,
        )

    settings: dict[str, Any] = {
        "noise": noise,
        "noise_strength": noise_strength,
        "decay": decay,
        "half_response": regulation.half_response,
        "random_state": random,
    }
    if bins is not None:
        states = levels[np.unique(bins, return_index=True)[1]]
        numbers = np.bincount(bins)
        dt = min(STEP, 1 / (decay * STEPS_PER_RELAXATION))
        run = run_sergio(network(states), int(numbers.max()), dt=dt, **settings)
        cells = np.concatenate([run.expression[b, :, :n].T for b, n in enumerate(numbers)])
    else:
        n_steps = RELAXATIONS * STEPS_PER_RELAXATION
        last: dict[str, Any] = {
            "dt": 1 / (decay * STEPS_PER_RELAXATION),
            "sampling_state": n_steps,
            "sampled": [n_steps - 1],
        }
        parts = [levels[start : start + CELLS_AT_ONCE] for start in range(0, len(levels), CELLS_AT_ONCE)]
        cells = np.concatenate([run_sergio(network(part), 1, **last, **settings).expression[..., 0] for part in parts])
    return cells[:, :n_factors].copy(), cells[:, n_factors:].copy()
