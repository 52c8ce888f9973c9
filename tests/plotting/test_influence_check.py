"""Pictures of the diverse-influence condition: what is drawn at which coordinates."""

import io
import math
from types import SimpleNamespace

import numpy as np
import pytest
from influence_cases import k_sign, on_sphere, signed_permutations, small_instance
from matplotlib.figure import Figure

from identica import plotting
from identica.plotting.bodies import corners, cross, faces, is_outside, polar_vertices
from identica.trust.sdi import check_sdi, summarise_sdi

SKEWED = on_sphere(np.random.default_rng(0), 6, 2) * [1.0, 5.0]
"""Two components; part 1 fails by a vertex of the polar."""
SIGNED = {d: k_sign(d, 1) for d in (2, 3, 5)}
"""Both parts hold."""

DRAWABLE = [i for i in range(60) if (given := small_instance(i)) is not None and given.shape[1] > 1]


def line(ax, name):
    """The points of the line or marks of a name in the key."""
    (found,) = [each for each in ax.get_lines() if each.get_label() == name]
    points = found.get_data_3d() if hasattr(found, "get_data_3d") else found.get_data()
    points = np.array(points, dtype=float).T
    return points[np.isfinite(points).all(axis=1)]


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def distinct(points):
    return {tuple(point) for point in np.round(points, 6) + 0.0}


def svg(figure):
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


@pytest.mark.parametrize("d", [2, 3])
def test_signed_unit_vectors_span_the_ball_around_the_sphere(d):
    jacobian = SIGNED[d] * np.arange(1, d + 1)
    ax = plotting.row_hull(jacobian, check_sdi(jacobian))
    for name in ("L1 ball", "hull of the rows", "rows", "active rows"):
        assert distinct(line(ax, name)) == distinct(cross(d))
    np.testing.assert_allclose(np.linalg.norm(line(ax, "ellipsoid"), axis=1), 1 / math.sqrt(d))
    assert "outside the hull" not in names(ax)


@pytest.mark.parametrize("d", [2, 3])
def test_their_polar_is_the_box_in_the_sphere(d):
    ax = plotting.polar_hull(SIGNED[d], check_sdi(SIGNED[d]))
    assert names(ax) == ["box", "polar of the hull", "sphere"]
    assert distinct(line(ax, "box")) == distinct(line(ax, "polar of the hull")) == distinct(corners(d))
    np.testing.assert_allclose(np.linalg.norm(line(ax, "sphere"), axis=1), math.sqrt(d))


@pytest.mark.parametrize("jacobian", [SKEWED, k_sign(3, 2)])
def test_the_point_by_which_part_1_fails_is_out_of_the_sphere(jacobian):
    d = jacobian.shape[1]
    check = check_sdi(jacobian)
    assert check.certificate.kind == "point"
    polar = plotting.polar_hull(jacobian, check)
    (point,) = line(polar, "part 1 fails here")
    np.testing.assert_allclose(point, check.certificate.point)
    assert np.linalg.norm(point) * check.gamma[1] == pytest.approx(math.sqrt(d))
    assert np.linalg.norm(point) > 1.1 * math.sqrt(d)
    assert tuple(np.round(point, 6)) in distinct(line(polar, "polar of the hull"))
    # On the other side, the sphere leaves the hull in that direction, to the surface of the sphere.
    rows = plotting.row_hull(jacobian, check)
    (out,) = line(rows, "outside the hull")
    np.testing.assert_allclose(out, point / np.linalg.norm(point) / math.sqrt(d))
    assert (jacobian * check.weights @ point).max() < out @ point


def test_what_of_the_circle_is_outside_is_drawn_again():
    check = check_sdi(SKEWED)
    ax = plotting.row_hull(SKEWED, check)
    (strong,) = [each for each in ax.get_lines() if each.get_linewidth() == 4]
    drawn = np.isfinite(strong.get_xdata())
    circle = line(ax, "ellipsoid")
    np.testing.assert_array_equal(drawn, is_outside(circle, SKEWED * check.weights, 1e-4))
    assert 0 < drawn.sum() < len(drawn)
    whole = plotting.row_hull(SIGNED[2], check_sdi(SIGNED[2]))
    assert all(each.get_linewidth() < 4 for each in whole.get_lines())


def test_what_of_the_sphere_is_outside_is_drawn_as_patches():
    few, none = (plotting.row_hull(jacobian, check_sdi(jacobian)) for jacobian in (k_sign(3, 2), SIGNED[3]))
    assert (len(few.collections), len(none.collections)) == (2, 1)


