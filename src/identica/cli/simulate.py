"""identica simulate."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import arg

from identica.cli.options import Number, check_seed, counted
from identica.cli.single_cell import CellOptions, named_as_options
from identica.cli.sprites import SpriteOptions

__all__ = ["Simulate", "SimulateCells", "SimulateMixture", "SimulateSprites"]


@dataclass(frozen=True)
class SimulateMixture:
    """Simulate a nonlinear mixture of a few components.

    Writes X.npy, X.csv, latents.npy, jacobians.npy (n_samples, n_features, n_components) and parameters.json.

    Parameters
    ----------
    output : Path
        Directory to write into.
    n_samples : int
        Number of rows.
    n_features : int
        Number of columns.
    n_components : int
        Number of components.
    kind : str
        Kind of mixture.
    latents : str
        Distribution of the components.
    correlation : float
        Of each two components, where they depend on each other; 0.5 by default.
    strength : float
        Of the nonlinear part; by default one that suits the kind.
    block_size : int
        Components of a block, for "compositional"; by default the least number that makes several blocks.
    noise : float
        In standard deviations of each feature.
    seed : int
        Seed of all randomness.
    """

    output: Annotated[Path, arg(metavar="DIR")]
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 1000
    n_features: Annotated[int, arg(metavar="N", aliases=["-m"])] = 50
    n_components: Annotated[int, arg(metavar="N", aliases=["-d"])] = 3
    kind: Literal[
        "linear",
        "post-nonlinear",
        "perturbed",
        "orthogonal",
        "sparse",
        "isotropic",
        "one-sided",
        "additive",
        "folded",
        "compositional",
    ] = "post-nonlinear"
    latents: Literal["uniform", "dependent", "gaussian"] = "dependent"
    correlation: Annotated[float | None, arg(metavar="FLOAT")] = None
    strength: Annotated[float | None, arg(metavar="FLOAT")] = None
    block_size: Number = None
    noise: float = 0.0
    seed: int = 0

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import make_mixture
        from identica.io import output_directory, write_csv, write_json, write_npy

        check_seed(self.seed)
        X, latents, jacobians = make_mixture(
            self.n_samples,
            self.n_features,
            self.n_components,
            kind=self.kind,
            latents=self.latents,
            correlation=self.correlation,
            strength=self.strength,
            block_size=self.block_size,
            noise=self.noise,
            random_state=self.seed,
        )
        parameters = dataclasses.asdict(self)
        del parameters["output"]
        parameters = {"what": "mixture", **parameters}
        with output_directory(self.output) as directory:
            write_npy(directory / "X.npy", X)
            write_csv(directory / "X.csv", X, [f"feature_{i}" for i in range(X.shape[1])])
            write_npy(directory / "latents.npy", latents)
            write_npy(directory / "jacobians.npy", jacobians)
            write_json(directory / "parameters.json", parameters)
        print(
            f"{counted(X.shape[0], 'sample')}, {counted(X.shape[1], 'feature')}, "
            f"{counted(latents.shape[1], 'component')} are in {directory}"
        )


CELL_FILES = ("X.npy", "X.csv", "latents.csv", "obs.csv", "regulon.tsv", "cells.h5ad", "parameters.json")


@dataclass(frozen=True)
class SimulateCells(CellOptions):
    """Simulate single cells whose transcription factors are known.

    Writes X.npy, X.csv, latents.csv (the factors' concentrations), obs.csv (each cell's type, its batch and whether it
    is a doublet, as far as there are any), regulon.tsv, parameters.json and, where anndata is installed, cells.h5ad.

    Parameters
    ----------
    output : Path
        Directory to write into.
    n_samples : int
        Number of cells.
    n_bins : int
        Number of cell types, between which alone concentrations differ; by default each cell has its own.
    seed : int
        Seed of all randomness.
    quote_formulas : bool
        In text, put an apostrophe before names of genes and factors that a spreadsheet would take for formulas.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-cells")
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 1000
    n_bins: Annotated[int | None, arg(metavar="N")] = None
    seed: int = 0
    quote_formulas: bool = False

    def run(self) -> None:
        """Run the command."""
        from importlib.util import find_spec

        from identica.datasets import make_cells
        from identica.io import (
            atomic_write,
            output_directory,
            refuse_to_overwrite,
            without_formulas,
            write_csv,
            write_json,
            write_npy,
        )

        check_seed(self.seed)
        refuse_to_overwrite([self.regulon], [self.output / name for name in CELL_FILES])
        regulon = self.read_regulon()
        with named_as_options():
            cells = make_cells(
                self.n_samples,
                self.n_components,
                regulon=regulon,
                n_bins=self.n_bins,
                random_state=self.seed,
                **self.arguments(),
            )
        rows = [f"cell_{i}" for i in range(len(cells.X))]
        with output_directory(self.output) as directory:
            write_npy(directory / "X.npy", cells.X)
            quoted = self.quote_formulas
            write_csv(directory / "X.csv", cells.X, cells.genes, rows, quote_formulas=quoted)
            write_csv(directory / "latents.csv", cells.latents, cells.factors, rows, quote_formulas=quoted)
            with atomic_write(directory / "obs.csv", "w") as file:
                cells.obs.to_csv(file, index_label="cell", lineterminator="\n")
            edges = cells.regulon.to_frame()
            if quoted:
                edges = edges.assign(**{name: without_formulas(edges[name]) for name in ("source", "target")})
            with atomic_write(directory / "regulon.tsv", "w") as file:
                edges.to_csv(file, sep="\t", index=False, lineterminator="\n")
            if find_spec("anndata") is not None:
                cells.write_h5ad(directory / "cells.h5ad")
            parameters = {name: value for name, value in dataclasses.asdict(self).items() if name != "output"}
            write_json(directory / "parameters.json", {"what": "single-cell", **parameters})
        print(
            f"{counted(cells.X.shape[0], 'cell')}, {counted(cells.X.shape[1], 'gene')}, "
            f"{counted(cells.latents.shape[1], 'factor')} are in {directory}"
        )


