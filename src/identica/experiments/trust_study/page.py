"""The study's page: which signals predict recovery, where none does, and a picture of the best against recovery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from identica import plotting
from identica.experiments.tables import markdown_table
from identica.experiments.trust_study.roc import RECOVERED, SignalScore, score_signal
from identica.experiments.trust_study.signals import NOT_SEEN, SIGNALS
from identica.experiments.trust_study.unseen import combination_on_unseen, threshold_on_unseen
from identica.trust.signs import AGREEMENT
from identica.trust.signs_beside import HALVES

__all__ = ["draw_recovery", "ranked", "signals_to_markdown"]

COMBINATIONS = (
    ("start_agreement", "pointwise_agreement"),
    ("half_agreement", "pointwise_agreement"),
    ("method_agreement", "pointwise_agreement"),
    ("start_agreement", "seed_agreement", "half_agreement", "restart_agreement", "pointwise_agreement"),
    tuple(SIGNALS),
)
"""Signals that a logistic regression takes together."""
DRAWN = (
    *("start_agreement", "seed_agreement", "half_agreement"),
    *("pointwise_agreement", "method_agreement", "restart_agreement"),
    *("margin", "efficiency", "explained"),
)
"""Signals that are drawn, three in a row."""
SOUND = "sound"
LEVELS = (SOUND, "unchecked", "doubtful")


def ranked(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[SignalScore]:
    """Score signals, those that predict recovery best first.

    Parameters
    ----------
    rows : sequence of mappings
        Of the study, without failures.
    names : iterable of str
        Which signals.

    Returns
    -------
    list of SignalScore
        By falling area; those without one last.
    """
    scores = [score_signal(rows, name) for name in names]
    return sorted(scores, key=lambda one: -1.0 if one.area is None else one.area, reverse=True)


def signals_to_markdown(rows: Sequence[Mapping[str, Any]], command: str | None = None) -> str:
    """Say in tables which signals predict recovery.

    Parameters
    ----------
    rows : sequence of mappings
        Of the study.
    command : str, optional
        What gave them.

    Returns
    -------
    str
        Markdown.
    """
    done = [row for row in rows if row["status"] == "ok"]
    if not done:
        return f"None of {len(rows)} fits is there."
    recovered = sum(row["r2_mean"] >= RECOVERED for row in done)
    parts = [
        f"{len(done)} data sets of {len({row['family'] for row in done})} families, each fitted five times "
        f"({len(rows) - len(done)} failed); DICA recovered the components (mean R² of at least {RECOVERED:g} on new "
        f"samples) of {recovered}." + (f" Command: `{command}`." if command else "")
    ]
    for title, names in (("What a user sees", SIGNALS), ("What only a simulation tells", NOT_SEEN)):
        parts += [f"## {title}", markdown_table(map(_line(names), ranked(done, names)), _COLUMNS)]
    parts += ["## On families that had no part in it", markdown_table(_unseen(done), _UNSEEN_COLUMNS)]
    parts += ["## Where the truth is the criterion's answer, and where not", *_by_truth(done)]
    parts += ["## What the verdicts are worth", *_verdicts(done)]
    parts += ["## By family", markdown_table(_families(done), _FAMILY_COLUMNS)]
    wrong = [row for row in done if row["verdict"] == SOUND and row["r2_mean"] < RECOVERED]
    if wrong:
        worst = sorted(wrong, key=lambda row: row["r2_mean"])
        shown = [{"data": row["dataset"], **{name: row.get(name) for name in _WRONG_COLUMNS[1:]}} for row in worst]
        parts += ["## Not recovered, and no sign against it", markdown_table(shown, _WRONG_COLUMNS)]
    return "\n\n".join(parts)


_COLUMNS = ("signal", "meaning", "area", "5 %", "95 %", "within families", "worst family", "fits")
_UNSEEN_COLUMNS = ("signals", "area", "threshold", "wrong, passed", "right, doubted")
_FAMILY_COLUMNS = (
    *("family", "data sets", "recovered", "median R²"),
    *("sound", "sound, not recovered", "doubted, recovered"),
)
_WRONG_COLUMNS = ("data", "r2_mean", "linear_r2_mean", "start_agreement", "half_agreement", "pointwise_agreement")


def _line(names: Mapping[str, str]) -> Any:
    def line(score: SignalScore) -> dict[str, Any]:
        values = (score.signal, names[score.signal], score.area, score.low, score.high, score.within, score.worst)
        return dict(zip(_COLUMNS, (*values, score.n_fits), strict=True))

    return line


def _unseen(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what thresholds of single signals, and combinations, are worth on families they were not chosen on."""
    scores = [threshold_on_unseen(rows, name) for name in SIGNALS]
    scores += [combination_on_unseen(rows, names) for names in COMBINATIONS]
    known = sorted((one for one in scores if one is not None), key=lambda one: -one.area)
    return [
        {
            "signals": "all" if one.signals == tuple(SIGNALS) else ", ".join(one.signals),
            "area": one.area,
            "threshold": one.threshold if len(one.signals) == 1 else f"P = {one.threshold:.2f}",
            "wrong, passed": f"{one.n_wrong_passed} of {one.n_wrong}",
            "right, doubted": f"{one.n_right_doubted} of {one.n_right}",
        }
        for one in known
    ]


