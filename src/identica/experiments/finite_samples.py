"""The study of finite samples: how the error of methods falls with the number of samples that they are fitted on.

The statement behind it, (7) in "Diverse Influence Component Analysis" (arXiv:2510.17040): with N samples the error of
the encoder is O(Rademacher complexity + sqrt(ln(1/delta) / N)), with probability 1 - delta.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from identica import plotting
from identica.arguments import check_integer
from identica.datasets import Mixture, make_mixture
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec, run_benchmark
from identica.experiments.benchmark.cells import cell_of
from identica.experiments.comparison import FAMILIES, METHODS, build_methods, check_known, check_samples
from identica.experiments.sample_curves import SEPARATOR, sample_curves
from identica.experiments.sample_summary import curves_to_markdown, draw_curves
from identica.io import atomic_write
from identica.training import Training

__all__ = [
    "SAMPLE_FAMILIES",
    "SAMPLE_METHODS",
    "SAMPLE_SIZES",
    "finite_samples",
    "reproduce_finite_samples",
]

SAMPLE_FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "linear": FAMILIES["linear"],
    "post-nonlinear": {**FAMILIES["post-nonlinear"], "n_features": 100},
    "folded": {**FAMILIES["folded"], "n_features": 200},
    "perturbed": {**FAMILIES["perturbed"], "n_features": 100},
}
"""Mixtures of the study, as arguments of :func:`identica.datasets.make_mixture`; smaller than those of comparisons."""
SAMPLE_METHODS = ("dica", "sparse-jacobian", "polytopic")
"""Methods of the study by default, the linear one last."""
SAMPLE_SIZES = (250, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
"""Numbers of samples to fit by default."""


def finite_samples(
    *,
    families: Iterable[str] | None = None,
    sizes: Iterable[int] | None = None,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = range(5),
    n_init: int = 2,
    max_steps: int = 3000,
    n_test_samples: int = 2000,
) -> BenchmarkPlan:
    """Return the plan that fits methods to mixtures of each family with more and more samples.

    All sizes of a family share one mixing per seed. A fit has as many steps whatever the number of samples, so that
    what falls with it is not the effort.

    Parameters
    ----------
    families : iterable of str, optional
        Some of ``SAMPLE_FAMILIES``; all by default.
    sizes : iterable of int, optional
        Numbers of samples to fit; ``SAMPLE_SIZES`` by default.
    methods : iterable of str, optional
        Some of ``METHODS``; ``SAMPLE_METHODS`` by default.
    seeds : iterable of int, default=range(5)
        One mixing per family, and one fit of each method to each size, per seed.
    n_init : int, default=2
        Starts of each method that trains networks.
    max_steps : int, default=3000
        Steps of each start, at most.
    n_test_samples : int, default=2000
        Further samples, on which components are scored.

    Returns
    -------
    BenchmarkPlan
        For :func:`identica.experiments.benchmark.run_benchmark`; data sets have names such as "folded/N=5000".

    Raises
    ------
    TypeError
        If a number is no integer.
    ValueError
        If a family or a method is unknown, a size occurs twice or is less than the number of components, a number is
        out of range, or there is nothing to do.

    Examples
    --------
    >>> plan = finite_samples(families=["folded"], sizes=[500, 5000], seeds=range(3))
    >>> list(plan.datasets), list(plan.methods), len(plan.cells)
    (['folded/N=500', 'folded/N=5000'], ['dica', 'sparse-jacobian', 'polytopic'], 18)
    """
    families = list(SAMPLE_FAMILIES if families is None else families)
    sizes = list(SAMPLE_SIZES if sizes is None else sizes)
    methods = list(SAMPLE_METHODS if methods is None else methods)
    check_known("family", families, SAMPLE_FAMILIES)
    check_known("method", methods, METHODS)
    check_integer("n_init", n_init, 1)
    training = Training(max_steps=max_steps)
    if not sizes:
        raise ValueError(f"no size was given: use one or more, such as {', '.join(map(str, SAMPLE_SIZES[:3]))}")
    datasets = {}
    for family in families:
        mixture = {**SAMPLE_FAMILIES[family], "latents": "dependent"}
        for size in sizes:
            check_samples(check_integer("sizes", size, 1), mixture["n_components"])
            if sizes.count(size) > 1:
                raise ValueError(f"size {size} is given twice: use each size once")
            datasets[f"{family}{SEPARATOR}{size}"] = DatasetSpec(
                partial(_simulate, **mixture),
                n_samples=size,
                n_test_samples=n_test_samples,
                n_components=mixture["n_components"],
                note=f"{family}, {mixture['n_components']} components of {mixture['n_features']} features",
            )
    built = {name: MethodSpec(partial(_build, name=name, training=training, n_init=n_init)) for name in methods}
    return BenchmarkPlan(datasets, built, tuple(seeds))


def reproduce_finite_samples(
    plan: BenchmarkPlan,
    output: str | os.PathLike[str],
    *,
    n_jobs: int = 1,
    rerun: bool = False,
    verbose: int = 1,
    command: str | None = None,
) -> str:
    """Run what is not finished of the study, and write results.csv, finite-samples.md and finite-samples.svg.

    Parameters
    ----------
    plan : BenchmarkPlan
        Such as :func:`finite_samples` returns.
    output : str or path
        Directory to write into.
    n_jobs : int, default=1
        Fits side by side, each on one thread.
    rerun : bool, default=False
        Whether to run again the fits that failed and those of another specification.
    verbose : int, default=1
        With 0 nothing is printed.
    command : str, optional
        What was typed for this, as pages show it.

    Returns
    -------
    str
        The summary, in Markdown.
    """
    tell = _announce if verbose else None
    rows = run_benchmark(plan, output, n_jobs=n_jobs, rerun=rerun, on_cell=tell, command=command)
    # In the order of the plan, not of letters.
    order = {cell: i for i, cell in enumerate(plan.cells)}
    curves = sample_curves(sorted(rows, key=lambda row: order[cell_of(row)]))
    text = curves_to_markdown(curves)
    with atomic_write(Path(output) / "finite-samples.md", "w") as file:
        file.write(text + "\n")
    plotting.write_svg(Path(output) / "finite-samples.svg", draw_curves(curves))
    return text


def _simulate(n_samples: int, seed: int, **mixture: Any) -> Mixture:
    return make_mixture(n_samples, **mixture, random_state=seed)


def _build(dataset: DatasetSpec, *, name: str, training: Training, n_init: int) -> BaseEstimator:
    return build_methods([name], dataset.n_components, None, training, 0, n_init=n_init)[name]


def _announce(row: Mapping[str, Any]) -> None:
    what = f"R² {row['r2_mean']:.3f} in {row['seconds']:.1f} s" if row["status"] == "ok" else row["error"]
    print(f"{row['dataset']} {row['method']} {row['seed']}: {what}", file=sys.stderr, flush=True)
