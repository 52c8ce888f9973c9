"""How samples become what networks see, given depth and covariates, and what networks give becomes samples."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from identica.likelihoods import log_change
from identica.preparation.counts import FEWEST_SEEN, CountModel, log_depth
from identica.preparation.covariates import Covariates
from identica.preparation.standardise import FloatArray

__all__ = [
    "Observed",
    "Prepared",
    "check_counts",
    "check_features_used",
    "check_size_factors",
    "ratio_to_totals",
    "share_of_known",
]

SAME_UNIT = 1.25
"""How far depths may be from totals, as a factor, to be taken for such."""
WIDEST_RANGE = 1e9
"""Of depths, the largest over the smallest."""
LARGEST_COUNT = 1e9
"""That is taken without a warning."""


@final
@dataclass(frozen=True, eq=False)
class Prepared:
    """The rows of a fit.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        What networks see.
    counts : ndarray of shape (n_samples, n_features), optional
        Where the fit follows their likelihood.
    design : ndarray of shape (n_samples, q), optional
        Depth and covariates that go with the values.
    """

    values: FloatArray
    counts: FloatArray | None = None
    design: NDArray[np.float64] | None = None


@final
@dataclass(frozen=True, eq=False)
class Observed:
    """What was learned of the observations before any component.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        Of standardised features; of counts, those at depth 1 and mean covariates.
    counts : CountModel, optional
        Where observations are counts.
    covariates : Covariates, optional
        Where there were some.
    effects : ndarray of shape (n_covariates, n_features), optional
        Of covariates on standardised features, where these are no counts.
    log_link : bool, default=False
        Whether the decoder gives the logarithm of the mean.
    depths_given : bool, default=False
        Whether depths of counts were given, as size factors, and are no totals.
    """

    mean: FloatArray
    scale: FloatArray
    counts: CountModel | None = None
    covariates: Covariates | None = None
    effects: FloatArray | None = None
    log_link: bool = False
    depths_given: bool = False

    @property
    def direction(self) -> NDArray[np.float64] | None:
        """How far what networks see of each feature follows depth, of shape (n_features,); None but for counts.

        A common shift of the Jacobian's rows in this direction is what the data do not tell.
        """
        return None if self.counts is None else self.counts.sensitivity * self.counts.slope

    def design(
        self, X: FloatArray, covariates: Any, size_factors: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """Return what is known of samples beside their features.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Observations.
        covariates : array-like or None
            As given.
        size_factors : ndarray of shape (n,) or None
            Depths.

        Returns
        -------
        ndarray of shape (n, q) or None
            Depth, where observations are counts, and covariates; None where there is neither.

        Raises
        ------
        ValueError
            If covariates are given that were not fitted, or none where some were, or no depths where they were given.
        """
        if self.covariates is None and covariates is not None:
            raise ValueError("covariates are given and the model was fitted without: leave them out")
        known = None if self.covariates is None else self.covariates.encode(covariates, len(X))
        if self.counts is None:
            return None if known is None else known.astype(np.float64)
        if self.depths_given and size_factors is None:
            raise ValueError(
                "the model was fitted with size_factors, which totals cannot replace: give size_factors= for these "
                "samples, too"
            )
        if not self.depths_given and size_factors is not None:
            _compare_with_totals(X, size_factors)
        return self.counts.design(log_depth(X, self.counts.mean_depth, size_factors)[0], known)

    def standardised(self, X: FloatArray, design: NDArray[np.float64] | None) -> FloatArray:
        """Return what the networks see of observations.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Observations.
        design : ndarray of shape (n, q) or None
            Of :meth:`design`.

        Returns
        -------
        ndarray of shape (n, n_features)
            In the precision of X.
        """
        if self.counts is not None and design is not None:
            return self.counts.residuals(X, design)
        # What overflows here is refused once networks have seen it.
        with np.errstate(over="ignore", invalid="ignore"):
            values = (X - self.mean) / self.scale
        if self.effects is None or design is None:
            return np.asarray(values)
        return np.asarray((values - design @ self.effects).astype(values.dtype))

    def restored(self, outputs: FloatArray, design: NDArray[np.float64] | None = None) -> FloatArray:
        """Return the observations that the networks' output stands for.

        Parameters
        ----------
        outputs : ndarray of shape (n, n_features)
            Of the decoder.
        design : ndarray of shape (n, q), optional
            Of :meth:`design`; without it at depth 1 and mean covariates.

        Returns
        -------
        ndarray of shape (n, n_features)
            In the user's units; counts are means, and not below 0.
        """
        if self.counts is None or not self.log_link:
            return self.unstandardised(outputs, design)
        base = self.mean if design is None else np.exp(self.counts.log_mean(design))
        relative = outputs / np.where(self.counts.sensitivity > 0, self.counts.sensitivity, np.inf)
        return np.asarray(base * log_change(torch.as_tensor(relative)).exp().numpy())

    def unstandardised(self, values: FloatArray, design: NDArray[np.float64] | None = None) -> FloatArray:
        """Return the observations of which networks see such values, the inverse of :meth:`standardised`.

        Parameters
        ----------
        values : ndarray of shape (n, n_features)
            Standardised features, or residuals of counts.
        design : ndarray of shape (n, q), optional
            Of :meth:`design`; without it at depth 1 and mean covariates.

        Returns
        -------
        ndarray of shape (n, n_features)
            In the user's units; counts are means, and not below 0.
        """
        if self.counts is not None:
            return self.counts.of_residuals(values, design)
        if self.effects is not None and design is not None:
            values = values + design @ self.effects
        return np.asarray(values * self.scale + self.mean)

    def slopes(self, outputs: FloatArray) -> FloatArray:
        """Return the derivative of what is restored, at depth 1 and mean covariates, by the networks' output.

        Parameters
        ----------
        outputs : ndarray of shape (n, n_features)
            Of the decoder.

        Returns
        -------
        ndarray of shape (n or 1, n_features)
            In the user's units.
        """
        if self.counts is None or not self.log_link:
            return np.asarray(self.scale)[None]
        sensitivity = np.where(self.counts.sensitivity > 0, self.counts.sensitivity, np.inf)
        relative = torch.as_tensor(outputs / sensitivity)
        # The slope of the link is 1 up to 1, and the inverse above.
        factor = log_change(relative).exp() / relative.clamp_min(1)
        return np.asarray(self.mean * factor.numpy() / sensitivity)


def share_of_known(latents: FloatArray, design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each component what is known of the samples tells.

    Parameters
    ----------
    latents : ndarray of shape (n, n_components)
        Components.
    design : ndarray of shape (n, q)
        Depth and covariates, as :meth:`Observed.design` gives them.

    Returns
    -------
    ndarray of shape (n_components,)
        Shares of the variance that a regression on these numbers and their squares explains; from 0 to 1.

    Examples
    --------
    >>> depth = np.linspace(-1, 1, 201)
    >>> latents = np.column_stack([depth**2, np.sin(50 * depth)])
    >>> share_of_known(latents, depth[:, None]).round(2).tolist()
    [1.0, 0.0]
    """
    columns = np.column_stack([np.ones(len(design)), design, np.square(design)])
    values = latents.astype(np.float64) - latents.mean(axis=0, dtype=np.float64)
    left = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    whole = np.square(values).sum(axis=0)
    return np.asarray(np.clip(1 - np.square(left).sum(axis=0) / np.where(whole > 0, whole, np.inf), 0, 1))


