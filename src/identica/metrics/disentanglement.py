"""Disentanglement, completeness and informativeness of estimated components, for continuous factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import RandomForestRegressor

from identica.arguments import local_random
from identica.metrics._validation import Array, check_components

__all__ = ["DCI", "MIN_DCI_SAMPLES", "dci"]

MIN_DCI_SAMPLES = 20
"""That :func:`dci` needs."""

N_TREES = 50
LEAF_SHARE = 1 / 400
"""Samples of a leaf, as a share of those fitted on: deep enough for curves, not for noise."""


@final
@dataclass(frozen=True, eq=False)
class DCI:
    """How well components and factors correspond one to one, and how much of the factors they hold.

    Parameters
    ----------
    disentanglement : float
        In [0, 1]: 1 where each component matters for one factor alone; mean over components by how much they matter.
    completeness : float
        In [0, 1]: 1 where one component alone matters for each factor; mean over factors.
    informativeness : float
        R² of the factors, predicted from all components on samples held out; mean over factors.
    importance : ndarray of shape (n_components, n_factors)
        How much each component matters for the prediction of each factor; columns sum to 1, or to 0 where none does.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Array


def dci(true: ArrayLike, estimated: ArrayLike, *, random_state: int | RandomState | None = 0) -> DCI:
    """Measure disentanglement, completeness and informativeness.

    A random forest of 50 trees predicts each factor from all components, on every second sample; R_ij is the share
    that component i has in the reduction of squared error for factor j. With P_ij = R_ij / sum_j R_ij the
    disentanglement of component i is 1 + sum_j P_ij log_K P_ij, K the number of factors, weighted by sum_j R_ij; with
    Q_ij = R_ij / sum_i R_ij the completeness of factor j is 1 + sum_i Q_ij log_D Q_ij, D the number of components.

    It does not change, but for rounding, with the scale of single factors and components.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_factors)
        Continuous factors.
    estimated : array-like of shape (n_samples, n_components)
        Components.
    random_state : int, RandomState or None, default=0
        Of the forests and of the choice of samples.

    Returns
    -------
    DCI
        The three numbers and the importances. Where there is one factor, or one component, the measure that compares
        several is 1.

    Raises
    ------
    ValueError
        If an input is no finite matrix, if the two differ in length or have fewer than 20 rows, or if a factor is
        constant.
    TypeError
        If an input does not hold real numbers.

    References
    ----------
    C. Eastwood and C. K. I. Williams, "A Framework for the Quantitative Evaluation of Disentangled Representations",
    ICLR 2018, equations (2) to (4).

    Examples
    --------
    >>> s = np.random.default_rng(0).uniform(size=(400, 2))
    >>> found = dci(s, s[:, ::-1] ** 3)
    >>> found.disentanglement > 0.95, found.completeness > 0.95, found.informativeness > 0.95
    (True, True, True)
    """
    factors, components = map(_near_one, check_components(true, estimated, min_samples=MIN_DCI_SAMPLES))
    random = local_random(random_state)
    order = random.permutation(len(factors))
    fitted, held_out = order[::2], order[1::2]
    importance = np.empty((components.shape[1], factors.shape[1]))
    informativeness = np.empty(factors.shape[1])
    for j, factor in enumerate(factors.T):
        forest = RandomForestRegressor(
            N_TREES, min_samples_leaf=max(1, round(LEAF_SHARE * len(fitted))), random_state=random.randint(2**31 - 1)
        ).fit(components[fitted], factor[fitted])
        importance[:, j] = forest.feature_importances_
        variance = factor[held_out].var()
        error = np.square(forest.predict(components[held_out]) - factor[held_out]).mean()
        informativeness[j] = 1 - error / variance if variance > 0 else 0.0
    by_component = importance.sum(axis=1)
    one_sided = _one_sidedness(importance / np.where(by_component > 0, by_component, 1.0)[:, None])
    total = by_component.sum()
    return DCI(
        disentanglement=float((one_sided * by_component).sum() / total) if total > 0 else 0.0,
        completeness=float(_one_sidedness(importance.T).mean()),
        informativeness=float(informativeness.mean()),
        importance=importance,
    )


def _near_one(matrix: Array) -> Array:
    """Return each column divided by a power of two, which rounds nothing, so that its largest entry is near 1."""
    # Trees hold components in float32, and stop where errors or steps are small against 1.
    return np.asarray(np.ldexp(matrix, -np.frexp(np.abs(matrix).max(axis=0))[1]))


def _one_sidedness(shares: Array) -> NDArray[np.float64]:
    """Return 1 minus the entropy of each row, in units of the largest that there can be; 0 for a row of zeros."""
    known = shares.sum(axis=1) > 0
    if shares.shape[1] == 1:
        return np.asarray(known, dtype=np.float64)
    logarithms = np.log(np.where(shares > 0, shares, 1.0))
    return np.asarray(np.where(known, 1 + (shares * logarithms).sum(axis=1) / np.log(shares.shape[1]), 0.0))
