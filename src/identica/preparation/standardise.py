"""From a table to what the networks see: zero mean and unit variance."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "Standardised", "own_units", "standardise"]

LARGEST_UNIT = 3.0
MOST_IN_OTHER_UNITS = 0.2


FloatArray = NDArray[np.floating[Any]]


@final
@dataclass(frozen=True)
class Standardised:
    """Data in the units that the networks see.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        (X - mean) / scale.
    mean, scale : ndarray of shape (n_features,)
        In the user's units.
    """

    values: FloatArray
    mean: FloatArray
    scale: FloatArray


def standardise(X: FloatArray, *, per_feature: bool, names: Sequence[str] | None, centre: bool = True) -> Standardised:
    """Bring data to zero mean and to unit variance: as a whole, or per feature and with a warning of constant ones.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite observations.
    per_feature : bool
        Whether each feature is divided by its own standard deviation; otherwise all by one number.
    names : sequence of str, optional
        Names of the features.
    centre : bool, default=True
        Whether the mean of each feature is taken out.

    Returns
    -------
    Standardised
        The data and what was done to them.

    Raises
    ------
    ValueError
        If every feature is constant, or the numbers are so large or small that their squares are not numbers.
    """
    limits = np.finfo(X.dtype)
    check_squares("X", X)
    mean = X.mean(axis=0, dtype=np.float64)
    centred = X - mean
    deviations = np.sqrt(np.mean(np.square(centred), axis=0))
    # Rounding of the mean can make a constant feature deviate from it; its range is zero all the same.
    spread = np.minimum(deviations, np.ptp(X, axis=0))
    constant = spread <= 10 * limits.eps * np.abs(X).max(axis=0)
    if not X.any():
        raise ValueError(f"all values of all {X.shape[1]} feature(s) are 0: give others, of another layer or file")
    if constant.all():
        raise ValueError(
            f"all {X.shape[1]} feature(s) are constant, or vary less than {X.dtype} can tell at their size: components "
            "need features that vary between samples (subtract a large common offset before)"
        )
    if constant.any() and per_feature:  # in images, say, margins that never vary are nothing odd
        _warn_of_constant(np.flatnonzero(constant), names)
    if per_feature:
        scale = np.where(constant, 1.0, deviations)
    else:
        scale = np.full(X.shape[1], np.sqrt(np.mean(np.square(deviations[~constant]))))
    if not centre:
        mean, centred = np.zeros_like(mean), X
    values = np.where(constant & centre, 0.0, centred / scale).astype(X.dtype)
    return Standardised(values, mean.astype(X.dtype), scale.astype(X.dtype))


def check_squares(name: str, values: FloatArray) -> None:
    """Make sure that numbers have squares that are numbers, too.

    Parameters
    ----------
    name : str
        Of the numbers.
    values : ndarray
        Finite numbers.

    Raises
    ------
    ValueError
        If the largest of them is too large, or too small but not zero.
    """
    limits = np.finfo(values.dtype)
    largest = float(np.abs(values).max())
    if largest > limits.max**0.5 / 1e3 or 0 < largest < limits.tiny**0.5 * 1e3:
        raise ValueError(
            f"{name} reaches {largest:.3g}, whose square does not fit {values.dtype}: divide each column by a number "
            "that brings it to moderate size"
        )


def _warn_of_constant(where: NDArray[np.intp], names: Sequence[str] | None) -> None:
    listed = ", ".join(str(i) if names is None else str(names[i]) for i in where[:10])
    more = f" and {len(where) - 10} more" if len(where) > 10 else ""
    warnings.warn(
        f"{len(where)} constant feature(s) carry no information and are given back as they are: {listed}{more}",
        UserWarning,
        stacklevel=5,
    )


def own_units(scale: FloatArray) -> FloatArray:
    """Return the factor of each feature's row of the standardised Jacobian that brings it to the feature's own unit.

    The sizes of features that were measured alike say something of the mixing, as in the paper. A feature whose scale
    is further than a factor of three from the median is taken as measured in another unit and counts as if it were at
    that bound, so that none can outweigh the rest.

    Parameters
    ----------
    scale : ndarray of shape (n_features,)
        Standard deviations, by which the data are divided; 1 where a feature is constant.

    Returns
    -------
    ndarray of shape (n_features,)
        Numbers in [1/3, 3].

    Examples
    --------
    >>> own_units(np.array([1.0, 2.0, 4.0, 1000.0])).round(3).tolist()
    [0.333, 0.667, 1.333, 3.0]
    """
    return np.clip(scale / np.median(scale), 1 / LARGEST_UNIT, LARGEST_UNIT)


def units_differ(scale: FloatArray) -> bool:
    """Tell whether features were measured in different units, so that their sizes say nothing of the mixing.

    Parameters
    ----------
    scale : ndarray of shape (n_features,)
        Standard deviations; 1 where a feature is constant.

    Returns
    -------
    bool
        Whether more than a fifth of them are further than a factor of three from the median.

    Examples
    --------
    >>> units_differ(np.array([1.0, 2.0, 2.5, 4.0, 1000.0])), units_differ(np.array([0.001, 1.0, 2.0, 1000.0]))
    (False, True)
    """
    ratio = scale / np.median(scale)
    return bool(np.mean((ratio > LARGEST_UNIT) | (ratio < 1 / LARGEST_UNIT)) > MOST_IN_OTHER_UNITS)
