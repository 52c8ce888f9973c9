"""Thresholds and combinations of signals, each tried on a family of data that had no part in choosing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from identica.experiments.trust_study.roc import RECOVERED

__all__ = ["UnseenScore", "combination_on_unseen", "threshold_on_unseen"]


@final
@dataclass(frozen=True)
class UnseenScore:
    """How well signals tell recovery on families that had no part in choosing the threshold or the weights.

    Parameters
    ----------
    signals : tuple of str
        Which, one or several together.
    area : float
        Under the ROC curve; of several, of what a logistic regression on all other families predicts.
    threshold : float
        Median over families of the one chosen on all others, where the shares of recovered and of other fits told
        right have the largest sum. Of several signals, it is one of the probability.
    n_wrong, n_wrong_passed : int
        Fits that did not recover the components, and those of them that pass the threshold.
    n_right, n_right_doubted : int
        Fits that did, and those of them that do not pass it.
    """

    signals: tuple[str, ...]
    area: float
    threshold: float
    n_wrong: int
    n_wrong_passed: int
    n_right: int
    n_right_doubted: int


def threshold_on_unseen(
    rows: Sequence[Mapping[str, Any]], signal: str, *, recovered: float = RECOVERED
) -> UnseenScore | None:
    """Try on each family the threshold of a signal that is best on all others.

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
    UnseenScore or None
        None where leaving one family out leaves fits of one kind, or where there is one family.

    Examples
    --------
    >>> fits = [(family, r, s) for family in "abc" for r, s in ((0.95, 0.9), (0.99, 0.8), (0.5, 0.4), (0.2, 0.6))]
    >>> rows = [{"family": family, "r2_mean": r, "seen": s} for family, r, s in fits]
    >>> score = threshold_on_unseen(rows, "seen")
    >>> score.threshold, score.n_wrong_passed, score.n_right_doubted
    (0.7, 0, 0)
    """
    known = [row for row in rows if row.get(signal) is not None]
    values = np.array([float(row[signal]) for row in known])
    return _score((signal,), values, *_truth(known, recovered))


def combination_on_unseen(
    rows: Sequence[Mapping[str, Any]], signals: Sequence[str], *, recovered: float = RECOVERED
) -> UnseenScore | None:
    """Try on each family the logistic regression of recovery on some signals that is fitted to all others.

    Signals enter by their ranks among those of the other families.

    Parameters
    ----------
    rows : sequence of mappings
        With "family", "r2_mean" and the signals; rows without one of them are left out.
    signals : sequence of str
        Names.
    recovered : float, default=0.9
        R² from which on a fit counts as one that recovered the components.

    Returns
    -------
    UnseenScore or None
        As of :func:`threshold_on_unseen`.
    """
    known = [row for row in rows if all(row.get(name) is not None for name in signals)]
    good, families = _truth(known, recovered)
    if not _can_be_left_out(good, families):
        return None
    X = np.array([[float(row[name]) for name in signals] for row in known])
    fewest = min(int((families != family).sum()) for family in set(families.tolist()))
    model = make_pipeline(QuantileTransformer(n_quantiles=min(100, fewest)), LogisticRegression())
    predicted = cross_val_predict(model, X, good, groups=families, cv=LeaveOneGroupOut(), method="predict_proba")[:, 1]
    return _score(tuple(signals), predicted, good, families)


def _truth(rows: Sequence[Mapping[str, Any]], recovered: float) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    return np.array([row["r2_mean"] >= recovered for row in rows]), np.array([str(row["family"]) for row in rows])


def _can_be_left_out(good: NDArray[np.bool_], families: NDArray[np.str_]) -> bool:
    """Tell whether fits of both kinds are left whichever family is left out."""
    names = set(families.tolist())
    return len(names) > 1 and all(len(set(good[families != family].tolist())) == 2 for family in names)


def _score(
    signals: tuple[str, ...], values: NDArray[np.float64], good: NDArray[np.bool_], families: NDArray[np.str_]
) -> UnseenScore | None:
    if not _can_be_left_out(good, families):
        return None
    thresholds = {family: _best(good[families != family], values[families != family]) for family in set(families)}
    passed = values >= np.array([thresholds[family] for family in families])
    return UnseenScore(
        signals=signals,
        area=float(roc_auc_score(good, values)),
        threshold=float(np.median(list(thresholds.values()))),
        n_wrong=int((~good).sum()),
        n_wrong_passed=int((~good & passed).sum()),
        n_right=int(good.sum()),
        n_right_doubted=int((good & ~passed).sum()),
    )


def _best(good: NDArray[np.bool_], values: NDArray[np.float64]) -> float:
    """Return the threshold with the largest sum of the shares told right, known as Youden's, halfway to the next."""
    wrong_passed, right_passed, thresholds = roc_curve(good, values, drop_intermediate=False)
    at = int(np.argmax(right_passed - wrong_passed))
    return float(thresholds[at : at + 2].mean())
