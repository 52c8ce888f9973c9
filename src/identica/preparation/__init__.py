"""From what a caller gives to what the networks see: checked, standardised, split, in a compact space, with a basis."""

from __future__ import annotations

from identica.preparation.axes import pca_solver, principal_axes
from identica.preparation.compact import Subspace, noise_floor, principal_subspace
from identica.preparation.context import Context, encode_context
from identica.preparation.geodesic import Basis, geodesic_basis
from identica.preparation.inputs import check_observations
from identica.preparation.split import split_rows
from identica.preparation.standardise import FloatArray, Standardised, own_units, standardise, units_differ
from identica.preparation.wild import WildRows, wild_rows

__all__ = [
    "Basis",
    "Context",
    "FloatArray",
    "Standardised",
    "Subspace",
    "WildRows",
    "check_observations",
    "encode_context",
    "geodesic_basis",
    "noise_floor",
    "own_units",
    "pca_solver",
    "principal_axes",
    "principal_subspace",
    "split_rows",
    "standardise",
    "units_differ",
    "wild_rows",
]
