"""Plots draw on the axis they are given, say what they show, and leave pyplot alone."""

import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from identica import plotting


def labels(axis_labels) -> list[str]:
    return [label.get_text() for label in axis_labels]


RECORDS = [
    {"stage": "reconstruct", "step": 10, "seconds": 0.1, "reconstruction": 0.5, "volume": None},
    {"stage": "reconstruct", "step": 20, "seconds": 0.2, "reconstruction": 0.25, "volume": None},
    {"stage": "refine", "step": 30, "seconds": 0.3, "reconstruction": 0.2, "volume": -1.0},
    {"stage": "refine", "step": 40, "seconds": 0.4, "reconstruction": 0.1, "volume": float("nan")},
]

DRAWINGS = {
    "r2_heatmap": lambda ax=None: plotting.r2_heatmap(np.eye(3), ax=ax),
    "history": lambda ax=None: plotting.history(RECORDS, ax=ax),
    "influence": lambda ax=None: plotting.influence(np.eye(4)[:, :2], ax=ax),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_the_given_axis(name):
    ax = Figure().subplots()
    assert DRAWINGS[name](ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("name", DRAWINGS)
def test_makes_a_figure_that_pyplot_does_not_know(name):
    from matplotlib import pyplot as plt

    ax = DRAWINGS[name]()
    assert isinstance(ax, Axes)
    assert plt.get_fignums() == []
    picture = io.BytesIO()
    ax.figure.savefig(picture, format="png")
    assert picture.getvalue().startswith(b"\x89PNG")


def test_heat_map_puts_the_match_on_the_diagonal():
    matrix = np.array([[0.1, 0.9, 0.2, 0.0], [0.0, 0.1, 0.3, 0.8], [0.7, 0.2, 0.1, 0.1]])
    ax = plotting.r2_heatmap(matrix)
    assert labels(ax.get_xticklabels()) == ["1", "3", "0", "2"]
    drawn = ax.collections[0].get_array()
    np.testing.assert_array_equal(np.diag(drawn), [0.9, 0.8, 0.7])
    assert labels(plotting.r2_heatmap(matrix, matched=False).get_xticklabels()) == ["0", "1", "2", "3"]


def test_heat_map_names_its_rows():
    ax = plotting.r2_heatmap(np.eye(2), ["position", "a$b"])
    ax.figure.draw_without_rendering()
    assert labels(ax.get_yticklabels()) == ["position", "a$b"]
    with pytest.raises(ValueError, match="1 true_names for 2 rows of R²: give one name for each true component"):
        plotting.r2_heatmap(np.eye(2), ["position"])


@pytest.mark.parametrize("n", [2, 5, 12])
def test_numbers_in_cells_are_large_and_do_not_touch(n):
    for ax in (None, Figure(figsize=(3.2, 3.3), layout="constrained").subplots()):
        drawn = plotting.r2_heatmap(np.full((n, n), 0.55), ["true one"] * n, ax=ax)
        drawn.figure.draw_without_rendering()
        width = np.ptp(drawn.transData.transform([(0, 0), (1, 0)])[:, 0])
        assert all(text.get_window_extent().width < 0.98 * width for text in drawn.texts)
        assert ax is not None or drawn.texts[0].get_fontsize() >= 9


def test_heat_map_writes_its_numbers_while_they_can_be_read():
    assert labels(plotting.r2_heatmap([[0.123, -2.0], [np.nan, 1.0]], matched=False).texts) == [
        ".12",
        ".00",
        "1.0",
    ]
    assert labels(plotting.r2_heatmap(np.eye(20)).texts) == []


def test_history_draws_the_numbers_of_one_stage_and_skips_what_is_missing():
    (reconstruction, volume) = plotting.history(RECORDS, stage="refine").get_lines()
    np.testing.assert_array_equal(reconstruction.get_xydata(), [[30, 0.2], [40, 0.1]])
    np.testing.assert_array_equal(volume.get_xydata(), [[30, -1.0]])


def test_history_draws_the_terms_asked_for_on_the_scale_asked_for():
    ax = plotting.history(RECORDS, terms=["reconstruction"], log=True)
    assert labels(ax.get_legend().get_texts()) == ["reconstruction"]
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize("n_terms", [1, 2, 5])
def test_nothing_lies_over_the_curves_of_a_history(n_terms):
    names = ["reconstruction", "validation reconstruction", *"abc"][:n_terms]
    records = [{"stage": "refine", "step": s, **dict.fromkeys(names, 1 / s)} for s in (1, 2, 3)]
    ax = plotting.history(records, stage="refine", log=True)
    ax.figure.draw_without_rendering()
    legend, title = ax.get_legend().get_window_extent(), ax.title.get_window_extent()
    assert legend.y0 >= ax.bbox.y1 - 1
    assert title.y0 >= legend.y1 - 1
    assert title.y1 <= ax.figure.bbox.y1
    assert legend.x1 <= ax.figure.bbox.x1
    # Powers of ten are written out.
    written = [label for label in labels(ax.get_yticklabels(which="both")) if label]
    assert "0.4" in written
    assert all("$" not in label for label in written)


def test_history_of_nothing_says_what_to_pass():
    with pytest.raises(ValueError, match="no record of stage 'align' holds any number: pass the history_"):
        plotting.history(RECORDS, stage="align")
    with pytest.raises(ValueError, match="no record holds a number for one of volum"):
        plotting.history(RECORDS, terms=["volum"])


def test_influence_shows_the_strongest_features_grouped_by_component():
    matrix = np.array([[0.0, 5.0], [4.0, 0.0], [0.1, 0.1], [-6.0, 1.0]])
    ax = plotting.influence(matrix, ["a", "b", "c", "d"], max_features=3)
    assert labels(ax.get_yticklabels()) == ["d", "b", "a"]
    np.testing.assert_array_equal(ax.collections[0].get_array(), [[6, 1], [4, 0], [0, 5]])


def test_influence_gives_a_weak_component_its_place():
    matrix = np.array([[9.0, 0.0], [8.0, 0.0], [7.0, 0.0], [0.0, 0.1]])
    assert labels(plotting.influence(matrix, max_features=2).get_yticklabels()) == ["0", "3"]


def test_a_feature_name_is_never_read_as_a_formula():
    ax = plotting.influence([[1.0]], [r"$\badmacro$"])
    ax.figure.draw_without_rendering()
    assert labels(ax.get_yticklabels()) == [r"$\badmacro$"]


def test_influence_without_any_influence_can_be_drawn():
    plotting.influence(np.zeros((3, 2))).figure.draw_without_rendering()


@pytest.mark.parametrize("draw", [plotting.r2_heatmap, plotting.influence])
@pytest.mark.parametrize("shape", [(3,), (0, 2), (2, 2, 2)])
def test_wrong_shapes_are_told(draw, shape):
    with pytest.raises(ValueError, match=r"matrix has shape .* give two non-empty dimensions"):
        draw(np.zeros(shape))


def test_influence_wants_one_name_a_feature():
    with pytest.raises(ValueError, match="1 feature_names for 2 rows of influence: give one name a feature"):
        plotting.influence(np.eye(2), ["only"])


def test_long_names_leave_room_for_what_they_name():
    names = [f"How often in the last twelve months did you {n}" * 2 for n in range(3)]
    ax = plotting.influence(np.eye(3), names)
    ax.figure.canvas.draw()
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown == [f"{name[:39]}…" for name in names]
    assert ax.bbox.width > 50


def test_every_method_stands_at_its_rank_and_a_bar_spans_each_group():
    ranks = {"dica": 1.25, "pca": 2.0, "a $name$ that is much longer than there is room for it": 2.75}
    ax = plotting.critical_differences(ranks, 1.5, [("dica", "pca")])
    texts = [text.get_text() for text in ax.texts]
    assert texts[:4] == ["1", "2", "3", "CD = 1.50"]
    assert sorted(texts[4:]) == ["a $name$ that is much longer than there… 2.75", "dica 1.25", "pca 2.00"]
    starts = [line.get_xdata()[0] for line in ax.lines]
    assert set(ranks.values()) <= set(starts)
    (bar,) = [line for line in ax.lines if line.get_linewidth() == 4]
    assert bar.get_xdata() == pytest.approx([1.25, 2.0], abs=0.05)
    # All text is inside the figure.
    ax.figure.draw_without_rendering()
    box = ax.figure.bbox
    for text in ax.texts:
        extent = text.get_window_extent()
        assert box.x0 <= extent.x0 < extent.x1 <= box.x1
        assert box.y0 <= extent.y0 < extent.y1 <= box.y1


def test_ranks_that_do_not_fit_their_groups_are_refused():
    with pytest.raises(ValueError, match="no rank is given for any method: give one for each method"):
        plotting.critical_differences({})
    with pytest.raises(ValueError, match="no rank is given for pca"):
        plotting.critical_differences({"dica": 1.0}, 1.0, [("dica", "pca")])
