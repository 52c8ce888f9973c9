"""Matrices as coloured cells: R² of true and found components, influences, signed values."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from identica.plotting.style import as_matrix, new_axis, short_names

__all__ = ["influence", "r2_heatmap", "signed_heatmap"]

_HEAT = LinearSegmentedColormap.from_list(
    "identica", ["#f3f6f9", "#c5d9ec", "#7fb0d8", "#3d7fc0", "#214f8c", "#132f5a"]
)
_MAX_WRITTEN_CELLS = 144
_CELL_SIZE = 9.5
"""Of the numbers in cells, in points, where these are wide enough."""
_CELL_WIDTHS = 2.0
"""Of a number of three characters and its margins, in units of its size."""


def r2_heatmap(
    matrix: ArrayLike,
    true_names: Sequence[str] | None = None,
    *,
    matched: bool = True,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how well each true component is explained by each estimated one.

    Parameters
    ----------
    matrix : array-like of shape (n_true, n_estimated)
        R² of each true component, regressed on each estimated one alone.
    true_names : sequence of str, optional
        Names of the true components; their numbers by default.
    matched : bool, default=True
        Reorder the estimated components so that the best one-to-one match stands on the diagonal. A perfect
        answer is then a dark diagonal on a pale ground.
    title : str, optional
        Written above the map.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If the matrix does not have two dimensions or is empty, or the number of names is not that of its rows.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.r2_heatmap([[0.1, 0.9], [0.8, 0.0]])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['1', '0']
    """
    values = as_matrix(matrix, "matrix", "true components by estimated ones")
    columns = _diagonal_order(values) if matched else np.arange(values.shape[1])
    names = [str(row) for row in range(len(values))] if true_names is None else list(true_names)
    if len(names) != len(values):
        raise ValueError(f"{len(names)} true_names for {len(values)} rows of R²: give one name for each true component")
    size = (1.1 + 0.08 * max(map(len, names)) + 0.42 * values.shape[1], 1.1 + 0.42 * values.shape[0])
    ax = new_axis(size) if ax is None else ax
    ordered = values[:, columns]
    _heat_map(ax, ordered, vmax=1.0, square=True)
    if ordered.size <= _MAX_WRITTEN_CELLS:
        _write_cells(ax, ordered, vmax=1.0)
    ax.set_xticks(np.arange(len(columns)), [str(column) for column in columns])
    ax.set_yticks(np.arange(len(values)), short_names(names), parse_math=False)
    ax.set_xlabel("estimated component")
    ax.set_ylabel("true component")
    if title is not None:
        ax.set_title(title, parse_math=False)
    return ax


