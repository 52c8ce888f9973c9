"""The order of methods on simulated single cells: by density of the Jacobian, curves, and form of the L1 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator

from identica import plotting
from identica.datasets import Regulon, SimulatedCells, make_cells, make_regulon
from identica.estimators import DICA, Autoencoder, SparseJacobian
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec
from identica.experiments.paper.study import Rows, Settings, Study, copies, mean_of, sound
from identica.experiments.tables import markdown_table
from identica.io import atomic_write
from identica.solvers import Staged

__all__ = ["CURVES", "HELD", "ORDER", "PLAIN", "WEIGHTS", "at", "in_the_papers_order", "scores_of", "the_papers_gap"]

N_FACTORS = 10
CURVES: Mapping[str, Mapping[str, Any]] = {
    "mild": {},
    "bent": {"half_responses": "edge", "hill": 4.0, "fold": 16.0},
}
"""Arguments of :func:`identica.datasets.make_cells` beside the strength of the cross-talk."""
WEIGHTS = (0.03, 0.3)
"""Of the L1 penalty in the paper's form."""
HELD = "sparse, unit variance"
PLAIN = tuple(f"sparse, plain {weight:g}" for weight in WEIGHTS)
PAPER = {"dica": 1.0, "sparse": 0.4544, "autoencoder": 0.3381}
"""Mean R² in the paper."""
NEAR = 0.1
"""How far from the paper's number a score may be to count as near it."""


def at(curves: str, cross_talk: float) -> str:
    """Name a data set.

    Parameters
    ----------
    curves : str
        One of ``CURVES``.
    cross_talk : float
        Its strength.

    Returns
    -------
    str
        Its name in results.
    """
    return f"{curves}, cross-talk {cross_talk:g}"


def _plan(settings: Settings, folder: Path) -> BenchmarkPlan:
    regulon = make_regulon(random_state=0) if settings.regulon is None else settings.regulon
    true = regulon.clean().largest(N_FACTORS)
    shared: dict[str, Any] = {"n_init": settings.n_init, "training": settings.training}
    methods: dict[str, BaseEstimator] = {
        "dica": DICA(N_FACTORS, solver=Staged(restarts=settings.restarts), **shared),
        "autoencoder": Autoencoder(N_FACTORS, **shared),
        HELD: SparseJacobian(N_FACTORS, **shared),
    }
    for name, weight in zip(PLAIN, WEIGHTS, strict=True):
        methods[name] = SparseJacobian(N_FACTORS, weight=weight, unit_variance=False, **shared)
    sizes = (settings.n_samples, settings.n_test_samples, N_FACTORS)
    datasets = {
        at(curves, strength): DatasetSpec(
            partial(_cells, regulon=true, cross_talk=strength, **CURVES[curves]),
            *sizes,
        )
        for curves in CURVES
        for strength in settings.cross_talk
    }
    return BenchmarkPlan(datasets, copies(methods), settings.seeds)


def _cells(n_samples: int, seed: int, regulon: Regulon, **arguments: Any) -> SimulatedCells:
    return make_cells(n_samples, N_FACTORS, regulon=regulon, random_state=seed, **arguments)


def scores_of(rows: Rows, column: str = "r2_mean") -> dict[str, dict[str, float]]:
    """Average a score over seeds.

    Parameters
    ----------
    rows : sequence of mappings
        Of this study.
    column : str, default="r2_mean"
        Which score.

    Returns
    -------
    dict of str to dict of str to float
        By data set and method.
    """
    found: dict[str, dict[str, float]] = {}
    for row in sound(rows):
        dataset, method = row["dataset"], row["method"]
        score = mean_of(sound(rows), column, dataset=dataset, method=method)
        if score is not None:
            found.setdefault(dataset, {})[method] = score
    return found


def in_the_papers_order(scores: Mapping[str, float], sparse: str) -> bool | None:
    """Tell whether DICA is above a form of the sparse method, and that above the autoencoder.

    Parameters
    ----------
    scores : mapping of str to float
        Of one data set, by method.
    sparse : str
        Which form.

    Returns
    -------
    bool or None
        None where a score is missing.
    """
    if not {"dica", sparse, "autoencoder"} <= set(scores):
        return None
    return scores["dica"] > scores[sparse] > scores["autoencoder"]


def the_papers_gap(scores: Mapping[str, float], sparse: str) -> bool | None:
    """Tell whether the order is the paper's and each score is within 0.1 of the paper's.

    Parameters
    ----------
    scores : mapping of str to float
        Of one data set, by method.
    sparse : str
        Which form of the sparse method.

    Returns
    -------
    bool or None
        None where a score is missing.
    """
    ordered = in_the_papers_order(scores, sparse)
    if ordered is None:
        return None
    ours = {"dica": scores["dica"], "sparse": scores[sparse], "autoencoder": scores["autoencoder"]}
    return ordered and all(abs(ours[name] - stated) <= NEAR for name, stated in PAPER.items())


def _section(rows: Rows, folder: Path) -> str:
    scores, left = scores_of(rows), scores_of(rows, "reconstruction_error")
    parts = []
    for curves in CURVES:
        names = [dataset for dataset in scores if dataset.startswith(f"{curves}, ")]
        strengths = sorted(float(name.rsplit(" ", 1)[1]) for name in names)
        if not strengths:
            continue
        methods = list(dict.fromkeys(method for dataset in names for method in scores[dataset]))
        table: list[dict[str, Any]] = []
        drawn: dict[str, list[float]] = {}
        for method in methods:
            of_method = {f"{s:g}": scores[at(curves, s)].get(method) for s in strengths}
            errors = [left[at(curves, s)][method] for s in strengths if method in left.get(at(curves, s), {})]
            table.append({"method": method, **of_method, "unexplained, highest": max(errors, default=None)})
            drawn[method] = [np.nan if score is None else score for score in of_method.values()]
        columns_shown = list(table[0])
        figure = Figure(figsize=(7.4, 3.4), layout="constrained")
        axis = plotting.levels(
            [f"{s:g}" for s in strengths], drawn, xlabel="cross-talk", ylabel="mean R²", ax=figure.subplots()
        )
        axis.set_title(f"{curves} curves")
        with atomic_write(folder / f"{curves}.png") as file:
            figure.savefig(file, format="png", dpi=110)
        parts.append(f"{curves.capitalize()} curves, mean R² by cross-talk:\n\n{markdown_table(table, columns_shown)}")
        parts.append(f"![R² by cross-talk, {curves} curves]({folder.name}/{curves}.png)")
    for sparse in (HELD, *PLAIN):
        where = [dataset for dataset, of in scores.items() if the_papers_gap(of, sparse)]
        text = "; ".join(where) if where else "nowhere"
        parts.append(f"The paper's numbers, each within {NEAR:g} and in its order, with *{sparse}*: {text}.")
    return "\n\n".join(parts)


ORDER = Study(
    "order",
    "The order of methods on single cells",
    _section,
    "identica reproduce paper --only order --regulon trrust_rawdata.human.tsv",
    _plan,
)
