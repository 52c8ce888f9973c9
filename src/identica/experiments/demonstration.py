"""The demo: a mixture that no linear method takes apart, every method on it, the results on one page."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from identica import plotting
from identica.experiments.comparison import Comparison, comparison
from identica.experiments.runner import Outcome, run
from identica.experiments.tables import text_table
from identica.io.files import atomic_write, prepare_output_dir
from identica.io.writing import write_records
from identica.report import Report, write_report

__all__ = ["demo"]

_SHOWN = ("method", "r2_mean", "mcc_pearson", "mcc_spearman", "seconds")


def demo(
    output: str | os.PathLike[str],
    *,
    seed: int = 0,
    methods: Iterable[str] | None = None,
    verbose: int = 1,
) -> list[dict[str, Any]]:
    """Compare all methods on a mixture of dependent components and write the results down.

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
    configuration = comparison("perturbed", methods=methods, seeds=[seed], verbose=verbose)
    folder = prepare_output_dir(output)
    outcomes = run(configuration, on_outcome=_announce if verbose else None)
    write_results(folder, configuration, outcomes)
    rows = [outcome.row for outcome in outcomes]
    if verbose:
        print(text_table(rows, _SHOWN))
        print(f"\nSee {folder / 'report.html'}")
    return rows


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
    last = [outcome for outcome in outcomes if outcome.seed == configuration.seeds[-1]]
    with atomic_write(folder / "r2_heatmaps.png") as file:
        _heat_maps(last).savefig(file, format="png", dpi=150)
    write_report(folder / "report.html", _report(configuration, last))


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
        title=f"Taking a {configuration.experiment} mixture apart",
        facts={
            "data": f"simulated, {configuration.mixture['latents']} components",
            "samples": first.n_samples,
            "scored on": f"{configuration.n_test_samples:,} others",
            "features": first.n_features,
            "components": first.n_components,
            "seed": first.seed,
        },
        fits=tuple(outcome.fit for outcome in outcomes),
        feature_scale=first.feature_scale,
    )
