"""Rows of a benchmark summed up: medians and spreads, ranks, and which methods do not differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from identica.arguments import check_choice
from identica.experiments.benchmark.cells import LOWER_IS_BETTER, SCORES
from identica.experiments.benchmark.ranks import average_ranks, critical_difference, friedman_test, indistinct_groups
from identica.experiments.tables import markdown_table

__all__ = ["Entry", "Leaderboard", "leaderboard"]


@final
@dataclass(frozen=True)
class Entry:
    """One method on one data set, over seeds.

    Parameters
    ----------
    dataset, method : str
        Their names.
    median : float or None
        Of the score over all seeds, where one without a score counts as worse than any; None where that leaves no
        number, as where half of the seeds failed.
    low, lower_quartile, upper_quartile, high : float or None
        Of the scores that there are; None where there is none.
    seconds : float or None
        Median time of the fits that did not fail.
    n_seeds, n_failed : int
        Seeds, and how many of them failed.
    applicable : bool
        Whether the method is for this data set.
    """

    dataset: str
    method: str
    median: float | None
    low: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    high: float | None
    seconds: float | None
    n_seeds: int
    n_failed: int
    applicable: bool


@final
@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Methods compared over data sets.

    Parameters
    ----------
    score : str
        What they are ranked by.
    datasets : tuple of str
        In alphabetical order.
    methods : tuple of str
        The best first, by average rank.
    entries : mapping of (str, str) to Entry
        By data set and method.
    ranks : mapping of str to float
        Average ranks of the methods' medians over data sets, 1 at best. A method without a median on a data set, and
        one that is not for it, rank last there; equal ones share the mean of their ranks.
    alpha : float
        Level of the tests.
    statistic, p_value : float or None
        Of Friedman's test; None with fewer than three methods or two data sets.
    critical_difference : float or None
        Of average ranks, by Nemenyi's test; None with one method.
    groups : tuple of tuple of str
        Methods whose average ranks differ by less than that, the best first.
    """

    score: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    entries: Mapping[tuple[str, str], Entry]
    ranks: Mapping[str, float]
    alpha: float
    statistic: float | None
    p_value: float | None
    critical_difference: float | None
    groups: tuple[tuple[str, ...], ...]

    def n_failed(self, method: str) -> int:
        """Count the fits of a method that failed, over all data sets."""
        return sum(self.entries[dataset, method].n_failed for dataset in self.datasets)

    def seconds(self, method: str) -> float | None:
        """Return the median over data sets of a method's median time; None where no fit has one."""
        times = [time for d in self.datasets if (time := self.entries[d, method].seconds) is not None]
        return float(np.median(times)) if times else None

    def sentences(self) -> tuple[str, ...]:
        """Say what the tests found, in plain sentences."""
        told = [f"Ranks are of medians of {self.score} over seeds, averaged over {len(self.datasets)} data sets."]
        if self.statistic is not None and self.p_value is not None:
            verdict = "differ" if self.p_value < self.alpha else "cannot be told apart"
            told.append(
                f"Friedman's test: chi-squared {self.statistic:.2f}, p {self.p_value:.2g}; the methods {verdict} at "
                f"the level {self.alpha:g}."
            )
        if self.critical_difference is not None:
            told.append(
                f"Two methods whose average ranks differ by less than {self.critical_difference:.2f} are not told "
                f"apart by Nemenyi's test: {'; '.join(', '.join(group) for group in self.groups) or 'none'}."
            )
        return tuple(told)

    def to_markdown(self) -> str:
        """Write the leaderboard as a table in Markdown, with what the tests found below it.

        Returns
        -------
        str
            One row per method, the best first: average rank, median with lowest and highest score on each data set,
            failed fits and time.
        """
        rows = [
            {
                "method": method,
                "rank": self.ranks[method],
                **{dataset: _written(self.entries[dataset, method]) for dataset in self.datasets},
                "failed": self.n_failed(method),
                "seconds": self.seconds(method),
            }
            for method in self.methods
        ]
        return "\n\n".join((markdown_table(rows, list(rows[0])), *self.sentences())) + "\n"


