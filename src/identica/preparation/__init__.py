"""From what a caller gives to what the networks see: checked, standardised, split, in a compact space, with a basis."""

from __future__ import annotations

from identica.preparation.adjustment import without_covariates
from identica.preparation.axes import pca_solver, principal_axes
from identica.preparation.compact import Subspace, noise_floor, principal_subspace
from identica.preparation.context import Context, encode_context
from identica.preparation.counts import CountModel, fit_counts, log_depth
from identica.preparation.covariates import Covariate, Covariates, fit_covariates
from identica.preparation.directions import n_directions
from identica.preparation.geodesic import Basis, geodesic_basis
from identica.preparation.inputs import check_observations
from identica.preparation.noise import factor_noise, noise_edge, standing_out
from identica.preparation.observed import (
    Observed,
    Prepared,
    check_counts,
    check_features_used,
    check_size_factors,
    ratio_to_totals,
    share_of_known,
)
from identica.preparation.split import split_rows
from identica.preparation.standardise import FloatArray, Standardised, own_units, standardise, units_differ
from identica.preparation.wild import WildRows, wild_rows

__all__ = [
    "Basis",
    "Context",
    "CountModel",
    "Covariate",
    "Covariates",
    "FloatArray",
    "Observed",
    "Prepared",
    "Standardised",
    "Subspace",
    "WildRows",
    "check_counts",
    "check_features_used",
    "check_observations",
    "check_size_factors",
    "encode_context",
    "factor_noise",
    "fit_counts",
    "fit_covariates",
    "geodesic_basis",
    "log_depth",
    "n_directions",
    "noise_edge",
    "noise_floor",
    "own_units",
    "pca_solver",
    "principal_axes",
    "principal_subspace",
    "ratio_to_totals",
    "share_of_known",
    "split_rows",
    "standardise",
    "standing_out",
    "units_differ",
    "wild_rows",
    "without_covariates",
]
