"""From counts to what the networks see: residuals of a model of depth and covariates, in units of each feature's noise.

Of a count y of feature i in sample n, with L the logarithm of the sample's depth and c its covariates,

    log mu_in = b_i + a_i L_n + beta_i' c_n,        r_in = (y_in - mu_in) / sqrt(mu_in + alpha_i mu_in^2),

r being the Pearson residual of a negative binomial of dispersion alpha_i. Where features that are seen rarely are lost
more often, they follow depth more than in proportion, a_i > 1; but a slope that is fitted to one feature alone also
takes up what the components do to the total. Slopes are therefore medians over features of like mean.

Sources: C. Hafemeister and R. Satija, "Normalization and variance stabilization of single-cell RNA-seq data using
regularized negative binomial regression", Genome Biology 20, 2019 (residuals; parameters shared by genes of like mean).
J. Lause, P. Berens and D. Kobak, "Analytic Pearson residuals for normalization of single-cell RNA-seq UMI data", Genome
Biology 22, 2021. The median in the place of a regression over means is ours.

Symbols: n samples, m = n_features, q covariates, d = n_components.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from identica.preparation.noise import factor_noise
from identica.preparation.standardise import FloatArray

__all__ = ["FEWEST_SEEN", "CountModel", "fit_counts", "log_depth"]

N_STEPS = 20
LONGEST_STEP = 1.0
"""Of Newton's method, in each coefficient."""
RIDGE = 1e-3
LOGARITHMS = (-30.0, 30.0)
BLOCK = 2**22
"""Entries that are computed at once."""
WIDTH = 0.5
"""Of the window over log means in which slopes are shared."""
N_WINDOWS = 200
FEWEST_SEEN = 5
"""Samples in which a feature must be seen to say anything."""
OWN_SHARE = 0.5
"""Of the samples in which the only feature is seen: where its ratio to depth is one in more, it is its own depth."""
CLIP = 30.0
LEAST_CLIP = 5.0
"""Residuals are cut at sqrt(n / 30), as Hafemeister and Satija do, but never below 5."""


