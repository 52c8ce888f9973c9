"""What a comparison of methods on simulated data is, and the one on mixtures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA, FastICA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from identica.datasets import make_mixture
from identica.estimators import DICA, Autoencoder, PolytopicFactorization, SparseJacobian
from identica.experiments.baselines import as_rows
from identica.networks import Dense, Network
from identica.training import Training

__all__ = [
    "FAMILIES",
    "METHODS",
    "Builder",
    "Comparison",
    "Simulation",
    "build_methods",
    "check_known",
    "check_samples",
    "comparison",
    "seeded",
]

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "linear": {"kind": "linear", "n_features": 60, "n_components": 3},
    "post-nonlinear": {"kind": "post-nonlinear", "n_features": 200, "n_components": 5},
    "post-nonlinear-10": {"kind": "post-nonlinear", "n_features": 500, "n_components": 10},
    "perturbed": {"kind": "perturbed", "n_features": 200, "n_components": 5},
    "isotropic": {"kind": "isotropic", "n_features": 150, "n_components": 6},
    "additive": {"kind": "additive", "n_features": 300, "n_components": 5},
    "folded": {"kind": "folded", "n_features": 300, "n_components": 5},
}
"""Mixtures that are compared, as arguments of :func:`identica.datasets.make_mixture`.

In "isotropic" nothing about the rows tells the components apart: every method must fail there, and say so. The last two
bend strongly: principal components fold, and linear methods fail.
"""

Builder = Callable[[int, Network, Training, int], BaseEstimator]

METHODS: Mapping[str, Builder] = {
    "pca": lambda d, network, training, verbose: make_pipeline(StandardScaler(), PCA(d)),
    "fastica": lambda d, network, training, verbose: make_pipeline(
        StandardScaler(), FastICA(d, whiten="unit-variance", max_iter=1000)
    ),
    "polytopic": lambda d, network, training, verbose: PolytopicFactorization(d, verbose=verbose),
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


class Simulation(Protocol):
    """Data whose components are known: `X`, a table or images, and `latents` (n_samples, n_components)."""

    @property
    def X(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102, N802

    @property
    def latents(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class Comparison:
    """All that decides the outcome of a comparison.

    Parameters
    ----------
    experiment : str
        Name, as written into results.
    generator : callable
        Simulates data: called with the number of samples, `data` and a `random_state`, it returns something that
        has `X` and `latents`, such as :func:`identica.datasets.make_mixture`.
    data : mapping
        Its other arguments.
    n_samples : int
        Samples each method is fitted on.
    n_test_samples : int
        Further samples of the same kind, on which components are scored.
    methods : mapping of str to estimator
        Unfitted estimators by name; each seed sets their `random_state`.
    seeds : tuple of int
        One data set and one fit of each method per seed.
    scores : callable, optional
        Further scores: called with the true and the estimated components of new samples, it returns them by name.
    """

    experiment: str
    generator: Callable[..., Simulation]
    data: Mapping[str, Any]
    n_samples: int
    n_test_samples: int
    methods: Mapping[str, BaseEstimator]
    seeds: tuple[int, ...]
    scores: Callable[[NDArray[np.floating[Any]], NDArray[np.floating[Any]]], Mapping[str, float]] | None = None


def comparison(
    family: str = "post-nonlinear",
    *,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    n_samples: int = 10_000,
    n_test_samples: int = 2_000,
    network: Network | None = None,
    training: Training | None = None,
    n_init: int | str = "auto",
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
    network : Dense or Convolutional, optional
        Network of the nonlinear methods; the library's default where not given.
    training : Training, optional
        Their training plan; the library's default where not given.
    n_init : int or "auto", default="auto"
        Starts of each nonlinear method; the library's default where not given.
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
        If the family or a method is unknown, or samples are fewer than components.

    Examples
    --------
    >>> from identica.experiments import comparison
    >>> plan = comparison("linear", methods=["pca", "dica"], seeds=range(5))
    >>> list(plan.methods), plan.seeds, plan.data["n_features"]
    (['pca', 'dica'], (0, 1, 2, 3, 4), 60)
    """
    names = list(METHODS if methods is None else methods)
    check_known("family", [family], FAMILIES)
    check_known("method", names, METHODS)
    arguments = {**FAMILIES[family], "latents": "dependent", **mixture}
    check_samples(n_samples, arguments["n_components"])
    return Comparison(
        experiment=family,
        generator=make_mixture,
        data=arguments,
        n_samples=n_samples,
        n_test_samples=n_test_samples,
        methods=build_methods(names, arguments["n_components"], network, training, verbose, n_init=n_init),
        seeds=tuple(seeds),
    )


def build_methods(
    names: Iterable[str],
    n_components: int,
    network: Network | None,
    training: Training | None,
    verbose: int,
    image_shape: tuple[int, ...] | None = None,
    *,
    n_init: int | str = "auto",
) -> dict[str, BaseEstimator]:
    """Build methods that share a network and a training plan.

    Parameters
    ----------
    names : iterable of str
        Some of ``METHODS``.
    n_components : int
        Number of components to look for.
    network : Dense, Convolutional or None
        None for the library's default.
    training : Training or None
        None for the library's default.
    verbose : int
        Whether fits show their progress.
    image_shape : tuple of int, optional
        Shape of the samples, where they are images. Methods of tables then see all pixels in one unit, as those of this
        library do.
    n_init : int or "auto", default="auto"
        Starts of those that train networks.

    Returns
    -------
    dict of str to estimator
        Unfitted.
    """
    network = Dense() if network is None else network
    training = Training() if training is None else training
    built = {name: METHODS[name](n_components, network, training, verbose) for name in names}
    for method in built.values():
        if "n_init" in method.get_params():
            method.set_params(n_init=n_init)
    if image_shape is not None:
        for name, method in built.items():
            if isinstance(method, Pipeline):
                built[name] = make_pipeline(as_rows(image_shape), method[-1])
    return built


def seeded(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Copy an estimator, a pipeline included, and set each random_state in it.

    Parameters
    ----------
    estimator : estimator
        Left as it is.
    seed : int
        The seed.

    Returns
    -------
    estimator
        Unfitted.
    """
    copy = clone(estimator)
    names = [name for name in copy.get_params() if name.split("__")[-1] == "random_state"]
    return copy.set_params(**dict.fromkeys(names, seed))


def check_samples(n_samples: int, n_components: int) -> None:
    """Refuse fewer samples than components, from which no method can tell these.

    Parameters
    ----------
    n_samples, n_components : int
        How many there are of each.

    Raises
    ------
    ValueError
        With what is needed at least.
    """
    if n_samples < n_components:
        raise ValueError(
            f"n_samples={n_samples} is less than the {n_components} components to look for: use at least as many, and "
            "thousands to learn much"
        )


def check_known(what: str, given: Sequence[str], allowed: Iterable[str]) -> None:
    """Refuse names that are not known or given twice, or none at all.

    Parameters
    ----------
    what : str
        What they name.
    given, allowed : sequence of str
        Names.

    Raises
    ------
    ValueError
        With those that are allowed.
    """
    for i, name in enumerate(given):
        if name not in allowed:
            raise ValueError(f"{what} {name!r} is unknown: use {', '.join(allowed)}")
        if name in given[:i]:
            raise ValueError(f"{what} {name!r} is given twice: use each name once")
    if not given:
        raise ValueError(f"no {what} was given: use one or more of {', '.join(allowed)}")
