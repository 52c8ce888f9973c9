"""Whether starts that know nothing of each other end at the same components."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.preprocessing import PolynomialFeatures

from identica.solvers.starts import Found
from identica.training.trainer import Trainer

__all__ = ["Comparison", "agreement_by_component", "compare_starts", "component_agreement"]

CRITERION_SCALE = 0.02
"""A start whose criterion is lower by so much than the best counts a third of one that is as good."""


@final
@dataclass(frozen=True)
class Comparison:
    """How the starts of a fit compare.

    Parameters
    ----------
    records : list of dict
        One per start, in their order: "start", "basis", "steps", "reconstruction_error", "finished", "kept" and, of
        those that were trained to the end, "criterion" and "agreement".
    agreement : float or None
        Mean agreement of the best start with the other finished ones, the good ones above all; None if it has none
        beside it.
    """

    records: list[dict[str, Any]]
    agreement: float | None


def compare_starts(found: Found, starts: Sequence[Trainer], rows: torch.Tensor, *, group_size: int = 1) -> Comparison:
    """Compare the components of the best start with those of the others that were trained to the end.

    The agreement of two starts is the mean absolute rank correlation of their matched components on held-out rows:
    ranks see through the monotone change of each component that no method can exclude, and see any other change. What
    encoders give is compared, before what depth and covariates tell of it is taken out. In the mean over starts each
    has the weight exp(-(difference of criteria) / 0.02).

    Parameters
    ----------
    found : Found
        What the starts have come to.
    starts : sequence of Trainer
        All of them.
    rows : Tensor of shape (n, n_features)
        Standardised rows, held out of the training where there are enough.
    group_size : int, default=1
        Components that are compared together, see :func:`component_agreement`.

    Returns
    -------
    Comparison
        Plain values.
    """
    latents = {start.number: _latents(start, rows) for start in found.finished}
    best = found.best.number
    agreements = {
        number: 1.0 if number == best else component_agreement(latents[best], other, group_size)
        for number, other in latents.items()
    }
    scores = {
        start.number: (criterion, error)
        for start, criterion, error in zip(found.finished, found.criteria, found.errors, strict=True)
    }
    total = weight_sum = 0.0
    for number, (criterion, _) in scores.items():
        if number != best:
            weight = math.exp(min(0.0, criterion - scores[best][0]) / CRITERION_SCALE) + 1e-12
            total, weight_sum = total + weight * agreements[number], weight_sum + weight
    records: list[dict[str, Any]] = []
    for start in starts:
        finished = start.number in scores
        last = start.history[-1]["validation_reconstruction"] if start.history else None
        record: dict[str, Any] = {
            "start": start.number,
            "basis": start.basis,
            "steps": _steps(start),
            "reconstruction_error": scores[start.number][1] if finished else last,
            "finished": finished,
            "kept": start.number == best,
        }
        if finished:
            record |= {"criterion": scores[start.number][0], "agreement": agreements[start.number]}
        records.append(record)
    return Comparison(records, total / weight_sum if weight_sum else None)


def component_agreement(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]], group_size: int = 1
) -> float:
    """Return the mean absolute rank correlation between the components of two fits, matched one to one.

    Of groups of components the multiple correlation is taken: of the normal scores of each component of one group with
    their best prediction by cubic polynomials of those of the other group, the worse way round.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples, n_components)
        Components of the same samples.
    group_size : int, default=1
        Components beside each other that belong together, of which only the group as a whole can be compared.

    Returns
    -------
    float
        In [0, 1]; a component that is constant agrees with none.

    Examples
    --------
    >>> latents = np.random.default_rng(0).standard_normal((50, 2))
    >>> round(component_agreement(latents, -np.exp(latents[:, ::-1])), 6)
    1.0
    """
    return float(agreement_by_component(first, second, group_size).mean())


def agreement_by_component(
    first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]], group_size: int = 1
) -> NDArray[np.float64]:
    """Return the absolute rank correlation of each component of one fit with its match in another.

    Components are matched one to one such that the sum over all is largest; see :func:`component_agreement`, which is
    the mean.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples, n_components)
        Components of the same samples.
    group_size : int, default=1
        Components beside each other that belong together: each has the agreement of its group.

    Returns
    -------
    ndarray of shape (n_components,)
        Of the components of `first`, in [0, 1]; 0 for one that is constant or whose match is.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> shared, first, second = random.standard_normal((3, 500))
    >>> agreement_by_component(np.column_stack([shared, first]), np.column_stack([second, shared])).round(1).tolist()
    [1.0, 0.0]
    """
    if group_size > 1:
        correlation = np.minimum(_predicted(first, second, group_size), _predicted(second, first, group_size).T)
    else:
        ranks = []
        for latents in (first, second):
            centred = rankdata(latents, axis=0) - (len(latents) + 1) / 2
            lengths = np.linalg.norm(centred, axis=0)
            ranks.append(centred / np.where(lengths > 0, lengths, 1.0))
        correlation = np.abs(ranks[0].T @ ranks[1])
    rows, columns = linear_sum_assignment(correlation, maximize=True)
    # Rows are matched in order; rounding must not bring more than all.
    return np.minimum(correlation[rows, columns], 1.0).repeat(group_size)


def _predicted(
    targets: NDArray[np.floating[Any]], inputs: NDArray[np.floating[Any]], group_size: int
) -> NDArray[np.float64]:
    """Return the mean multiple correlation of each group of targets with each group of inputs."""
    scores = [ndtri(rankdata(latents, axis=0) / (len(latents) + 1)) for latents in (targets, inputs)]
    n_rows, n_groups = len(targets), targets.shape[1] // group_size
    variation = np.square(scores[0]).sum(axis=0)
    found = np.empty((n_groups, n_groups))
    for k in range(n_groups):
        own = scores[1][:, k * group_size : (k + 1) * group_size]
        basis = np.linalg.qr(PolynomialFeatures(3).fit_transform(own)).Q
        left = np.square(scores[0] - basis @ (basis.T @ scores[0])).sum(axis=0)
        # By chance as many rows as the basis has columns are predicted: the share is adjusted for that.
        left *= (n_rows - 1) / max(1, n_rows - basis.shape[1])
        explained = np.clip(1 - left / np.where(variation > 0, variation, 1.0), 0.0, 1.0) * (variation > 0)
        found[:, k] = np.sqrt(explained).reshape(n_groups, group_size).mean(axis=1)
    return found


def _latents(start: Trainer, rows: torch.Tensor) -> NDArray[np.float64]:
    start.encoder.eval()
    with torch.no_grad():
        encoded = start.encoder(start.data.coordinates(rows))
    return np.asarray(encoded.double().cpu().numpy())


def _steps(start: Trainer) -> int:
    steps: dict[str, int] = {}
    for record in start.history:
        steps[record["stage"]] = record["step"]
    return sum(steps.values())
