"""R^2 of true components, each regressed on one estimated component alone."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.utils import check_random_state

from identica.metrics._assignment import best_assignment
from identica.metrics._validation import Array, check_components

N_FOLDS = 5
MIN_SAMPLES = 10
MAX_KNOTS = 10
DEGREE = 3


def r2_matrix(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> Array:
    """Compute the held-out R^2 of every true component given every estimated one alone."""
    true, estimated = check_components(true, estimated, min_samples=MIN_SAMPLES)
    true = true - true.mean(axis=0)
    true /= np.abs(true).max(axis=0)
    folds = check_random_state(random_state).permutation(len(true)) % N_FOLDS
    columns = [_held_out_r2(_spline_basis(column), true, folds) for column in estimated.T]
    return np.stack(columns, axis=1)


def mean_r2(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> float:
    """Compute the mean held-out R^2 of matched components."""
    return float(best_assignment(r2_matrix(true, estimated, random_state=random_state))[1].mean())


def _spline_basis(values: Array) -> Array:
    """Return the cubic B-splines of the normal scores of `values`, of shape (n_samples, n_splines)."""
    n_samples = len(values)
    scores = ndtri((rankdata(values) - 0.5) / n_samples)
    n_knots = int(np.clip(n_samples // 20, 2, MAX_KNOTS))
    knots = ndtri(np.linspace(0.5 / n_samples, 1 - 0.5 / n_samples, n_knots))
    padded = np.pad(knots, DEGREE, mode="edge")
    return np.asarray(BSpline.design_matrix(scores.clip(knots[0], knots[-1]), padded, DEGREE).toarray())


def _held_out_r2(basis: Array, true: Array, folds: Array) -> Array:
    residual = np.zeros(true.shape[1])
    total = np.zeros(true.shape[1])
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        mean = true[train].mean(axis=0)
        design = basis[train]
        gram = design.T @ design + 1e-6 * np.eye(basis.shape[1])
        coefficients = np.linalg.solve(gram, design.T @ (true[train] - mean))
        residual += np.square(true[test] - mean - basis[test] @ coefficients).sum(axis=0)
        total += np.square(true[test] - mean).sum(axis=0)
    return np.asarray(np.clip(1 - residual / total, 0.0, 1.0))
