"""How much of one component others tell together, by a regression that bends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["share_told"]

MOST_ROWS = 500
"""Time grows with their cube."""
TAILS = (1, 99)
"""Percentiles to which values beyond are brought: a few wild rows would decide a mean of squares."""
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0)
GAMMAS = (0.1, 1.0)


def share_told(targets: NDArray[np.floating[Any]], inputs: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    r"""Return the share of each target's variance that all inputs tell together, each row left out in its turn.

    Kernel ridge regression with the kernel :math:`\exp(-\gamma \|z - z'\|^2 / d)` on the d inputs, standardised, and
    the best of a few penalties and widths. The error of a row that is left out has a closed form. Targets and inputs
    are cut off at their first and last percentile.

    Parameters
    ----------
    targets : ndarray of shape (n_samples, n_targets)
        What is to be told.
    inputs : ndarray of shape (n_samples, d)
        Of the same samples; of more than 500, as many evenly spaced ones are used.

    Returns
    -------
    ndarray of shape (n_targets,)
        In [0, 1]; 0 for a target that is constant.

    References
    ----------
    G. Wahba, "Spline Models for Observational Data", SIAM 1990, equation (4.2.9): the error of a row left out.

    Examples
    --------
    >>> angle = np.random.default_rng(0).uniform(-3, 3, (400, 1))
    >>> share_told(angle, np.hstack([np.cos(angle), np.sin(angle)])).round(1).tolist()
    [1.0]
    """
    chosen = np.linspace(0, len(inputs) - 1, min(len(inputs), MOST_ROWS)).astype(np.intp)
    y, z = (_standardised(np.asarray(values, dtype=np.float64)[chosen]) for values in (targets, inputs))
    lengths = np.square(z).sum(axis=1)
    distance = np.maximum(lengths[:, None] + lengths - 2 * z @ z.T, 0.0) / z.shape[1]
    total = np.square(y).sum(axis=0)
    left = total.copy()
    for gamma in GAMMAS:
        values, vectors = np.linalg.eigh(np.exp(-gamma * distance))
        values = np.maximum(values, 0.0)
        turned = vectors.T @ y
        for alpha in ALPHAS:
            kept = values / (values + alpha)
            errors = (y - vectors @ (kept[:, None] * turned)) / (1 - np.square(vectors) @ kept)[:, None]
            left = np.minimum(left, np.square(errors).sum(axis=0))
    return np.asarray(1.0 - np.divide(left, total, out=np.ones_like(total), where=total > 0), dtype=np.float64)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = np.clip(values, *np.percentile(values, TAILS, axis=0))
    centred -= centred.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.asarray(centred / np.where(deviation > 0, deviation, 1.0), dtype=np.float64)
