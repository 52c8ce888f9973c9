"""Curves of error by number of samples, as tables in Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from identica import plotting
from identica.experiments.power_law import LEAST_SIZES
from identica.experiments.sample_curves import FALLEN, RATE, USEFUL, SampleCurve
from identica.experiments.tables import markdown_table

__all__ = ["curves_to_markdown", "draw_curves"]


def curves_to_markdown(curves: Sequence[SampleCurve]) -> str:
    """Write curves as tables in Markdown, with what their words mean.

    Parameters
    ----------
    curves : sequence of SampleCurve
        Such as :func:`sample_curves` returns.

    Returns
    -------
    str
        Medians by size, then rates.
    """
    sizes = sorted({size for curve in curves for size in curve.sizes})
    medians, rates = [], []
    for curve in curves:
        name = {"data": curve.family, "method": curve.method}
        at = dict(zip(curve.sizes, curve.median, strict=True))
        medians.append({**name, **{str(size): at.get(size) for size in sizes}, "failed": curve.n_failed})
        low, high = curve.interval or (None, None)
        rates.append(
            {
                **name,
                "seeds": curve.n_seeds,
                "falls from": curve.falls_from,
                "rate": None if curve.law is None else curve.law.rate,
                "5 %": low,
                "95 %": high,
                "beside 1/2": curve.beside_bound,
                "floor": None if curve.law is None else curve.law.floor,
                "of use from": curve.useful_from,
            }
        )
    n_failed = sum(curve.n_failed for curve in curves)
    failed = (f"{n_failed} fit(s) failed: results.csv says why, --rerun runs them again.",) if n_failed else ()
    return "\n\n".join(
        (
            *failed,
            "Median over seeds of 1 - R² on samples not fitted, by the number of samples fitted; a failed fit counts "
            "as worse than any:",
            markdown_table(medians, list(medians[0])),
            "The rate is that of floor + factor N^(-rate), fitted to the logarithms of the medians by least squares, "
            "from the last size at which they are within a tenth of the largest; none is given where fewer than "
            f"{LEAST_SIZES} sizes remain or the least median is more than {FALLEN:g} of that one. 5 % and 95 % are "
            "quantiles of the bootstrap over seeds. A bound of the order of N^(-1/2) is kept by a rate of 1/2 or more; "
            "the floor, what networks and training leave, is not in it. A method is of use from the least size from "
            f"which on its median R² is at least {USEFUL:g} and exceeds that of the linear method; where that was not "
            "run, none is told.",
            markdown_table(rates, list(rates[0])),
        )
    )


def draw_curves(curves: Sequence[SampleCurve]) -> Figure:
    """Draw each family's medians with their range, and a line of slope -1/2 beside them.

    Parameters
    ----------
    curves : sequence of SampleCurve
        Such as :func:`sample_curves` returns.

    Returns
    -------
    matplotlib.figure.Figure
        One axis per family, both of its scales logarithmic.
    """
    families = list(dict.fromkeys(curve.family for curve in curves))
    figure = Figure(figsize=(3.6 * len(families), 3.4), layout="constrained")
    axes = figure.subplots(1, len(families), squeeze=False)[0]
    shown: dict[str, Artist] = {}
    for ax, family in zip(axes, families, strict=True):
        points = {curve.method: curve.points() for curve in curves if curve.family == family}
        if any(points.values()):
            plotting.errors_by_size(points, slope=-RATE, title=family, ax=ax)
            handles, labels = ax.get_legend_handles_labels()
            shown = dict(zip(labels, handles, strict=True)) | shown
    if shown:
        figure.legend(shown.values(), shown, loc="outside lower center", ncols=len(shown), frameon=False)
    axes[0].set_ylabel("1 - R²")
    return figure
