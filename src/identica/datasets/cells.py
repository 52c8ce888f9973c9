"""Simulated single cells whose transcription factors are known: their concentrations drawn, genes by Hill curves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from identica.arguments import check_choice, check_correlation, check_integer, check_real, local_random
from identica.datasets.cell_presets import CELL_PRESETS, CellPreset, PresetName
from identica.datasets.cell_states import draw_levels, draw_types
from identica.datasets.droplets import draw_droplets
from identica.datasets.gene_network import GeneNetwork
from identica.datasets.regulation import FloatArray, Regulation
from identica.datasets.regulons import Regulon, make_regulon
from identica.datasets.sergio import NOISE_TYPES, STEP, NoiseType, run_sergio
from identica.datasets.simulated_cells import SimulatedCells
from identica.datasets.technical_noise import TechnicalNoise

__all__ = ["SimulatedCells", "make_cells"]

HalfResponses = Literal["factor", "edge"]
HALF_RESPONSES: tuple[str, ...] = get_args(HalfResponses)
RELAXATIONS = 5
"""How many times 1 / lambda the stochastic model runs before a cell of its own concentrations is taken."""
STEPS_PER_RELAXATION = 25
CELLS_AT_ONCE = 64
LARGEST_STRENGTH = 1e6
"""Of cross-talk and noise: a million times an edge's own strength is a slip, and would end in infinite expression."""
LARGEST_SHIFT = 5.0
"""Standard deviation of a logarithm: genes would differ between batches by a factor of a thousand."""
WITHIN_TYPES = 0.5
BATCH_SHIFT = 0.3


