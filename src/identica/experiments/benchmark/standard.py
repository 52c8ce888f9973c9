"""The data sets and the methods of the standard benchmark: every assumption of the field once, and its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from identica.arguments import check_list
from identica.datasets import SPRITE_FACTORS, Regulon, make_cells, make_mixture, make_nonstationary, make_sprites
from identica.estimators import DICA, IMA, AuxiliaryICA, Compositional, PolytopicFactorization, SparseJacobian
from identica.experiments.baselines import as_rows
from identica.experiments.benchmark.plan import BenchmarkPlan, DatasetSpec, MethodSpec
from identica.experiments.comparison import METHODS, Simulation, check_known
from identica.networks import Convolutional, Dense, Network
from identica.solvers import Staged
from identica.training import Training

__all__ = ["BENCHMARK_DATASETS", "BENCHMARK_METHODS", "standard_plan"]

N_TEST = 1_000
N_INIT = 2
TRAINING = Training(max_steps=1_500)
LONG = Training(max_steps=6_000)
LONG_INIT = 4
"""Non-stationary sources have few features, so that steps are cheap, and need many."""
DENSE = Dense(hidden=(64, 64))
QUICK = Training(max_steps=150)
QUICK_SAMPLES = 800
SPRITE_SIZE = 16


@final
@dataclass(frozen=True)
class _Simulated:
    """A generator with all its arguments but the number of samples and the seed."""

    generator: Callable[..., Simulation]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, n_samples: int, seed: int) -> Simulation:
        return self.generator(n_samples, **self.arguments, random_state=seed)


def _mixture(kind: str, note: str, n_components: int = 4, n_features: int = 80, **arguments: Any) -> DatasetSpec:
    block = arguments.get("block_size", 1)
    blocks = tuple(tuple(range(i, i + block)) for i in range(0, n_components, block)) if block > 1 else None
    given = {"kind": kind, "n_features": n_features, "n_components": n_components, **arguments}
    return DatasetSpec(_Simulated(make_mixture, given), 4_000, N_TEST, n_components, blocks, note)


def _nonstationary(note: str, **arguments: Any) -> DatasetSpec:
    return DatasetSpec(_Simulated(make_nonstationary, arguments), 40_000, N_TEST, 5, None, note)


def _cells(note: str, **arguments: Any) -> DatasetSpec:
    return DatasetSpec(_Simulated(make_cells, {"n_factors": 5, **arguments}), 4_000, N_TEST, 5, None, note)


BENCHMARK_DATASETS: Mapping[str, DatasetSpec] = {
    "linear-independent": _mixture(
        "linear", "linear with bent components, which are independent and uniform", latents="uniform"
    ),
    "linear": _mixture("linear", "linear with bent components, which are dependent"),
    "post-nonlinear-independent": _mixture(
        "post-nonlinear", "each feature bent, components independent and uniform", latents="uniform"
    ),
    "post-nonlinear": _mixture("post-nonlinear", "each feature bent, components dependent"),
    "perturbed": _mixture("perturbed", "smooth waves in which all components interact"),
    "additive-1": _mixture("additive", "a wave per feature and component, of strength 1", n_features=120, strength=1.0),
    "additive-2": _mixture("additive", "the same, of strength 2", n_features=120, strength=2.0),
    "additive-3": _mixture("additive", "the same, of strength 3", n_features=120, strength=3.0),
    "folded-1.2": _mixture("folded", "features folded along dense directions, 1.2", n_features=120, strength=1.2),
    "folded-1.8": _mixture("folded", "the same, of strength 1.8", n_features=120, strength=1.8),
    "folded-2.4": _mixture("folded", "the same, of strength 2.4", n_features=120, strength=2.4),
    "sparse": _mixture("sparse", "two components influence each feature"),
    "orthogonal": _mixture("orthogonal", "orthogonal columns of the Jacobian everywhere"),
    "compositional": _mixture(
        "compositional", "features depend on one of three blocks of two, scored by block", 6, 90, block_size=2
    ),
    "nonstationary-1": _nonstationary("5 Laplace sources in 40 segments, which are u, mixed linearly", n_layers=1),
    "nonstationary-2": _nonstationary("the same, 2 layers of mixing, as many features", n_layers=2),
    "nonstationary-3": _nonstationary("the same, 3 layers of mixing", n_layers=3),
    "nonstationary-means": _nonstationary(
        "5 normal sources whose means change with the 40 segments, too, 3 layers of tanh",
        n_layers=3,
        distribution="gaussian",
        largest_mean=5.0,
        activation="tanh",
    ),
    "cells-mild": _cells("single cells, 5 factors, mild Hill curves"),
    "cells-bent": _cells("single cells, 5 factors, steep curves", half_responses="edge", hill=4.0, fold=16.0),
    "sprites": DatasetSpec(
        _Simulated(make_sprites, {"size": SPRITE_SIZE}),
        4_000,
        N_TEST,
        len(SPRITE_FACTORS),
        None,
        "images of one shape: position, size, angle, shade",
    ),
    "noise": _mixture("post-nonlinear", "as post-nonlinear, with noise of half each feature's deviation", noise=0.5),
}
"""By name; the note says what is special of each."""


@final
@dataclass(frozen=True)
class _Builder:
    """Builds a method for a data set, with the network, training and number of starts that all methods share."""

    make: Callable[[int, Network, Training, int], BaseEstimator]
    training: Training = TRAINING
    blocks: bool = False

    def __call__(self, data: DatasetSpec) -> BaseEstimator | None:
        generator = getattr(data.generate, "generator", None)
        images = generator is make_sprites
        network: Network = Convolutional() if images else DENSE
        training, n_init = self.training, N_INIT
        if generator is make_nonstationary and training == TRAINING:
            training, n_init = LONG, LONG_INIT
        method = self.make(data.n_components, network, training, 0)
        if "n_init" in method.get_params():
            method.set_params(n_init=n_init)
        if self.blocks and data.blocks is not None:
            method.set_params(block_size=len(data.blocks[0]))
        if images and isinstance(method, Pipeline):
            return make_pipeline(as_rows((SPRITE_SIZE, SPRITE_SIZE)), method[-1])
        return method


def _of(name: str, note: str) -> MethodSpec:
    return MethodSpec(_Builder(METHODS[name]), note=note)


RESTARTS = 8


def _dica(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return DICA(d, solver=Staged(restarts=RESTARTS), network=network, training=training, verbose=verbose)


def _cube(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return PolytopicFactorization(d, polytope="max", factor="components", verbose=verbose)


def _sparse_staged(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return SparseJacobian(d, solver=Staged(restarts=RESTARTS), network=network, training=training, verbose=verbose)


def _ima(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return IMA(d, solver=Staged(restarts=RESTARTS), network=network, training=training, verbose=verbose)


def _compositional(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return Compositional(d, solver=Staged(restarts=RESTARTS), network=network, training=training, verbose=verbose)


def _contrastive(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return AuxiliaryICA(d, network=network, training=training, verbose=verbose)


def _variational(d: int, network: Network, training: Training, verbose: int) -> BaseEstimator:
    return AuxiliaryICA(d, solver="variational", network=network, training=training, verbose=verbose)


BENCHMARK_METHODS: Mapping[str, MethodSpec] = {
    "pca": _of("pca", "linear: principal components of standardised features"),
    "fastica": _of("fastica", "linear: independent components, by FastICA"),
    "polytopic": _of("polytopic", "linear: loadings that fill an L1 ball"),
    "polytopic-cube": MethodSpec(_Builder(_cube), note="linear: components that fill a cube"),
    "autoencoder": _of("autoencoder", "plain autoencoder, whose components nothing determines"),
    "sparse-jacobian": _of(
        "sparse-jacobian", "few influences on each feature: L1 penalty on the Jacobian from the first step"
    ),
    "sparse-staged": MethodSpec(
        _Builder(_sparse_staged), note="few influences on each feature: the same norm, free of scale, in three stages"
    ),
    "ima": MethodSpec(_Builder(_ima), note="independent mechanisms: orthogonal columns of the Jacobian"),
    "compositional": MethodSpec(
        _Builder(_compositional, blocks=True), note="each feature of one block; told the size of blocks where there are"
    ),
    "dica-joint": _of(
        "dica-joint", "diverse influences: volume of the Jacobian in the loss from the first step, as in the paper"
    ),
    "dica": MethodSpec(_Builder(_dica), note="diverse influences, in three stages: reconstruct, align, refine"),
    "auxiliary-contrastive": MethodSpec(
        _Builder(_contrastive),
        uses_auxiliary=True,
        note="told u: components from which the u of a sample is told from others",
    ),
    "auxiliary-variational": MethodSpec(
        _Builder(_variational), uses_auxiliary=True, note="told u: a bound on the likelihood given u (iVAE)"
    ),
}
"""By name; the note says what is special of each. Those that train networks share architecture, number of steps and of
starts."""


def standard_plan(
    *,
    datasets: Iterable[str] | None = None,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = range(5),
    regulon: Regulon | None = None,
    quick: bool = False,
) -> BenchmarkPlan:
    """Return the standard benchmark, or a part of it.

    Parameters
    ----------
    datasets : iterable of str, optional
        Some of ``BENCHMARK_DATASETS``; all by default.
    methods : iterable of str, optional
        Some of ``BENCHMARK_METHODS``; all by default.
    seeds : iterable of int, default=range(5)
        One data set and one fit of each method per seed.
    regulon : Regulon, optional
        The network of the cells, such as TRRUST; by default one that looks like it.
    quick : bool, default=False
        Whether to fit 800 samples with 150 steps, to try it out.

    Returns
    -------
    BenchmarkPlan
        For :func:`run_benchmark`.

    Raises
    ------
    ValueError
        If a name is unknown or occurs twice, or none is given.
    TypeError
        If an argument is no list.

    Examples
    --------
    >>> plan = standard_plan(datasets=["linear"], methods=["pca", "dica"], seeds=[0])
    >>> [cell.name for cell in plan.cells]
    ['linear+pca+0', 'linear+dica+0']
    """
    wanted = "a list of names"
    data_names = list(BENCHMARK_DATASETS) if datasets is None else check_list("datasets", datasets, wanted)
    method_names = list(BENCHMARK_METHODS) if methods is None else check_list("methods", methods, wanted)
    check_known("data set", data_names, BENCHMARK_DATASETS)
    check_known("method", method_names, BENCHMARK_METHODS)
    chosen = {name: BENCHMARK_DATASETS[name] for name in data_names}
    built = {name: BENCHMARK_METHODS[name] for name in method_names}
    if regulon is not None:
        chosen = {name: _with_regulon(spec, regulon) for name, spec in chosen.items()}
    if quick:
        chosen = {name: replace(spec, n_samples=QUICK_SAMPLES) for name, spec in chosen.items()}
        built = {name: replace(spec, build=replace(spec.build, training=QUICK)) for name, spec in built.items()}  # type: ignore[type-var]
    return BenchmarkPlan(chosen, built, tuple(check_list("seeds", seeds, "seeds such as (0, 1, 2)")))


def _with_regulon(spec: DatasetSpec, regulon: Regulon) -> DatasetSpec:
    simulated = spec.generate
    if not isinstance(simulated, _Simulated) or simulated.generator is not make_cells:
        return spec
    n_factors = simulated.arguments["n_factors"]
    arguments = {**simulated.arguments, "regulon": regulon.clean().largest(n_factors)}
    return replace(spec, generate=replace(simulated, arguments=arguments))
