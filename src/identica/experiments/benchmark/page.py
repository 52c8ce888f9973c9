"""The page of a leaderboard: a heat-coloured table, the diagram of critical differences, and notes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from importlib import metadata
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from identica import plotting
from identica.experiments.benchmark.board import NONE, Entry, Leaderboard
from identica.experiments.benchmark.cells import LOWER_IS_BETTER
from identica.io import atomic_write
from identica.report.svg import embed

__all__ = ["write_leaderboard"]

DEEPEST = 45
"""Share of the accent's colour, in percent, behind the best score that there can be; the text stays readable."""


def write_leaderboard(
    board: Leaderboard,
    path: str | os.PathLike[str],
    *,
    notes: Mapping[str, str] | None = None,
    method_notes: Mapping[str, str] | None = None,
    command: str | None = None,
    title: str = "Leaderboard",
) -> None:
    """Write a leaderboard as one HTML file that needs nothing else, whole or not at all.

    Parameters
    ----------
    board : Leaderboard
        What to show.
    path : str or path
        The file.
    notes, method_notes : mapping of str to str, optional
        A sentence on each data set and on each method, by name; those of names that the board has not are left out.
    command : str, optional
        What made the leaderboard, as typed.
    title : str, default="Leaderboard"
        The page's heading.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from identica.experiments.benchmark import leaderboard
    >>> rows = [{"dataset": "linear", "method": "pca", "seed": 0, "status": "ok", "seconds": 0.1, "recovery": 0.4}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_leaderboard(leaderboard(rows), Path(folder) / "leaderboard.html")
    ...     "<h1>Leaderboard</h1>" in (Path(folder) / "leaderboard.html").read_text(encoding="utf-8")
    True
    """
    environment = Environment(
        # The second holds the style of all pages.
        loader=ChoiceLoader([PackageLoader("identica.experiments.benchmark"), PackageLoader("identica.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    draw = partial(plotting.critical_differences, board.ranked, board.critical_difference, board.groups)
    page = environment.get_template("leaderboard.html").render(
        board=board,
        title=title,
        rows=[_row(board, method) for method in board.methods],
        diagram=embed(draw, "Average ranks of the methods, with the critical difference") if board.ranked else None,
        less_is_better=board.score in LOWER_IS_BETTER,
        notes={"Data sets": _chosen(notes, board.datasets), "Methods": _chosen(method_notes, board.methods)},
        command=command,
        version=metadata.version("identica"),
    )
    with atomic_write(path, "w") as file:
        file.write(page)


def _chosen(notes: Mapping[str, str] | None, names: tuple[str, ...]) -> dict[str, str]:
    return {} if notes is None else {name: notes[name] for name in names if notes.get(name)}


def _row(board: Leaderboard, method: str) -> dict[str, Any]:
    rank, seconds = board.ranks[method], board.seconds(method)
    return {
        "method": method,
        "rank": NONE if rank is None else f"{rank:.2f}",
        "cells": [_cell(board, board.entries[dataset, method]) for dataset in board.datasets],
        "failed": board.n_failed(method),
        "seconds": NONE if seconds is None else f"{seconds:.1f}",
    }


def _cell(board: Leaderboard, entry: Entry) -> dict[str, Any]:
    """Write one median, its spread and time, and say how deep its colour is."""
    small = []
    if entry.low is not None and entry.n_seeds > 1:
        small.append(f"{entry.low:.3f} to {entry.high:.3f}")
    if entry.seconds is not None and board.score != "seconds":
        small.append(f"{entry.seconds:.1f} s")
    if entry.n_failed:
        small.append(f"{entry.n_failed} of {entry.n_seeds} failed")
    quartiles = "" if entry.low is None else f"quartiles {entry.lower_quartile:.3f} and {entry.upper_quartile:.3f}"
    return {
        "median": NONE if entry.median is None else f"{entry.median:.3f}",
        "small": small if entry.absent is None else [entry.absent],
        "quartiles": quartiles,
        "depth": round(DEEPEST * _share_of_best(board, entry)),
    }


def _share_of_best(board: Leaderboard, entry: Entry) -> float:
    """Return 1 for the best score that there can be, or for the least one on the data set where less is better."""
    if entry.median is None:
        return 0.0
    if board.score not in LOWER_IS_BETTER:
        return min(max(entry.median, 0.0), 1.0)
    medians = [board.entries[entry.dataset, method].median for method in board.methods]
    least = min(median for median in medians if median is not None)
    return least / entry.median if entry.median > 0 else 1.0
