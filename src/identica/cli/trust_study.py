"""identica reproduce trust."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from identica.cli.options import check_jobs, check_seed, fits_are_kept, retyped

__all__ = ["ReproduceTrust"]


@dataclass(frozen=True)
class ReproduceTrust:
    """Find out which of the signals that a user sees predict whether the components were recovered.

    Each data set is fitted five times: from several starts, from another seed, on both halves of its samples, and with
    another criterion.
    Writes results.csv, signals.md, signals.svg, and a file in cells/ for each data set as soon as it is done: run the
    same command again to go on after an interruption, or with more data sets.

    Parameters
    ----------
    output : Path
        Directory to write into.
    families : tuple of str
        Some of the families of data sets; all where not given.
    each : int
        Data sets of each family.
    jobs : int
        Data sets side by side, each on one thread.
    max_steps : int
        Steps of each start, at most.
    seed : int
        Of data and fits.
    rerun : bool
        Run again what failed, and what was fitted with other settings.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-trust")
    families: Annotated[tuple[str, ...] | None, arg(metavar="NAME ...")] = None
    each: Annotated[int, arg(metavar="N")] = 25
    jobs: Annotated[int, arg(metavar="N")] = 1
    max_steps: Annotated[int, arg(metavar="N")] = 1_500
    seed: Annotated[int, arg(metavar="N")] = 0
    rerun: bool = False

    def run(self) -> None:
        """Run the command."""
        from identica.experiments.trust_study import reproduce_trust_study, trust_study
        from identica.io import output_directory

        check_jobs(self.jobs)
        check_seed(self.seed)
        plan = trust_study(self.families, self.each, max_steps=self.max_steps, seed=self.seed)
        names = ("families", "each", "max_steps", "seed")
        command = retyped(("identica", "reproduce", "trust"), self, names)
        with output_directory(self.output) as directory, fits_are_kept(self.output):
            text = reproduce_trust_study(
                plan, directory, n_jobs=self.jobs, rerun=self.rerun, on_fit=_tell, command=command
            )
        print(text)
        print(f"\nSee {self.output / 'signals.svg'}")


def _tell(row: Mapping[str, Any]) -> None:
    what = f"R² {row['r2_mean']:.3f} in {row['seconds']:.1f} s" if row["status"] == "ok" else row["error"]
    print(f"{row['dataset']}: {what}", file=sys.stderr, flush=True)
