"""What other fits of the same data say of a fit: from other seeds, and on halves of the rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from identica.arguments import check_integer
from identica.io import output_directory
from identica.trust.agreement import agreement_by_component, component_agreement
from identica.trust.samples import Samples
from identica.trust.single_fits import N_HALVES, PlannedFit, SingleFit, carry_out_all

__all__ = ["CrossCheck", "check_halves", "check_levels_of_halves", "cross_check"]

MOST_COMPARED = 5000
"""Rows on which fits are compared; more would make no agreement more exact that matters."""


@final
@dataclass(frozen=True, eq=False)
class CrossCheck:
    """How the components of a fit agree with those of other fits of the same data.

    Agreements are absolute rank correlations of matched components, see :func:`agreement_by_component`.

    Parameters
    ----------
    seeds : ndarray of shape (n_seeds, n_components)
        Of each component with its match in the fit from each other seed.
    halves : ndarray of shape (2, n_components)
        Of each component with its match in the fit of either half of the rows.
    half_agreement : float
        Mean over components of the agreement of the two halves' fits with each other, which share no row.
    n_compared : int
        Rows on which fits were compared.
    seconds : float
        That all the other fits took together.

    Examples
    --------
    >>> check = CrossCheck(np.array([[0.99, 0.7]]), np.array([[0.97, 0.5], [0.96, 0.6]]), 0.8, 500, 60.0)
    >>> check.by_component().tolist(), check.seed_agreement
    ([0.96, 0.5], 0.845)
    """

    seeds: NDArray[np.float64]
    halves: NDArray[np.float64]
    half_agreement: float
    n_compared: int
    seconds: float

    @property
    def seed_agreement(self) -> float:
        """Mean over seeds and components."""
        return float(self.seeds.mean())

    def by_component(self) -> NDArray[np.float64]:
        """Return the lowest agreement of each component with any other fit.

        Returns
        -------
        ndarray of shape (n_components,)
            In [0, 1].
        """
        return np.asarray(np.vstack([self.seeds, self.halves]).min(axis=0))

    def to_dict(self) -> dict[str, Any]:
        """Return the content as plain values, from which :meth:`from_dict` makes it again.

        Returns
        -------
        dict
            By the names of the fields.
        """
        return {
            "seeds": self.seeds.tolist(),
            "halves": self.halves.tolist(),
            "half_agreement": self.half_agreement,
            "n_compared": self.n_compared,
            "seconds": self.seconds,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CrossCheck:
        """Make it again from what :meth:`to_dict` gave.

        Parameters
        ----------
        content : mapping
            By the names of the fields.

        Returns
        -------
        CrossCheck
            The same.
        """
        arrays = {name: np.asarray(content[name], dtype=np.float64) for name in ("seeds", "halves")}
        return cls(**{**content, **arrays})


def cross_check(
    estimator: Any,
    X: Any,
    *,
    y: Any = None,
    covariates: Any = None,
    size_factors: Any = None,
    n_seeds: int = 1,
    n_jobs: int | None = None,
    random_state: int = 0,
    directory: str | os.PathLike[str] | None = None,
    on_fit: Callable[[SingleFit], object] | None = None,
) -> CrossCheck:
    """Fit the same data from other seeds, and each half of them, and compare the components with those of a fit.

    Starts of one fit share its rows and its choice among them. Fits from other seeds share the rows alone, those of
    halves share nothing: if their components agree, the answer depends neither on chance of the search nor on which
    rows were drawn. Two can still agree on components that are not those of the data.

    Parameters
    ----------
    estimator : fitted estimator
        Of this library; clones of it are fitted, with all that it was set to but the seed.
    X : array-like or sparse matrix of shape (n_samples, n_features), or (n_samples, height, width[, channels])
        The rows that it was fitted to.
    y : array-like of shape (n_samples, ...), optional
        What it was told of each row, for methods that need it.
    covariates : array-like or DataFrame of shape (n_samples,) or (n_samples, n_covariates), optional
        What is known of each row and shall not come back as a component, as it was fitted with.
    size_factors : array-like of shape (n_samples,), optional
        Depths, for likelihoods of counts, as it was fitted with.
    n_seeds : int, default=1
        Fits of all rows from other seeds.
    n_jobs : int, optional
        Fits side by side, each on one thread, as in ``joblib.Parallel``.
    random_state : int, default=0
        Of the halves, the seeds and the choice of rows to compare on.
    directory : path, optional
        Where each fit is kept as soon as it is done: the same call goes on with those that are left.
    on_fit : callable, optional
        Called with each :class:`SingleFit` as it comes.

    Returns
    -------
    CrossCheck
        Agreements; :func:`judge` takes them in.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If a number is out of range, there are too few rows for halves, or a fit cannot be made.
    DataError
        If the directory holds fits of other data or with other settings, or a damaged one.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> from identica import PolytopicFactorization
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 60, 3, kind="linear", random_state=0).X
    >>> fitted = PolytopicFactorization(3, random_state=0).fit(X)
    >>> bool(cross_check(fitted, X).half_agreement > 0.95)
    True
    """
    check_integer("n_seeds", n_seeds, 1)
    check_integer("random_state", random_state, 0, 2**32 - 1)
    check_is_fitted(estimator)
    samples = Samples.checked(X, y, covariates, size_factors)
    d, n_samples = estimator.n_components, samples.X.shape[0]
    check_halves(n_samples, d)
    plan, compared = _plan(d, n_samples, n_seeds, random_state)
    parameters = estimator.get_params(deep=False)
    silent = clone(estimator).set_params(**({"verbose": 0} if "verbose" in parameters else {}))
    with nullcontext() if directory is None else output_directory(directory) as folder:
        fits: dict[str, list[SingleFit]] = {"seed": [], "half": []}
        for fit in carry_out_all(silent, samples, plan, compared, directory=folder, n_jobs=n_jobs):
            fits[fit.kind].append(fit)
            if on_fit is not None:
                on_fit(fit)
    group_size = int(parameters.get("block_size", 1))
    shown = samples.take(compared)
    own = np.asarray(estimator.transform(shown.X, **shown.beside))
    seeds, halves = (
        np.array([agreement_by_component(own, fit.latents, group_size) for fit in sorted(some, key=_number)])
        for some in fits.values()
    )
    return CrossCheck(
        seeds,
        halves,
        component_agreement(fits["half"][0].latents, fits["half"][1].latents, group_size),
        len(compared),
        sum(fit.seconds for some in fits.values() for fit in some),
    )


def check_halves(n_samples: int, n_components: int) -> None:
    """Make sure that halves of the rows can be fitted.

    Parameters
    ----------
    n_samples : int
        Rows.
    n_components : int
        Components of each fit.

    Raises
    ------
    ValueError
        If halves have too few rows.
    """
    n_half = n_samples // N_HALVES
    if n_half <= n_components:
        raise ValueError(
            f"n_samples={n_samples} leaves {n_half} rows in each half, at least {n_components + 1} are needed for "
            f"{n_components} components: give more samples, or compare no other fits"
        )


def check_levels_of_halves(samples: Samples, random_state: int) -> None:
    """Make sure, before any fit, that each half of the rows has every level of the covariates.

    Parameters
    ----------
    samples : Samples
        All rows.
    random_state : int
        Of :func:`cross_check`.

    Raises
    ------
    ValueError
        If a half lacks a level.
    """
    plan, compared = _plan(1, samples.X.shape[0], 1, random_state)
    for planned in plan:
        samples.check_levels(planned.rows, compared)


def _plan(
    n_components: int, n_samples: int, n_seeds: int, random_state: int
) -> tuple[list[PlannedFit], NDArray[np.intp]]:
    """Return all fits, and the rows on which they are compared."""
    random = np.random.default_rng(random_state)
    compared = np.sort(random.permutation(n_samples)[:MOST_COMPARED])
    parts = [np.sort(half) for half in np.array_split(random.permutation(n_samples), N_HALVES)]
    kinds = [("half", number, rows) for number, rows in enumerate(parts)]
    kinds += [("seed", number, np.arange(n_samples)) for number in range(n_seeds)]
    seeds = random.integers(2**31 - 1, size=len(kinds)).tolist()
    plan = [
        PlannedFit(n_components, kind, number, rows, seed)
        for (kind, number, rows), seed in zip(kinds, seeds, strict=True)
    ]
    return plan, compared


def _number(fit: SingleFit) -> int:
    return fit.number