def _kinds(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Tell data whose true components are what the criterion prefers at single points from others."""
    return {
        kind: [row for row in rows if (row["true_pointwise_agreement"] >= AGREEMENT) == prefers]
        for kind, prefers in (("it is", True), ("it is not", False))
    }


def _by_truth(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Score signals on either kind of data apart."""
    kinds = _kinds(rows)
    counts = {kind: sum(row["r2_mean"] >= RECOVERED for row in own) for kind, own in kinds.items()}
    sentence = (
        "At single points of the true mixing the largest volume is that of the true components, to "
        f"{AGREEMENT:g} or more, in {len(kinds['it is'])} data sets; DICA recovered {counts['it is']} of these, and "
        f"{counts['it is not']} of the other {len(kinds['it is not'])}. Areas:"
    )
    table = [
        {"signal": name} | {kind: score_signal(own, name).area for kind, own in kinds.items()}
        for name in (score.signal for score in ranked(kinds["it is"], SIGNALS))
    ]
    return [sentence, markdown_table(table, ("signal", *kinds))]


def _verdicts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Count the verdicts and what was recovered, and what other fits add to a sound one."""
    table = [
        {"the truth is the criterion's answer": kind, "verdict": level, "data sets": len(own), "recovered": good}
        for kind, of_kind in {"all data": rows, **_kinds(rows)}.items()
        for level in LEVELS
        if (own := [row for row in of_kind if row["verdict"] == level])
        for good in [sum(row["r2_mean"] >= RECOVERED for row in own)]
    ]
    sound = [row for row in rows if row["verdict"] == SOUND]
    raised = [row for row in sound if row["seed_agreement"] < AGREEMENT or row["half_agreement"] < HALVES]
    wrong = sum(row["r2_mean"] < RECOVERED for row in raised)
    sentence = (
        f"Fits from another seed and of halves of the rows agree below the limits of a cross-check ({AGREEMENT:g} and "
        f"{HALVES:g}) in {len(raised)} of the {len(sound)} fits that are called sound; {wrong} of these are not "
        "recovered."
    )
    return [markdown_table(table, tuple(table[0]) if table else ()), sentence]


def _families(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    table = []
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        good = [row["r2_mean"] >= RECOVERED for row in own]
        sound = [row["verdict"] == SOUND for row in own]
        values = (
            family,
            len(own),
            sum(good),
            float(np.median([row["r2_mean"] for row in own])),
            sum(sound),
            sum(s and not g for s, g in zip(sound, good, strict=True)),
            sum(g and row["verdict"] == "doubtful" for g, row in zip(good, own, strict=True)),
        )
        table.append(dict(zip(_FAMILY_COLUMNS, values, strict=True)))
    return table


def draw_recovery(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw R² against nine signals that a user sees, a point for each data set.

    Parameters
    ----------
    rows : sequence of mappings
        Of the study.

    Returns
    -------
    matplotlib.figure.Figure
        Three rows of three axes.
    """
    done = [row for row in rows if row["status"] == "ok"]
    figure = Figure(figsize=(9.6, 8.4), layout="constrained")
    axes = figure.subplots(3, 3).ravel()
    for ax, score in zip(axes, (score_signal(done, name) for name in DRAWN), strict=True):
        known = [row for row in done if row.get(score.signal) is not None]
        plotting.recovery_by_signal(
            [row[score.signal] for row in known],
            [row["r2_mean"] for row in known],
            groups=[row["family"] for row in known],
            threshold=RECOVERED,
            ax=ax,
        )
        area = "" if score.area is None else f", area {score.area:.2f}"
        ax.set_title(f"{score.signal.replace('_', ' ')}{area}", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    return figure
