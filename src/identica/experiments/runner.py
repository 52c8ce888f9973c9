"""What carries a comparison out: simulate, fit, score."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from identica.estimators import ComponentAnalysis
from identica.experiments.comparison import Comparison, Simulation, seeded
from identica.io.pictures import value_range
from identica.metrics import score_components
from identica.report import Explorer, Fit, Pictures, share_of_page

__all__ = ["Outcome", "run", "timed_fit"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One method fitted to one data set.

    Parameters
    ----------
    experiment, method : str
        What was fitted on what.
    seed : int
        Of the data and of the fit.
    n_components, n_features, n_samples : int
        Sizes; samples are those fitted on.
    feature_scale : ndarray of shape (n_features,)
        Standard deviations of the features.
    fit : Fit
        What came out.
    feature_names : tuple of str, optional
        Names of the features, where they have some.
    """

    experiment: str
    method: str
    seed: int
    n_components: int
    n_features: int
    n_samples: int
    feature_scale: NDArray[np.float64]
    fit: Fit
    feature_names: tuple[str, ...] | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The outcome as one row of results.csv."""
        return {
            "experiment": self.experiment,
            "method": self.method,
            "seed": self.seed,
            "n_components": self.n_components,
            "n_features": self.n_features,
            "n_samples": self.n_samples,
            **self.fit.scores,
            "seconds": self.fit.seconds,
        }


def run(configuration: Comparison, *, on_outcome: Callable[[Outcome], object] | None = None) -> list[Outcome]:
    """Fit every method to every seed's data set and score the components it finds on new samples.

    Parameters
    ----------
    configuration : Comparison
        What to do, such as :func:`comparison` returns.
    on_outcome : callable, optional
        Called with each outcome as it comes, for those who wait.

    Returns
    -------
    list of Outcome
        Seed by seed, in the order of the methods.

    Examples
    --------
    >>> from identica.experiments import comparison, run
    >>> plan = comparison("linear", methods=["pca"], n_samples=200, n_test_samples=100)
    >>> [outcome.method for outcome in run(plan)]
    ['pca']
    """
    outcomes = []
    for seed in configuration.seeds:
        n_samples = configuration.n_samples + configuration.n_test_samples
        data = configuration.generator(n_samples, **configuration.data, random_state=seed)
        for method, estimator in configuration.methods.items():
            fit = _fit(method, seeded(estimator, seed), data, configuration)
            outcome = Outcome(
                experiment=configuration.experiment,
                method=method,
                seed=seed,
                n_components=data.latents.shape[1],
                n_features=math.prod(data.X.shape[1:]),
                n_samples=configuration.n_samples,
                feature_scale=data.X[: configuration.n_samples].std(axis=0, dtype=np.float64).ravel(),
                fit=fit,
                feature_names=_feature_names(data),
            )
            outcomes.append(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
    return outcomes


def _feature_names(data: Simulation) -> tuple[str, ...] | None:
    names = getattr(data, "genes", None)
    return None if names is None else tuple(names)


def timed_fit(
    estimator: BaseEstimator, X: NDArray[Any], auxiliary: NDArray[Any] | None = None
) -> tuple[float, tuple[str, ...]]:
    """Fit, and tell how long it took and what it warned of.

    Parameters
    ----------
    estimator : estimator
        Fitted in place.
    X : ndarray of shape (n_samples, ...)
        Data.
    auxiliary : ndarray of shape (n_samples, ...), optional
        What the estimator is told beside them.

    Returns
    -------
    seconds : float
        Time of the fit.
    caught : tuple of str
        Each warning once.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        estimator.fit(*(X,) if auxiliary is None else (X, auxiliary))
        seconds = time.perf_counter() - start
    return seconds, tuple(dict.fromkeys(str(warning.message) for warning in caught))


def _fit(method: str, estimator: BaseEstimator, data: Simulation, configuration: Comparison) -> Fit:
    n_samples = configuration.n_samples
    seconds, caught = timed_fit(estimator, data.X[:n_samples])
    true, found = data.latents[n_samples:], estimator.transform(data.X[n_samples:])
    scores, matching = score_components(true, found)
    if configuration.scores is not None:
        scores |= configuration.scores(true, found)
    explorer = pictures = None
    images = data.X.ndim > 2
    low, high = value_range(data.X) if images else (0.0, 1.0)
    if isinstance(estimator, ComponentAnalysis):
        explorer = Explorer.from_estimator(
            estimator,
            found,
            low=low,
            high=high,
            feature_names=_feature_names(data),
            samples=data.X[n_samples:],
            max_bytes=share_of_page(configuration.methods.values()),
        )
    if images:
        pictures = Pictures.from_model(estimator, found, data.X.shape[1:], low=low, high=high)
    return Fit.from_estimator(
        method,
        estimator[-1] if isinstance(estimator, Pipeline) else estimator,
        seconds=seconds,
        scores=scores,
        r2=matching.matrix,
        warnings=caught,
        explorer=explorer,
        pictures=pictures,
    )
