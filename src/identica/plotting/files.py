"""A figure as a file."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from identica.io import atomic_write

__all__ = ["write_svg"]


def write_svg(path: str | os.PathLike[str], figure: Figure) -> None:
    """Write a figure as SVG, whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    path : str or path
        Where.
    figure : Figure
        What to write.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    # Without a salt ids are drawn at random.
    with mpl.rc_context({"svg.hashsalt": Path(path).name}), atomic_write(path) as file:
        figure.savefig(file, format="svg", metadata={"Date": None})
