"""The study of finite samples as a part of the page: read where ``identica reproduce finite-samples`` left it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from identica.experiments.benchmark.asked import Asked
from identica.experiments.finite_samples import SAMPLE_FAMILIES
from identica.experiments.paper.study import Rows, Study
from identica.experiments.sample_curves import SEPARATOR, sample_curves
from identica.experiments.sample_summary import curves_to_markdown

__all__ = ["FINITE", "METHOD"]

METHOD = "dica"
"""Which method's error the claim is about."""


def _whole(asked: Asked) -> Asked:
    """Add the families and the method that the claim is about, at the numbers of samples that were asked for."""
    sizes = dict.fromkeys(dataset.rpartition(SEPARATOR)[2] for dataset, _ in asked.fits)
    wanted = [(f"{family}{SEPARATOR}{size}", METHOD) for family in SAMPLE_FAMILIES for size in sizes]
    return replace(asked, fits={**dict.fromkeys(wanted), **asked.fits})


def _section(rows: Rows, folder: Path) -> str:
    text = curves_to_markdown(sample_curves(rows))
    picture = "finite-samples.svg"
    shown = f"\n\n![Error by number of samples]({folder.name}/{picture})" if (folder / picture).is_file() else ""
    return text + shown


FINITE = Study(
    "finite-samples",
    "Error by number of samples",
    _section,
    "identica reproduce finite-samples --output identica-paper/finite-samples",
    whole=_whole,
)
