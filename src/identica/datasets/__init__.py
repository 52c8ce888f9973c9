"""Data sets whose true components, mixing and Jacobians are known."""

from identica.datasets.mixing import Bend, Mixing, Waves
from identica.datasets.mixture import KINDS, LATENTS, Mixture, make_mixture

__all__ = ["KINDS", "LATENTS", "Bend", "Mixing", "Mixture", "Waves", "make_mixture"]
