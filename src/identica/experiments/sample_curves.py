"""Error by number of samples: medians over seeds, the rate at which they fall, and from where on a method is of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from identica.arguments import check_integer, local_random
from identica.experiments.power_law import LEAST_SIZES, PowerLaw, fall_begins, fit_power_law

__all__ = ["FALLEN", "RATE", "SEPARATOR", "USEFUL", "SampleCurve", "sample_curves"]

FALLEN = 0.7
"""Share of the error where the fall begins that the least must not exceed: less of a fall tells no rate from noise."""
RATE = 0.5
"""The bound's: sqrt(ln(1/delta) / N)."""
SEPARATOR = "/N="
"""Between family and number of samples in the name of a data set."""
USEFUL = 0.9
"""Least R² of a method that is of use."""
_QUANTILES = (0.05, 0.95)


@final
@dataclass(frozen=True)
class SampleCurve:
    """One method on one family of mixtures, over numbers of samples.

    Parameters
    ----------
    family, method : str
        Their names.
    sizes : tuple of int
        Numbers of samples, growing.
    median : tuple of float or None
        Of 1 - R² over seeds, one per size; a failed fit counts as worse than any, and None stands where that leaves no
        number.
    low, high : tuple of float or None
        Least and largest 1 - R² of the fits that did not fail.
    n_seeds, n_failed : int
        Seeds, and fits that failed, over all sizes.
    falls_from : int or None
        Size at which the medians begin to fall, see :func:`fall_begins`; None where they do not fall to 0.7 of what
        they are there, or there are fewer than four sizes from there on.
    law : PowerLaw or None
        Fitted to the medians from there on.
    interval : tuple of float or None
        Of the rate, 90 % by the bootstrap over seeds; None with one seed.
    useful_from : int or None
        Least size from which on, at all larger ones too, the median R² is at least 0.9 and exceeds that of the linear
        method, which must have been run; None where there is none.
    """

    family: str
    method: str
    sizes: tuple[int, ...]
    median: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    n_seeds: int
    n_failed: int
    falls_from: int | None
    law: PowerLaw | None
    interval: tuple[float, float] | None
    useful_from: int | None

    @property
    def beside_bound(self) -> str:
        """The rate beside the bound's 1/2: "slower", "faster", "not told apart", or nothing where it is not known."""
        if self.interval is None:
            return ""
        low, high = self.interval
        return "slower" if high < RATE else "faster" if low > RATE else "not told apart"

    def points(self) -> list[tuple[float, float, float, float]]:
        """Return size, median, least and largest 1 - R² where all are positive numbers, for a picture.

        Returns
        -------
        list of tuple of float
            By growing size.
        """
        every = zip(self.sizes, self.median, self.low, self.high, strict=True)
        return [(n, e, a, b) for n, e, a, b in every if e and a and b and min(e, a, b) > 0]


def sample_curves(
    rows: Iterable[Mapping[str, Any]],
    *,
    linear: str = "polytopic",
    n_bootstrap: int = 200,
    random_state: int | RandomState | None = 0,
) -> tuple[SampleCurve, ...]:
    """Sum rows of a study of finite samples up.

    Seeds are drawn anew as a whole for the interval, with all their sizes, since these share one mixing; the range that
    is fitted stays that of the medians.

    Parameters
    ----------
    rows : iterable of mappings
        As :func:`identica.experiments.benchmark.run_benchmark` returns them; a study need not be complete.
    linear : str, default="polytopic"
        The method that others have to beat.
    n_bootstrap : int, default=200
        Draws of the bootstrap.
    random_state : int, RandomState or None, default=0
        Of the bootstrap.

    Returns
    -------
    tuple of SampleCurve
        Family by family, in the order of the rows.

    Raises
    ------
    ValueError
        If there is no row, one occurs twice, or the name of a data set has no number of samples.

    Examples
    --------
    >>> row = {"method": "dica", "seed": 0, "status": "ok"}
    >>> rows = [{**row, "dataset": f"folded/N={n}", "r2_mean": 1 - 3 * n**-0.5} for n in (250, 1000, 4000, 16000)]
    >>> rows += [{**row, "method": "polytopic", "r2_mean": 0.7} for row in rows]
    >>> curve, linear = sample_curves(rows)
    >>> round(curve.law.rate, 3), curve.useful_from
    (0.5, 1000)
    """
    n_bootstrap = check_integer("n_bootstrap", n_bootstrap, 1)
    random = local_random(random_state)
    scores: dict[str, dict[str, dict[tuple[int, int], float]]] = {}
    for row in rows:
        family, size = _parts(row["dataset"])
        of_method = scores.setdefault(family, {}).setdefault(row["method"], {})
        if (size, row["seed"]) in of_method:
            raise ValueError(f"{row['dataset']}, {row['method']}, seed {row['seed']} occurs twice: give each row once")
        found = row["status"] == "ok" and row.get("r2_mean") is not None
        of_method[size, row["seed"]] = float(row["r2_mean"]) if found else -np.inf
    if not scores:
        raise ValueError("no row was given: run the study first")
    curves = []
    for family, methods in scores.items():
        tables = {method: _table(cells) for method, cells in methods.items()}
        rival = dict(zip(tables[linear][0], _medians(tables[linear][1]), strict=True)) if linear in tables else {}
        for method, (sizes, table) in tables.items():
            beaten = dict.fromkeys(sizes, -np.inf) if method == linear else rival
            curves.append(_curve(family, method, sizes, table, beaten, n_bootstrap, random))
    return tuple(curves)


