"""Recipes, which are functions that return a full configuration, and what runs them."""

from identica.experiments.baselines import UnivariateLinearModel
from identica.experiments.cells import CELL_METHODS, single_cell
from identica.experiments.comparison import FAMILIES, METHODS, Comparison, comparison
from identica.experiments.demonstration import demo, reproduce
from identica.experiments.digits import DIGIT_METHODS, DigitStudy, digits, reproduce_digits
from identica.experiments.finite_samples import (
    SAMPLE_FAMILIES,
    SAMPLE_METHODS,
    SAMPLE_SIZES,
    finite_samples,
    reproduce_finite_samples,
)
from identica.experiments.power_law import PowerLaw, fall_begins, fit_power_law
from identica.experiments.reading import Reader, Transformations, read_traversals
from identica.experiments.runner import Outcome, run
from identica.experiments.sample_curves import SampleCurve, sample_curves
from identica.experiments.sample_summary import curves_to_markdown, draw_curves
from identica.experiments.sprites import sprites
from identica.experiments.tables import markdown_table, text_table

__all__ = [
    "CELL_METHODS",
    "DIGIT_METHODS",
    "FAMILIES",
    "METHODS",
    "SAMPLE_FAMILIES",
    "SAMPLE_METHODS",
    "SAMPLE_SIZES",
    "Comparison",
    "DigitStudy",
    "Outcome",
    "PowerLaw",
    "Reader",
    "SampleCurve",
    "Transformations",
    "UnivariateLinearModel",
    "comparison",
    "curves_to_markdown",
    "demo",
    "digits",
    "draw_curves",
    "fall_begins",
    "finite_samples",
    "fit_power_law",
    "markdown_table",
    "read_traversals",
    "reproduce",
    "reproduce_digits",
    "reproduce_finite_samples",
    "run",
    "sample_curves",
    "single_cell",
    "sprites",
    "text_table",
]
