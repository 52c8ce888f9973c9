"""What a study has come to: its rows, and how many of the fits that it was asked for they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import final

from identica.experiments.benchmark import read_rows
from identica.experiments.benchmark.asked import read_asked
from identica.experiments.paper.study import Rows, Study

__all__ = ["Results", "read_results"]


@final
@dataclass(frozen=True)
class Results:
    """What a study has come to.

    Parameters
    ----------
    rows : sequence of mappings
        Of the fits that the study was asked for, those that there are.
    n_asked : int or None
        How many it was asked for; None where that was not kept.
    command : str
        What gives these results.
    """

    rows: Rows
    n_asked: int | None
    command: str

    @property
    def complete(self) -> bool:
        """Whether every fit is there and none failed."""
        return self._counts["ok"] == self.n_asked

    @property
    def progress(self) -> str:
        """How many fits there are of how many, such as "34 of 50 fits, 1 failed"."""
        done, failed = self._counts["ok"], self._counts["failed"]
        of_all = f"{done} fits of an unknown number" if self.n_asked is None else f"{done} of {self.n_asked} fits"
        return f"{of_all}, {failed} failed" if failed else of_all

    @property
    def _counts(self) -> Counter[str]:
        return Counter(row["status"] for row in self.rows)


def read_results(study: Study, folder: Path) -> Results:
    """Read what a study has come to so far.

    Parameters
    ----------
    study : Study
        Which.
    folder : Path
        Its directory, which may be missing.

    Returns
    -------
    Results
        Of what the last run was asked for. Where plan.json does not say that, of all fits that there are.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    asked = read_asked(folder, study.command)
    if asked is None:
        return Results(read_rows(folder, study.command), None, study.command)
    command = asked.command or study.command
    asked = study.whole(asked)
    return Results([row for row in read_rows(folder, command) if row in asked], len(asked), command)
