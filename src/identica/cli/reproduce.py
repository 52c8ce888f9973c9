"""identica reproduce."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import arg

from identica.cli.finite_samples import ReproduceFiniteSamples
from identica.cli.options import Number, set_threads
from identica.cli.paper import ReproducePaper
from identica.cli.single_cell import CellOptions, named_as_options
from identica.cli.sprites import SpriteOptions
from identica.cli.trust_study import ReproduceTrust

__all__ = ["Reproduce", "ReproduceCells", "ReproduceDigits", "ReproduceMixture", "ReproduceSprites"]

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

    def carry_out(self, experiment: Callable[[Path], str]) -> None:
        """Run an experiment and say where to see what came of it.

        Parameters
        ----------
        experiment : callable
            Takes the directory to write into and returns a summary.
        """
        from identica.io import output_directory

        set_threads(self.threads)
        with output_directory(self.output) as directory:
            print(experiment(directory))
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

    family: Literal["linear", "post-nonlinear", "post-nonlinear-10", "perturbed", "isotropic", "additive", "folded"] = (
        "post-nonlinear"
    )
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-mixture")

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import comparison, reproduce

        plan = comparison(self.family, **self.shared())
        self.carry_out(lambda directory: reproduce(plan, directory))


@dataclass(frozen=True)
class ReproduceCells(CellOptions, _Options):
    """Look for transcription factors in simulated single cells by all methods.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed. The method ulm,
    which is told the network, needs decoupler, and is left out where that is not installed.

    Parameters
    ----------
    output : Path
        Directory to write into.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-single-cell")

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import reproduce, single_cell
        from identica.io import refuse_to_overwrite

        refuse_to_overwrite([self.regulon], [self.output / name for name in WRITTEN])
        regulon = self.read_regulon()
        with named_as_options():
            plan = single_cell(self.n_components, regulon=regulon, **self.shared(), **self.arguments())

        def experiment(directory: Path) -> str:
            with named_as_options():
                return reproduce(plan, directory)

        self.carry_out(experiment)


@dataclass(frozen=True)
class _Networks:
    """Networks of the nonlinear methods, the same for all.

    Parameters
    ----------
    network : str
        Networks of the nonlinear methods.
    hidden : tuple of int
        Widths of the hidden layers of dense networks; 128 128 by default.
    """

    network: Literal["dense", "convolutional"] = "dense"
    hidden: Annotated[tuple[int, ...] | None, arg(metavar="N ...")] = None

    def networks(self) -> Any:
        """Return what builds them.

        Returns
        -------
        Dense or Convolutional
            With default sizes where none are given.

        Raises
        ------
        ValueError
            If widths are given for convolutions.
        """
        from identica.networks import Convolutional, Dense

        if self.network == "convolutional":
            if self.hidden is not None:
                raise ValueError("--hidden gives widths of dense networks: leave it out with --network convolutional")
            return Convolutional()
        return Dense() if self.hidden is None else Dense(self.hidden)


@dataclass(frozen=True)
class ReproduceDigits(_Networks, _Options):
    """Find out what single components do to images of digits, by all methods.

    A classifier of real digits reads what each component makes of them on its way. Writes results.csv,
    transformations.csv, summary.md and report.html, whose pictures are of the last seed. Without a folder of images
    scikit-learn's digits serve.

    Parameters
    ----------
    data : Path
        Folder with MNIST's four files, or those of its kin, or one .npz file with the arrays x and y.
    n_components : int
        Number of components.
    output : Path
        Directory to write into.
    seeds : int
        How many fits of each method, from seed 0; two or more tell whether they agree.
    """

    data: Annotated[Path | None, arg(metavar="DIR")] = None
    n_components: Annotated[int, arg(metavar="N", aliases=["-d"])] = 10
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-digits")
    seeds: int = 2

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import read_mnist
        from identica.experiments import digits, reproduce_digits

        images = None if self.data is None else read_mnist(self.data)
        study = digits(images, self.n_components, network=self.networks(), **self.shared())
        self.carry_out(lambda directory: reproduce_digits(study, directory))


@dataclass(frozen=True)
class ReproduceSprites(SpriteOptions, _Networks, _Options):
    """Look for position, size, angle and shade behind images of one shape, by all methods.

    Writes results.csv, summary.md, r2_heatmaps.png and report.html, both pictures of the last seed.

    Parameters
    ----------
    output : Path
        Directory to write into.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-sprites")

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import reproduce, sprites

        plan = sprites(network=self.networks(), **self.shared(), **self.arguments())
        self.carry_out(lambda directory: reproduce(plan, directory))


Reproduce = (
    Annotated[ReproduceCells, tyro.conf.subcommand("single-cell")]
    | Annotated[ReproduceMixture, tyro.conf.subcommand("mixture")]
    | Annotated[ReproduceDigits, tyro.conf.subcommand("digits")]
    | Annotated[ReproduceSprites, tyro.conf.subcommand("sprites")]
    | Annotated[ReproduceFiniteSamples, tyro.conf.subcommand("finite-samples")]
    | Annotated[ReproducePaper, tyro.conf.subcommand("paper")]
    | Annotated[ReproduceTrust, tyro.conf.subcommand("trust")]
)
