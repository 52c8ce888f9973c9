"""identica reproduce."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import arg

from identica.cli.options import Number
from identica.cli.single_cell import CellOptions

if TYPE_CHECKING:
    from identica.experiments import Comparison

__all__ = ["Reproduce", "ReproduceCells", "ReproduceMixture"]


def _carry_out(plan: "Comparison", output: Path, threads: int | None) -> None:
    from identica.cli.options import set_threads
    from identica.experiments import reproduce
    from identica.io import output_directory

    set_threads(threads)
    with output_directory(output) as directory:
        print(reproduce(plan, directory))
    print(f"\nSee {output / 'report.html'}")


def _seeds(number: int) -> range:
    if number < 1:
        raise ValueError(f"seeds={number} is not possible, use at least 1")
    return range(number)


@dataclass(frozen=True)
class ReproduceMixture:
    """Compare all methods on simulated mixtures of one family.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed.

    Parameters
    ----------
    family : str
        Kind of mixture.
    output : Path
        Directory to write into.
    seeds : int
        How many, from 0.
    methods : tuple of str
        Some of the methods; all by default.
    n_samples : int
        Samples to fit.
    threads : int
        Number of threads to compute with; PyTorch's choice by default.
    """

    family: Literal["linear", "post-nonlinear", "post-nonlinear-10", "perturbed", "isotropic"] = "post-nonlinear"
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-mixture")
    seeds: int = 1
    methods: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 10_000
    threads: Number = None

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import comparison

        plan = comparison(
            self.family,
            methods=self.methods or None,
            seeds=_seeds(self.seeds),
            n_samples=self.n_samples,
            verbose=1,
        )
        _carry_out(plan, self.output, self.threads)


@dataclass(frozen=True)
class ReproduceCells(CellOptions):
    """Look for transcription factors in simulated single cells by all methods.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed. The method ulm,
    which is told the network, needs decoupler.

    Parameters
    ----------
    output : Path
        Directory to write into.
    seeds : int
        How many, from 0.
    methods : tuple of str
        Some of the methods; all by default.
    n_samples : int
        Cells to fit.
    threads : int
        Number of threads to compute with; PyTorch's choice by default.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-single-cell")
    seeds: int = 1
    methods: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 10_000
    threads: Number = None

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import single_cell

        plan = single_cell(
            self.n_components,
            regulon=self.read_regulon(),
            methods=self.methods or None,
            seeds=_seeds(self.seeds),
            n_samples=self.n_samples,
            verbose=1,
            **self.arguments(),
        )
        _carry_out(plan, self.output, self.threads)


Reproduce = (
    Annotated[ReproduceCells, tyro.conf.subcommand("single-cell")]
    | Annotated[ReproduceMixture, tyro.conf.subcommand("mixture")]
)
