"""Recipes, which are functions that return a full configuration, and what runs them."""

from identica.experiments.baselines import AlignedPCA
from identica.experiments.comparison import FAMILIES, METHODS, Comparison, comparison
from identica.experiments.demonstration import demo
from identica.experiments.runner import Outcome, run
from identica.experiments.tables import markdown_table, text_table

__all__ = [
    "FAMILIES",
    "METHODS",
    "AlignedPCA",
    "Comparison",
    "Outcome",
    "comparison",
    "demo",
    "markdown_table",
    "run",
    "text_table",
]
