"""The study of signals: its plan, and the page that it ends in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from identica import plotting
from identica.arguments import check_integer
from identica.estimators import DICA
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec, run_benchmark
from identica.experiments.trust_study.families import study_datasets
from identica.experiments.trust_study.page import draw_recovery, signals_to_markdown
from identica.experiments.trust_study.signals import Signals
from identica.io import atomic_write
from identica.networks import Dense
from identica.solvers import Staged
from identica.training import Training

__all__ = ["reproduce_trust_study", "trust_study"]

N_INIT = 4
MAX_STEPS = 1_500
RESTARTS = 8
PICTURE = "signals.svg"
NETWORK = Dense(hidden=(64, 64))


def trust_study(
    families: Sequence[str] | None = None, n_each: int = 25, *, max_steps: int = MAX_STEPS, seed: int = 0
) -> BenchmarkPlan:
    """Plan the study: DICA on many data sets, each with four further fits.

    Parameters
    ----------
    families : sequence of str, optional
        Some of ``STUDY_FAMILIES``; all by default.
    n_each : int, default=25
        Data sets of each family.
    max_steps : int, default=1500
        Steps of each start.
    seed : int, default=0
        Of data and fits.

    Returns
    -------
    BenchmarkPlan
        One cell for each data set.

    Raises
    ------
    TypeError
        If a number is no integer.
    ValueError
        If a family is unknown or a number out of range.

    Examples
    --------
    >>> plan = trust_study(["linear", "isotropic"], 2)
    >>> list(plan.datasets)
    ['linear/0', 'isotropic/0', 'linear/1', 'isotropic/1']
    """
    check_integer("max_steps", max_steps, 1)
    datasets = {
        name: replace(spec, measure=Signals(spec.generate))  # type: ignore[arg-type]
        for name, spec in study_datasets(families, n_each).items()
    }
    return BenchmarkPlan(datasets, {"dica": MethodSpec(partial(_dica, max_steps=max_steps))}, (seed,))


def _dica(dataset: DatasetSpec, *, max_steps: int) -> BaseEstimator:
    return DICA(
        dataset.n_components,
        n_init=N_INIT,
        solver=Staged(restarts=RESTARTS),
        network=NETWORK,
        training=Training(max_steps=max_steps),
    )


def reproduce_trust_study(
    plan: BenchmarkPlan,
    output: str | os.PathLike[str],
    *,
    n_jobs: int = 1,
    rerun: bool = False,
    on_fit: Callable[[Mapping[str, Any]], object] | None = None,
    command: str | None = None,
) -> str:
    """Run what is not finished of the study, and write results.csv, signals.md and signals.svg.

    Parameters
    ----------
    plan : BenchmarkPlan
        Such as :func:`trust_study` returns.
    output : str or path
        Directory to write into.
    n_jobs : int, default=1
        Data sets side by side, each on one thread.
    rerun : bool, default=False
        Whether to run again what failed, and what another specification gave.
    on_fit : callable, optional
        Called with each new row.
    command : str, optional
        What was typed for this.

    Returns
    -------
    str
        The page, in Markdown.
    """
    rows = run_benchmark(plan, output, n_jobs=n_jobs, rerun=rerun, on_cell=on_fit, command=command)
    picture = f"## Recovery by signal\n\n![Recovery by signal]({PICTURE})"
    text = f"# Signals and recovery\n\n{signals_to_markdown(rows, command)}\n\n{picture}"
    with atomic_write(Path(output) / "signals.md", "w") as file:
        file.write(text + "\n")
    plotting.write_svg(Path(output) / PICTURE, draw_recovery(rows))
    return text
