"""The comparison of all methods on simulated mixtures, as one configuration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, FastICA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from identica.estimators import DICA, Autoencoder, SparseJacobian
from identica.experiments.baselines import AlignedPCA
from identica.networks import Dense
from identica.training import Training

__all__ = ["FAMILIES", "METHODS", "Comparison", "comparison"]

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "linear": {"kind": "linear", "n_features": 60, "n_components": 3},
    "post-nonlinear": {"kind": "post-nonlinear", "n_features": 200, "n_components": 5},
    "post-nonlinear-10": {"kind": "post-nonlinear", "n_features": 500, "n_components": 10},
    "perturbed": {"kind": "perturbed", "n_features": 200, "n_components": 5},
    "isotropic": {"kind": "isotropic", "n_features": 150, "n_components": 6},
}
"""Mixtures that are compared, as arguments of :func:`identica.datasets.make_mixture`.

In the last one nothing about the rows tells the components apart: every method must fail there, and say so.
"""

Builder = Callable[[int, Dense, Training, int], BaseEstimator]

METHODS: Mapping[str, Builder] = {
    "pca": lambda d, network, training, verbose: make_pipeline(StandardScaler(), PCA(d)),
    "fastica": lambda d, network, training, verbose: make_pipeline(
        StandardScaler(), FastICA(d, whiten="unit-variance", max_iter=1000)
    ),
    "aligned-pca": lambda d, network, training, verbose: AlignedPCA(d),  # best in the features' own units
    "autoencoder": lambda d, network, training, verbose: Autoencoder(
        d, network=network, training=training, verbose=verbose
    ),
    "sparse-jacobian": lambda d, network, training, verbose: SparseJacobian(
        d, network=network, training=training, verbose=verbose
    ),
    "dica-joint": lambda d, network, training, verbose: DICA(
        d, solver="joint", network=network, training=training, verbose=verbose
    ),
    "dica": lambda d, network, training, verbose: DICA(d, network=network, training=training, verbose=verbose),
}
"""Every method by name: first three linear ones, then those that share a network and a training plan."""


@dataclass(frozen=True)
class Comparison:
    """All that decides the outcome of a comparison.

    Parameters
    ----------
    experiment : str
        Name, as written into results.
    mixture : mapping
        Arguments of :func:`identica.datasets.make_mixture` other than `n_samples` and `random_state`.
    n_samples : int
        Samples each method is fitted on.
    n_test_samples : int
        Further samples of the same mixture, on which components are scored.
    methods : mapping of str to estimator
        Unfitted estimators by name; each seed sets their `random_state`.
    seeds : tuple of int
        One data set and one fit of each method per seed.
    """

    experiment: str
    mixture: Mapping[str, Any]
    n_samples: int
    n_test_samples: int
    methods: Mapping[str, BaseEstimator]
    seeds: tuple[int, ...]


def comparison(
    family: str = "post-nonlinear",
    *,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    n_samples: int = 10_000,
    n_test_samples: int = 2_000,
    network: Dense | None = None,
    training: Training | None = None,
    verbose: int = 0,
    **mixture: Any,
) -> Comparison:
    """Return the configuration that fits all methods to mixtures of one family.

    Parameters
    ----------
    family : str, default="post-nonlinear"
        One of ``FAMILIES``.
    methods : iterable of str, optional
        Some of ``METHODS``; all by default.
    seeds : iterable of int, default=(0,)
        One data set and one fit of each method per seed.
    n_samples, n_test_samples : int
        Samples to fit and to score on.
    network : Dense, optional
        Network of the nonlinear methods; the library's default where not given.
    training : Training, optional
        Their training plan; the library's default where not given.
    verbose : int, default=0
        Whether fits show their progress.
    **mixture
        Arguments of :func:`identica.datasets.make_mixture` that replace the family's own.

    Returns
    -------
    Comparison
        The configuration, for :func:`run`.

    Raises
    ------
    ValueError
        If the family or a method is unknown.

    Examples
    --------
    >>> from identica.experiments import comparison
    >>> plan = comparison("linear", methods=["pca", "dica"], seeds=range(5))
    >>> list(plan.methods), plan.seeds, plan.mixture["n_features"]
    (['pca', 'dica'], (0, 1, 2, 3, 4), 60)
    """
    names = list(METHODS if methods is None else methods)
    _check_known("family", [family], FAMILIES)
    _check_known("method", names, METHODS)
    arguments = {**FAMILIES[family], "latents": "dependent", **mixture}
    network = Dense() if network is None else network
    training = Training() if training is None else training
    n_components = arguments["n_components"]
    return Comparison(
        experiment=family,
        mixture=arguments,
        n_samples=n_samples,
        n_test_samples=n_test_samples,
        methods={name: METHODS[name](n_components, network, training, verbose) for name in names},
        seeds=tuple(seeds),
    )


def _check_known(what: str, given: list[str], allowed: Mapping[str, Any]) -> None:
    for name in given:
        if name not in allowed:
            raise ValueError(f"{what} {name!r} is unknown: use {', '.join(allowed)}")
    if not given:
        raise ValueError(f"no {what} was given: use one or more of {', '.join(allowed)}")
