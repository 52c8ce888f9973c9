"""identica reproduce."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import arg

from identica.cli.options import Number, set_threads
from identica.cli.single_cell import CellOptions

if TYPE_CHECKING:
    from identica.experiments import Comparison

__all__ = ["Reproduce", "ReproduceCells", "ReproduceMixture"]

WRITTEN = ("results.csv", "summary.md", "r2_heatmaps.png", "report.html")


@dataclass(frozen=True)
class _Options:
    """What every reproduction is told.

    Parameters
    ----------
    output : Path
        Directory to write into.
    seeds : int
        How many, from 0.
    methods : tuple of str
        Some of the methods; all where not given.
    n_samples : int
        Samples, or cells, to fit.
    threads : int
        Number of threads to compute with; PyTorch's choice by default.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-reproduced")
    seeds: int = 1
    methods: Annotated[tuple[str, ...] | None, arg(metavar="NAME ...")] = None
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 10_000
    threads: Number = None

    def shared(self) -> dict[str, Any]:
        """Give what every configuration takes.

        Returns
        -------
        dict
            Arguments of the functions in ``identica.experiments``.

        Raises
        ------
        ValueError
            If there is no seed, no method or no sample.
        """
        if self.n_samples < 2:
            raise ValueError(f"n_samples={self.n_samples} is not possible, use at least 2, and thousands to learn much")
        if self.methods == ():
            raise ValueError("--methods names none: name some, or leave it out for all")
        if self.seeds < 1:
            raise ValueError(f"seeds={self.seeds} is not possible, use at least 1")
        seeds = range(self.seeds)
        return {"methods": self.methods, "seeds": seeds, "n_samples": self.n_samples, "verbose": 1}

    def carry_out(self, plan: "Comparison") -> None:
        """Run a comparison and write what comes of it.

        Parameters
        ----------
        plan : Comparison
            The whole configuration.
        """
        from identica.experiments import reproduce
        from identica.io import output_directory

        set_threads(self.threads)
        with output_directory(self.output) as directory:
            print(reproduce(plan, directory))
        print(f"\nSee {self.output / 'report.html'}")


@dataclass(frozen=True)
class ReproduceMixture(_Options):
    """Compare all methods on simulated mixtures of one family.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed.

    Parameters
    ----------
    family : str
        Kind of mixture.
    output : Path
        Directory to write into.
    """

    family: Literal["linear", "post-nonlinear", "post-nonlinear-10", "perturbed", "isotropic"] = "post-nonlinear"
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-mixture")

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import comparison

        self.carry_out(comparison(self.family, **self.shared()))


@dataclass(frozen=True)
class ReproduceCells(CellOptions, _Options):
    """Look for transcription factors in simulated single cells by all methods.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed. The method ulm,
    which is told the network, needs decoupler.

    Parameters
    ----------
    output : Path
        Directory to write into.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-single-cell")

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import single_cell
        from identica.io import refuse_to_overwrite

        refuse_to_overwrite([self.regulon], [self.output / name for name in WRITTEN])
        regulon = self.read_regulon()
        self.carry_out(single_cell(self.n_components, regulon=regulon, **self.shared(), **self.arguments()))


Reproduce = (
    Annotated[ReproduceCells, tyro.conf.subcommand("single-cell")]
    | Annotated[ReproduceMixture, tyro.conf.subcommand("mixture")]
)
