"""Average ranks of methods, and which of them a test does not tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from identica.plotting.style import COLORS, new_axis, short_names

__all__ = ["critical_differences"]

_LINE, _LETTER, _ROW = 4.2, 0.085, 0.2
"""In inches: length of the line of ranks, width of a letter, height of a line of text."""
_STEP_OF_BARS = 0.5
"""Height between bars, in lines of text."""


def critical_differences(
    ranks: Mapping[str, float],
    difference: float | None = None,
    groups: Sequence[Sequence[str]] = (),
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw average ranks on a line, the best to the left, and a bar over methods that do not differ.

    Parameters
    ----------
    ranks : mapping of str to float
        Average ranks by method.
    difference : float, optional
        Critical difference, drawn to scale above the line.
    groups : sequence of sequence of str, default=()
        Methods that do not differ.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If there is no method, or a group names one that has no rank.

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, section 3.2.4.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.critical_differences({"dica": 1.2, "pca": 2.1, "noise": 2.7}, 1.0, [("dica", "pca")])
    >>> [text.get_text() for text in ax.texts]
    ['1', '2', '3', 'CD = 1.00', 'dica 1.20', 'pca 2.10', 'noise 2.70']
    """
    unknown = [name for group in groups for name in group if name not in ranks]
    if not ranks or unknown:
        raise ValueError(f"no rank is given for {', '.join(unknown) or 'any method'}: give one for each method")
    right = max(len(ranks), 2)
    labels = dict(zip(ranks, short_names(list(ranks)), strict=True))
    # In units of rank: how much an inch is, and how much room a name needs beside the line.
    inch = (right - 1) / _LINE
    room = inch * (_LETTER * (max(map(len, labels.values())) + len(" 0.00")) + 0.4)
    bars = _STEP_OF_BARS * len(groups)
    n_left = -(-len(ranks) // 2)
    bottom, top = -(bars + n_left + 0.8), 2.0 if difference is None else 4.0
    ax = new_axis((_LINE + 2 * room / inch, _ROW * (top - bottom))) if ax is None else ax
    ax.set_xlim(1 - room, max(right + room, 1 + (difference or 0) + 0.1 * inch))
    ax.set_ylim(bottom, top)
    ax.set_axis_off()
    line: Any = {"color": mpl.rcParams["axes.edgecolor"], "linewidth": 1.0}
    ax.plot([1, right], [0, 0], **line)
    for tick in range(1, right + 1):
        ax.plot([tick, tick], [0, 0.3], **line)
        ax.text(tick, 0.5, str(tick), ha="center", va="bottom")
    if difference is not None:
        ax.plot([1, 1 + difference], [2.2, 2.2], **line, marker="|")
        ax.text(1, 2.5, f"CD = {difference:.2f}", ha="left", va="bottom")
    for i, group in enumerate(groups):
        first, last = min(ranks[name] for name in group), max(ranks[name] for name in group)
        # A little longer, so that a bar over methods that are tied is seen.
        ends = [first - 0.06 * inch, last + 0.06 * inch]
        ax.plot(ends, [-_STEP_OF_BARS * (i + 1)] * 2, color=COLORS[0], linewidth=4)
    # The ends of the ranking stand nearest to the line on both sides, so that no line crosses another.
    ordered = sorted(ranks, key=lambda name: ranks[name])
    for sign, end, names in ((-1, 1, ordered[:n_left]), (1, right, ordered[: n_left - 1 : -1])):
        for i, name in enumerate(names):
            height, corner = -(bars + 0.8 + i), end + sign * 0.25 * inch
            ax.plot([ranks[name], ranks[name], corner], [0, height, height], **line)
            label = f"{labels[name]} {ranks[name]:.2f}"
            side = "left" if sign > 0 else "right"
            ax.text(corner + sign * 0.08 * inch, height, label, ha=side, va="center", parse_math=False)
    return ax
