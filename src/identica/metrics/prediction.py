"""R^2 of true components, each regressed on all estimated ones together: what the estimates hold, however mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, ParameterGrid, cross_val_predict

from identica.arguments import check_integer, check_list, check_real, local_random
from identica.metrics._scaling import unit_columns
from identica.metrics._validation import Array, check_components
from identica.metrics.regression import MIN_SAMPLES, N_FOLDS, held_out_r2

__all__ = ["kernel_ridge_r2", "linear_r2"]

N_CHOOSING_FOLDS = 3
ALPHAS = (1e-4, 1e-2, 1.0)
GAMMAS = (0.1, 1.0, 10.0)
MAX_SAMPLES = 1000


def linear_r2(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> Array:
    """Compute the held-out R^2 of every true component, given all estimated ones, by linear regression.

        R^2[j] = max(0, 1 - sum_n (s_nj - b_j - a_j' s_hat_n)^2 / sum_n (s_nj - mean_j)^2),

    where a_j, b_j and the mean are those of the four fifths of the samples (five random folds) that do not hold
    sample n. Values below 0, worse than the mean, are cut off.

    It does not change with invertible linear maps of the estimates, nor with the sign, scale and offset of a true
    component. So it says whether the estimates span the truth, not whether they keep its components apart.

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
    ndarray of shape (n_true,)
        R^2 in [0, 1].

    Raises
    ------
    ValueError
        As :func:`r2_matrix`.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    G. Roeder, L. Metz and D. P. Kingma, "On linear identifiability of learned representations", ICML 2021: truth
    up to a linear map. The held-out R^2 is our choice.

    Examples
    --------
    >>> true = np.random.default_rng(0).normal(size=(100, 2))
    >>> linear_r2(true, true @ [[1.0, 2.0], [3.0, 4.0]]).round(6).tolist()
    [1.0, 1.0]
    """
    true, estimated = check_components(true, estimated, min_samples=MIN_SAMPLES)
    order = local_random(random_state).permutation(len(true))
    return _r2_over_folds(true[order], estimated[order], _linear_prediction)


def kernel_ridge_r2(
    true: ArrayLike,
    estimated: ArrayLike,
    *,
    alphas: Sequence[float] = ALPHAS,
    gammas: Sequence[float] = GAMMAS,
    max_samples: int = MAX_SAMPLES,
    random_state: int | RandomState | None = 0,
) -> Array:
    """Compute the held-out R^2 of every true component, given all estimated ones, by kernel ridge regression.

    As :func:`linear_r2`, with a regressor that bends: r_j(z) = sum_n c_nj k(z, s_hat_n), with the coefficients
    (K + alpha I)^-1 s_j and the kernel

        k(z, z') = exp(-gamma ||z - z'||^2 / n_estimated),

    on estimates of mean 0 and variance 1. For each true component, and in each of the five folds, alpha and gamma
    are those of the grid with the smallest squared error in a cross-validation (three folds) among the samples
    that are not held out. Values below 0, worse than the mean, are cut off.

    It does not change with the order, sign, scale and offset of the estimates, nor with the sign, scale and offset
    of a true component.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_true)
        True components.
    estimated : array-like of shape (n_samples, n_estimated)
        Estimated components of the same samples.
    alphas : sequence of float, default=(1e-4, 1e-2, 1.0)
        Candidates for the weight of the penalty, more than 0.
    gammas : sequence of float, default=(0.1, 1.0, 10.0)
        Candidates for the sharpness of the kernel, more than 0.
    max_samples : int, default=1000
        Use no more samples than these, drawn at random: time grows with their cube.
    random_state : int, RandomState or None, default=0
        Draws the samples and the folds.

    Returns
    -------
    ndarray of shape (n_true,)
        R^2 in [0, 1]; 0 where a true component is constant in the samples drawn.

    Raises
    ------
    ValueError
        As :func:`r2_matrix`, and if there is no candidate or one is not more than 0, or if `max_samples` is less
        than 10.
    TypeError
        If an input or a candidate does not hold real numbers, or `max_samples` is no integer.

    References
    ----------
    C. Saunders, A. Gammerman and V. Vovk, "Ridge regression learning algorithm in dual variables", ICML 1998.
    J. Brady, R. S. Zimmermann, Y. Sharma, B. Schölkopf, J. von Kügelgen and W. Brendel, "Provably learning
    object-centric representations", ICML 2023, experiments: kernel ridge regression of the truth. The choice of
    alpha and gamma is ours.

    Examples
    --------
    >>> true = np.random.default_rng(0).uniform(-1, 1, size=(200, 1))
    >>> estimated = np.hstack([np.cos(3 * true), np.sin(3 * true)])
    >>> round(kernel_ridge_r2(true, estimated).item(), 2), linear_r2(true, estimated).item() < 0.9
    (1.0, True)
    """
    grid = ParameterGrid({"alpha": _candidates(alphas, "alphas"), "gamma": _candidates(gammas, "gammas")})
    max_samples = check_integer("max_samples", max_samples, MIN_SAMPLES)
    true, estimated = check_components(true, estimated, min_samples=MIN_SAMPLES)
    order = local_random(random_state).permutation(len(true))[:max_samples]
    return _r2_over_folds(true[order], estimated[order], partial(_kernel_prediction, grid=grid))


def _candidates(values: Sequence[float], name: str) -> list[float]:
    given = check_list(name, values, "a list of candidates, as [0.1, 1.0]")
    checked = [check_real(f"{name}[{k}]", value, above=0) for k, value in enumerate(given)]
    if not checked:
        raise ValueError(f"{name} is empty: pass at least one candidate")
    return checked


def _r2_over_folds(true: Array, estimated: Array, predict: Callable[[Array, Array, Array], Array]) -> Array:
    """Return the R^2 of each true component, each fold predicted from the others; rows are in random order."""
    # The scales of the inputs do not look at the truth, which alone must be held out.
    inputs = unit_columns(estimated) * np.sqrt(len(estimated))
    targets = unit_columns(true)
    return held_out_r2(inputs, targets, KFold(N_FOLDS).split(inputs), predict)


def _linear_prediction(inputs: Array, targets: Array, asked: Array) -> Array:
    return np.asarray(LinearRegression().fit(inputs, targets).predict(asked))


def _kernel_prediction(inputs: Array, targets: Array, asked: Array, grid: ParameterGrid) -> Array:
    """Predict each target with the candidate that does best for it in a cross-validation."""
    regressors = [KernelRidge(kernel="rbf", alpha=c["alpha"], gamma=c["gamma"] / inputs.shape[1]) for c in grid]
    errors = [
        np.square(cross_val_predict(regressor, inputs, targets, cv=KFold(N_CHOOSING_FOLDS)) - targets).sum(axis=0)
        for regressor in regressors
    ]
    chosen = np.argmin(errors, axis=0)
    predicted = np.empty((len(asked), targets.shape[1]))
    for candidate in np.unique(chosen):
        columns = chosen == candidate
        predicted[:, columns] = regressors[candidate].fit(inputs, targets[:, columns]).predict(asked)
    return predicted
