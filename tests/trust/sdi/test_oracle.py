"""The check against all vertices, each the solution of d of the equations."""

import math

import numpy as np
import pytest
from influence_cases import small_instance
from reference import polar_is_bounded, polar_vertices

from identica.trust.sdi import check_sdi, fit_weights

TOL = 1e-4
PATIENT = 600.0


def expected(jacobian, symmetric):
    """Return both answers, the margin, and the ratio of the second condition."""
    rows = jacobian * fit_weights(jacobian)
    rows = np.unique(np.round(np.concatenate([rows, -rows]) if symmetric else rows, 11) + 0.0, axis=0)
    if not polar_is_bounded(rows):
        return "fails", "fails", 0.0, None
    points = polar_vertices(rows)
    lengths = np.linalg.norm(points, axis=1) / math.sqrt(rows.shape[1])
    second = float(lengths[np.abs(points).min(axis=1) < 0.9].max(initial=0.0))
    first = "holds" if lengths.max() <= 1 + TOL else "fails"
    return first, ("holds" if first == "holds" and second < 1 - TOL else "fails"), min(1.0, 1 / lengths.max()), second


def compare(numbers, solver, symmetric):
    """Compare all answers; return how often the first condition held."""
    held = 0
    for number in numbers:
        jacobian = small_instance(number)
        if jacobian is None:
            continue
        first, second, gamma, ratio = expected(jacobian, symmetric)
        check = check_sdi(jacobian, symmetric=symmetric, tol=TOL, solver=solver, time_limit=PATIENT)
        assert (check.condition_1, check.condition_2) == (first, second), number
        low, high = check.gamma
        assert low <= gamma + 1e-6, number
        assert high >= gamma - 1e-6, number
        if check.second_ratio is not None:
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
