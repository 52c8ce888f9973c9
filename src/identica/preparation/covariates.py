"""Covariates: what is known of each sample and is no component, such as a batch or an age, as numbers.

Symbols: n samples, q columns of numbers.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from pandas.api import types
from scipy import sparse

from identica.preparation.standardise import FloatArray

__all__ = ["Covariate", "Covariates", "fit_covariates"]

UNNAMED = "covariate_{}"
"""Name of a column of an array, by its number."""
TABLE = "give a DataFrame, or an array with one row for each sample"
FURTHEST = 1e6
"""Standard deviations that a number may be from the mean of the fit, lest what is computed of it overflows."""
MOST_LEVELS = 2
"""Samples that each level of a label must have on average."""
FEW_COLUMNS = 10
"""Of covariates, which are never too many."""
FEW_SAMPLES = 5
"""For each column of covariates, below which much of what is left is theirs, too."""


@final
@dataclass(frozen=True)
class Covariate:
    """One covariate.

    Parameters
    ----------
    name : str
        Of its column.
    levels : tuple of str or None
        Of a label, as text; None for numbers.
    centre : tuple of float
        Share of each level but the first, or the mean of the numbers.
    scale : float
        Standard deviation of numbers; 1 for a label.
    """

    name: str
    levels: tuple[str, ...] | None
    centre: tuple[float, ...]
    scale: float


@final
@dataclass(frozen=True)
class Covariates:
    """How covariates become numbers: a column for each level of a label but the first, numbers standardised.

    Parameters
    ----------
    columns : tuple of Covariate
        In their order.
    """

    columns: tuple[Covariate, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(column.name for column in self.columns)

    def encode(self, covariates: Any, n_samples: int) -> FloatArray:
        """Return covariates of some samples as numbers.

        Parameters
        ----------
        covariates : array-like or DataFrame of shape (n_samples,) or (n_samples, n_covariates)
            As they were fitted.
        n_samples : int
            How many there must be.

        Returns
        -------
        ndarray of shape (n_samples, q)
            Of mean 0 over the samples that were fitted.

        Raises
        ------
        ValueError
            If there are others than those fitted, a value is missing, or a level is new.
        """
        if covariates is None:
            raise ValueError(
                f"the model was fitted with the covariate(s) {', '.join(self.names)}: give covariates= for these "
                "samples, too"
            )
        frame = _frame(covariates, n_samples)
        if frame.shape[1] != len(self.columns):
            raise ValueError(
                f"{frame.shape[1]} covariate(s) are given and {len(self.columns)} were fitted "
                f"({', '.join(self.names)}): give the same"
            )
        if set(map(str, frame.columns)) == set(self.names):  # by name, in whatever order
            frame = frame.set_axis([str(name) for name in frame.columns], axis=1)[list(self.names)]
        elif isinstance(covariates, pd.DataFrame) and self.names != tuple(map(UNNAMED.format, range(frame.shape[1]))):
            given = ", ".join(map(str, frame.columns))
            raise ValueError(
                f"the covariates are {given}, and {', '.join(self.names)} were fitted: give columns of the same names"
            )
        parts = [_encoded(column, frame.iloc[:, i]) for i, column in enumerate(self.columns)]
        return np.hstack(parts)

    def warn_of_few_samples(self, n_samples: int) -> None:
        """Warn of few samples for so many covariates, and of levels that one sample alone has.

        Whatever is particular to these samples is taken for effects of covariates.

        Parameters
        ----------
        n_samples : int
            How many were fitted.
        """
        n_columns = sum(len(column.centre) for column in self.columns)
        if n_columns * FEW_SAMPLES > n_samples:
            warnings.warn(
                f"covariates make {n_columns} columns of numbers for {n_samples} samples, and take out much that is "
                f"not theirs: give {FEW_SAMPLES} samples or more for each column, or join levels",
                UserWarning,
                stacklevel=3,
            )
        for column in self.columns:
            # The share of the first level is what the others leave.
            shares = (1 - sum(column.centre), *column.centre)
            levels = zip(column.levels or (), shares, strict=False)
            lone = [level for level, share in levels if round(share * n_samples) == 1]
            if not lone:
                continue
            said = f"the level {lone[0]!r} in one sample only, and its effect cannot be told from that sample"
            if len(lone) > 1:
                said = (
                    f"{len(lone)} levels in one sample each, the first {lone[0]!r}, and their effects cannot be told "
                    "from those samples"
                )
            warnings.warn(
                f"covariate {column.name!r} has {said}: join rare levels, or leave such samples out",
                UserWarning,
                stacklevel=3,
            )

    def to_plain(self) -> list[dict[str, Any]]:
        """Return them as what JSON can hold.

        Returns
        -------
        list of dict
            One for each covariate.
        """
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_plain(cls, values: list[dict[str, Any]]) -> Covariates:
        """Make them of what :meth:`to_plain` gave.

        Parameters
        ----------
        values : list of dict
            One for each covariate.

        Returns
        -------
        Covariates
            The same.
        """
        return cls(
            tuple(
                Covariate(
                    str(value["name"]),
                    None if value["levels"] is None else tuple(str(level) for level in value["levels"]),
                    tuple(float(number) for number in value["centre"]),
                    float(value["scale"]),
                )
                for value in values
            )
        )


def fit_covariates(covariates: Any, n_samples: int) -> tuple[Covariates, FloatArray]:
    """Find out what covariates are and encode them.

    Parameters
    ----------
    covariates : array-like or DataFrame of shape (n_samples,) or (n_samples, n_covariates)
        Text, categories, booleans and whole numbers are labels; floating-point numbers are continuous.
    n_samples : int
        How many there must be.

    Returns
    -------
    covariates : Covariates
        How they were encoded.
    values : ndarray of shape (n_samples, q)
        Numbers of mean 0.

    Raises
    ------
    ValueError
        If their length is another, a value is missing or infinite, a label has nearly as many levels as there are
        samples, a covariate is the same for all samples, or columns are more than ten and than half the samples.

    Examples
    --------
    >>> fitted, values = fit_covariates(pd.DataFrame({"batch": ["a", "b", "a", "b"]}), 4)
    >>> fitted.names, values.ravel().tolist()
    (('batch',), [-0.5, 0.5, -0.5, 0.5])
    """
    frame = _frame(covariates, n_samples)
    columns = tuple(_fitted(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns))
    if len({column.name for column in columns}) < len(columns):
        raise ValueError("two covariates have one name: rename one")
    found = Covariates(columns)
    values = found.encode(frame, n_samples)
    at_most = max(FEW_COLUMNS, n_samples // 2)
    if values.shape[1] > at_most:
        raise ValueError(
            f"covariates make {values.shape[1]} columns of numbers for {n_samples} samples, which leave nothing for "
            f"components: give at most {at_most}, where a label has one column less than it has levels"
        )
    return found, values


def _frame(covariates: Any, n_samples: int) -> pd.DataFrame:
    frame: pd.DataFrame
    if isinstance(covariates, pd.Series):
        frame = covariates.to_frame(covariates.name if covariates.name is not None else "covariate_0")
    elif isinstance(covariates, pd.DataFrame):
        frame = covariates
    else:
        _check_kind(covariates)
        try:
            array = np.asarray(covariates)
        except ValueError as error:
            raise ValueError("the covariates are no table: give one row for each sample") from error
        if array.ndim == 0:
            raise ValueError(f"the covariates are of type {type(covariates).__name__}: {TABLE}")
        if array.ndim not in (1, 2):
            raise ValueError(f"the covariates have the shape {array.shape}: give one row for each sample")
        array = array.reshape(len(array), -1)
        frame = pd.DataFrame(array, columns=[UNNAMED.format(i) for i in range(array.shape[1])]).infer_objects()
    if len(frame) != n_samples or frame.shape[1] == 0:
        raise ValueError(
            f"the covariates have the shape {frame.shape} and X has {n_samples} samples: give one row for each "
            "sample, and one column or more"
        )
    for i, name in enumerate(frame.columns):
        if "complex" in types.infer_dtype(frame.iloc[:, i], skipna=True):
            raise ValueError(f"covariate {str(name)!r} holds complex numbers: give real numbers or labels")
    missing = frame.isna().to_numpy()
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise ValueError(
            f"covariate {str(frame.columns[column])!r} of sample {row} is missing or NaN: leave such samples out, "
            "or give them a level of their own"
        )
    return frame


def _check_kind(covariates: Any) -> None:
    """Refuse what NumPy would take for a single value."""
    if isinstance(covariates, str | bytes):
        raise ValueError(f"the covariates are the text {covariates!r}, and their values are needed: {TABLE}")
    if isinstance(covariates, Mapping):
        raise ValueError("the covariates are a dict: give pd.DataFrame(covariates), with one row for each sample")
    if sparse.issparse(covariates):
        raise ValueError("the covariates are a sparse matrix: give them dense, by covariates.toarray()")


def _fitted(name: str, column: pd.Series[Any]) -> Covariate:
    if types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise ValueError(f"covariate {name!r} has infinite values: leave such samples out")
        with np.errstate(over="ignore", invalid="ignore"):  # refused here
            deviation = float(numbers.std())
        if not np.isfinite(deviation):
            raise ValueError(
                f"covariate {name!r} reaches from {numbers.min():g} to {numbers.max():g}, which is too far to compute "
                "with: give it in another unit, or its logarithm"
            )
        if not deviation > 1e-12 * float(np.abs(numbers).max()):
            raise ValueError(f"covariate {name!r} is the same for all samples: leave it out")
        return Covariate(name, None, (float(numbers.mean()),), deviation)
    labels = column.astype(str)
    levels = tuple(sorted(labels.unique()))
    if len(levels) < 2:
        raise ValueError(f"covariate {name!r} is {levels[0]!r} for all samples: leave it out")
    if len(levels) * MOST_LEVELS > len(labels):
        raise ValueError(
            f"covariate {name!r} has {len(levels)} levels in {len(labels)} samples: each level needs several, give "
            "fewer, or floating-point numbers if it is continuous"
        )
    shares = labels.value_counts(normalize=True)
    return Covariate(name, levels, tuple(float(shares[level]) for level in levels[1:]), 1.0)


def _as_spelt(labels: pd.Series[Any], levels: tuple[str, ...]) -> pd.Series[Any]:
    """Write whole numbers as the levels are: 1 and 1.0 are one label, whichever of them was fitted."""
    other = {
        label: label[:-2] if label.endswith(".0") else f"{label}.0"
        for label in set(labels) - set(levels)
        if re.fullmatch(r"-?\d+(\.0)?", label)
    }
    return labels.map(lambda label: other[label] if other.get(label) in levels else label)


def _encoded(covariate: Covariate, column: pd.Series[Any]) -> FloatArray:
    if covariate.levels is None:
        try:
            numbers = column.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"covariate {covariate.name!r} was fitted as numbers, and holds {column.iloc[0]!r}: give numbers"
            ) from error
        if not np.isfinite(numbers).all():
            raise ValueError(f"covariate {covariate.name!r} has infinite values: leave such samples out")
        with np.errstate(over="ignore"):  # refused here
            values = (numbers - covariate.centre[0]) / covariate.scale
        far = np.abs(values) > FURTHEST
        if far.any():
            row = int(np.argmax(far))
            raise ValueError(
                f"covariate {covariate.name!r} of sample {row} is {numbers[row]:g}, more than {FURTHEST:g} standard "
                "deviations from those of the fit: leave such samples out"
            )
        return np.asarray(values)[:, None]
    labels = _as_spelt(column.astype(str), covariate.levels)
    new = sorted(set(labels) - set(covariate.levels))
    if new:
        raise ValueError(
            f"covariate {covariate.name!r} has the level {new[0]!r}, which was not there in the fit (those were "
            f"{', '.join(covariate.levels[:6])}): nothing is known of it, leave such samples out"
        )
    shown = labels.to_numpy()[:, None] == np.array(covariate.levels[1:], dtype=object)
    return np.asarray(shown.astype(np.float64) - np.array(covariate.centre))