@final
@dataclass(frozen=True, eq=False)
class CountModel:
    """What is known of counts before any component: how they follow depth and covariates, and their noise.

    Parameters
    ----------
    mean_depth : float
        Total count of a sample of depth 1.
    intercept : ndarray of shape (n_features,)
        b, the log mean at depth 1.
    slope : ndarray of shape (n_features,)
        a.
    effects : ndarray of shape (n_features, n_covariates)
        beta.
    dispersion : ndarray of shape (n_features,)
        alpha, at least 0.
    centre : ndarray of shape (n_features,)
        Mean of the residuals.
    noise : ndarray of shape (n_features,)
        Standard deviation of what features have for themselves in the residuals, their unit; 0 for features that
        were hardly seen, which are left out.
    limit : float
        Where residuals are cut.
    """

    mean_depth: float
    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    effects: NDArray[np.float64]
    dispersion: NDArray[np.float64]
    centre: NDArray[np.float64]
    noise: NDArray[np.float64]
    limit: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """Expected counts at depth 1 and mean covariates, of shape (n_features,)."""
        return np.asarray(np.exp(self.intercept))

    @property
    def scale(self) -> NDArray[np.float64]:
        """Counts at depth 1 in one unit of the networks, of shape (n_features,)."""
        mean = self.mean
        noise = np.where(self.noise > 0, self.noise, 1.0)
        return np.asarray(noise * self._deviation(mean))

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        """Units of the networks in one unit of the log mean at depth 1, of shape (n_features,); 0 where left out."""
        return np.asarray(np.where(self.noise > 0, self.mean / self.scale, 0.0))

    def design(self, log_depth: NDArray[np.float64], covariates: FloatArray | None) -> NDArray[np.float64]:
        """Return what the log mean is linear in, beside 1: depth and covariates.

        Parameters
        ----------
        log_depth : ndarray of shape (n,)
            L.
        covariates : ndarray of shape (n, n_covariates) or None
            c.

        Returns
        -------
        ndarray of shape (n, 1 + n_covariates)
            Beside each other.
        """
        columns = [log_depth[:, None]] if covariates is None else [log_depth[:, None], covariates]
        return np.hstack(columns).astype(np.float64)

    def log_mean(self, design: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log mu.

        Parameters
        ----------
        design : ndarray of shape (n, 1 + n_covariates)
            Of :meth:`design`.

        Returns
        -------
        ndarray of shape (n, n_features)
            Of counts without any component.
        """
        coefficients = np.column_stack([self.slope, self.effects])
        return np.asarray(np.clip(self.intercept + design @ coefficients.T, *LOGARITHMS))

    def residuals(self, counts: FloatArray, design: NDArray[np.float64]) -> FloatArray:
        """Return centred residuals in units of their noise.

        Parameters
        ----------
        counts : ndarray of shape (n, n_features)
            y.
        design : ndarray of shape (n, 1 + n_covariates)
            Of :meth:`design`.

        Returns
        -------
        ndarray of shape (n, n_features)
            What networks see, in the precision of the counts.
        """
        result = np.empty(counts.shape, dtype=counts.dtype)
        unit = np.where(self.noise > 0, self.noise, np.inf)
        for rows in _blocks(counts):
            result[rows] = (self._pearson(counts[rows], design[rows]) - self.centre) / unit
        return result

    def of_residuals(self, residuals: FloatArray, design: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return what has such residuals, where these were not cut.

        Parameters
        ----------
        residuals : ndarray of shape (n, n_features)
            Centred, in units of their noise.
        design : ndarray of shape (n, 1 + n_covariates), optional
            Of :meth:`design`; without it at depth 1 and mean covariates.

        Returns
        -------
        ndarray of shape (n, n_features)
            Counts, not below 0.
        """
        mean = self.mean if design is None else np.exp(self.log_mean(design))
        pearson = residuals * self.noise + self.centre
        return np.asarray(np.maximum(mean + pearson * self._deviation(mean), 0.0))

    def _deviation(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sqrt(mean + self.dispersion * mean**2))

    def _pearson(self, counts: FloatArray, design: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = np.exp(self.log_mean(design))
        pearson = (counts - mean) / self._deviation(mean)
        return np.asarray(np.clip(pearson, -self.limit, self.limit))


def log_depth(
    counts: FloatArray, mean_depth: float | None = None, size_factors: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float]:
    """Return the logarithm of the depth of samples: of their total, or of size factors, over the mean of those fitted.

    Parameters
    ----------
    counts : ndarray of shape (n, n_features)
        y.
    mean_depth : float, optional
        That of the samples fitted; that of these samples if None.
    size_factors : ndarray of shape (n,), optional
        Positive numbers in place of the totals.

    Returns
    -------
    log_depth : ndarray of shape (n,)
        L; a sample without any count counts as if it had one.
    mean_depth : float
        The mean.
    """
    depth = np.maximum(counts.sum(axis=1, dtype=np.float64), 1.0) if size_factors is None else size_factors
    mean_depth = float(depth.mean()) if mean_depth is None else mean_depth
    return np.log(depth / mean_depth), mean_depth


def fit_counts(
    counts: FloatArray,
    n_components: int,
    *,
    size_factors: NDArray[np.float64] | None = None,
    covariates: FloatArray | None = None,
    seed: int = 0,
) -> CountModel:
    """Fit the model of counts without components.

    Slopes of single features are maximum likelihood of Poisson regressions on depth and covariates; those of the model
    are their medians in a window over the logarithm of the mean. Covariates keep the effects of single features.

    Parameters
    ----------
    counts : ndarray of shape (n_samples, n_features)
        y, at least 0.
    n_components : int
        Directions that are no noise, for the noise of single features.
    size_factors : ndarray of shape (n_samples,), optional
        Depths; totals if None.
    covariates : ndarray of shape (n_samples, n_covariates), optional
        c, of mean 0.
    seed : int, default=0
        Of the randomized solver, where there are many features.

    Returns
    -------
    CountModel
        Of these counts.

    Raises
    ------
    ValueError
        If no feature is seen in more than a few samples, or varies beyond depth; if one feature is its own depth.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> depth = random.lognormal(0, 0.3, 2000)
    >>> model = fit_counts(random.poisson(np.outer(depth, [1.0, 2.0, 4.0, 8.0])).astype(float), 1)
    >>> model.slope.round(1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    logarithms, mean_depth = log_depth(counts, size_factors=size_factors)
    n_features = counts.shape[1]
    none = np.zeros((n_features, 0 if covariates is None else covariates.shape[1]))
    seen = np.count_nonzero(counts, axis=0) >= min(FEWEST_SEEN, len(counts))
    if not counts.any():
        raise ValueError(f"all counts of all {n_features} feature(s) are 0: give others, of another layer or file")
    if not seen.any():
        raise ValueError(
            f"no feature has a count in {FEWEST_SEEN} samples or more: there is nothing to learn from, give more "
            "samples or deeper counts"
        )
    if seen.sum() == 1 and _is_own_depth(counts[:, seen][:, 0], logarithms):
        others = f" (of {n_features} features it alone has a count in {FEWEST_SEEN} samples or more)"
        raise ValueError(
            f"counts of one feature are their own depth{others if n_features > 1 else ''}: give size factors that are "
            "not its counts, or more features"
        )
    limit = max(LEAST_CLIP, float(np.sqrt(len(counts) / CLIP)))
    flat = np.zeros(n_features)
    blank = CountModel(mean_depth, flat, flat, none, flat, flat, seen.astype(float), limit)
    design = blank.design(logarithms, covariates)
    varies = design.std(axis=0) > 1e-9
    coefficients = _poisson_regression(counts, np.where(varies, design, 0.0), seen)
    slope = _shared_slopes(coefficients[1], coefficients[0], seen) if varies[0] else np.ones(n_features)
    effects = coefficients[2:].T
    # The intercept that goes with the shared slope keeps each feature's total.
    whole = np.clip(design @ np.column_stack([slope, effects]).T, *LOGARITHMS)
    totals = counts.sum(axis=0, dtype=np.float64)
    intercept = np.log(np.maximum(totals, 0.5) / np.exp(whole).sum(axis=0))
    model = CountModel(mean_depth, intercept, slope, effects, flat, flat, blank.noise, limit)
    model = _replaced(model, dispersion=np.where(seen, _dispersions(model, counts, design), 0.0))
    residuals = model.residuals(counts.astype(np.float64), design)
    centre = residuals.mean(axis=0)
    noise = np.sqrt(factor_noise(residuals - centre, n_components, seed=seed))
    model = _replaced(model, centre=centre, noise=np.where(seen & (residuals.std(axis=0) > 0), noise, 0.0))
    if not model.noise.any():
        raise ValueError("no count differs from what depth and covariates say: there is nothing to learn from")
    return model


def _is_own_depth(own: FloatArray, logarithms: NDArray[np.float64]) -> bool:
    """Tell whether the counts of a feature are in proportion to depth wherever there are some."""
    where = own > 0
    ratio = np.log(own[where]) - logarithms[where]
    return bool(np.mean(np.abs(ratio - np.median(ratio)) < 1e-3) > OWN_SHARE)


def _replaced(model: CountModel, **changed: NDArray[np.float64]) -> CountModel:
    return CountModel(**{**vars(model), **changed})


def _blocks(counts: FloatArray) -> Iterator[slice]:
    size = max(1, BLOCK // counts.shape[1])
    return (slice(start, start + size) for start in range(0, len(counts), size))


def _poisson_regression(
    counts: FloatArray, design: NDArray[np.float64], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the coefficients of 1 and of the design, (1 + n_design, n_features), by Newton's method."""
    columns = np.column_stack([np.ones(len(design)), design])
    k = columns.shape[1]
    found = np.zeros((k, counts.shape[1]))
    found[0] = np.log(np.maximum(counts.mean(axis=0, dtype=np.float64), 1e-12))
    # Depth itself is where a count that shares it begins.
    found[1] = float(design[:, 0].any())
    found[0] -= np.log(np.exp(columns[:, 1] * found[1, 0]).mean())
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    products = np.stack([columns[:, i] * columns[:, j] for i, j in pairs])
    active = seen.copy()
    for _ in range(N_STEPS):
        where = np.flatnonzero(active)
        if not len(where):
            break
        gradient, curvature = np.zeros((len(where), k)), np.zeros((len(where), k, k))
        for rows in _blocks(counts):
            mean = np.exp(np.clip(columns[rows] @ found[:, where], *LOGARITHMS))
            gradient += (counts[rows][:, where] - mean).T @ columns[rows]
            for (i, j), moments in zip(pairs, (products[:, rows] @ mean), strict=True):
                curvature[:, i, j] += moments
        whole = curvature + np.triu(curvature, 1).transpose(0, 2, 1) + RIDGE * np.eye(k)
        step = np.clip(np.linalg.solve(whole, gradient[..., None])[..., 0], -LONGEST_STEP, LONGEST_STEP)
        found[:, where] += step.T
        active[where] = np.abs(step).max(axis=1) > 1e-4
    return found


def _shared_slopes(
    slopes: NDArray[np.float64], intercepts: NDArray[np.float64], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return medians of slopes over features of like mean, interpolated between windows."""
    position, own = intercepts[seen], slopes[seen]
    centres = np.unique(np.quantile(position, np.linspace(0, 1, min(N_WINDOWS, len(position)))))
    order = np.argsort(own)
    # What is seen rarely has a slope that is little known.
    weights = np.sqrt(np.minimum(1.0, np.exp(position)))
    medians = []
    for centre in centres:
        reached = np.cumsum((np.exp(-0.5 * np.square((position - centre) / WIDTH)) * weights)[order])
        medians.append(own[order][np.searchsorted(reached, reached[-1] / 2)])
    return np.asarray(np.interp(intercepts, centres, medians))


def _dispersions(model: CountModel, counts: FloatArray, design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return alpha by the method of moments: sum ((y - mu)^2 - mu) / sum mu^2, at least 0."""
    above, squares = np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    for rows in _blocks(counts):
        mean = np.exp(model.log_mean(design[rows]))
        above += (np.square(counts[rows] - mean) - mean).sum(axis=0)
        squares += np.square(mean).sum(axis=0)
    return np.maximum(above / np.maximum(squares, 1e-12), 0.0)
