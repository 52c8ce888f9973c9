"""identica benchmark."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from identica.cli.options import a_line_per_fit, check_jobs, fits_are_kept

if TYPE_CHECKING:
    from identica.experiments.benchmark import BenchmarkPlan, Leaderboard

__all__ = ["Benchmark"]

_cell = itemgetter("dataset", "method", "seed")
Names = Annotated[tuple[str, ...] | None, arg(metavar="NAME ...")]


@dataclass(frozen=True)
class Benchmark:
    """Fit all methods to simulated data of every kind, over seeds, and rank them by what they recover.

    Writes results.csv, leaderboard.md and leaderboard.html, which are of all fits in the directory, those of earlier
    commands included. Each fit is kept in the folder cells as soon as it is done: after Ctrl-C, or if the process was
    killed, the same command goes on with those that are left.

    Parameters
    ----------
    output : Path
        Directory to write into.
    datasets : tuple of str
        Some of the data sets, each once; all where not given.
    methods : tuple of str
        Some of the methods, each once; all where not given.
    seeds : int
        How many, from 0.
    regulon : Path
        Network of the simulated cells: a file of edges such as TRRUST's; a random one of its shape where not given.
    jobs : int
        Fits side by side, each in a process with one thread.
    rerun : bool
        Of the fits asked for, run again those that failed and those that another specification of the data set or the
        method gave; keep the rest.
    score : str
        What to rank by: recovery, r2_mean, mcc_pearson, dci_disentanglement, seconds and so on.
    quick : bool
        Fit 800 samples with 150 steps, to try it out; the scores mean little.
    listed : bool
        Show the names of data sets and methods, and run nothing.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-benchmark")
    datasets: Names = None
    methods: Names = None
    seeds: Annotated[int, arg(metavar="N")] = 5
    regulon: Annotated[Path | None, arg(metavar="FILE")] = None
    jobs: Annotated[int, arg(metavar="N")] = 1
    rerun: bool = False
    score: Annotated[str, arg(metavar="NAME")] = "recovery"
    quick: bool = False
    listed: Annotated[bool, arg(name="list")] = False

    def run(self) -> None:
        """Run the command."""
        from identica.arguments import check_choice, check_integer
        from identica.datasets import read_regulon
        from identica.experiments.benchmark import SCORES, run_benchmark, standard_plan, write_leaderboard
        from identica.io import atomic_write, output_directory

        if self.listed:
            print(_names())
            return
        check_integer("seeds", self.seeds, 1)
        check_jobs(self.jobs)
        check_choice("score", self.score, SCORES)
        regulon = None if self.regulon is None else read_regulon(self.regulon)
        options: dict[str, Any] = {"seeds": range(self.seeds), "regulon": regulon, "quick": self.quick}
        plan = standard_plan(datasets=self.datasets, methods=self.methods, **options)
        with output_directory(self.output) as directory:
            with fits_are_kept(self.output):
                n_done = _n_done(plan, directory, self.rerun)
                with a_line_per_fit(len(plan.cells), partial(_line, score=self.score), n_done=n_done) as told:
                    rows = run_benchmark(plan, directory, n_jobs=self.jobs, rerun=self.rerun, on_cell=told)
            whole = standard_plan(datasets=None, methods=None, **options)
            board = _board(rows, directory, whole.fingerprints(), self.score)
            text = board.to_markdown()
            with atomic_write(directory / "leaderboard.md", "w") as file:
                file.write(text)
            write_leaderboard(
                board,
                directory / "leaderboard.html",
                notes={name: spec.note for name, spec in whole.datasets.items()},
                method_notes={name: spec.note for name, spec in whole.methods.items()},
                command=self._typed(),
            )
        print(f"\n{text}")
        failed = sum(row["status"] == "failed" for row in rows)
        if failed:
            print(f"{failed} of {len(rows)} fits failed: results.csv says why, --rerun runs them again")
        print(f"See {self.output / 'leaderboard.html'}")

    def _typed(self) -> str:
        """Return the command that gives the same leaderboard in the same directory."""
        words = ["identica", "benchmark"]
        for name, chosen in (("--datasets", self.datasets), ("--methods", self.methods)):
            words += [] if chosen is None else [name, *chosen]
        words += [] if self.regulon is None else ["--regulon", str(self.regulon)]
        words += ["--seeds", str(self.seeds), "--score", self.score, *(["--quick"] if self.quick else [])]
        return shlex.join(words)


def _board(
    rows: list[dict[str, Any]], directory: Path, fingerprints: Mapping[tuple[str, str], str], score: str
) -> "Leaderboard":
    """Compare what all commands left in a directory, or only what this one gave where they share nothing."""
    from identica.experiments.benchmark import comparable_rows, leaderboard, read_rows

    found = comparable_rows(read_rows(directory), fingerprints)
    own = {_cell(row) for row in rows}
    n_others = sum(row["status"] != "not run" and _cell(row) not in own for row in found.rows)
    told = (f"Of the fits shown, {n_others} came from other commands in this directory.",) if n_others else ()
    return leaderboard(found.rows or rows, score=score, remarks=(*told, *found.remarks))


def _names() -> str:
    """List data sets and methods, each with what is said of it."""
    from identica.experiments.benchmark import BENCHMARK_DATASETS, BENCHMARK_METHODS

    told = {
        "data sets": {name: spec.note for name, spec in BENCHMARK_DATASETS.items()},
        "methods": {name: spec.note for name, spec in BENCHMARK_METHODS.items()},
    }
    wide = max(len(name) for names in told.values() for name in names)
    return "\n".join(
        line
        for title, names in told.items()
        for line in (f"{title}:", *(f"  {name:{wide}}  {what}".rstrip() for name, what in names.items()))
    )


def _n_done(plan: "BenchmarkPlan", directory: Path, rerun: bool) -> int:
    """Count the fits asked for that are done already, and say how many."""
    from identica.experiments.benchmark import read_rows

    over = ("ok", "not applicable") if rerun else ("ok", "not applicable", "failed")
    wanted = {(cell.dataset, cell.method, cell.seed) for cell in plan.cells}
    done = sum(_cell(row) in wanted and row["status"] in over for row in read_rows(directory))
    if done:
        print(f"{done} of {len(wanted)} fits are done already", flush=True)
    return done


def _line(row: Mapping[str, Any], score: str) -> str:
    """Say what came of one cell."""
    cell = f"{row['dataset']}, {row['method']}, seed {row['seed']}: "
    if row["status"] != "ok":
        return cell + (f"failed: {row['error']}" if row["status"] == "failed" else "not applicable")
    found = "" if score == "seconds" or row[score] is None else f"{score} {row[score]:.3f}, "
    return f"{cell}{found}{row['seconds']:.1f} s"
