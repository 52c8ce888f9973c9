"""How many components: fits of each number, from several seeds and on halves of the rows, and what of them agrees."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from identica.arguments import check_integer, check_list, check_real
from identica.io import output_directory
from identica.trust.choice import Choice, recommend
from identica.trust.evidence import number_evidence
from identica.trust.samples import Samples
from identica.trust.single_fits import N_HALVES, PlannedFit, SingleFit, carry_out_all

__all__ = ["choose", "planned_fits"]

FEWEST_HELD_OUT = 50
"""Below this, rank correlations of held-out rows say little."""
MOST_HELD_OUT = 5000
"""More would make no agreement more exact that matters, and are better fitted."""


def choose(
    estimator: BaseEstimator,
    X: Any,
    n_components: Iterable[int] = range(2, 16),
    *,
    y: Any = None,
    covariates: Any = None,
    size_factors: Any = None,
    n_seeds: int = 2,
    n_jobs: int | None = None,
    random_state: int = 0,
    test_fraction: float = 0.2,
    directory: str | os.PathLike[str] | None = None,
    on_fit: Callable[[SingleFit], object] | None = None,
) -> Choice:
    """Find out how many components the data have.

    For each number the estimator is fitted to all training rows from every seed, and to both halves of them. What is
    compared are the components of rows that no fit has seen. See :class:`Choice` for the rule.

    Parameters
    ----------
    estimator : estimator
        Of this library; a clone is fitted each time. Many short fits tell more than few long ones: a single start
        (``n_init=1``) and 1,500 steps do.
    X : array-like or sparse matrix of shape (n_samples, n_features), or (n_samples, height, width[, channels])
        Whatever the estimator takes.
    n_components : iterable of int, default=range(2, 16)
        Numbers to try, each once.
    y : array-like of shape (n_samples, ...), optional
        What the estimator is told of each row, for methods that need it.
    covariates : array-like or DataFrame of shape (n_samples,) or (n_samples, n_covariates), optional
        What is known of each row and shall not come back as a component, as for ``fit``.
    size_factors : array-like of shape (n_samples,), optional
        Depths, for likelihoods of counts, as for ``fit``.
    n_seeds : int, default=2
        Fits of all training rows for each number.
    n_jobs : int, optional
        Fits side by side, each on one thread, as in ``joblib.Parallel``; what ``joblib.parallel_config`` says, or 1, by
        default.
    random_state : int, default=0
        Of the split of the rows and of all fits.
    test_fraction : float, default=0.2
        Share of the rows that no fit sees; 5,000 rows at most.
    directory : path, optional
        Where each fit is kept as soon as it is done: the same call goes on with those that are left. Fits of more
        numbers or seeds are added to those that are there.
    on_fit : callable, optional
        Called with each :class:`SingleFit` as it comes, those that the directory has first, for those who wait.

    Returns
    -------
    Choice
        The number recommended, why, and what was found for each number.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, or the estimator has no number of components.
    ValueError
        If a number is out of range, there are too few rows, or a fit cannot be made.
    DataError
        If the directory holds fits of other data or with other settings, or a damaged one.
    ChildProcessError
        If a worker ended without a word, as when memory runs out.

    Examples
    --------
    >>> from identica import PolytopicFactorization
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(300, 20, 3, kind="linear", noise=0.05, random_state=0).X
    >>> choice = choose(PolytopicFactorization(n_restarts=4), X, [3, 4])
    >>> choice.recommended, choice.trusted
    (3, (0, 1, 2))
    """
    numbers = _checked_numbers(n_components)
    check_integer("n_seeds", n_seeds, 2)
    check_integer("random_state", random_state, 0, 2**32 - 1)
    check_real("test_fraction", test_fraction, above=0, below=1)
    made = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    parameters = estimator.get_params(deep=False) if made else {}
    if not {"n_components", "random_state"} <= set(parameters):
        raise TypeError(
            f"estimator={estimator!r} is no estimator that has n_components and random_state: give one of this "
            "library, such as DICA()"
        )
    samples = Samples.checked(X, y, covariates, size_factors)
    _check_shape(samples.X, samples.y, numbers)
    plan, held_out = planned_fits(samples.X.shape[0], numbers, n_seeds, random_state, test_fraction)
    fits: list[SingleFit] = []
    # A folder that is made here goes where the first fit fails.
    with nullcontext() if directory is None else output_directory(directory) as folder:
        for fit in carry_out_all(estimator, samples, plan, held_out, directory=folder, n_jobs=n_jobs):
            fits.append(fit)
            if on_fit is not None:
                on_fit(fit)
    group_size = int(parameters.get("block_size", 1))
    rows = [number_evidence([fit for fit in fits if fit.n_components == d], group_size) for d in numbers]
    return recommend(rows, held_out)


def planned_fits(
    n_samples: int, numbers: Sequence[int], n_seeds: int, random_state: int, test_fraction: float
) -> tuple[list[PlannedFit], NDArray[np.intp]]:
    """Plan all fits, those of many components first since they take longest, and draw the rows that none sees.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    numbers : sequence of int
        Numbers of components.
    n_seeds : int
        Fits of all training rows for each number.
    random_state : int
        Of the split and the seeds.
    test_fraction : float
        Share of the rows to hold out.

    Returns
    -------
    plan : list of PlannedFit
        In the order in which to begin.
    held_out : ndarray of int
        The rows held out.

    Raises
    ------
    ValueError
        If too few rows are left to compare or to fit.
    """
    n_held_out = min(round(test_fraction * n_samples), MOST_HELD_OUT)
    n_half = (n_samples - n_held_out) // N_HALVES
    if n_held_out < FEWEST_HELD_OUT or n_half <= max(numbers):
        raise ValueError(
            f"n_samples={n_samples} and test_fraction={test_fraction:g} leave {n_held_out} rows held out and {n_half} "
            f"in each half to fit, at least {FEWEST_HELD_OUT} and {max(numbers) + 1} are needed: give more samples, or "
            "fewer components"
        )
    order = np.random.default_rng(random_state).permutation(n_samples)
    held_out, training = np.sort(order[:n_held_out]), order[n_held_out:]
    by_kind = {
        "seed": [np.sort(training)] * n_seeds,
        "half": [np.sort(half) for half in np.array_split(training, N_HALVES)],
    }
    plan = []
    for stream, (kind, parts) in enumerate(by_kind.items()):
        # The first seeds are the same however many there are.
        seeds = np.random.default_rng([random_state, stream]).integers(2**31 - 1, size=len(parts)).tolist()
        plan += [
            PlannedFit(d, kind, number, rows, seed)
            for d in numbers
            for number, (rows, seed) in enumerate(zip(parts, seeds, strict=True))
        ]
    return sorted(plan, key=lambda fit: -fit.n_components), held_out


def _checked_numbers(n_components: Iterable[int]) -> list[int]:
    wanted = "a list of numbers, as range(2, 16)"
    given = check_list("n_components", n_components, wanted)
    if not given:
        raise ValueError(f"n_components holds no number: pass {wanted}")
    numbers = sorted(check_integer(f"n_components[{k}]", number, 1) for k, number in enumerate(given))
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"n_components={given} names a number twice: pass each once")
    return numbers


def _check_shape(X: Any, y: Any, numbers: Sequence[int]) -> None:
    if len(X.shape) < 2:
        raise ValueError(f"X has the shape {X.shape}: give (n_samples, n_features), or images")
    n_features = math.prod(X.shape[1:])
    if numbers[-1] > n_features:
        raise ValueError(
            f"n_components={numbers[-1]} exceeds n_features={n_features}: the decoder must be injective, try at most "
            f"{n_features}"
        )
    if y is not None and y.shape[:1] != X.shape[:1]:
        raise ValueError(f"y has the shape {y.shape} and X has {X.shape[0]} samples: give one value for each")