def test_a_hull_without_the_origin_has_a_polar_without_end():
    check = check_sdi(np.eye(2))
    ax = plotting.polar_hull(np.eye(2), check)
    reach = 2.2 * math.sqrt(2)
    assert distinct(line(ax, "polar, cut off")) == distinct([[1, 1], [1, -reach], [-reach, 1], [-reach, -reach]])
    way = line(ax, "part 1 fails this way")
    np.testing.assert_allclose(np.abs(way).max(axis=1), [0, reach])
    np.testing.assert_allclose(way[1] / reach, check.certificate.point / np.abs(check.certificate.point).max())
    # The hull is a segment, and all of the circle is outside.
    rows = plotting.row_hull(np.eye(2), check)
    assert distinct(line(rows, "hull of the rows")) == {(1, 0), (0, 1)}
    (strong,) = [each for each in rows.get_lines() if each.get_linewidth() == 4]
    assert np.isfinite(strong.get_xdata()).all()


def test_a_long_violation_is_a_direction_and_a_short_one_a_point():
    long = np.concatenate([np.eye(2), [[-1.0, 0.0], [0.0, -0.1]]])
    ax = plotting.polar_hull(long, check_sdi(long))
    assert names(ax)[1::2] == ["polar, cut off", "part 1 fails this way"]


def test_rows_of_either_sign_have_their_negatives_beside_them():
    check = check_sdi(np.eye(3), symmetric=True)
    ax = plotting.row_hull(np.eye(3), check)
    assert distinct(line(ax, "rows")) == distinct(np.eye(3))
    assert distinct(line(ax, "their negatives")) == distinct(-np.eye(3))
    assert distinct(line(ax, "hull of the rows")) == distinct(cross(3))
    assert distinct(line(plotting.polar_hull(np.eye(3), check), "polar of the hull")) == distinct(corners(3))


def test_where_part_2_fails_the_point_that_touches_is_marked():
    # The largest entry is so small that the polar reaches the sphere on the axes, too.
    largest = 1 / math.sqrt(3)
    jacobian = signed_permutations((largest, 0.25, 0.75 - largest))
    check = check_sdi(jacobian)
    assert (check.condition_1, check.condition_2) == ("holds", "fails")
    ax = plotting.polar_hull(jacobian, check)
    ((x, y, z),) = np.abs(line(ax, "part 2 fails here"))
    assert sorted((x, y, z)) == pytest.approx([0, 0, math.sqrt(3)], abs=1e-6)
    assert "part 1 fails here" not in names(ax)


def test_only_active_rows_have_large_marks_and_of_many_rows_the_outermost_are_drawn():
    rows = np.concatenate([SIGNED[2], 0.5 * on_sphere(np.random.default_rng(1), 600, 2), np.zeros((1, 2))])
    ax = plotting.row_hull(rows, check_sdi(rows))
    assert distinct(line(ax, "active rows")) == distinct(cross(2))
    assert len(line(ax, "400 outermost of 605 rows")) == 400


@pytest.mark.parametrize(
    ("points", "sizes"),
    [
        (cross(3), [3] * 8),
        (corners(3), [4] * 6),
        (polar_vertices(k_sign(3, 2), 9.0)[0], [4] * 12),
        (np.eye(3), [3]),
        (np.eye(3)[:2], [2]),
        (np.eye(3)[:1], [1]),
        (np.ones((3, 2)), [1]),
        (np.concatenate([corners(2), np.zeros((1, 2))]), [4]),
    ],
)
def test_faces_of_bodies_that_are_known(points, sizes):
    found = faces(points)
    assert [len(face) for face in found] == sizes
    edges = [np.linalg.norm(face - np.roll(face, 1, axis=0), axis=1) for face in found if len(face) > 1]
    # In order around the face, edges of these bodies are all alike.
    assert np.ptp(np.concatenate([[0.0], *edges])[1:] if edges else [0.0]) < 1e-9


@pytest.mark.parametrize("number", DRAWABLE)
def test_whatever_can_be_checked_can_be_drawn(number):
    jacobian = small_instance(number)
    for symmetric in (False, True):
        check = check_sdi(jacobian, symmetric=symmetric)
        if jacobian.shape[1] > 3:
            plotting.row_pairs(jacobian, check)
            continue
        rows = plotting.row_hull(jacobian, check)
        polar = plotting.polar_hull(jacobian, check)
        # What is drawn of the polar is in it, and reaches its longest point or is cut off.
        scaled = jacobian * check.weights
        vertices = line(polar, names(polar)[1])
        assert (vertices @ (np.concatenate([scaled, -scaled]) if symmetric else scaled).T).max() <= 1 + 1e-6
        if "polar of the hull" in names(polar):
            longest = np.linalg.norm(vertices, axis=1).max()
            assert longest == pytest.approx(np.linalg.norm(check.certificate.point), rel=1e-6)
        assert ("outside the hull" in names(rows)) == (check.condition_1 == "fails")


