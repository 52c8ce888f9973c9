"""The check against all vertices, each the solution of d of the equations."""

import math

import numpy as np
import pytest
from influence_cases import rotated_box, small_instance
from reference import polar_is_bounded, polar_vertices

from identica.trust.sdi import check_sdi, fit_weights

TOL = 1e-4
PATIENT = 600.0
NEAR = math.sqrt(TOL)


def expected(jacobian, symmetric):
    """Return the first answer, the margin, and how long a vertex is outside corners of a size."""
    rows = jacobian * fit_weights(jacobian)
    rows = np.unique(np.round(np.concatenate([rows, -rows]) if symmetric else rows, 11) + 0.0, axis=0)
    if not polar_is_bounded(rows):
        return "fails", 0.0, lambda size: None
    points = polar_vertices(rows)
    lengths = np.linalg.norm(points, axis=1) / math.sqrt(rows.shape[1])
    first = "holds" if lengths.max() <= 1 + TOL else "fails"

    def ratio(size):
        return float(lengths[np.abs(points).min(axis=1) < 1 - size].max(initial=0.0))

    return first, min(1.0, 1 / lengths.max()), ratio


def compare(numbers, solver, symmetric):
    """Compare all answers; return how often the first condition held."""
    held = 0
    for number in numbers:
        jacobian = small_instance(number)
        if jacobian is None:
            continue
        first, gamma, ratio_outside = expected(jacobian, symmetric)
        check = check_sdi(jacobian, symmetric=symmetric, tol=TOL, solver=solver, time_limit=PATIENT)
        assert check.condition_1 == first, number
        size = None if first == "fails" else NEAR if check.certificate.kind == "vertices" else 0.1
        assert check.corner_size == size, number
        if first == "holds" and check.condition_2 == "holds":
            assert ratio_outside(check.corner_size) < 1 - TOL, number
        else:
            # A solver can also find a vertex that is nearer to a corner than it is asked for.
            assert check.condition_2 == "fails", number
            assert first == "fails" or ratio_outside(NEAR) >= 1 - TOL, number
        low, high = check.gamma
        assert low <= gamma + 1e-6, number
        assert high >= gamma - 1e-6, number
        if check.second_ratio is not None:
            ratio = ratio_outside(check.corner_size or NEAR)
            least, most = check.second_ratio
            assert least <= ratio + 1e-6, number
            assert most >= ratio - 1e-6, number
        if solver == "vertices" and gamma > 0:
            assert low == pytest.approx(gamma, abs=1e-6), number
            assert high == pytest.approx(gamma, abs=1e-6), number
        held += first == "holds"
    return held


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(
    ("solver", "numbers"),
    [("vertices", range(240)), ("auto", range(240, 300)), ("highs", range(90)), ("scip", range(90))],
)
def test_every_solver_gives_the_answer_of_all_vertices(solver, numbers, symmetric):
    if solver == "scip":
        pytest.importorskip("pyscipopt")
    assert 5 < compare(numbers, solver, symmetric) < 0.8 * len(numbers)


@pytest.mark.parametrize(
    ("d", "degrees", "second"), [(2, 5, "fails"), (2, 2, "fails"), (2, 0.1, "holds"), (3, 5, "fails")]
)
def test_a_second_answer_that_is_a_small_rotation_is_found(d, degrees, second):
    jacobian, rotation = rotated_box(d, degrees)
    rotated = jacobian @ rotation
    # Both sets of components are held by the same ball and have the same volume: neither is the only best one.
    assert np.linalg.det(rotated.T @ rotated) == pytest.approx(np.linalg.det(jacobian.T @ jacobian))
    assert fit_weights(jacobian) == pytest.approx(1)
    assert fit_weights(rotated) == pytest.approx(1)
    check = check_sdi(jacobian, tol=TOL)
    assert (check.condition_1, check.condition_2, check.certificate.kind) == ("holds", second, "vertices")
    assert check.corner_size == NEAR
    assert check.gamma == pytest.approx((1, 1))
    if second == "fails":
        assert np.linalg.norm(check.certificate.touching) == pytest.approx(math.sqrt(d))
        assert np.abs(check.certificate.touching).min() < 1 - NEAR


def test_where_a_solver_decides_the_answer_says_up_to_what_changes():
    jacobian, _ = rotated_box(3, 5)
    check = check_sdi(jacobian, tol=TOL, solver="highs", time_limit=PATIENT)
    assert (check.condition_1, check.condition_2, check.corner_size) == ("holds", "holds", 0.1)
    assert check_sdi(jacobian, tol=TOL).condition_2 == "fails"
