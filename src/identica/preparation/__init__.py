"""From what a caller gives to what the networks see: checked, standardised, split, with axes to start from."""

from __future__ import annotations

from identica.preparation.axes import pca_solver, principal_axes
from identica.preparation.inputs import check_observations
from identica.preparation.split import split_rows
from identica.preparation.standardise import FloatArray, Standardised, criterion_units, standardise

__all__ = [
    "FloatArray",
    "Standardised",
    "check_observations",
    "criterion_units",
    "pca_solver",
    "principal_axes",
    "split_rows",
    "standardise",
]
