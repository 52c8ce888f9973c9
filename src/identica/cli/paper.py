"""identica reproduce paper."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from identica.datasets import LabelledImages

__all__ = ["ReproducePaper"]


@dataclass(frozen=True)
class ReproducePaper:
    """Test what the paper on DICA claims, claim by claim.

    Runs the fits that are missing of each study and writes paper.md, with the verdict on every claim, and a directory
    for each study with its results and pictures. A run that was stopped goes on where it was; with --page-only nothing
    is run, and the page is written of what is there.

    Parameters
    ----------
    output : Path
        Directory to write into.
    only : tuple of str
        Studies to run; all where not given.
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
    page_only : bool
        Whether to write the page alone.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-paper")
    only: tuple[Literal["order", "digits", "mixtures"], ...] | None = None
    regulon: Annotated[Path | None, arg(metavar="FILE")] = None
    data: Annotated[str | None, arg(metavar="mnist|PATH")] = None
    jobs: Annotated[int, arg(metavar="N")] = 1
    seeds: Annotated[int, arg(metavar="N")] = 1
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 3000
    starts: Annotated[int, arg(metavar="N")] = 2
    max_steps: Annotated[int, arg(metavar="N")] = 3000
    cross_talk: Annotated[tuple[float, ...], arg(metavar="FLOAT ...")] = (0.0, 0.25, 0.5, 1.0, 2.0)
    page_only: bool = False

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import read_regulon
        from identica.experiments.paper import Settings, reproduce_paper, write_paper
        from identica.io import output_directory

        self._check()
        page = self.output / "paper.md"
        if self.page_only:
            with output_directory(self.output) as directory:
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
            with output_directory(self.output) as directory:
                reproduce_paper(directory, settings, only=self.only, n_jobs=self.jobs)
        print(f"See {page}")

    def _check(self) -> None:
        at_least = {"jobs": 1, "seeds": 1, "n_samples": 20, "starts": 1, "max_steps": 1}
        for name, least in at_least.items():
            if getattr(self, name) < least:
                option = "--" + name.replace("_", "-")
                raise ValueError(f"{option} {getattr(self, name)} is not possible, use at least {least}")
        if self.jobs > 4 * (os.cpu_count() or 1):
            raise ValueError(f"--jobs {self.jobs} is not possible here, use at most {4 * (os.cpu_count() or 1)}")
        if self.only == ():
            raise ValueError("--only names none: name some of order, digits and mixtures, or leave it out for all")
        strengths = self.cross_talk
        if not strengths or min(strengths) < 0 or len(set(strengths)) < len(strengths):
            given = " ".join(f"{strength:g}" for strength in strengths)
            raise ValueError(f"--cross-talk {given}: give one or more different strengths, each at least 0")

    def _images(self) -> "LabelledImages | None":
        from identica.datasets import fetch_mnist, read_mnist

        if self.data is None or (self.only is not None and "digits" not in self.only):
            return None
        return fetch_mnist() if self.data == "mnist" and not Path("mnist").exists() else read_mnist(self.data)