PREVIEW = (6, 12)
"""Rows and columns of the images that sprites.png shows."""


@dataclass(frozen=True)
class SimulateSprites(SpriteOptions):
    """Simulate images of one shape whose position, size, angle and shade are known, and depend on each other.

    Writes X.npy (n_samples, size, size), latents.csv, sprites.png, which shows the first of them, and parameters.json.

    Parameters
    ----------
    output : Path
        Directory to write into.
    n_samples : int
        Number of images.
    seed : int
        Seed of all randomness.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-sprites")
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 10_000
    seed: int = 0

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import SPRITE_FACTORS, make_sprites
        from identica.io import output_directory, write_csv, write_json, write_npy
        from identica.io.pictures import grey_levels, tile, write_png

        check_seed(self.seed)
        parameters = {name: value for name, value in dataclasses.asdict(self).items() if name != "output"}
        X, latents = make_sprites(self.n_samples, **self.arguments(), random_state=self.seed)
        rows, columns = PREVIEW
        shown = grey_levels(X[: rows * columns], 0, 1)
        columns = min(columns, len(shown))
        shown = shown[: len(shown) // columns * columns].reshape(-1, columns, self.size, self.size)
        with output_directory(self.output) as directory:
            write_npy(directory / "X.npy", X)
            write_csv(directory / "latents.csv", latents, list(SPRITE_FACTORS))
            write_png(directory / "sprites.png", tile(shown, background=128), enlarge=max(1, 64 // self.size))
            write_json(directory / "parameters.json", {"what": "sprites", **parameters})
        print(
            f"{len(X)} images of {self.size} x {self.size} pixels, {latents.shape[1]} components are in {self.output}"
        )


Simulate = (
    Annotated[SimulateMixture, tyro.conf.subcommand("mixture")]
    | Annotated[SimulateCells, tyro.conf.subcommand("single-cell")]
    | Annotated[SimulateSprites, tyro.conf.subcommand("sprites")]
)
