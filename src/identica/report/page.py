"""The page: a template filled with a report's contents and figures."""

import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from identica import plotting
from identica.io.files import atomic_write
from identica.report.contents import Fit, Report
from identica.report.svg import embed
from identica.report.verdict import verdict_of
from identica.trust import ASSUMED, QUESTIONS

__all__ = ["render", "write_report"]


def _score(name: str) -> Callable[[Fit], float | None]:
    return lambda fit: fit.scores.get(name)


_COLUMNS: tuple[tuple[str, str, Callable[[Fit], float | None], str], ...] = (
    ("R²", "mean over components, each told by its one matched estimate", _score("r2_mean"), "{:.3f}"),
    ("Pearson", "mean absolute correlation of matched components", _score("mcc_pearson"), "{:.3f}"),
    ("Spearman", "the same, of ranks", _score("mcc_spearman"), "{:.3f}"),
    (
        "disentangled",
        "1 where each component matters for one true component alone",
        _score("dci_disentanglement"),
        "{:.3f}",
    ),
    ("complete", "1 where one component alone matters for each true one", _score("dci_completeness"), "{:.3f}"),
    ("informative", "R² of true components told by all estimated ones", _score("dci_informativeness"), "{:.3f}"),
    ("unexplained", "held-out variance", lambda fit: fit.reconstruction_error, "{:.2%}"),
    ("by PCA", "by PCA with as many components", lambda fit: fit.linear_reconstruction_error, "{:.2%}"),
    ("volume", "volume efficiency, 1 at best", lambda fit: fit.volume_efficiency, "{:.3f}"),
    ("agreement", "mean matched |cosine| between restarts", lambda fit: fit.restart_agreement, "{:.3f}"),
    ("starts agree", "mean matched rank correlation between starts", lambda fit: fit.start_agreement, "{:.3f}"),
    ("seconds", "time of the fit", lambda fit: fit.seconds, "{:.1f}"),
)


def write_report(path: str | os.PathLike[str], report: Report) -> None:
    """Write a report as one HTML file that needs nothing else, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file.
    report : Report
        What the page says.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from identica.report import Fit, Report, write_report
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Path(folder) / "report.html", Report("Cells", {"samples": 700}, (Fit("dica", 3.2),)))
    ...     "<h1>Cells</h1>" in (Path(folder) / "report.html").read_text(encoding="utf-8")
    True
    """
    page = render(report)
    with atomic_write(path, "w") as file:
        file.write(page)


def render(report: Report) -> str:
    """Return a report's page as a string of HTML.

    Parameters
    ----------
    report : Report
        What the page says.

    Returns
    -------
    str
        The page, with its style and figures inside; it requests nothing from anywhere.
    """
    environment = Environment(
        loader=PackageLoader("identica.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _format
    environment.filters["address"] = _address
    verdicts = [
        (fit.method, verdict_of(fit)) for fit in report.fits if fit.verdict is not None or len(report.fits) == 1
    ]
    return environment.get_template("report.html").render(
        report=report,
        table=_table(report.fits),
        verdicts=verdicts,
        crossed=any(sign.name == "halves" for _, verdict in verdicts for sign in verdict.signs),
        questions=QUESTIONS,
        assumed=ASSUMED,
        heat_maps=list(_heat_maps(report.fits)),
        histories=[(fit.method, *parts) for fit in report.fits if any(parts := _histories(fit))],
        influences=list(_influences(report)),
        conditions=list(_conditions(report.fits)),
        explorers=[(fit.method, fit.explorer.payload) for fit in report.fits if fit.explorer is not None],
        pictures=[(fit.method, fit.pictures) for fit in report.fits if fit.pictures is not None],
        version=metadata.version("identica"),
    )


def _table(fits: Sequence[Fit]) -> dict[str, Any]:
    """Columns that some fit has a value for, one row of formatted cells per fit, and which cell is best."""
    shown = [column for column in _COLUMNS if any(column[2](fit) is not None for fit in fits)]
    best_r2 = max((fit.scores.get("r2_mean", -np.inf) for fit in fits), default=-np.inf)
    rows = [
        {
            "method": fit.method,
            "cells": [_filled(form, value(fit)) for _, _, value, form in shown],
            "best": len(fits) > 1 and fit.scores.get("r2_mean") == best_r2,
        }
        for fit in fits
    ]
    return {"columns": [(head, meaning) for head, meaning, *_ in shown], "rows": rows}


def _heat_maps(fits: Sequence[Fit]) -> Iterator[Markup]:
    for fit in fits:
        if fit.r2 is not None:
            draw = partial(plotting.r2_heatmap, fit.r2, fit.true_names, title=fit.method)
            yield embed(draw, f"R² of true against estimated components, {fit.method}")


def _histories(fit: Fit) -> tuple[list[Markup], list[str]]:
    # One panel per stage for reconstruction, on a logarithmic scale, and one for every other term; what was noted once
    # makes no curve, and is said in a sentence.
    panels, sentences = [], []
    for stage in dict.fromkeys(record.get("stage") for record in fit.history):
        records = [record for record in fit.history if record.get("stage") == stage]
        names = plotting.history_terms(records)
        errors = [name for name in names if "reconstruction" in name]
        groups = [(errors, _all_positive(records, errors))] if errors else []
        others = [name for name in names if name not in errors]
        # Without a penalty the loss is the reconstruction error, drawn already.
        if not errors or others != ["loss"]:
            groups += [([name], False) for name in others]
        if len(records) == 1:
            values = ", ".join(
                f"{name.replace('_', ' ')} {records[0][name]:.4g}" for group, _ in groups for name in group
            )
            sentences += [f"{stage}, noted once: {values}."] if values else []
            continue
        for group, log in groups:
            draw = partial(plotting.history, records, stage=stage, terms=group, log=log)
            panels.append(embed(draw, f"{fit.method}, stage {stage}: {', '.join(group)}"))
    return panels, sentences


def _all_positive(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bool:
    return all(record[name] > 0 for record in records for name in names if record.get(name) is not None)


def _influences(report: Report) -> Iterator[tuple[str, Markup]]:
    for fit in report.fits:
        if fit.influence is not None and fit.pictures is None:
            scale = np.ones(len(fit.influence)) if report.feature_scale is None else report.feature_scale
            relative = fit.influence / np.where(scale > 0, scale, 1.0)[:, None]
            draw = partial(plotting.influence, relative, report.feature_names)
            yield fit.method, embed(draw, f"Influence of components on features, {fit.method}")


def _conditions(fits: Sequence[Fit]) -> Iterator[tuple[str, tuple[str, ...], list[Markup]]]:
    for fit in fits:
        found = fit.diverse_influence
        if found is not None:
            yield fit.method, found.sentences, [embed(draw, f"{fit.method}, {name}") for name, draw in found.pictures()]


def _address(png: bytes) -> str:
    """Return an address that holds the file itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _filled(form: str, value: float | None) -> str:
    return "–" if value is None else form.format(value)


def _format(value: object) -> str:
    """Write a fact: a real number with three decimals, a count with its thousands, text as it is."""
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
