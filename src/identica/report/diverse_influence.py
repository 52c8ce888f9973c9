"""The diverse-influence condition at a few samples of a fit, as a page shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from identica import plotting
from identica.estimators import compared_jacobians
from identica.trust.sdi import SDISummary, summarise_sdi

__all__ = ["DiverseInfluence"]

N_POINTS = 6
SECONDS = 3.0
"""For all points together."""
FEWEST, MOST = 2, 15
"""Components: one is in no need of it, and of many the condition takes long and tells little."""
MOST_ENTRIES = 200_000
"""Of a Jacobian; one of more has single steps, which no limit stops, that take longer than all together is to."""


@final
@dataclass(frozen=True, eq=False)
class DiverseInfluence:
    """What was found of the condition at a few samples, on the decoder's Jacobian in the units of the fit.

    Parameters
    ----------
    summary : SDISummary
        What :func:`identica.trust.sdi.summarise_sdi` has found.
    jacobians : ndarray of shape (n_points, n_features, n_components)
        Of which it was found.
    samples : tuple of int
        Number of the sample of each point.
    """

    summary: SDISummary
    jacobians: NDArray[np.float64]
    samples: tuple[int, ...]

    @classmethod
    def of_fit(cls, estimator: Any, latents: NDArray[Any], *, seconds: float = SECONDS) -> Self | None:
        """Check the condition at a few samples, where that makes sense.

        Parameters
        ----------
        estimator : fitted estimator
            Of this library.
        latents : ndarray of shape (n_samples, n_components)
            Components of the data, as ``transform`` gives them.
        seconds : float, default=3.0
            For all samples together.

        Returns
        -------
        DiverseInfluence or None
            None for a method that does not look for single components, fewer than 2 or more than 15 of them, fewer
            features than components, very many features, or components that act on no feature.
        """
        d, m = latents.shape[1], estimator.n_features_in_
        if not estimator.identifies or not FEWEST <= d <= min(MOST, m) or m * d > MOST_ENTRIES:
            return None
        drawn = np.sort(np.random.default_rng(0).permutation(len(latents))[:N_POINTS])
        found = np.asarray(compared_jacobians(estimator, latents[drawn]), dtype=np.float64)
        usable = np.array([np.isfinite(each).all() and each.any(axis=0).all() for each in found])
        if not usable.any():
            return None
        jacobians = found[usable]
        return cls(summarise_sdi(jacobians, time_limit=seconds), jacobians, tuple(drawn[usable].tolist()))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in numbers."""
        points = self.summary.points
        local = sum(point.local.identifiable for point in points)
        names = ", ".join(f"{self.samples[point.index]} (point {point.index})" for point in points)
        left_out = f"; {self.summary.n_left_out} more were not reached in time" if self.summary.n_left_out else ""
        return (
            f"Rows as they are: {self._found(symmetric=False)}.",
            f"Rows of either sign: {self._found(symmetric=True)}.",
            f"Locally identifiable at {local} of {len(points)} points.",
            f"Samples, counted from 0: {names}{left_out}.",
        )

    def pictures(self) -> list[tuple[str, Callable[[], Axes]]]:
        """Return what there is to see, as :func:`identica.plotting.diverse_influence_pictures` does.

        Returns
        -------
        list of (str, callable)
            Words, and what draws it.
        """
        return plotting.diverse_influence_pictures(self.summary, self.jacobians)

    def _found(self, *, symmetric: bool) -> str:
        n_points = len(self.summary.points)
        parts = []
        for part in (1, 2):
            shares = self.summary.shares(part, symmetric=symmetric)
            counts = {answer: round(share * n_points) for answer, share in shares.items()}
            undecided = f", undecided at {counts['undecided']}" if counts["undecided"] else ""
            parts.append(f"part {part} holds at {counts['holds']} of {n_points} points{undecided}")
        low, high = self.summary.gamma(symmetric=symmetric)
        return f"{' and '.join(parts)}; margin from {low[0]:.3f} to {high[-1]:.3f}"
