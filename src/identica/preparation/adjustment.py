"""Features without what they are linear in of covariates."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from identica.preparation.standardise import FloatArray

__all__ = ["without_covariates"]

ROUNDING = 1e3
"""Times the precision of numbers, up to which what is left of a feature is rounding."""
NEARLY_ALL = 0.999
"""Share of the variance that covariates explain where what is left may well be rounding of the file."""


def without_covariates(values: FloatArray, covariates: FloatArray) -> tuple[FloatArray, NDArray[np.float64]]:
    """Take out of features what they are linear in, by least squares.

    Warns where nearly all of the variance was theirs.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Standardised features.
    covariates : ndarray of shape (n_samples, n_covariates)
        Numbers of mean 0.

    Returns
    -------
    left : ndarray of shape (n_samples, n_features)
        In the precision of `values`; 0 for features of which only rounding is left.
    effects : ndarray of shape (n_covariates, n_features)
        Of each covariate on each feature.

    Raises
    ------
    ValueError
        If nothing is left of any feature.

    Examples
    --------
    >>> age = np.array([[-1.0], [0.0], [1.0]])
    >>> left, effects = without_covariates(np.array([[-2.0, 1.0], [0.0, -2.0], [2.0, 1.0]]), age)
    >>> left.round(9).tolist(), effects.round(9).tolist()
    ([[0.0, 1.0], [0.0, -2.0], [0.0, 1.0]], [[2.0, 0.0]])
    """
    effects = np.asarray(np.linalg.lstsq(covariates, values.astype(np.float64), rcond=None)[0], dtype=np.float64)
    left = np.asarray((values - covariates @ effects).astype(values.dtype))
    before, after = (np.square(part, dtype=np.float64).mean(axis=0) for part in (values, left))
    left[:, after <= np.square(ROUNDING * np.finfo(values.dtype).eps) * before] = 0
    if not left.any():
        raise ValueError(
            f"the features follow from the covariates, and nothing is left of all {values.shape[1]} of them: leave out "
            "covariates"
        )
    explained = 1 - float(after.sum() / before.sum())
    if explained > NEARLY_ALL:
        warnings.warn(
            f"covariates explain {explained:.3%} of the variance of the features, and what is left may be rounding: "
            "leave out covariates, or do not trust the components",
            UserWarning,
            stacklevel=4,
        )
    return left, effects
