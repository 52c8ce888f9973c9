"""Rows of a benchmark summed up: medians and spreads, ranks, and which methods do not differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.arguments import check_choice
from identica.experiments.benchmark.board import Entry, Leaderboard, PartialRank
from identica.experiments.benchmark.cells import LOWER_IS_BETTER, SCORES
from identica.experiments.benchmark.ranks import average_ranks, critical_difference, friedman_test, indistinct_groups

__all__ = ["leaderboard"]


def leaderboard(
    rows: Iterable[Mapping[str, Any]], *, score: str = "recovery", alpha: float = 0.05, remarks: Sequence[str] = ()
) -> Leaderboard:
    """Sum rows of a benchmark up.

    Parameters
    ----------
    rows : iterable of mappings
        Such as :func:`run_benchmark` and :func:`comparable_rows` return: every method with the same seeds on a data
        set.
    score : str, default="recovery"
        One of ``SCORES``. Of the reconstruction error and of seconds less is better.
    alpha : float, default=0.05
        Level of the tests.
    remarks : sequence of str, default=()
        Sentences to end those of the leaderboard, such as what :func:`comparable_rows` says.

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

    A method that is not for every data set has no overall rank:

    >>> told = {**row, "method": "told", "status": "not applicable"}
    >>> leaderboard([{**row, "method": "pca", "recovery": 0.4}, told]).ranks
    {'pca': 1.0, 'told': None}
    """
    check_choice("score", score, SCORES)
    cells: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        needed = ("dataset", "method", "seed", "status", *((score,) if row.get("status") == "ok" else ()))
        if absent := [name for name in needed if name not in row]:
            raise ValueError(f"a row has no {absent[0]!r}: pass rows such as run_benchmark returns")
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
    present = np.array([[entries[dataset, method].absent is None for method in methods] for dataset in datasets])
    everywhere = np.flatnonzero(present.all(axis=0))
    # Tests of ranks are of complete blocks: each method on each data set.
    block = signed[:, everywhere]
    n_ranked = block.shape[1]
    ranks = _sorted_ranks([methods[i] for i in everywhere], block)
    partial = _partial_ranks(methods, signed, present)
    tested = n_ranked >= 3 and len(datasets) >= 2
    statistic, p_value = friedman_test(block) if tested else (None, None)
    difference = critical_difference(n_ranked, len(datasets), alpha=alpha) if n_ranked > 1 else None
    groups = () if difference is None else indistinct_groups(list(ranks.values()), difference)
    return Leaderboard(
        score=score,
        datasets=datasets,
        methods=(*ranks, *partial),
        entries=entries,
        ranks={**ranks, **dict.fromkeys(partial)},
        partial=partial,
        alpha=alpha,
        statistic=statistic,
        p_value=p_value,
        critical_difference=difference,
        groups=tuple(tuple(list(ranks)[i] for i in group) for group in groups),
        remarks=tuple(remarks),
    )


def _sorted_ranks(methods: Sequence[str], block: NDArray[np.float64]) -> dict[str, float]:
    if not methods:
        return {}
    averages = average_ranks(block)
    return {methods[i]: float(averages[i]) for i in np.argsort(averages, kind="stable")}


def _partial_ranks(
    methods: Sequence[str], signed: NDArray[np.float64], present: NDArray[np.bool_]
) -> dict[str, PartialRank]:
    """Rank each method that lacks a data set on those that it has, the method with most of them first."""
    found = {}
    for j, method in enumerate(methods):
        if present[:, j].all():
            continue
        own = np.flatnonzero(present[:, j])
        ranks = []
        for i in own:
            others = signed[i, present[i]]
            # Equal scores share the mean of their ranks.
            ranks.append(np.sum(others > signed[i, j]) + (np.sum(others == signed[i, j]) + 1) / 2)
        counts = present[own].sum(axis=1).tolist() or [0]
        found[method] = PartialRank(len(own), float(np.mean(ranks)) if ranks else None, min(counts), max(counts))
    return dict(sorted(found.items(), key=lambda item: (-item[1].n_datasets, item[1].average or 0.0)))


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
    statuses = {row["status"] for row in rows}
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
        absent=None if "ok" in statuses else next((s for s in ("not run", "not applicable") if s in statuses), None),
    )


def _named(dataset: str, method: str, seed: int) -> str:
    return f"the cell of data set {dataset!r}, method {method!r} and seed {seed}"
