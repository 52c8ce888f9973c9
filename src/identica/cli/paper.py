"""identica reproduce paper."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from identica.cli.options import check_jobs, fits_are_kept, retyped

if TYPE_CHECKING:
    from identica.datasets import LabelledImages

__all__ = ["ReproducePaper"]

OF_ALL = ("seeds", "starts", "max_steps")
"""Options that every study is told."""
STUDIES = {
    "order": ("regulon", "n_samples", "cross_talk"),
    "digits": ("data",),
    "mixtures": ("n_samples",),
}
"""By study, the options that it is told beside those."""


@dataclass(frozen=True)
class ReproducePaper:
    """Test what the paper on DICA claims, claim by claim.

    Runs the fits that are missing of each study and writes paper.md, with the verdict on every claim that a complete
    study decides, and a directory for each study with its results and pictures. A study is complete when all fits are
    there that its last run was asked for, as its plan.json says. A run that was stopped goes on where it was. A fourth
    study is read from the directory finite-samples, where
    `identica reproduce finite-samples --output OUTPUT/finite-samples` writes.

    Parameters
    ----------
    output : Path
        Directory to write into.
    only : tuple of str
        Studies to run, of order, digits and mixtures; all where not given.
    regulon : Path
        The network of the cells: a file of TRRUST, or a table with the columns source, target and weight; random by
        default.
    data : str
        "mnist", which is downloaded once, or a folder or .npz file with images of digits; scikit-learn's by default.
    jobs : int
        Fits side by side.
    seeds : int
        How many, from 0.
    n_samples : int
        Cells, or samples of a mixture, to fit.
    starts : int
        Starts of each fit of networks.
    max_steps : int
        Steps of each start, at most.
    cross_talk : tuple of float
        Strengths of the influence of every factor on every gene, from none to dense.
    rerun : bool
        Of the fits asked for, run again those that failed and those that another specification gave; keep the rest.
    page_only : bool
        Run nothing, and write the page of what is there.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-paper")
    only: Annotated[tuple[str, ...] | None, arg(metavar="{order,digits,mixtures} ...")] = None
    regulon: Annotated[Path | None, arg(metavar="FILE")] = None
    data: Annotated[str | None, arg(metavar="mnist|PATH")] = None
    jobs: Annotated[int, arg(metavar="N")] = 1
    seeds: Annotated[int, arg(metavar="N")] = 1
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 3000
    starts: Annotated[int, arg(metavar="N")] = 2
    max_steps: Annotated[int, arg(metavar="N")] = 3000
    cross_talk: Annotated[tuple[float, ...], arg(metavar="FLOAT ...")] = (0.0, 0.25, 0.5, 1.0, 2.0)
    rerun: bool = False
    page_only: bool = False

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import read_regulon
        from identica.experiments.paper import Settings, reproduce_paper, write_paper
        from identica.io import output_directory

        self._check()
        with output_directory(self.output) as directory:
            if self.page_only:
                write_paper(directory)
            else:
                settings = Settings(
                    n_seeds=self.seeds,
                    n_init=self.starts,
                    max_steps=self.max_steps,
                    n_samples=self.n_samples,
                    cross_talk=self.cross_talk,
                    regulon=None if self.regulon is None else read_regulon(self.regulon),
                    images=self._images(),
                )
                names = self.only or STUDIES
                commands = {name: self._typed(name) for name in names}
                with fits_are_kept(self.output):
                    reproduce_paper(
                        directory, settings, only=names, n_jobs=self.jobs, rerun=self.rerun, commands=commands
                    )
        print(f"See {self.output / 'paper.md'}")

    def _typed(self, study: str) -> str:
        """Return the command that gives the results of one study."""
        return retyped(("identica", "reproduce", "paper", "--only", study), self, (*STUDIES[study], *OF_ALL))

    def _check(self) -> None:
        check_jobs(self.jobs)
        at_least = {"seeds": 1, "n_samples": 20, "starts": 1, "max_steps": 1}
        for name, least in at_least.items():
            if getattr(self, name) < least:
                option = "--" + name.replace("_", "-")
                raise ValueError(f"{option} {getattr(self, name)} is not possible, use at least {least}")
        for name in self.only or ():
            if name not in STUDIES:
                raise ValueError(
                    f"--only {name} is no study: name some of {', '.join(STUDIES)}, or leave it out for all"
                )
        if self.only == ():
            raise ValueError(f"--only names none: name some of {', '.join(STUDIES)}, or leave it out for all")
        if self.page_only and self.rerun:
            raise ValueError("--page-only runs nothing, and --rerun runs fits again: leave one of them out")
        strengths = self.cross_talk
        possible = all(math.isfinite(strength) and strength >= 0 for strength in strengths)
        if not strengths or not possible or len(set(strengths)) < len(strengths):
            given = " ".join(f"{strength:g}" for strength in strengths)
            raise ValueError(f"--cross-talk {given}: give one or more different strengths, each a number of at least 0")

    def _images(self) -> "LabelledImages | None":
        from identica.datasets import fetch_mnist, read_mnist

        if self.data is None or "digits" not in (self.only or STUDIES):
            return None
        return fetch_mnist() if self.data == "mnist" and not Path("mnist").exists() else read_mnist(self.data)