def test_margins_stand_in_order_with_a_mark_for_each_answer():
    def check(low, high, first, second):
        return SimpleNamespace(gamma=(low, high), condition_1=first, condition_2=second)

    points = [
        SimpleNamespace(index=4, plain=check(0.2, 0.9, "fails", "fails"), symmetric=check(1, 1, "holds", "holds")),
        SimpleNamespace(index=7, plain=check(0.1, 0.3, "fails", "fails"), symmetric=check(1, 1, "holds", "fails")),
        SimpleNamespace(
            index=9, plain=check(1, 1, "holds", "holds"), symmetric=check(0.9, 1, "undecided", "undecided")
        ),
    ]
    ax = plotting.margins(SimpleNamespace(points=points, n_left_out=3), marked=9)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["7", "4", "9"]
    assert names(ax) == ["rows as they are", "rows of either sign", "holds", "fails", "undecided"]
    plain, symmetric = ax.collections[:2]
    assert [tuple(each[:, 1]) for each in plain.get_segments()] == [(0.1, 0.3), (0.2, 0.9), (1, 1)]
    assert [tuple(each[:, 1]) for each in symmetric.get_segments()] == [(1, 1), (1, 1), (0.9, 1)]
    marks = [
        (each.get_marker(), np.round(each.get_xdata(), 2).tolist()) for each in ax.get_lines() if len(each.get_xdata())
    ]
    assert marks[:5] == [("o", [1.84]), ("x", [-0.16, 0.84]), ("o", [1.16]), ("x", [0.16]), ("s", [2.16])]
    assert ax.get_xlabel() == "point, in order of the margin; 3 more not reached in time"
    (band,) = ax.patches
    assert band.get_x() == pytest.approx(1.55)
    ordered = plotting.margins(SimpleNamespace(points=points[::-1], n_left_out=0), order="point")
    assert [tick.get_text() for tick in ordered.get_xticklabels()] == ["4", "7", "9"]
    assert ordered.get_xlabel() == "point"


def test_pairs_show_the_scaled_rows_of_two_components():
    jacobian = on_sphere(np.random.default_rng(2), 100, 5) * np.arange(1, 6)
    check = check_sdi(jacobian)
    (ax,) = plotting.row_pairs(jacobian, check, pairs=[(3, 1)])
    scaled = (jacobian * check.weights)[:, [3, 1]]
    assert distinct(line(ax, "rows")) == distinct(scaled)
    assert distinct(line(ax, "L1 ball")) == distinct(cross(2))
    np.testing.assert_allclose(np.linalg.norm(line(ax, "ellipsoid"), axis=1), 1 / math.sqrt(5))
    assert distinct(line(ax, "hull of the rows")) <= distinct(scaled)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("component 3", "component 1")
    assert ax.get_xlim()[1] == pytest.approx(min(1.1, 1.15 * np.abs(scaled).max()))
    # The circle sticks out of a projection only where part 1 fails.
    assert check.condition_1 == "fails"
    held = plotting.row_pairs(SIGNED[5], check_sdi(SIGNED[5]))
    assert all(each.get_linewidth() < 4 for one in held for each in one.get_lines())


def test_pairs_say_of_how_many_they_are():
    check = check_sdi(SIGNED[5])
    axes = plotting.row_pairs(SIGNED[5], check)
    assert axes[0].figure.get_suptitle() == "6 of 10 pairs of components"
    assert [ax.get_xlabel()[-1] + ax.get_ylabel()[-1] for ax in axes] == ["01", "02", "03", "04", "12", "13"]
    given = Figure().subplots(1, 2)
    assert plotting.row_pairs(SIGNED[5], check, axes=given) == tuple(given)
    assert given[0].figure.get_suptitle() == ""
    assert plotting.row_pairs(SIGNED[3], check_sdi(SIGNED[3]))[0].figure.get_suptitle() == ""