def signed_heatmap(
    matrix: ArrayLike,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix of signed numbers with zero in the middle of the colours.

    Parameters
    ----------
    matrix : array-like of shape (n_rows, n_columns)
        What to draw.
    row_names, column_names : sequence of str
        Written beside and below.
    label : str, optional
        Of the colour bar.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If the matrix does not have two dimensions or is empty, or the names are not as many as its rows and columns.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.signed_heatmap([[-1.0, 2.0]], ["gene"], ["0", "1"])
    >>> ax.images[0].get_clim()
    (-2.0, 2.0)
    """
    values = as_matrix(matrix, "matrix", "rows by columns")
    if (len(row_names), len(column_names)) != values.shape:
        raise ValueError(
            f"{len(row_names)} row_names and {len(column_names)} column_names for a matrix of shape {values.shape}: "
            "give one name for each row and column"
        )
    n_rows, n_columns = values.shape
    ax = new_axis((1.8 + 0.35 * n_columns, 0.9 + 0.2 * n_rows)) if ax is None else ax
    limit = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    ax.set_yticks(range(n_rows), short_names(row_names), parse_math=False)
    ax.set_xticks(range(n_columns), short_names(column_names), rotation=90, parse_math=False)
    ax.set_xlabel("component")
    ax.tick_params(length=0)
    bar = ax.figure.colorbar(image, ax=ax)
    if label is not None:
        bar.set_label(label)
    return ax


def influence(
    matrix: ArrayLike,
    feature_names: Sequence[str] | None = None,
    *,
    max_features: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """Draw which components move which features.

    Each component in turn puts forward the feature that it moves most among those not yet shown; the features
    are then grouped by the component that moves them most. A component with features of its own shows as a
    step of a staircase.

    Parameters
    ----------
    matrix : array-like of shape (n_features, n_components)
        Mean absolute Jacobian, such as an estimator's `influence_`. Features with different units are
        compared fairly only after division by their standard deviations.
    feature_names : sequence of str, optional
        Names of all features; their numbers by default.
    max_features : int, default=30
        How many features to show at most.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axis drawn on.

    Raises
    ------
    ValueError
        If the matrix does not have two dimensions or is empty, or the number of names is not the number of
        its rows.

    Examples
    --------
    >>> from identica import plotting
    >>> ax = plotting.influence([[0.0, 2.0], [3.0, 0.0], [0.1, 0.1]], ["a", "b", "c"], max_features=2)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['b', 'a']
    """
    values = np.abs(as_matrix(matrix, "matrix", "features by components"))
    if feature_names is None:
        feature_names = [str(row) for row in range(len(values))]
    if len(feature_names) != len(values):
        raise ValueError(
            f"{len(feature_names)} feature_names for {len(values)} rows of influence: give one name a feature"
        )
    shown = _most_influenced(values, max_features)
    size = (1.9 + 0.36 * values.shape[1], 0.9 + 0.19 * len(shown))
    ax = new_axis(size) if ax is None else ax
    _heat_map(ax, values[shown], vmax=float(np.nanmax(values)) or 1.0, square=False)
    ax.set_xticks(np.arange(values.shape[1]), [str(column) for column in range(values.shape[1])])
    # A name may hold a dollar sign: it is text, never a formula.
    ax.set_yticks(np.arange(len(shown)), short_names([feature_names[row] for row in shown]), parse_math=False)
    ax.tick_params(axis="y", labelsize="small")
    ax.set_xlabel("component")
    return ax


def _diagonal_order(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order of the columns that puts the best one-to-one match on the diagonal, the unmatched last."""
    rows, columns = linear_sum_assignment(-np.nan_to_num(values))
    matched = columns[np.argsort(rows)]
    rest = np.setdiff1d(np.arange(values.shape[1]), matched)
    return np.concatenate([matched, rest]).astype(np.intp)


def _most_influenced(values: NDArray[np.float64], max_features: int) -> NDArray[np.intp]:
    """Rows that stand highest in some column, grouped by the component that moves them most."""
    strongest = values.max(axis=1)
    best_rank = (-values).argsort(axis=0, kind="stable").argsort(axis=0).min(axis=1)
    rows = np.lexsort((-strongest, best_rank))[:max_features]
    return rows[np.lexsort((-strongest[rows], values[rows].argmax(axis=1)))]


def _heat_map(ax: Axes, values: NDArray[np.float64], *, vmax: float, square: bool) -> None:
    """Draw cells with the first row on top, hairlines between them and no frame."""
    n_rows, n_columns = values.shape
    ax.pcolormesh(
        np.arange(n_columns + 1) - 0.5,
        np.arange(n_rows + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=_HEAT.with_extremes(bad="#cccccc"),
        vmin=0.0,
        vmax=vmax,
        edgecolors="white",
        linewidth=0.6,
    )
    ax.set_aspect("equal" if square else "auto")
    ax.invert_yaxis()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _write_cells(ax: Axes, values: NDArray[np.float64], *, vmax: float) -> None:
    width = ax.bbox.width * 72 / ax.figure.dpi / values.shape[1]
    size = min(_CELL_SIZE, width / _CELL_WIDTHS)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > 0.6 * vmax else "#101820"
            text = f"{max(value, 0.0):.2f}".removeprefix("0") if value < 0.995 else "1.0"
            ax.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
