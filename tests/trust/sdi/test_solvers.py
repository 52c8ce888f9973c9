"""What the search, the bounds and the solvers each contribute, one at a time."""

import math

import numpy as np
import pytest
from influence_cases import k_sign, rotated_box, small_instance, two_sparse
from reference import polar_is_bounded, polar_vertices

from identica.trust.sdi import check, check_sdi, summarise_sdi
from identica.trust.sdi.clock import Clock
from identica.trust.sdi.polytope import coordinate_bounds
from identica.trust.sdi.rows import ScaledRows
from identica.trust.sdi.search import FAR, Longest

PATIENT = 600.0


@pytest.fixture(params=["highs", "scip"])
def solver(request):
    if request.param == "scip":
        pytest.importorskip("pyscipopt")
    return request.param


@pytest.fixture
def blind(monkeypatch):
    """Let the search find nothing, so that the solver alone decides."""
    monkeypatch.setattr(check, "search", lambda *_: None)


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize(
    ("d", "k", "first", "second"),
    [(3, 1, "holds", "holds"), (4, 2, "holds", "fails"), (5, 2, "holds", "holds"), (5, 3, "fails", "fails")],
)
def test_a_solver_decides_without_the_search(solver, d, k, first, second):
    found = check_sdi(k_sign(d, k), solver=solver, time_limit=PATIENT)
    assert (found.condition_1, found.condition_2) == (first, second)
    assert found.corner_size == (FAR if first == "holds" else None)


@pytest.mark.usefixtures("blind")
def test_the_margin_has_the_tolerance_where_a_solver_has_proven_it(solver):
    # The polar is the box but for two faces that are farther out by half of the tolerance.
    rows = np.array([[1.0, 0.0], [-1 + 5e-5, 0.0], [0.0, 1.0], [0.0, -1 + 5e-5]])
    found = check_sdi(rows, solver=solver, time_limit=PATIENT)
    assert found.condition_1 == "holds"
    assert 1 + 5e-5 <= found.certificate.bound <= 1 + found.tol
    low, high = found.gamma
    assert low <= 1 - 5e-5 <= high


@pytest.mark.parametrize("symmetric", [False, True])
def test_bounds_of_coordinates_hold_all_vertices(symmetric):
    checked = 0
    for number in range(60):
        jacobian = small_instance(number)
        if jacobian is None:
            continue
        rows = ScaledRows.of(jacobian, symmetric).distinct
        if not polar_is_bounded(rows):
            continue
        points = polar_vertices(rows)
        low, high = coordinate_bounds(rows, symmetric=symmetric, clock=Clock(PATIENT))
        assert (low <= points.min(axis=0)).all(), number
        assert (points.max(axis=0) <= high).all(), number
        assert low == pytest.approx(points.min(axis=0), rel=1e-5), number
        assert high == pytest.approx(points.max(axis=0), rel=1e-5), number
        checked += 1
    assert checked > 15


def test_rows_that_nearly_agree_stay_apart():
    # The shorter of two nearly equal rows comes first; without the longer one the polar is too large for the tolerance.
    rows = np.array([[1 - 4e-6, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert len(ScaledRows.of(rows, symmetric=False).distinct) == 5
    assert check_sdi(rows, tol=1e-6).condition_1 == "holds"


def test_vertices_count_nearer_to_a_corner_than_other_points():
    longest = Longest(2, 0.01)
    near, far = np.array([[0.95, 1.04]]), np.array([[0.5, 1.3]])
    longest.take(near)
    assert longest.outside is None
    longest.take(near, vertices=True)
    assert longest.ratio_outside == pytest.approx(np.linalg.norm(near) / math.sqrt(2))
    assert longest.ratio_of_vertices(FAR) == 0
    assert longest.ratio_of_vertices(0.01) == longest.ratio_outside
    longest.take(far, vertices=True)
    assert longest.ratio_of_vertices(FAR) == pytest.approx(np.linalg.norm(far) / math.sqrt(2))
    longest.take(np.array([[0.995, 1.0]]), vertices=True)
    assert longest.ratio_of_vertices(0.01) == pytest.approx(longest.ratio_outside)


def test_each_hull_of_a_point_has_its_share_of_the_time(monkeypatch):
    from identica.trust.sdi import summary

    limits = []

    def noted(jacobian, *, time_limit, **arguments):
        limits.append(time_limit)
        return check_sdi(jacobian, time_limit=time_limit, **arguments)

    monkeypatch.setattr(summary, "check_sdi", noted)
    summarise_sdi([k_sign(3, 1)] * 4, time_limit=100.0)
    first, second = limits[:2]
    assert 0.4 * 25 < first <= 25 / 2
    assert 0.8 * 25 < second <= 25
    assert limits[6] <= 100 / 2
    assert max(limits) <= 100


def test_stationary_is_not_locally_identifiable_in_a_summary():
    # An eighth of a turn has twice the volume of two sign vectors of two entries.
    found = summarise_sdi(k_sign(2, 2))
    assert found.points[0].local.stationary
    assert found.locally_identifiable == 0
    assert not found.points[0].to_dict()["locally_identifiable"]


def test_the_record_has_the_corners_of_the_points_where_both_parts_hold():
    holding = rotated_box(2, 0.1)[0]
    failing = np.concatenate([np.eye(2), np.eye(2)[:, ::-1]] * (len(holding) // 4 + 1))[: len(holding)]
    record = summarise_sdi([holding, failing]).to_dict()
    assert record["summary"]["corner_size"] == pytest.approx(0.01)
    assert summarise_sdi(failing).to_dict()["summary"]["corner_size"] is None
    assert summarise_sdi(failing).to_dict()["summary"]["symmetric"]["corner_size"] == pytest.approx(0.01)


@pytest.mark.parametrize("limit", [2.0, 4.0])
def test_a_solver_uses_the_time_that_it_has_and_no_more(solver, limit):
    found = check_sdi(two_sparse(np.random.default_rng(0), 900, 15), solver=solver, time_limit=limit)
    assert (found.condition_1, found.condition_2) == ("undecided", "undecided")
    assert 0.8 * limit < found.time < limit + 3