@pytest.mark.parametrize(("d", "titles"), [(1, []), (2, ["rows of point 1", "their polar"]), (4, None)])
def test_one_figure_shows_the_margins_and_the_point_in_their_middle(d, titles):
    signed = k_sign(d, 1)
    jacobians = np.stack([signed, 2 * signed, 3 * signed])
    if d == 4:  # fails as it is, holds with negatives
        jacobians = np.stack([np.eye(4)] * 3)
    figure = plotting.diverse_influence(summarise_sdi(jacobians), jacobians)
    strip, *others = figure.axes
    assert strip.get_ylabel() == "margin"
    shown = [ax.get_title(loc="left") for ax in others]
    assert shown == (["rows of either sign of point 1", *[""] * 5] if titles is None else titles)
    pictures = plotting.diverse_influence_pictures(summarise_sdi(jacobians), jacobians)
    assert len(pictures) == {1: 1, 2: 3, 4: 2}[d]
    assert all(isinstance(draw().figure, Figure) for _, draw in pictures)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_a_figure_is_the_same_each_time_it_is_made(d):
    import matplotlib as mpl

    generator = np.random.default_rng(d)
    jacobians = np.stack([on_sphere(generator, 20, d) for _ in range(3)])
    with mpl.rc_context({"svg.hashsalt": "identica"}):
        first, second = (svg(plotting.diverse_influence(summarise_sdi(jacobians), jacobians)) for _ in range(2))
    assert first == second


def test_draws_on_the_given_axis_and_leaves_pyplot_alone():
    from matplotlib import pyplot as plt

    check = check_sdi(SIGNED[3])
    for draw in (plotting.row_hull, plotting.polar_hull):
        ax = Figure().add_subplot(projection="3d")
        assert draw(SIGNED[3], check, ax=ax) is ax
    ax = Figure().add_subplot()
    assert plotting.margins(summarise_sdi(SIGNED[3]), ax=ax) is ax
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", [plotting.row_hull, plotting.polar_hull])
def test_what_has_no_picture_is_refused(draw):
    two, three, five = (check_sdi(SIGNED[d]) for d in (2, 3, 5))
    with pytest.raises(
        ValueError, match="5 components have no picture of the whole space, which 2 and 3 have: draw pairs"
    ):
        draw(SIGNED[5], five)
    with pytest.raises(ValueError, match="1 components have no picture"):
        draw([[1.0], [-1.0]], check_sdi([[1.0], [-1.0]]))
    with pytest.raises(ValueError, match="jacobian has 3 columns and the check 2 weights: give the Jacobian that was"):
        draw(SIGNED[3], two)
    with pytest.raises(ValueError, match=r"weighted as in the check, is 2 and should be 1: give the Jacobian that was"):
        draw(2 * SIGNED[2], two)
    with pytest.raises(ValueError, match=r"jacobian has shape \(2,\): give two non-empty dimensions"):
        draw([1.0, 2.0], two)
    with pytest.raises(ValueError, match="jacobian has a value that is not finite"):
        draw([[np.nan, 1.0]], two)
    with pytest.raises(
        ValueError, match=r"ax is not an axis of three dimensions, for 3 components: give figure.add_sub"
    ):
        draw(SIGNED[3], three, ax=Figure().subplots())
    with pytest.raises(ValueError, match=r"ax is an axis of three dimensions, for 2 components"):
        draw(SIGNED[2], two, ax=Figure().add_subplot(projection="3d"))


def test_other_bad_input_is_refused():
    summary = summarise_sdi(SIGNED[3])
    with pytest.raises(ValueError, match="order='size' is unknown: give one of margin, point"):
        plotting.margins(summary, order="size")
    with pytest.raises(ValueError, match="marked=5 is no point of the summary: give one of 0"):
        plotting.margins(summary, marked=5)
    with pytest.raises(ValueError, match="summary holds no point"):
        plotting.margins(SimpleNamespace(points=(), n_left_out=1))
    check = check_sdi(SIGNED[3])
    for pair in ((0, 0), (0, 3), (-1, 0), (0, 1, 2)):
        with pytest.raises(ValueError, match=r"is no pair of two of 3 components: give numbers from 0 to 2"):
            plotting.row_pairs(SIGNED[3], check, pairs=[pair])
    with pytest.raises(ValueError, match="there are 2 axes and 1 pairs: give one axis for each pair"):
        plotting.row_pairs(SIGNED[3], check, pairs=[(0, 1)], axes=Figure().subplots(1, 2))
    with pytest.raises(ValueError, match="there are 0 axes and 0 pairs"):
        plotting.row_pairs(SIGNED[3], check, pairs=[])
    with pytest.raises(ValueError, match="jacobian has one column, which makes no pair"):
        plotting.row_pairs([[1.0], [-1.0]], check_sdi([[1.0], [-1.0]]))
    with pytest.raises(ValueError, match=r"jacobians has shape \(3,\) and the summary 1 points: give the Jacobians"):
        plotting.diverse_influence(summary, np.ones(3))
