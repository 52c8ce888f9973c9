"""What a leaderboard is: methods compared over data sets, as a table in Markdown and in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from identica.experiments.tables import markdown_table

__all__ = ["NONE", "Entry", "Leaderboard", "PartialRank"]

NONE = "–"
"""What a table shows where there is no number."""


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
    absent : {"not applicable", "not run"} or None
        Why the method has no place among those ranked on this data set; None where it has one. Fits that failed do not
        count where other seeds say that the method is not applicable.
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
    absent: str | None


@final
@dataclass(frozen=True)
class PartialRank:
    """Rank of a method that is for some data sets only, or was run on some only.

    Parameters
    ----------
    n_datasets : int
        How many these are.
    average : float or None
        Average over these of its rank among all methods that have a place on the data set; None where these are none.
    fewest, most : int
        Methods, itself included, that have a place on one of these data sets; 0 where these are none.
    """

    n_datasets: int
    average: float | None
    fewest: int
    most: int


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
        Those that have a place on every data set, the best first by average rank; then the others, by on how many.
    entries : mapping of (str, str) to Entry
        By data set and method.
    ranks : mapping of str to float or None
        Average ranks over data sets of the medians of the methods that have a place on every data set, 1 at best; None
        for the others, which cannot be compared with them. A method without a median on a data set ranks last there;
        equal ones share the mean of their ranks.
    partial : mapping of str to PartialRank
        What is told in place of a rank, by method.
    alpha : float
        Level of the tests, which are of the methods that have a rank.
    statistic, p_value : float or None
        Of Friedman's test; None with fewer than three such methods or two data sets.
    critical_difference : float or None
        Of average ranks, by Nemenyi's test; None with fewer than two such methods.
    groups : tuple of tuple of str
        Methods whose average ranks differ by less than that, the best first.
    remarks : tuple of str, default=()
        Further sentences, such as on fits that were left out.
    """

    score: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    entries: Mapping[tuple[str, str], Entry]
    ranks: Mapping[str, float | None]
    partial: Mapping[str, PartialRank]
    alpha: float
    statistic: float | None
    p_value: float | None
    critical_difference: float | None
    groups: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()

    @property
    def ranked(self) -> dict[str, float]:
        """The ranks that there are, by method, the best first."""
        return {method: rank for method in self.methods if (rank := self.ranks[method]) is not None}

    def n_failed(self, method: str) -> int:
        """Count the fits of a method that failed, over all data sets."""
        return sum(self.entries[dataset, method].n_failed for dataset in self.datasets)

    def seconds(self, method: str) -> float | None:
        """Return the median over data sets of a method's median time; None where no fit has one."""
        times = [time for d in self.datasets if (time := self.entries[d, method].seconds) is not None]
        return float(np.median(times)) if times else None

    def sentences(self) -> tuple[str, ...]:
        """Say what is ranked and what the tests found, in plain sentences; the remarks are the last."""
        told = [self._what_is_ranked()]
        seeds = self._seeds()
        if len(seeds) > 1:
            counted = [f"{n} on {_listed(names)}" for n, names in seeds.items()]
            told.append(f"Numbers of seeds differ: {'; '.join(counted)}.")
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
        told += [self._where_it_applies(method) for method in self.methods if method in self.partial]
        return (*told, *self.remarks)

    def _what_is_ranked(self) -> str:
        ranked = list(self.ranked)
        (n_seeds, *differing) = self._seeds()
        seeds = "seeds" if differing else _counted(n_seeds, "seed")
        one_has, several_have = self._words(list(self.partial))
        if not ranked:
            return (
                f"Numbers are medians of {self.score} over {seeds}; no method {one_has} every data set, so that none "
                "has an overall rank and nothing is tested."
            )
        n_datasets = _counted(len(self.datasets), "data set")
        told = f"Ranks are of medians of {self.score} over {seeds}, averaged over {n_datasets}"
        if not self.partial:
            return f"{told}."
        if len(ranked) == 1:
            return f"{told}; only {ranked[0]} {one_has} all of them, so that its rank says nothing."
        return f"{told}, among the {len(ranked)} methods that {several_have} all of them."

    def _words(self, partial: Sequence[str]) -> tuple[str, str]:
        """Say of one and of several methods that they have a place: others may lack it just for not being run."""
        absent = {self.entries[dataset, method].absent for dataset in self.datasets for method in partial}
        return ("has fits on", "have fits on") if "not run" in absent else ("is for", "are for")

    def _seeds(self) -> dict[int, list[str]]:
        """Group data sets by how many seeds they have, the most first."""
        found: dict[int, list[str]] = {}
        for dataset in self.datasets:
            found.setdefault(self.entries[dataset, self.methods[0]].n_seeds, []).append(dataset)
        return dict(sorted(found.items(), reverse=True))

    def _where_it_applies(self, method: str) -> str:
        rank, n_datasets = self.partial[method], _counted(len(self.datasets), "data set")
        if rank.average is None:
            return f"{method} is for no data set of this board."
        told = f"{method} {self._words([method])[0]} {rank.n_datasets} of {n_datasets}, where"
        if rank.most == 1:
            return f"{told} it is the only method."
        among = f"{rank.fewest} to {rank.most}" if rank.fewest < rank.most else f"{rank.most}"
        return f"{told} its average rank is {rank.average:.2f} among the {among} methods."

    def to_markdown(self) -> str:
        """Write the leaderboard as a table in Markdown, with what the tests found below it.

        Returns
        -------
        str
            One row per method, in their order: average rank, median with lowest and highest score on each data set,
            failed fits and time; a dash where there is none.
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
        return "\n\n".join((markdown_table(rows, list(rows[0]), missing=NONE), *self.sentences())) + "\n"


def _written(entry: Entry) -> str:
    if entry.absent is not None:
        return entry.absent
    if entry.median is None or entry.n_seeds == 1:
        return NONE if entry.median is None else f"{entry.median:.3f}"
    return f"{entry.median:.3f} [{entry.low:.3f}, {entry.high:.3f}]"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
