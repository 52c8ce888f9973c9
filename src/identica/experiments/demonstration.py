"""The demo: cells whose transcription factors no linear method finds, every method on them, results on one page."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from identica import plotting
from identica.experiments.cells import single_cell
from identica.experiments.comparison import METHODS, Comparison
from identica.experiments.runner import Outcome, run
from identica.experiments.tables import UNFINISHED, markdown_table, text_table
from identica.io.files import atomic_write, prepare_output_dir
from identica.io.writing import write_records
from identica.report import Report, write_report
from identica.training import Training

__all__ = ["demo", "reproduce", "write_results"]

BENT: dict[str, Any] = {"half_responses": "edge", "hill": 6.0, "fold": 30.0}
"""Curves so steep, over such a range, that genes are no linear functions of one curve per factor."""
DEMO_STARTS = 2
"""Of every method that trains networks."""
DEMO_TRAINING = Training(max_steps=3_000)
"""The same for all of them: enough to compare in a few minutes."""
TITLES = {
    "single-cell": "Transcription factors behind simulated expression",
    "sprites": "Position, size, angle and shade behind images",
}
_SHOWN = ("method", "r2_mean", "mcc_pearson", "mcc_spearman", "seconds")


def demo(
    output: str | os.PathLike[str],
    *,
    seed: int = 0,
    methods: Iterable[str] | None = None,
    verbose: int = 1,
) -> list[dict[str, Any]]:
    """Compare all methods on simulated cells with dependent transcription factors and write the results down.

    Parameters
    ----------
    output : str or path
        Directory for results.csv, r2_heatmaps.png and report.html.
    seed : int, default=0
        Seed of the data and of the fits.
    methods : iterable of str, optional
        Some of :data:`identica.experiments.METHODS`; all by default.
    verbose : int, default=1
        With 0 nothing is printed.

    Returns
    -------
    list of dict
        The rows of results.csv.
    """
    configuration = single_cell(
        5,
        methods=list(METHODS) if methods is None else methods,
        seeds=[seed],
        n_samples=5_000,
        n_test_samples=2_000,
        training=DEMO_TRAINING,
        n_init=DEMO_STARTS,
        verbose=verbose,
        **BENT,
    )
    folder = prepare_output_dir(output)
    rows = [outcome.row for outcome in _run_into(folder, configuration, verbose)]
    if verbose:
        print(text_table(rows, _SHOWN))
        print(f"\nSee {folder / 'report.html'}")
    return rows


def reproduce(configuration: Comparison, folder: Path) -> str:
    """Carry a comparison out and write all that came of it, each row at once and the rest at the end.

    Earlier results stay as they are until all seeds are complete; until then rows lie in a file of their own.

    Parameters
    ----------
    configuration : Comparison
        What to do.
    folder : Path
        An existing directory, for results.csv, summary.md, r2_heatmaps.png and report.html.

    Returns
    -------
    str
        A table for a terminal: mean and lowest R² over seeds of each method.
    """
    rows = summary([outcome.row for outcome in _run_into(folder, configuration, verbose=1)])
    with atomic_write(folder / "summary.md", "w") as file:
        file.write(markdown_table(rows, list(rows[0])) + "\n")
    return text_table(rows, list(rows[0]))


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum results up over seeds.

    Parameters
    ----------
    rows : sequence of mappings
        Rows of results.csv.

    Returns
    -------
    list of dict
        One per method: how many seeds, mean and lowest R², mean correlation coefficient and DCI where measured,
        longest time.
    """
    result = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        scores = [row["r2_mean"] for row in own]
        result.append(
            {
                "method": method,
                "seeds": len(own),
                "r2_mean": float(np.mean(scores)),
                "r2_lowest": float(min(scores)),
                "mcc_spearman": float(np.mean([row["mcc_spearman"] for row in own])),
                **{name: float(np.mean([row[name] for row in own])) for name in own[0] if name.startswith("dci_")},
                "seconds": float(max(row["seconds"] for row in own)),
            }
        )
    return result


def write_results(folder: Path, configuration: Comparison, outcomes: Sequence[Outcome]) -> None:
    """Write results.csv, and r2_heatmaps.png and report.html of the last seed's fits.

    Parameters
    ----------
    folder : Path
        An existing directory.
    configuration : Comparison
        What was done.
    outcomes : sequence of Outcome
        What came out.
    """
    write_records(folder / "results.csv", [outcome.row for outcome in outcomes])
    (folder / UNFINISHED).unlink(missing_ok=True)
    last = [outcome for outcome in outcomes if outcome.seed == configuration.seeds[-1]]
    with atomic_write(folder / "r2_heatmaps.png") as file:
        _heat_maps(last).savefig(file, format="png", dpi=150)
    write_report(folder / "report.html", _report(configuration, last))


def _run_into(folder: Path, configuration: Comparison, verbose: int) -> list[Outcome]:
    """Run, and write each row as it comes, so that what fails later costs no fit.

    Until all is done rows lie beside results.csv, which belongs to the pictures and the page that are there.

    Returns
    -------
    list of Outcome
        All of them.
    """
    outcomes: list[Outcome] = []

    def keep(outcome: Outcome) -> None:
        outcomes.append(outcome)
        write_records(folder / UNFINISHED, [one.row for one in outcomes])
        if verbose:
            _announce(outcome)

    run(configuration, on_outcome=keep)
    write_results(folder, configuration, outcomes)
    return outcomes


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _announce(outcome: Outcome) -> None:
    r2 = outcome.fit.scores["r2_mean"]
    print(f"{outcome.method}: R² {r2:.3f} in {outcome.fit.seconds:.1f} s", file=sys.stderr)


def _heat_maps(outcomes: Sequence[Outcome]) -> Figure:
    n_columns = min(4, len(outcomes))
    n_rows = -(-len(outcomes) // n_columns)
    figure = Figure(figsize=(3.2 * n_columns, 3.3 * n_rows), layout="constrained")
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for ax, outcome in zip(axes, outcomes, strict=False):
        if outcome.fit.r2 is not None:
            title = f"{outcome.method}  {outcome.fit.scores['r2_mean']:.2f}"
            plotting.r2_heatmap(outcome.fit.r2, title=title, ax=ax)
    for ax in axes[len(outcomes) :]:
        ax.set_axis_off()
    return figure


def _report(configuration: Comparison, outcomes: Sequence[Outcome]) -> Report:
    first = outcomes[0]
    return Report(
        title=TITLES.get(configuration.experiment, f"Taking a {configuration.experiment} mixture apart"),
        facts={
            "data": ", ".join(f"{name} {value}" for name, value in configuration.data.items() if _is_plain(value)),
            "samples": first.n_samples,
            "scored on": f"{configuration.n_test_samples:,} others",
            "features": first.n_features,
            "components": first.n_components,
            "seed": first.seed,
        },
        fits=tuple(outcome.fit for outcome in outcomes),
        feature_names=first.feature_names,
        feature_scale=first.feature_scale,
    )