def check_counts(X: FloatArray, who: str, names: Any = None) -> None:
    """Refuse what cannot be counts, and warn of one that is beyond any measurement.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Finite numbers.
    who : str
        The likelihood that needs them, for messages.
    names : sequence of str, optional
        Of the features.

    Raises
    ------
    ValueError
        If a number is negative.
    """

    def feature_of(column: int) -> str:
        return f"feature {column}" if names is None else f"feature {str(names[column])!r}"

    low = X < 0
    if low.any():
        row, column = np.argwhere(low)[0]
        feature = feature_of(column)
        n_low = int(np.count_nonzero(low))
        others = f", the first of {n_low:,} negative values" if n_low > 1 else ""
        raise ValueError(
            f"likelihood={who!r} is of counts, and sample {row} has {X[row, column]:g} of {feature}{others}: give "
            "counts as they were measured, or leave the likelihood at 'gaussian'"
        )
    if X.size and X.max() > LARGEST_COUNT:
        row, column = np.unravel_index(int(X.argmax()), X.shape)
        warnings.warn(
            f"sample {row} has a count of {X[row, column]:g} of {feature_of(int(column))}, which is more than is ever "
            "counted: look for a wrong value or unit",
            UserWarning,
            stacklevel=3,
        )


def check_features_used(counts: CountModel, n_components: int) -> None:
    """Refuse more components than there are features to tell them by.

    Parameters
    ----------
    counts : CountModel
        Of the features.
    n_components : int
        How many are looked for.

    Raises
    ------
    ValueError
        If fewer features are used.
    """
    n_used, n_features = int(np.count_nonzero(counts.noise)), len(counts.noise)
    if n_components > n_used:
        raise ValueError(
            f"n_components={n_components} exceeds the {n_used} of {n_features} features that are used (the others are "
            f"seen in fewer than {FEWEST_SEEN} samples, or follow from depth): use at most {n_used}, or give more "
            "samples"
        )


def ratio_to_totals(X: FloatArray, size_factors: NDArray[np.float64]) -> float:
    """Return how many times the totals size factors are.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Counts.
    size_factors : ndarray of shape (n,)
        Depths.

    Returns
    -------
    float
        The median over samples.

    Examples
    --------
    >>> ratio_to_totals(np.ones((3, 4)), np.array([2.0, 2.0, 8.0]))
    0.5
    """
    return float(np.median(size_factors / np.maximum(X.sum(axis=1, dtype=np.float64), 1.0)))


def _compare_with_totals(X: FloatArray, size_factors: NDArray[np.float64]) -> None:
    """Warn of size factors that are in another unit than totals, by which the model was fitted."""
    ratio = ratio_to_totals(X, size_factors)
    if not 1 / SAME_UNIT <= ratio <= SAME_UNIT:
        warnings.warn(
            f"the model's depths are totals over its {X.shape[1]} features, and the size factors given are {ratio:.3g} "
            "times these, so that all components are shifted: give size factors in the unit of totals, or leave them "
            "out",
            UserWarning,
            stacklevel=2,
        )


def check_size_factors(size_factors: Any, n_samples: int) -> NDArray[np.float64] | None:
    """Return size factors as an array.

    Parameters
    ----------
    size_factors : array-like of shape (n_samples,) or None
        Depths.
    n_samples : int
        How many there must be.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Positive numbers.

    Raises
    ------
    ValueError
        If they are something else.
    """
    if size_factors is None:
        return None
    try:
        found = np.asarray(size_factors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("size_factors are no numbers: give one positive number for each sample") from error
    if found.shape != (n_samples,):
        raise ValueError(
            f"size_factors have the shape {found.shape} and X has {n_samples} samples: give one for each sample"
        )
    wrong = ~(np.isfinite(found) & (found > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"the size factor of sample {row} is {found[row]:g}: size factors are positive, leave it out")
    if found.max() > WIDEST_RANGE * found.min() or not np.isfinite(found.sum()):
        raise ValueError(
            f"size factors range from {found.min():g} to {found.max():g}, which no depths do: give depths up to one "
            "common factor"
        )
    return found