def _parts(dataset: str) -> tuple[str, int]:
    family, separator, size = dataset.rpartition(SEPARATOR)
    if not separator or not (size.isascii() and size.isdigit()):
        raise ValueError(
            f"the data set {dataset!r} does not say its number of samples: give rows of a study of finite samples, "
            f"whose names end in {SEPARATOR}1000 and the like"
        )
    return family, int(size)


def _table(cells: Mapping[tuple[int, int], float]) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return the sizes, and R² by seed and size: minus infinity where a fit failed, NaN where none was made."""
    sizes, seeds = (sorted(set(values)) for values in zip(*cells, strict=True))
    table = [[cells.get((size, seed), np.nan) for size in sizes] for seed in seeds]
    return tuple(sizes), np.array(table)


def _medians(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column over the fits made; minus infinity where too many failed or none was made."""
    made = [column[~np.isnan(column)] for column in table.T]
    return np.array([np.median(column) if column.size else -np.inf for column in made])


def _curve(
    family: str,
    method: str,
    sizes: tuple[int, ...],
    table: NDArray[np.float64],
    rival: Mapping[int, float],
    n_bootstrap: int,
    random: RandomState,
) -> SampleCurve:
    r2 = _medians(table)
    known = np.isfinite(r2)
    law, begin = None, 0
    if known.any():
        begin = int(np.flatnonzero(known)[fall_begins((1 - r2[known]).tolist())])
        if 1 - r2.max() <= FALLEN * (1 - r2[begin]):
            law = _law(sizes[begin:], table[:, begin:])
    errors = [1 - column[np.isfinite(column)] for column in table.T]
    return SampleCurve(
        family=family,
        method=method,
        sizes=sizes,
        median=tuple(float(1 - r) if np.isfinite(r) else None for r in r2),
        low=tuple(float(e.min()) if e.size else None for e in errors),
        high=tuple(float(e.max()) if e.size else None for e in errors),
        n_seeds=len(table),
        n_failed=int(np.isneginf(table).sum()),
        falls_from=None if law is None else sizes[begin],
        law=law,
        interval=None if law is None else _interval(sizes[begin:], table[:, begin:], n_bootstrap, random),
        useful_from=_useful_from(sizes, r2, rival),
    )


def _law(sizes: Sequence[int], table: NDArray[np.float64]) -> PowerLaw | None:
    """Fit the medians at the sizes that have one; None where these are too few."""
    r2 = _medians(table)
    points = [(size, 1 - r) for size, r in zip(sizes, r2, strict=True) if np.isfinite(r) and r < 1]
    return fit_power_law(*zip(*points, strict=True)) if len(points) >= LEAST_SIZES else None


def _interval(
    sizes: Sequence[int], table: NDArray[np.float64], n_bootstrap: int, random: RandomState
) -> tuple[float, float] | None:
    n_seeds = len(table)
    if n_seeds < 2:
        return None
    # Few seeds have few combinations: each is fitted once.
    draws = np.sort(random.randint(n_seeds, size=(n_bootstrap, n_seeds)), axis=1)
    combinations, counts = np.unique(draws, axis=0, return_counts=True)
    laws = [_law(sizes, table[chosen]) for chosen in combinations]
    rates = np.repeat([np.nan if law is None else law.rate for law in laws], counts)
    rates = rates[~np.isnan(rates)]
    if not rates.size:
        return None
    low, high = np.quantile(rates, _QUANTILES)
    return float(low), float(high)


def _useful_from(sizes: Sequence[int], r2: NDArray[np.float64], rival: Mapping[int, float]) -> int | None:
    first = None
    for size, r in zip(reversed(sizes), r2[::-1], strict=True):
        if not (r >= USEFUL and r > rival.get(size, np.inf)):
            break
        first = size
    return first