def make_cells(
    n_cells: int = 1000,
    n_factors: int = 10,
    *,
    preset: PresetName | None = None,
    regulon: Regulon | None = None,
    n_bins: int | None = None,
    n_types: int | None = None,
    within_types: float | None = None,
    correlation: float = 0.5,
    fold: float = 4.0,
    cross_talk: float = 0.2,
    hill: float = 2.0,
    half_responses: HalfResponses = "factor",
    strength: tuple[float, float] = (1.0, 5.0),
    decay: float = 0.8,
    noise: NoiseType | None = None,
    noise_strength: float | None = None,
    n_batches: int | None = None,
    batch_shift: float | None = None,
    doublets: float | None = None,
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
    preset : {"clean", "counts", "10x"}, optional
        Types, batches, doublets and technical noise that belong together (:data:`CELL_PRESETS`). "clean" has none of
        them, "counts" has Poisson counts with a depth of its own for each cell (log standard deviation 0.4, 3.5
        molecules per gene), "10x" all of SERGIO's technical noise, six types, two batches and 5 % of doublets. What
        else is given goes before the preset.
    regulon : Regulon, optional
        The network, cleaned; by default a random one that looks like TRRUST's.
    n_bins : int, optional
        Number of cell types, between which alone concentrations differ, as in SERGIO; by default each cell has
        concentrations of its own. With `noise` the cells of a type are moments of one run, which is 15 steps long for
        each of them: a handful of cells are then much alike. Cells of a type stand together.
    n_types : int, optional
        Number of cell types about whose mean profile of the factors cells vary, in random order. Few types make the
        factors more, and otherwise, dependent than `correlation` says, as in tissue. 1 for none.
    within_types : float, optional
        Share of the variance of the factors, of the normals of the copula, that lies within types: 0 makes cells of a
        type alike, 1 makes types mean nothing. 0.5 by default.
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
    n_batches : int, optional
        Number of batches of equal size, to which cells belong whatever they express. 1, the default, for none.
    batch_shift : float, optional
        Standard deviation of the logarithm of a gene's factor in a batch, which is log-normal, as in Splat; at most 5.
        0.3 by default.
    doublets : float, optional
        Share of cells to whose expression that of another cell of the same batch is added; 0 by default.
    technical : TechnicalNoise, optional
        Technical noise; none by default. It comes after the batches' shifts. The two cells of a doublet get theirs
        before they are added.
    random_state : int, RandomState or None, default=None
        Seed or generator. The network, the types' profiles and the batches' shifts are drawn first: with the same seed
        they are the same for all `n_cells`.

    Returns
    -------
    SimulatedCells
        Expression `X`, concentrations `latents` and the network.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If it is out of range, or makes expression infinite. If a number is given without what it belongs to, as
        `noise_strength` without `noise`, or both `n_bins` and `n_types`.

    References
    ----------
    P. Dibaeinia and S. Sinha, "SERGIO: a single-cell expression simulator guided by gene regulatory networks", Cell
    Systems 11, 2020. L. Zappia et al., "Splatter: simulation of single-cell RNA sequencing data", Genome Biology 18,
    2017.

    Examples
    --------
    >>> X, latents, jacobians = make_cells(50, 3, random_state=0)
    >>> X.shape[0], latents.shape, jacobians.shape == (50, X.shape[1], 3)
    (50, (50, 3), True)
    >>> cells = make_cells(200, 3, preset="10x", random_state=0)
    >>> np.bincount(cells.batches).tolist(), int(cells.doublets.sum()), np.bincount(cells.bins).max().item()
    ([100, 100], 10, 34)
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
    chosen = _settings(preset, n_cells, n_bins, n_types, within_types, n_batches, batch_shift, doublets)
    random = local_random(random_state)
    whole = make_regulon(random_state=random) if regulon is None else regulon.clean()
    true = whole.largest(n_factors)
    regulation = _draw_regulation(true, cross_talk, hill, half_responses, strength, fold, random)
    types = shifts = None
    if chosen.n_types:
        types = draw_types(chosen.n_types, n_factors, chosen.within_types or 0.0, correlation, random)
    if chosen.n_batches:
        shifts = np.exp((chosen.batch_shift or 0.0) * random.standard_normal((chosen.n_batches, len(true.genes))))
    levels, bins = draw_levels(n_cells, n_factors, n_bins, types, correlation, fold, random)
    if noise is None:
        with np.errstate(over="ignore"):  # refused below
            latents, clean = levels, regulation.production(levels) / decay
    else:
        latents, clean = _stochastic(regulation, levels, None if n_bins is None else bins, noise, q, decay, random)
    if not np.isfinite(clean).all():
        raise ValueError(
            f"expression is not finite with strength={tuple(strength)}, cross_talk={cross_talk:g} and decay={decay:g}: "
            "use numbers nearer to 1"
        )
    droplets = draw_droplets(n_cells, shifts, chosen.doublets or 0.0, random)
    return SimulatedCells(
        X=droplets.sequence(clean, technical or chosen.technical(len(true.genes)), random),
        clean=droplets.sums(clean),
        latents=droplets.means(latents),
        bins=bins,
        factors=true.factors,
        genes=true.genes,
        regulon=true,
        regulation=regulation,
        decay=decay,
        batches=droplets.batches,
        doublets=np.isin(np.arange(n_cells), droplets.first) if chosen.doublets else None,
    )


def _settings(
    preset: str | None,
    n_cells: int,
    n_bins: int | None,
    n_types: int | None,
    within_types: float | None,
    n_batches: int | None,
    batch_shift: float | None,
    doublets: float | None,
) -> CellPreset:
    """Check what is given beside the preset, and put it in the place of what the preset has."""
    if preset is not None:
        check_choice("preset", preset, tuple(CELL_PRESETS))
    base = CELL_PRESETS["clean" if preset is None else preset]
    if n_bins is not None:
        if n_types is not None:
            raise ValueError(f"n_bins={n_bins} and n_types={n_types} were both given: cells are of one or of the other")
        base = replace(base, n_types=None, within_types=None)
    types = base.n_types if n_types is None else check_integer("n_types", n_types, 1, n_cells)
    batches = base.n_batches if n_batches is None else check_integer("n_batches", n_batches, 1, n_cells)
    # One type or batch of all cells is none.
    types, batches = (None if n is None or n == 1 else min(n, n_cells) for n in (types, batches))
    for name, value, owner, there in (
        ("within_types", within_types, "n_types", types),
        ("batch_shift", batch_shift, "n_batches", batches),
    ):
        if value is not None and there is None:
            raise ValueError(f"{name}={value} was given without {owner}: give {owner}, 2 or more, or leave it out")
    within = next(w for w in (within_types, base.within_types, WITHIN_TYPES) if w is not None)
    shift = next(v for v in (batch_shift, base.batch_shift, BATCH_SHIFT) if v is not None)
    share = next(v for v in (doublets, base.doublets, 0.0) if v is not None)
    return replace(
        base,
        n_types=types,
        within_types=check_real("within_types", within, at_least=0, at_most=1),
        n_batches=batches,
        batch_shift=check_real("batch_shift", shift, at_least=0, at_most=LARGEST_SHIFT),
        doublets=check_real("doublets", share, at_least=0, at_most=1),
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