def leaderboard(rows: Iterable[Mapping[str, Any]], *, score: str = "recovery", alpha: float = 0.05) -> Leaderboard:
    """Sum rows of a benchmark up.

    Parameters
    ----------
    rows : iterable of mappings
        Such as :func:`run_benchmark` and :func:`read_rows` return: every method with the same seeds on a data set.
    score : str, default="recovery"
        One of ``SCORES``. Of the reconstruction error and of seconds less is better.
    alpha : float, default=0.05
        Level of the tests.

    Returns
    -------
    Leaderboard
        The summary.

    Raises
    ------
    ValueError
        If there is no row, the score is unknown, or a method lacks a cell that another one has or has it twice.

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, section 3.2.

    Examples
    --------
    >>> row = {"dataset": "linear", "seed": 0, "status": "ok", "seconds": 0.1}
    >>> board = leaderboard([{**row, "method": "pca", "recovery": 0.4}, {**row, "method": "dica", "recovery": 0.9}])
    >>> board.methods, dict(board.ranks)
    (('dica', 'pca'), {'dica': 1.0, 'pca': 2.0})
    """
    check_choice("score", score, SCORES)
    cells: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        of_pair = cells.setdefault((row["dataset"], row["method"]), {})
        if row["seed"] in of_pair:
            raise ValueError(f"{_named(row['dataset'], row['method'], row['seed'])} occurs twice: give each row once")
        of_pair[row["seed"]] = row
    if not cells:
        raise ValueError("no row was given: run the benchmark first")
    datasets = tuple(sorted({dataset for dataset, _ in cells}))
    methods = sorted({method for _, method in cells})
    _check_complete(cells, datasets, methods)
    entries = {pair: _entry(pair, list(of_pair.values()), score) for pair, of_pair in cells.items()}
    sign = -1 if score in LOWER_IS_BETTER else 1
    medians = [[entries[dataset, method].median for method in methods] for dataset in datasets]
    signed = np.array([[-np.inf if value is None else sign * value for value in line] for line in medians])
    averages = average_ranks(signed)
    ranks = {methods[i]: float(averages[i]) for i in np.argsort(averages, kind="stable")}
    ordered = tuple(ranks)
    tested = len(methods) >= 3 and len(datasets) >= 2
    statistic, p_value = friedman_test(signed) if tested else (None, None)
    difference = critical_difference(len(methods), len(datasets), alpha=alpha) if len(methods) > 1 else None
    groups = () if difference is None else indistinct_groups(list(ranks.values()), difference)
    return Leaderboard(
        score=score,
        datasets=datasets,
        methods=ordered,
        entries=entries,
        ranks=ranks,
        alpha=alpha,
        statistic=statistic,
        p_value=p_value,
        critical_difference=difference,
        groups=tuple(tuple(ordered[i] for i in group) for group in groups),
    )


def _check_complete(
    cells: Mapping[tuple[str, str], Mapping[int, object]], datasets: Iterable[str], methods: Sequence[str]
) -> None:
    for dataset in datasets:
        seeds = set().union(*(cells.get((dataset, method), {}) for method in methods))
        for method in methods:
            for seed in sorted(seeds - set(cells.get((dataset, method), {}))):
                raise ValueError(
                    f"{_named(dataset, method, seed)} is missing, which another method has: run the whole plan, or "
                    "give the rows of methods and seeds that are complete"
                )


def _entry(pair: tuple[str, str], rows: Sequence[Mapping[str, Any]], score: str) -> Entry:
    found = [float(row[score]) for row in rows if row["status"] == "ok" and row.get(score) is not None]
    times = [float(row["seconds"]) for row in rows if row["status"] == "ok"]
    worst = np.inf if score in LOWER_IS_BETTER else -np.inf
    median = float(np.median(found + [worst] * (len(rows) - len(found))))
    low, lower, upper, high = np.quantile(found, [0, 0.25, 0.75, 1]).tolist() if found else [None] * 4
    return Entry(
        *pair,
        median=median if np.isfinite(median) else None,
        low=low,
        lower_quartile=lower,
        upper_quartile=upper,
        high=high,
        seconds=float(np.median(times)) if times else None,
        n_seeds=len(rows),
        n_failed=sum(row["status"] == "failed" for row in rows),
        applicable=any(row["status"] != "not applicable" for row in rows),
    )


def _named(dataset: str, method: str, seed: int) -> str:
    return f"the cell of data set {dataset!r}, method {method!r} and seed {seed}"


def _written(entry: Entry) -> str:
    if not entry.applicable:
        return "not applicable"
    if entry.median is None or entry.n_seeds == 1:
        return "–" if entry.median is None else f"{entry.median:.3f}"
    return f"{entry.median:.3f} [{entry.low:.3f}, {entry.high:.3f}]"
