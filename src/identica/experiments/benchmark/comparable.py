"""Which finished cells of a directory make a complete board, whatever commands they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

__all__ = ["ComparableRows", "comparable_rows"]


@final
@dataclass(frozen=True, eq=False)
class ComparableRows:
    """Rows that can be compared with each other.

    Parameters
    ----------
    rows : tuple of mappings
        For :func:`leaderboard`: every method with the same seeds on a data set. The status of those that stand for a
        method without fits on a data set is "not run".
    remarks : tuple of str
        What is missing and what was left out, in plain sentences; none where nothing is.
    """

    rows: tuple[Mapping[str, Any], ...]
    remarks: tuple[str, ...]


def comparable_rows(
    rows: Iterable[Mapping[str, Any]], fingerprints: Mapping[tuple[str, str], str] | None = None
) -> ComparableRows:
    """Choose rows that make a complete board from those of several runs, which may differ in what they ran.

    Methods and data sets are those of the largest complete block: while a method lacks a data set, the method or the
    data set that lacks the largest share of the others is left out, of equal ones the method. Seeds are those that
    all these methods have on a data set. A method that was left out comes back for the data sets where it has all of
    these seeds.

    Parameters
    ----------
    rows : iterable of mappings
        Such as :func:`read_rows` returns, each once.
    fingerprints : mapping of (str, str) to str, optional
        Those to allow, by data set and method, see :meth:`BenchmarkPlan.fingerprints`; rows with another one, or of
        another data set or method, are left out. By default all are allowed.

    Returns
    -------
    ComparableRows
        Without rows where no seed is shared.

    Examples
    --------
    >>> ran = [("linear", "pca", 0), ("linear", "dica", 0), ("linear", "dica", 1), ("sparse", "dica", 0)]
    >>> found = comparable_rows({"dataset": d, "method": m, "seed": s, "status": "ok"} for d, m, s in ran)
    >>> [(row["dataset"], row["method"], row["seed"]) for row in found.rows]
    [('linear', 'dica', 0), ('linear', 'dica', 1), ('sparse', 'dica', 0)]
    >>> print(*found.remarks)
    2 of the 6 fits of all methods on all data sets and seeds here are missing; 1 finished fit (pca) is left out, since
    not all have the same data sets and seeds.
    """
    given = list(rows)
    allowed = [row for row in given if fingerprints is None or fingerprints.get(_pair(row)) == row["fingerprint"]]
    cells: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in allowed:
        cells.setdefault(_pair(row), {})[row["seed"]] = row
    datasets, methods = _block(set(cells))
    chosen: list[Mapping[str, Any]] = []
    shared = {dataset: _shared_seeds(cells, dataset, methods) for dataset in datasets}
    kept = [dataset for dataset in datasets if shared[dataset]]
    for method in sorted({method for _, method in cells}):
        complete = [d for d in kept if shared[d] <= set(cells.get((d, method), ()))]
        for dataset in kept if complete else ():
            absent = {"dataset": dataset, "method": method, "status": "not run"}
            chosen += [
                cells[dataset, method][seed] if dataset in complete else {**absent, "seed": seed}
                for seed in sorted(shared[dataset])
            ]
    shown = {id(row) for row in chosen}
    left_out = [row["method"] for row in allowed if id(row) not in shown]
    return ComparableRows(
        tuple(sorted(chosen, key=lambda row: (row["dataset"], row["method"], row["seed"]))),
        (*_other_specification(given, allowed), *_missing(cells, left_out)),
    )


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["dataset"], row["method"]


def _block(pairs: set[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Leave out data sets and methods until each data set has each method."""
    datasets, methods = sorted({dataset for dataset, _ in pairs}), sorted({method for _, method in pairs})
    while True:
        by_dataset = [(sum((d, m) not in pairs for m in methods) / len(methods), d) for d in datasets]
        by_method = [(sum((d, m) not in pairs for d in datasets) / len(datasets), m) for m in methods]
        (of_dataset, dataset), (of_method, method) = max(by_dataset, default=(0, "")), max(by_method, default=(0, ""))
        if of_dataset == of_method == 0:
            return datasets, methods
        # A method that is left out may come back for some data sets, so that less is lost with it.
        if of_dataset > of_method:
            datasets.remove(dataset)
        else:
            methods.remove(method)


def _shared_seeds(
    cells: Mapping[tuple[str, str], Mapping[int, object]], dataset: str, methods: Iterable[str]
) -> set[int]:
    return set.intersection(*(set(cells[dataset, method]) for method in methods))


def _other_specification(given: list[Mapping[str, Any]], allowed: list[Mapping[str, Any]]) -> Iterable[str]:
    kept = {id(row) for row in allowed}
    other = [row["dataset"] for row in given if id(row) not in kept]
    if other:
        yield (
            f"{_fits(len(other))} of another specification of the data set or the method "
            f"({', '.join(sorted(set(other)))}) {_are(len(other))} left out."
        )


def _missing(cells: Mapping[tuple[str, str], Mapping[int, object]], left_out: list[str]) -> Iterable[str]:
    """Compare what there is with all methods on all data sets and their seeds."""
    places = {(dataset, seed) for (dataset, _), of_pair in cells.items() for seed in of_pair}
    n_wanted = len(places) * len({method for _, method in cells})
    n_missing = n_wanted - sum(map(len, cells.values()))
    if not n_missing:
        return
    told = (
        f"{n_missing} of the {_fits(n_wanted)} of all methods on all data sets and seeds here {_are(n_missing)} missing"
    )
    if left_out:
        names = ", ".join(sorted(set(left_out)))
        told += (
            f"; {_fits(len(left_out), 'finished ')} ({names}) {_are(len(left_out))} left out, since not all have the "
            "same data sets and seeds"
        )
    yield f"{told}."


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _fits(n: int, kind: str = "") -> str:
    return f"{n} {kind}{'fit' if n == 1 else 'fits'}"
