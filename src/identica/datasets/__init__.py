"""Data sets whose true components, mixing and Jacobians are known."""

from identica.datasets.cell_presets import CELL_PRESETS, CellPreset
from identica.datasets.cells import make_cells
from identica.datasets.digits import MNIST_KINDS, LabelledImages, fetch_mnist, load_digits, read_mnist
from identica.datasets.gene_network import GeneNetwork
from identica.datasets.mixing import Bend, Mixing, Waves
from identica.datasets.mixture import KINDS, LATENTS, Mixture, make_mixture
from identica.datasets.nonstationary import NonstationaryMixture, make_nonstationary
from identica.datasets.regulation import Regulation, hill_curve
from identica.datasets.regulon_files import read_regulon
from identica.datasets.regulons import Regulon, RegulonReport, make_regulon
from identica.datasets.sergio import SergioRun, run_sergio
from identica.datasets.sergio_files import read_sergio, write_sergio
from identica.datasets.simulated_cells import SimulatedCells
from identica.datasets.sprites import SPRITE_FACTORS, SPRITE_SHAPES, Sprites, draw_sprites, make_sprites
from identica.datasets.technical_noise import TechnicalNoise
from identica.datasets.trrust import fetch_trrust

__all__ = [
    "CELL_PRESETS",
    "KINDS",
    "LATENTS",
    "MNIST_KINDS",
    "SPRITE_FACTORS",
    "SPRITE_SHAPES",
    "Bend",
    "CellPreset",
    "GeneNetwork",
    "LabelledImages",
    "Mixing",
    "Mixture",
    "NonstationaryMixture",
    "Regulation",
    "Regulon",
    "RegulonReport",
    "SergioRun",
    "SimulatedCells",
    "Sprites",
    "TechnicalNoise",
    "Waves",
    "draw_sprites",
    "fetch_mnist",
    "fetch_trrust",
    "hill_curve",
    "load_digits",
    "make_cells",
    "make_mixture",
    "make_nonstationary",
    "make_regulon",
    "make_sprites",
    "read_mnist",
    "read_regulon",
    "read_sergio",
    "run_sergio",
    "write_sergio",
]
