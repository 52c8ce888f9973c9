"""What carries the studies out, and the page that says what came of each claim."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from identica.experiments.benchmark import run_benchmark
from identica.experiments.comparison import check_known
from identica.experiments.paper.claims import CLAIMS, NOT_RUN
from identica.experiments.paper.digits import DIGITS
from identica.experiments.paper.finite import FINITE
from identica.experiments.paper.mixtures import MIXTURES
from identica.experiments.paper.order import ORDER
from identica.experiments.paper.results import Results, read_results
from identica.experiments.paper.study import Settings, Study, sound
from identica.experiments.tables import markdown_table
from identica.io import atomic_write, prepare_output_dir

__all__ = ["STUDIES", "reproduce_paper", "write_paper"]

_SHOWN = (ORDER, DIGITS, MIXTURES, FINITE)
"""Studies of the page, in its order."""
STUDIES: Mapping[str, Study] = {study.name: study for study in _SHOWN if study.plan is not None}
"""Those that are carried out here, by name."""
_INTRODUCTION = """# Claims and verdicts

Claims of "Diverse Influence Component Analysis" (Nguyen and Fu, arXiv:2510.17040) beside what we measure. The paper's
whole text was not at hand: where a claim stands is said as far as it is known, and "none known" is a number that we do
not know. DICA is the staged solver, unless the loss (8) is named; "ours" are means over seeds.

A verdict is given of a complete study alone: every fit that its last run was asked for, as `plan.json` in its folder
says, is there and has not failed. The commands write into `identica-paper`, the default; files are named without their
folders.
"""


def reproduce_paper(
    output: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    only: Iterable[str] | None = None,
    n_jobs: int = 1,
    rerun: bool = False,
    commands: Mapping[str, str] | None = None,
    verbose: int = 1,
) -> Path:
    """Run what is missing of the studies, each in a directory of its own, and write paper.md.

    Parameters
    ----------
    output : str or path
        Directory to write into.
    settings : Settings, optional
        What studies are told; the defaults where not given.
    only : iterable of str, optional
        Some of ``STUDIES``; all by default.
    n_jobs : int, default=1
        Fits side by side.
    rerun : bool, default=False
        Whether to run again the fits that failed and those that another specification gave.
    commands : mapping of str to str, optional
        By study, what to type for the same results, as the page shows it; the command without options by default.
    verbose : int, default=1
        With 0 nothing is printed.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError
        If a study is unknown, or settings cannot be used.
    DataError
        If another run writes into a study's directory, or one of its finished cells is damaged or is of another
        specification.
    """
    names = list(STUDIES if only is None else only)
    check_known("study", names, STUDIES)
    settings = Settings() if settings is None else settings
    commands = {name: f"identica reproduce paper --only {name}" for name in names} if commands is None else commands
    plans = {name: build(settings, Path(output) / name) for name in names if (build := STUDIES[name].plan) is not None}
    folder = prepare_output_dir(output)

    def tell(row: Mapping[str, Any]) -> None:
        if verbose:
            told = row["error"] if row["status"] == "failed" else row["status"]
            print(f"{row['dataset']}, {row['method']}, seed {row['seed']}: {told}", file=sys.stderr, flush=True)

    for name, plan in plans.items():
        run_benchmark(plan, folder / name, n_jobs=n_jobs, rerun=rerun, on_cell=tell, command=commands.get(name))
        # After each study, so that a run that is stopped leaves a page.
        write_paper(folder)
    return folder / "paper.md"


def write_paper(output: str | os.PathLike[str]) -> None:
    """Write paper.md, and the pictures that it shows, of whatever results are there.

    Parameters
    ----------
    output : str or path
        The directory that holds those of the studies: one each for ``STUDIES``, and finite-samples, which
        ``identica reproduce finite-samples`` writes.

    Raises
    ------
    DataError
        If a file of a study is damaged, or nothing can be written.
    """
    folder = prepare_output_dir(output)
    results = {study.name: read_results(study, folder / study.name) for study in _SHOWN}
    parts = [_INTRODUCTION + "\n" + _verdicts(results), "## What decides", _rules()]
    for study in _SHOWN:
        parts += [f"## {study.title}", *_section(study, results[study.name], folder / study.name)]
    with atomic_write(folder / "paper.md", "w") as file:
        file.write("\n\n".join(parts) + "\n")


def _verdicts(results: Mapping[str, Results]) -> str:
    table = []
    for claim in CLAIMS:
        finding = claim.judge(results)
        table.append(
            {
                "claim": claim.text,
                "in the paper": claim.where,
                "the paper's number": claim.stated,
                "ours": finding.written,
                "verdict": finding.verdict,
                "command": f"`{results[claim.study].command}`",
            }
        )
    return markdown_table(table, list(table[0]))


def _rules() -> str:
    table = [
        {"claim": claim.text, "study": claim.study, "reproduced": claim.reproduced, "partly": claim.partly}
        for claim in CLAIMS
    ]
    return markdown_table(table, list(table[0]))


def _section(study: Study, results: Results, folder: Path) -> list[str]:
    if not results.rows:
        return [f"{NOT_RUN.capitalize()}: `{results.command}`"]
    told = f"`{results.command}`: {results.progress}."
    if results.n_asked is None:
        told += " There is no plan.json: run the command again, which finds the fits that are done and writes it."
    if any(row["status"] == "failed" for row in results.rows):
        told += " results.csv says why fits failed, --rerun runs them again."
    return [told, study.section(results.rows, folder)] if sound(results.rows) else [told]
