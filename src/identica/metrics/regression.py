"""R^2 of true components, each regressed on one estimated component alone.

The regressor is a cubic spline, fitted by least squares. The estimate is first replaced by its normal scores,
the standard normal quantiles of its ranks, so that nothing depends on the units or the shape of the estimate,
and outliers carry no weight. The knots are quantiles of these scores (2 to 10 of them, one for 20 samples).
Ranks are taken over all samples: they do not look at the truth, which alone must be held out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline
from scipy.special import ndtri
from scipy.stats import rankdata

from identica.arguments import local_random
from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array, check_components, is_constant

N_FOLDS = 5
MIN_SAMPLES = 2 * N_FOLDS
MAX_KNOTS = 10
SAMPLES_PER_KNOT = 20
DEGREE = 3
RIDGE = 1e-6
"""Added to the Gram matrix, so that a spline without samples (many ties) has the coefficient 0."""


def r2_matrix(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> Array:
    """Compute the held-out R^2 of every true component, given every estimated one alone.

        R^2[j, k] = max(0, 1 - sum_n (s_nj - r_jk(s_hat_nk))^2 / sum_n (s_nj - mean_j)^2),

    where the spline r_jk and the mean are those of the four fifths of the samples (five random folds) that do
    not hold sample n: every sample is scored, none by a regressor that has seen it. 0 is no better than the
    mean; values below are cut off, since by how much a useless regressor is worse than the mean says nothing.

    It does not change with strictly monotone maps (sign and scale included) of any estimated component, nor
    with the sign, scale and offset of a true one. A constant estimated component has 0 with all.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    random_state : int, RandomState or None, default=0
        Draws the folds.

    Returns
    -------
    ndarray of shape (n_true, n_estimated)
        R^2 in [0, 1].

    Raises
    ------
    ValueError
        If an input is no finite matrix, if the two differ in length or have fewer than 10 rows, or if a true
        component is constant.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
    Identifiability", NeurIPS 2025, arXiv:2510.17040, experiments: R^2 of each component and its matched
    estimate. The regressor is our choice.
    P. Eilers and B. Marx, "Flexible smoothing with B-splines and penalties", Statistical Science 11(2), 1996.

    Examples
    --------
    >>> true = np.random.default_rng(0).uniform(-1, 1, size=(500, 2))
    >>> r2_matrix(true, np.exp(-3 * true[:, ::-1])).round(2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    true, estimated = check_components(true, estimated, min_samples=MIN_SAMPLES)
    targets = true / np.abs(true).max(axis=0)
    targets -= targets.mean(axis=0)
    # None means a fresh generator here, not the global one.
    random = local_random(random_state)
    folds = random.permutation(len(true)) % N_FOLDS
    splits = [(folds != fold, folds == fold) for fold in range(N_FOLDS)]
    scores = np.zeros((true.shape[1], estimated.shape[1]))
    for column in np.flatnonzero(~is_constant(estimated)):
        scores[:, column] = held_out_r2(_spline_basis(estimated[:, column]), targets, splits, _least_squares)
    return scores


def mean_r2(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> float:
    """Compute the mean held-out R^2 of true components and their matched estimates.

        max over one-to-one maps pi of  1/d sum_j R^2[j, pi(j)],   d = n_true,

    with R^2 of :func:`r2_matrix`. Where there are fewer estimates than true components, those left over count
    as 0; surplus estimates do not count.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    random_state : int, RandomState or None, default=0
        Draws the folds.

    Returns
    -------
    float
        Between 0 and 1, where 1 is perfect.

    Raises
    ------
    ValueError
        As :func:`r2_matrix`.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    H. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> true = np.random.default_rng(0).uniform(-1, 1, size=(500, 2))
    >>> round(mean_r2(true, true[:, ::-1] ** 3), 2), round(mean_r2(true, true[:, :1]), 2)
    (1.0, 0.5)
    """
    return float(best_assignment(r2_matrix(true, estimated, random_state=random_state))[1].mean())


def _spline_basis(values: Array) -> Array:
    """Return the cubic B-splines of the normal scores of `values`, of shape (n_samples, n_splines)."""
    n_samples = len(values)
    scores = ndtri((rankdata(values) - 0.5) / n_samples)
    n_knots = int(np.clip(n_samples // SAMPLES_PER_KNOT, 2, MAX_KNOTS))
    knots = ndtri(np.linspace(0.5 / n_samples, 1 - 0.5 / n_samples, n_knots))
    padded = np.pad(knots, DEGREE, mode="edge")
    return np.asarray(BSpline.design_matrix(scores.clip(knots[0], knots[-1]), padded, DEGREE).toarray())


def held_out_r2(
    inputs: Array,
    targets: Array,
    splits: Iterable[tuple[NDArray[Any], NDArray[Any]]],
    predict: Callable[[Array, Array, Array], Array],
) -> Array:
    """Return the R^2 of each column of `targets`, each fold predicted from the others.

    Parameters
    ----------
    inputs, targets : ndarray of shape (n_samples, n_inputs) or (n_samples, n_targets)
        What is given, and what is predicted.
    splits : iterable of pairs of ndarray
        Rows to fit on and rows to predict; each row is predicted once.
    predict : callable
        Given inputs and centred targets to fit on, and other inputs, it returns the targets there.

    Returns
    -------
    ndarray of shape (n_targets,)
        R^2 in [0, 1]; 0 where a target is constant.
    """
    residual = np.zeros(targets.shape[1])
    total = np.zeros(targets.shape[1])
    for train, test in splits:
        mean = targets[train].mean(axis=0)
        predicted = predict(inputs[train], targets[train] - mean, inputs[test])
        residual += np.square(targets[test] - mean - predicted).sum(axis=0)
        total += np.square(targets[test] - mean).sum(axis=0)
    return np.asarray(np.clip(1 - np.divide(residual, total, out=np.ones_like(total), where=total > 0), 0.0, 1.0))


def _least_squares(design: Array, targets: Array, asked: Array) -> Array:
    gram = design.T @ design + RIDGE * np.eye(design.shape[1])
    return np.asarray(asked @ np.linalg.solve(gram, design.T @ targets))
