"""What a study of the paper is: a plan of fits, and what its rows say in words, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
from sklearn.base import BaseEstimator

from identica.arguments import check_integer
from identica.datasets import LabelledImages, Regulon
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec
from identica.experiments.benchmark.asked import Asked
from identica.training import Training

__all__ = ["Rows", "Settings", "Study", "copies", "mean_of", "sound"]

Rows = Sequence[Mapping[str, Any]]


@final
@dataclass(frozen=True, eq=False)
class Settings:
    """What all studies are told.

    Parameters
    ----------
    n_seeds : int, default=1
        Seeds of data and fits, from 0.
    n_init : int, default=2
        Starts of each fit of networks.
    max_steps : int, default=3000
        Steps of each start, at most.
    restarts : int, default=32
        Of the alignment of DICA's staged solver.
    n_samples : int, default=3000
        Cells, or samples of a mixture, to fit.
    n_test_samples : int, default=1000
        Further ones to score on.
    cross_talk : tuple of float
        Strengths of the influence of every factor on every gene.
    regulon : Regulon, optional
        The network of the cells; one that looks like TRRUST's by default.
    images : LabelledImages, optional
        Real digits; scikit-learn's by default.

    Raises
    ------
    TypeError
        If a number is no integer.
    ValueError
        If it is too small.
    """

    n_seeds: int = 1
    n_init: int = 2
    max_steps: int = 3000
    restarts: int = 32
    n_samples: int = 3000
    n_test_samples: int = 1000
    cross_talk: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    regulon: Regulon | None = field(default=None, repr=False)
    images: LabelledImages | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("n_seeds", "n_init", "max_steps", "restarts", "n_samples"):
            check_integer(name, getattr(self, name), 1)

    @property
    def training(self) -> Training:
        """The training plan of all networks."""
        return Training(max_steps=self.max_steps)

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds."""
        return tuple(range(self.n_seeds))


def _as_it_is(asked: Asked) -> Asked:
    return asked


@final
@dataclass(frozen=True, eq=False)
class Study:
    """One study.

    Parameters
    ----------
    name : str
        Also of its directory.
    title : str
        Heading of its section.
    section : callable
        Called with the rows that there are and the study's directory, it writes pictures there and returns the text of
        its section, whose links are relative to the directory above.
    command : str
        What runs it, with the files that it is meant for, in the default directory.
    plan : callable, optional
        Called with the settings and the study's directory, it returns what to fit; None for a study that has a command
        of its own.
    whole : callable, optional
        Adds to what a run was asked for what the study cannot be without.
    """

    name: str
    title: str
    section: Callable[[Rows, Path], str]
    command: str
    plan: Callable[[Settings, Path], BenchmarkPlan] | None = None
    whole: Callable[[Asked], Asked] = _as_it_is


def sound(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Leave out fits that failed or were not for their data.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of a study.

    Returns
    -------
    list of mappings
        The others, and those of tables that do not say.
    """
    return [row for row in rows if row.get("status", "ok") == "ok"]


def mean_of(rows: Iterable[Mapping[str, Any]], column: str, **like: Any) -> float | None:
    """Average a column over the rows that have certain values in others.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of a study.
    column : str
        What to average.
    **like
        Values of other columns.

    Returns
    -------
    float or None
        None where there is no such row.

    Examples
    --------
    >>> mean_of([{"method": "a", "r2": 0.5}, {"method": "a", "r2": 1.0}, {"method": "b", "r2": 0.0}], "r2", method="a")
    0.75
    """
    found = [row[column] for row in rows if all(row.get(name) == value for name, value in like.items())]
    found = [value for value in found if value is not None]
    return float(np.mean(found)) if found else None


def copies(methods: Mapping[str, BaseEstimator]) -> dict[str, MethodSpec]:
    """Make methods of a benchmark of estimators that serve all of its data sets.

    Parameters
    ----------
    methods : mapping of str to estimator
        Unfitted.

    Returns
    -------
    dict of str to MethodSpec
        By the same names.
    """
    return {name: MethodSpec(partial(_given, estimator)) for name, estimator in methods.items()}


def _given(estimator: BaseEstimator, dataset: DatasetSpec) -> BaseEstimator:
    return estimator
