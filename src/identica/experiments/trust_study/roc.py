"""How well a signal tells fits that recovered the components from others: areas under curves, over families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["RECOVERED", "SignalScore", "score_signal"]

RECOVERED = 0.9
"""R² from which on components count as recovered."""
_QUANTILES = (0.05, 0.95)
_N_BOOTSTRAP = 500


@final
@dataclass(frozen=True)
class SignalScore:
    """How well one signal predicts recovery.

    Parameters
    ----------
    signal : str
        Its name.
    area : float or None
        Under the ROC curve: the share of pairs of a recovered and another fit in which the recovered one has the larger
        signal. None where all fits are of one kind.
    low, high : float or None
        Of 90 % of bootstrap samples of families, all data sets of a family together.
    within : float or None
        Mean over families of the area within the family, of those with both kinds.
    worst : str or None
        The family with the lowest area within it.
    n_fits, n_recovered : int
        Fits that have the signal, and how many of them recovered the components.
    """

    signal: str
    area: float | None
    low: float | None
    high: float | None
    within: float | None
    worst: str | None
    n_fits: int
    n_recovered: int


def score_signal(rows: Sequence[Mapping[str, Any]], signal: str, *, recovered: float = RECOVERED) -> SignalScore:
    """Tell how well a signal predicts recovery.

    Parameters
    ----------
    rows : sequence of mappings
        With "family", "r2_mean" and the signal, larger where fits look better; rows without the signal are left out.
    signal : str
        Its name.
    recovered : float, default=0.9
        R² from which on a fit counts as one that recovered the components.

    Returns
    -------
    SignalScore
        Areas over all rows and within families.

    Examples
    --------
    >>> rows = [{"family": "a", "r2_mean": r, "seen": s} for r, s in ((0.99, 0.9), (0.95, 0.7), (0.5, 0.8), (0.2, 0.1))]
    >>> score_signal(rows, "seen").area
    0.75
    """
    known = [row for row in rows if row.get(signal) is not None]
    families = sorted({row["family"] for row in known})
    by_family = {
        family: (
            np.array([row["r2_mean"] >= recovered for row in known if row["family"] == family]),
            np.array([float(row[signal]) for row in known if row["family"] == family]),
        )
        for family in families
    }
    within = {family: area for family, parts in by_family.items() if (area := _area(*parts)) is not None}
    random = np.random.default_rng(0)
    n_drawn = _N_BOOTSTRAP if len(families) > 1 else 0
    drawn = [_pooled(by_family, random.choice(families, len(families)).tolist()) for _ in range(n_drawn)]
    areas = [area for area in drawn if area is not None]
    low, high = np.quantile(areas, _QUANTILES) if areas else (None, None)
    return SignalScore(
        signal=signal,
        area=_pooled(by_family, families),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        within=float(np.mean(list(within.values()))) if within else None,
        worst=min(within, key=lambda family: within[family], default=None),
        n_fits=len(known),
        n_recovered=int(sum(of.sum() for of, _ in by_family.values())),
    )


def _pooled(
    by_family: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float64]]], families: Sequence[str]
) -> float | None:
    if not families:
        return None
    parts = [by_family[family] for family in families]
    return _area(np.concatenate([of for of, _ in parts]), np.concatenate([values for _, values in parts]))


def _area(recovered: NDArray[np.bool_], values: NDArray[np.float64]) -> float | None:
    """Return what sklearn.metrics.roc_auc_score does, from ranks, fifty times as fast."""
    n_good, n_bad = int(recovered.sum()), int((~recovered).sum())
    if not n_good * n_bad:
        return None
    return float((rankdata(values)[recovered].mean() - (n_good + 1) / 2) / n_bad)
