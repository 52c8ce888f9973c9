"""The report of one fit: what was fitted on what, whether to trust it, and the components to move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.metrics import score_components
from identica.report.contents import Fit, Report
from identica.report.diverse_influence import DiverseInfluence
from identica.report.explorer import Explorer
from identica.report.pictures import Pictures
from identica.report.settings import settings
from identica.trust import CrossCheck

__all__ = ["report_of_fit"]


def report_of_fit(
    estimator: Any,
    latents: NDArray[Any],
    *,
    title: str,
    facts: Mapping[str, str | int | float],
    warnings: Sequence[str] = (),
    cross: CrossCheck | None = None,
    low: float = 0.0,
    high: float = 1.0,
    truth: NDArray[Any] | None = None,
    true_names: Sequence[str] | None = None,
    sample_names: Sequence[str] | None = None,
    samples: NDArray[Any] | None = None,
) -> Report:
    """Describe one fit; nothing is needed but the estimator and the components that it found.

    Parameters
    ----------
    estimator : fitted estimator
        Of this library.
    latents : ndarray of shape (n_samples, n_components)
        Components of the data, as ``transform`` gives them.
    title : str
        The page's heading.
    facts : mapping of str to str, int or float
        What was fitted on what; how the method was set is added to it.
    warnings : sequence of str, default=()
        What the fit warned of.
    cross : CrossCheck, optional
        What other fits of the same data say.
    low, high : float
        Of images, what is drawn black and what white, as :func:`identica.io.pictures.value_range` finds them.
    truth : ndarray of shape (n_samples, n_true), optional
        True components of the same samples, where they are known.
    true_names : sequence of str, optional
        Names of the true components.
    sample_names : sequence of str, optional
        Names of the samples.
    samples : ndarray of shape (n_samples, ...), optional
        The samples themselves: images are shown beside what the decoder makes of them.

    Returns
    -------
    Report
        The page's content.
    """
    shape = tuple(estimator.sample_shape_)
    pictures = None
    if len(shape) > 1:
        first = None if sample_names is None else sample_names[0]
        pictures = Pictures.from_model(estimator, latents, shape, low=low, high=high, anchor_name=first)
    scores: dict[str, float] = {}
    r2 = None
    if truth is not None:
        scores, matching = score_components(truth, latents)
        r2 = matching.matrix
    fit = Fit.from_estimator(
        estimator.method,
        estimator,
        seconds=sum(estimator.durations_.values()),
        scores=scores,
        r2=r2,
        true_names=None if true_names is None else tuple(true_names),
        warnings=tuple(warnings),
        cross=cross,
        explorer=Explorer.from_estimator(
            estimator, latents, anchor_names=sample_names, low=low, high=high, samples=samples
        ),
        pictures=pictures,
        diverse_influence=DiverseInfluence.of_fit(estimator, latents),
    )
    names = getattr(estimator, "feature_names_in_", None)
    return Report(
        title=title,
        facts={**facts, **settings(estimator)},
        fits=(fit,),
        feature_names=None if names is None else tuple(str(name) for name in names),
        feature_scale=np.asarray(estimator.scale_, dtype=np.float64),
    )
