"""The study of finite samples: how the error of methods falls with the number of samples that they are fitted on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator

from identica import plotting
from identica.arguments import check_integer
from identica.datasets import Mixture, make_mixture
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec, run_benchmark
from identica.experiments.comparison import FAMILIES, METHODS, build_methods, check_known, check_samples
from identica.experiments.power_law import LEAST_SIZES
from identica.experiments.sample_curves import FALLEN, RATE, SEPARATOR, USEFUL, SampleCurve, sample_curves
from identica.experiments.tables import markdown_table
from identica.io import atomic_write
from identica.training import Training

__all__ = [
    "SAMPLE_FAMILIES",
    "SAMPLE_METHODS",
    "SAMPLE_SIZES",
    "curves_to_markdown",
    "draw_curves",
    "finite_samples",
    "reproduce_finite_samples",
]

SAMPLE_FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "linear": FAMILIES["linear"],
    "post-nonlinear": {**FAMILIES["post-nonlinear"], "n_features": 100},
    "folded": {**FAMILIES["folded"], "n_features": 200},
}
"""Mixtures of the study, as arguments of :func:`identica.datasets.make_mixture`; smaller than those of comparisons."""
SAMPLE_METHODS = ("dica", "sparse-jacobian", "polytopic")
"""Methods of the study by default, the linear one last."""
SAMPLE_SIZES = (250, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
"""Numbers of samples to fit by default."""


def finite_samples(
    *,
    families: Iterable[str] = tuple(SAMPLE_FAMILIES),
    sizes: Iterable[int] = SAMPLE_SIZES,
    methods: Iterable[str] = SAMPLE_METHODS,
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
    families : iterable of str
        Some of ``SAMPLE_FAMILIES``; all by default.
    sizes : iterable of int
        Numbers of samples to fit; ``SAMPLE_SIZES`` by default.
    methods : iterable of str
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
    families, sizes, methods = list(families), list(sizes), list(methods)
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
            check_samples(check_integer("n_samples", size, 1), mixture["n_components"])
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
    plan: BenchmarkPlan, output: str | os.PathLike[str], *, n_jobs: int = 1, rerun: bool = False, verbose: int = 1
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

    Returns
    -------
    str
        The summary, in Markdown.
    """
    rows = run_benchmark(plan, output, n_jobs=n_jobs, rerun=rerun, on_cell=_announce if verbose else None)
    # In the order of the plan, not of letters.
    rank = {(cell.dataset, cell.method, cell.seed): i for i, cell in enumerate(plan.cells)}
    rows.sort(key=lambda row: rank[row["dataset"], row["method"], row["seed"]])
    curves = sample_curves(rows)
    text = curves_to_markdown(curves)
    with atomic_write(Path(output) / "finite-samples.md", "w") as file:
        file.write(text + "\n")
    with atomic_write(Path(output) / "finite-samples.svg") as file:
        draw_curves(curves).savefig(file, format="svg", metadata={"Date": None})
    return text


def curves_to_markdown(curves: Sequence[SampleCurve]) -> str:
    """Write curves as tables in Markdown, with what their words mean.

    Parameters
    ----------
    curves : sequence of SampleCurve
        Such as :func:`sample_curves` returns.

    Returns
    -------
    str
        Medians by size, then rates.
    """
    sizes = sorted({size for curve in curves for size in curve.sizes})
    medians, rates = [], []
    for curve in curves:
        name = {"data": curve.family, "method": curve.method}
        at = dict(zip(curve.sizes, curve.median, strict=True))
        medians.append({**name, **{str(size): at.get(size) for size in sizes}, "failed": curve.n_failed})
        low, high = curve.interval or (None, None)
        rates.append(
            {
                **name,
                "seeds": curve.n_seeds,
                "falls from": curve.falls_from,
                "rate": None if curve.law is None else curve.law.rate,
                "5 %": low,
                "95 %": high,
                "beside 1/2": curve.beside_bound,
                "floor": None if curve.law is None else curve.law.floor,
                "of use from": curve.useful_from,
            }
        )
    return "\n\n".join(
        (
            "Median over seeds of 1 - R² on samples not fitted, by the number of samples fitted; a failed fit counts "
            "as worse than any:",
            markdown_table(medians, list(medians[0])),
            "The rate is that of floor + factor N^(-rate), fitted to the logarithms of the medians by least squares, "
            "from the last size at which they are within a tenth of the largest; none is given where fewer than "
            f"{LEAST_SIZES} sizes remain or the least median is more than {FALLEN:g} of that one. 5 % and 95 % are "
            "quantiles of the bootstrap over seeds. A bound of the order of N^(-1/2) is kept by a rate of 1/2 or more; "
            "the floor, what networks and training leave, is not in it. A method is of use from the least size from "
            f"which on its median R² is at least {USEFUL:g} and exceeds that of the linear method.",
            markdown_table(rates, list(rates[0])),
        )
    )


def draw_curves(curves: Sequence[SampleCurve]) -> Figure:
    """Draw each family's curves, the median with its range, and a line of slope -1/2 beside them.

    Parameters
    ----------
    curves : sequence of SampleCurve
        Such as :func:`sample_curves` returns.

    Returns
    -------
    matplotlib.figure.Figure
        One axis per family, both of its scales logarithmic.
    """
    families = list(dict.fromkeys(curve.family for curve in curves))
    figure = Figure(figsize=(3.6 * len(families), 3.4), layout="constrained")
    axes = figure.subplots(1, len(families), squeeze=False)[0]
    shown: dict[str, Artist] = {}
    for ax, family in zip(axes, families, strict=True):
        points = {curve.method: curve.points() for curve in curves if curve.family == family}
        if any(points.values()):
            plotting.errors_by_size(points, slope=-RATE, title=family, ax=ax)
            handles, labels = ax.get_legend_handles_labels()
            shown = dict(zip(labels, handles, strict=True)) | shown
    if shown:
        figure.legend(shown.values(), shown, loc="outside lower center", ncols=len(shown), frameon=False)
    axes[0].set_ylabel("1 - R²")
    return figure


def _simulate(n_samples: int, seed: int, **mixture: Any) -> Mixture:
    return make_mixture(n_samples, **mixture, random_state=seed)


def _build(dataset: DatasetSpec, *, name: str, training: Training, n_init: int) -> BaseEstimator:
    return build_methods([name], dataset.n_components, None, training, 0, n_init=n_init)[name]


def _announce(row: Mapping[str, Any]) -> None:
    what = f"R² {row['r2_mean']:.3f} in {row['seconds']:.1f} s" if row["status"] == "ok" else row["error"]
    print(f"{row['dataset']} {row['method']} {row['seed']}: {what}", file=sys.stderr, flush=True)
