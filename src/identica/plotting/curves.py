"""How the terms of the loss went over the steps."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
from matplotlib.axes import Axes

from identica.plotting.style import COLORS, PlainLogFormatter, new_axis, spare

__all__ = ["history", "history_terms"]

_MARKS_OF_TIME = frozenset({"start", "stage", "epoch", "step", "seconds"})
_LEGEND_LETTERS = 40
"""That two columns of a legend have room for."""
_LEGEND_ROW = 15
"""Height of a legend's row in points."""


def history(
    records: Iterable[Mapping[str, Any]],
    *,
    stage: str | None = None,
    terms: Sequence[str] | None = None,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the terms of a fit's loss against its optimisation steps.

    Parameters
    ----------
    records : iterable of mappings
        An estimator's `history_`: each record holds a stage, a step, and the terms as numbers or None.
    stage : str, optional
        Draw this stage alone; all stages by default.
    terms : sequence of str, optional
        Which terms to draw; every term that some record holds a number for by default.
    log : bool, default=False
        Whether the terms are drawn on a logarithmic scale.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If there is nothing to draw: no record of that stage, or none that holds one of the terms.

    Examples
    --------
    >>> from identica import plotting
    >>> records = [{"stage": "refine", "step": s, "loss": 1 / s, "volume": None} for s in (1, 2, 3)]
    >>> [line.get_label() for line in plotting.history(records).get_lines()]
    ['loss']
    """
    chosen = [record for record in records if stage is None or record.get("stage") == stage]
    held = history_terms(chosen)
    names = held if terms is None else [term for term in terms if term in held]
    if not names:
        of_stage = "" if stage is None else f" of stage {stage!r}"
        wanted = "any number" if terms is None else f"a number for one of {', '.join(terms)}"
        raise ValueError(f"no record{of_stage} holds {wanted}: pass the history_ of a fitted estimator")
    ax = new_axis((4.2, 2.6)) if ax is None else ax
    for name, color in zip(names, cycle(COLORS), strict=False):
        points = [(_position(r, i), r[name]) for i, r in enumerate(chosen) if _is_number(r.get(name))]
        steps, numbers = zip(*points, strict=True)
        marker = "." if len(points) == 1 else None
        ax.plot(steps, numbers, label=name.replace("_", " "), color=color, linewidth=1.5, marker=marker)
    if log:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(PlainLogFormatter())
        ax.yaxis.set_minor_formatter(PlainLogFormatter())
    ax.set_xlabel("step")
    # Above the axis, where no curve can be, and below the title.
    n_columns = 2 if len(names) > 1 and sum(sorted(map(len, names))[-2:]) <= _LEGEND_LETTERS else 1
    place: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0}
    ax.legend(**place, ncols=n_columns, frameon=False, handlelength=1.2, columnspacing=1)
    if stage is not None:
        n_rows = -(-len(names) // n_columns)
        ax.set_title(stage, parse_math=False, pad=8 + n_rows * _LEGEND_ROW)
    spare(ax)
    return ax


def history_terms(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the terms of a history that some record holds a finite number for.

    Parameters
    ----------
    records : iterable of mappings
        As in `history`.

    Returns
    -------
    list of str
        Names in order of appearance, without the marks of time: stage, epoch, step, seconds.

    Examples
    --------
    >>> from identica.plotting import history_terms
    >>> history_terms([{"step": 1, "loss": 0.5, "volume": None}])
    ['loss']
    """
    names = (name for record in records for name, value in record.items() if _is_number(value))
    return [name for name in dict.fromkeys(names) if name not in _MARKS_OF_TIME]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))


def _position(record: Mapping[str, Any], index: int) -> float:
    step = record.get("step")
    return float(step) if _is_number(step) else float(index)
