"""What was recovered against a signal that a user sees."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from identica.plotting.style import COLORS, new_axis, spare

__all__ = ["recovery_by_signal"]

_MARKERS = ("o", "s", "^")
"""Of points once the colours are used up."""


def recovery_by_signal(
    signal: ArrayLike,
    r2: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    threshold: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a point for each fit: a signal that a user sees to the right, what was recovered upwards.

    Parameters
    ----------
    signal : array-like of shape (n_fits,)
        Of each fit.
    r2 : array-like of shape (n_fits,)
        Mean R² of each fit.
    groups : sequence of str, optional
        What each fit belongs to, such as a family of data sets; each group has a colour and a mark.
    threshold : float, optional
        R² from which on components count as recovered; a line is drawn there.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If the three differ in length.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.recovery_by_signal([0.9, 0.99], [0.4, 0.98], groups=["isotropic", "linear"], threshold=0.9)
    >>> ax.get_ylabel()
    'mean R²'
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (signal, r2))
    names = [""] * len(x) if groups is None else list(groups)
    if x.shape != y.shape or x.ndim != 1 or len(names) != len(x):
        raise ValueError(
            f"signal has the shape {x.shape}, r2 {y.shape} and groups {len(names)} names: give one of each per fit"
        )
    ax = new_axis((4.2, 3.2)) if ax is None else ax
    own = np.array(names)
    for i, (group, color) in enumerate(zip(dict.fromkeys(names), cycle(COLORS), strict=False)):
        at = own == group
        marker = _MARKERS[i // len(COLORS) % len(_MARKERS)]
        ax.scatter(x[at], y[at], s=14, marker=marker, color=color, alpha=0.75, linewidths=0, label=group or None)
    if threshold is not None:
        ax.axhline(threshold, color="grey", linewidth=0.8, linestyle=":")
    ax.set_ylabel("mean R²")
    spare(ax)
    return ax
