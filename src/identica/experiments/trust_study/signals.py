"""What a user can see of a fit, measured beside what was recovered, which only a simulation tells."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from identica.criteria import Volume
from identica.estimators import DICA, Compositional, PolytopicFactorization
from identica.estimators.base import NetworkAnalysis
from identica.experiments.benchmark import Cell
from identica.experiments.trust_study.families import SEPARATOR, Setting
from identica.metrics import score_components
from identica.trust import component_agreement, pointwise_agreement
from identica.trust.sdi import check_sdi, local_identifiability

__all__ = ["NOT_SEEN", "SIGNALS", "Signals"]

N_POINTS = 16
N_CHECKED = 4
"""Points whose Jacobians are checked for the condition."""
N_ROWS = 512
CHECK_SECONDS = 1.0

SIGNALS: Mapping[str, str] = {
    "start_agreement": "starts of one fit agree",
    "seed_agreement": "fits from two seeds agree",
    "half_agreement": "fits of two halves of the rows agree",
    "restart_agreement": "restarts of the alignment agree",
    "pointwise_agreement": "single points, each by itself, speak for the same components",
    "method_agreement": "another criterion, the compositional contrast, finds the same",
    "linear_agreement": "the linear method finds the same",
    "explained": "share of the variance explained",
    "explained_beyond_linear": "share of what PCA leaves that is explained",
    "not_overfitted": "unexplained variance of rows fitted, as a share of that of held-out rows",
    "efficiency": "volume, as a share of the largest possible",
    "margin": "margin of the condition at the learned Jacobian, upper bound",
    "symmetric_margin": "the same without signs of rows, upper bound",
    "locally_identifiable": "share of points at which the learned Jacobian is locally identifiable",
    "local_margin": "the margin of that check",
    "samples_per_component": "samples per component",
    "features_per_component": "features per component",
    "verdict_number": "the number of the verdict",
}
"""What a user has, larger where a fit looks better."""
NOT_SEEN: Mapping[str, str] = {
    "true_margin": "margin of the condition at the true Jacobian, upper bound",
    "true_symmetric_margin": "the same without signs of rows, upper bound",
    "true_locally_identifiable": "share of points at which the true Jacobian is locally identifiable",
    "true_local_margin": "the margin of that check",
    "true_pointwise_agreement": "single points of the true mixing, each by itself, speak for the true components",
}
"""What only a simulation tells."""


@final
@dataclass(frozen=True)
class Signals:
    """Measures a fit; for :class:`identica.experiments.benchmark.DatasetSpec`.

    Parameters
    ----------
    setting : Setting
        The data set.
    """

    setting: Setting

    def __call__(self, cell: Cell, estimator: DICA, data: Any, n_samples: int) -> dict[str, Any]:
        """Fit again from another seed, on halves of the rows and with another criterion, and compare.

        Parameters
        ----------
        cell : Cell
            Which fit.
        estimator : DICA
            As it was fitted.
        data : Mixture or SimulatedCells
            With the truth.
        n_samples : int
            Rows that were fitted; the others are new.

        Returns
        -------
        dict
            Scores, the setting, and ``SIGNALS`` and ``NOT_SEEN``.
        """
        X, new, true = data.X[:n_samples], data.X[n_samples:], data.latents[n_samples:]
        found = estimator.transform(new)
        scores, matching = score_components(true, found)
        random = np.random.default_rng(self.setting.number)
        order = random.permutation(n_samples)
        parts = (X, X[order[::2]], X[order[1::2]])
        others = [estimator, estimator, estimator, _with_another_criterion(estimator)]
        again = [
            _fitted_again(one, rows, seed) for seed, (one, rows) in enumerate(zip(others, (*parts, X), strict=True), 1)
        ]
        seeds, *halves, of_another = [other.transform(new) for other in again]
        linear = PolytopicFactorization(self.setting.n_components, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            of_linear = linear.fit(X).transform(new)
        learned = estimator.jacobian(new[:N_POINTS]) / estimator.scale_[:, None]
        truth = _true_jacobian(data, n_samples) / X.std(axis=0)[:, None]
        rows = np.sort(random.permutation(learned.shape[1])[:N_ROWS])
        return {
            "recovery": scores["r2_mean"],
            **scores,
            "r2_lowest": float(matching.scores.min()),
            "family": cell.dataset.split(SEPARATOR)[0],
            "n_features": learned.shape[1],
            "noise": self.setting.noise,
            **_seen_in(estimator),
            "seed_agreement": component_agreement(found, seeds),
            "half_agreement": component_agreement(halves[0], halves[1]),
            "method_agreement": component_agreement(found, of_another),
            "linear_agreement": component_agreement(found, of_linear),
            "linear_r2_mean": score_components(true, of_linear)[0]["r2_mean"],
            "samples_per_component": n_samples / self.setting.n_components,
            "features_per_component": learned.shape[1] / self.setting.n_components,
            **_of_condition(learned, ""),
            **_of_condition(truth, "true_"),
            "true_pointwise_agreement": pointwise_agreement(
                torch.as_tensor(truth[:, rows], dtype=torch.float32),
                Volume(1.0),
                generator=torch.Generator().manual_seed(self.setting.number),
            ).mean,
        }


def _fitted_again(estimator: NetworkAnalysis, X: NDArray[Any], seed: int) -> NetworkAnalysis:
    again = clone(estimator).set_params(random_state=estimator.random_state + seed, n_init=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted: NetworkAnalysis = again.fit(X)
    return fitted


def _with_another_criterion(estimator: DICA) -> Compositional:
    shared = {name: getattr(estimator, name) for name in ("solver", "network", "training", "random_state")}
    return Compositional(estimator.n_components, **shared)


def _seen_in(estimator: DICA) -> dict[str, float | None]:
    """Return what a fit itself leaves."""
    left, of_linear = estimator.reconstruction_error_, estimator.linear_reconstruction_error_
    trained = estimator.trained_reconstruction_error_
    return {
        "start_agreement": estimator.start_agreement_,
        "restart_agreement": estimator.restart_agreement_,
        "pointwise_agreement": estimator.pointwise_agreement_,
        "explained": 1 - left,
        "explained_beyond_linear": 1 - left / max(of_linear, 1e-6),
        "not_overfitted": None if trained is None else trained / max(left, 1e-6),
        "efficiency": estimator.volume_efficiency_,
        "verdict_number": estimator.verdict_.number,
    }


def _true_jacobian(data: Any, n_samples: int) -> NDArray[np.float64]:
    return np.asarray(data.jacobian(data.latents[n_samples : n_samples + N_POINTS]))


def _of_condition(jacobians: NDArray[Any], prefix: str) -> dict[str, float]:
    """Check the condition at a few points."""
    chosen = jacobians[:N_CHECKED].astype(np.float64)
    plain, symmetric = (
        float(np.median([check_sdi(one, symmetric=both, time_limit=CHECK_SECONDS).gamma[1] for one in chosen]))
        for both in (False, True)
    )
    local = [local_identifiability(one) for one in chosen]
    return {
        f"{prefix}margin": plain,
        f"{prefix}symmetric_margin": symmetric,
        f"{prefix}locally_identifiable": float(np.mean([one.identifiable for one in local])),
        f"{prefix}local_margin": float(np.median([one.margin for one in local])),
    }
