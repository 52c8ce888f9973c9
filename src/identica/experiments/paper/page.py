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
from identica.experiments.paper.mixtures import MIXTURES
from identica.experiments.paper.order import ORDER
from identica.experiments.paper.study import Rows, Settings, Study, read_results, sound
from identica.experiments.tables import markdown_table
from identica.io import atomic_write, prepare_output_dir

__all__ = ["STUDIES", "reproduce_paper", "write_paper"]

STUDIES: Mapping[str, Study] = {study.name: study for study in (ORDER, DIGITS, MIXTURES)}
"""Those that are carried out here, by name."""
_READ_ONLY = ("finite-samples",)
"""Directories whose results are read where they lie beside those."""
_COLUMNS = ("claim", "where", "command", "paper", "ours", "verdict")


def reproduce_paper(
    output: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    only: Iterable[str] | None = None,
    n_jobs: int = 1,
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
    """
    names = list(STUDIES if only is None else only)
    check_known("study", names, STUDIES)
    settings = Settings() if settings is None else settings
    plans = {name: STUDIES[name].plan(settings, Path(output) / name) for name in names}
    folder = prepare_output_dir(output)

    def tell(row: Mapping[str, Any]) -> None:
        if verbose:
            told = row["error"] if row["status"] == "failed" else row["status"]
            print(f"{row['dataset']}, {row['method']}, seed {row['seed']}: {told}", file=sys.stderr, flush=True)

    for name, plan in plans.items():
        run_benchmark(plan, folder / name, n_jobs=n_jobs, on_cell=tell)
        # After each study, so that a run that is stopped leaves a page.
        write_paper(folder)
    return folder / "paper.md"


def write_paper(output: str | os.PathLike[str]) -> None:
    """Write paper.md, and the pictures that it shows, of whatever results are there.

    Parameters
    ----------
    output : str or path
        The directory that holds those of the studies.
    """
    folder = prepare_output_dir(output)
    results: dict[str, Rows] = {name: read_results(folder / name) for name in (*STUDIES, *_READ_ONLY)}
    table = []
    for claim in CLAIMS:
        finding = claim.judge(results)
        line = (claim.text, claim.where, f"`{claim.command}`", claim.stated, finding.written, finding.verdict)
        table.append(dict(zip(_COLUMNS, line, strict=True)))
    parts = ["# The paper, claim by claim", markdown_table(table, list(_COLUMNS))]
    for name, study in STUDIES.items():
        parts.append(f"## {study.title}")
        rows = results[name]
        if not sound(rows):
            parts.append(f"{NOT_RUN.capitalize()}.")
            continue
        failed = sum(row["status"] == "failed" for row in rows)
        parts.append(study.section(rows, folder / name))
        if failed:
            parts.append(f"{failed} of {len(rows)} fits failed; results.csv says why.")
    with atomic_write(folder / "paper.md", "w") as file:
        file.write("\n\n".join(parts) + "\n")
