"""Our numbers for the paper's claims, from rows of results; None where rows are missing that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from identica.experiments.paper.digits import TURNS, chosen
from identica.experiments.paper.finite import METHOD
from identica.experiments.paper.mixtures import CONDITION_FAILS, CONDITION_HOLDS, RIVALS
from identica.experiments.paper.order import HELD, NEAR, PLAIN, in_the_papers_order, scores_of
from identica.experiments.paper.study import Rows, mean_of, sound
from identica.experiments.sample_curves import SEPARATOR

__all__ = [
    "BASE",
    "NEAR",
    "SPARSE",
    "TURNS",
    "autoencoder_on_cells",
    "dica_first_by_correlation",
    "dica_first_on_mixtures",
    "dica_on_cells",
    "dica_where_the_condition_holds",
    "error_over_samples",
    "joint_where_the_condition_holds",
    "order_on_cells",
    "plain_sparse_on_cells",
    "turns",
    "where_the_condition_fails",
    "where_the_condition_holds",
]

SPARSE, BASE = 0.4544, 0.3381
"""Mean R² of Sparse and Base in the paper."""
Numbers = Mapping[str, float]


def dica_on_cells(rows: Rows) -> Numbers | None:
    """Give the lowest and the median R² of DICA over settings."""
    found = _over_settings(rows, ["dica"])
    return {"lowest": min(found), "median": float(np.median(found))} if found else None


def plain_sparse_on_cells(rows: Rows) -> Numbers | None:
    """Give the lowest, the highest and the nearest R² of the penalty in the paper's form."""
    return _around(_over_settings(rows, PLAIN), SPARSE)


def autoencoder_on_cells(rows: Rows) -> Numbers | None:
    """Give the lowest, the highest and the nearest R² of the plain autoencoder."""
    return _around(_over_settings(rows, ["autoencoder"]), BASE)


def order_on_cells(rows: Rows) -> Numbers | None:
    """Give the shares of settings that are in the paper's order, by form of the penalty."""
    found = {}
    for name, forms in (("unit variance", [HELD]), ("plain", list(PLAIN))):
        told = [in_the_papers_order(scores, form) for scores in scores_of(rows).values() for form in forms]
        known = [ordered for ordered in told if ordered is not None]
        if known:
            found[name] = float(np.mean(known))
    return found or None


def dica_first_by_correlation(rows: Rows) -> Numbers | None:
    """Give the share of settings in which DICA has the largest mean correlation coefficient."""
    compared = [s for s in scores_of(rows, "mcc_pearson").values() if "dica" in s and len(s) > 1]
    first = [scores["dica"] == max(scores.values()) for scores in compared]
    return {"share of data sets": float(np.mean(first))} if first else None


def turns(turn: str) -> Callable[[Rows], Numbers | None]:
    """Return what gives the shares of one transformation.

    Parameters
    ----------
    turn : str
        One of ``TURNS``.

    Returns
    -------
    callable
        Takes rows and gives the share by the chosen setting of each solver, and of the autoencoder.
    """

    def of_rows(rows: Rows) -> Numbers | None:
        fits = sound(rows)
        settings = {solver: chosen(fits, solver) for solver in ("staged", "joint")}
        found = {name: mean_of(fits, turn, dataset=s[0], method=s[1]) for name, s in settings.items() if s is not None}
        found["autoencoder"] = mean_of(fits, turn, method="autoencoder")
        known = {name: share for name, share in found.items() if share is not None}
        return known if {"staged", "joint"} & set(known) else None

    return of_rows


def dica_where_the_condition_holds(rows: Rows) -> Numbers | None:
    """Give the lowest and the highest mean R² of DICA over families."""
    return _complete({"lowest": _of_families(rows, "dica", min), "highest": _of_families(rows, "dica", max)})


def dica_first_on_mixtures(rows: Rows) -> Numbers | None:
    """Give the shares of families in which DICA is above all methods that are not a form of it, by score."""
    found: dict[str, float] = {}
    for name, column in (("by R²", "r2_mean"), ("by correlation", "mcc_pearson")):
        of_all = scores_of(rows, column)
        of_families = [of_all[family] for family in CONDITION_HOLDS if family in of_all]
        first = [s["dica"] > max(s[rival] for rival in RIVALS) for s in of_families if {"dica", *RIVALS} <= set(s)]
        if first:
            found[name] = float(np.mean(first))
    return found or None


def where_the_condition_holds(rows: Rows) -> Numbers | None:
    """Give the lowest mean R² of DICA over families, and the highest of those that need what is not there."""
    found = {
        "dica": _of_families(rows, "dica", min),
        "fastica": _of_families(rows, "fastica", max),
        "sparse-jacobian": _of_families(rows, "sparse-jacobian", max),
    }
    return _complete(found)


def joint_where_the_condition_holds(rows: Rows) -> Numbers | None:
    """Give the lowest and the highest mean R² of the loss (8) over families."""
    return _complete(
        {"lowest": _of_families(rows, "dica-joint", min), "highest": _of_families(rows, "dica-joint", max)}
    )


def where_the_condition_fails(rows: Rows) -> Numbers | None:
    """Give the mean R² of DICA on isotropic rows, and the lowest elsewhere."""
    return _complete(
        {
            "dica isotropic": mean_of(sound(rows), "r2_mean", dataset=CONDITION_FAILS[0], method="dica"),
            "dica elsewhere": _of_families(rows, "dica", min),
        }
    )


def error_over_samples(rows: Rows) -> Numbers | None:
    """Give the slopes of log(1 - R²) of DICA over log N, the slowest and the steepest of all families."""
    errors: dict[str, dict[float, list[float]]] = {}
    for row in sound(rows):
        family, _, size = row["dataset"].rpartition(SEPARATOR)
        if row["method"] == METHOD:
            errors.setdefault(family, {}).setdefault(float(size), []).append(1 - row["r2_mean"])
    slopes = []
    for by_size in errors.values():
        if len(by_size) > 1:
            sizes = sorted(by_size)
            means = [max(float(np.mean(by_size[size])), 1e-12) for size in sizes]
            slopes.append(float(np.polyfit(np.log(sizes), np.log(means), 1)[0]))
    return {"slowest slope": max(slopes), "steepest slope": min(slopes)} if slopes else None


def _over_settings(rows: Rows, methods: Iterable[str]) -> list[float]:
    return [scores[name] for name in methods for scores in scores_of(rows).values() if name in scores]


def _around(found: list[float], stated: float) -> Numbers | None:
    if not found:
        return None
    return {"lowest": min(found), "highest": max(found), "nearest": min(found, key=lambda score: abs(score - stated))}


def _of_families(rows: Rows, method: str, end: Callable[[list[float]], float]) -> float | None:
    found = [mean_of(sound(rows), "r2_mean", dataset=family, method=method) for family in CONDITION_HOLDS]
    known = [score for score in found if score is not None]
    return end(known) if known else None


def _complete(found: Mapping[str, float | None]) -> Numbers | None:
    known = {name: number for name, number in found.items() if number is not None}
    return known if len(known) == len(found) else None
