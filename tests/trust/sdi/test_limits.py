"""Time, progress, reproducibility, and arguments that cannot be used."""

import importlib.util

import numpy as np
import pytest
from influence_cases import k_sign, on_sphere, two_sparse

from identica.trust.sdi import check_sdi, fit_weights, local_identifiability, summarise_sdi
from identica.trust.sdi.clock import Clock
from identica.trust.sdi.highs import answer_by_highs
from identica.trust.sdi.question import Question


@pytest.mark.parametrize("solver", ["auto", "vertices", "highs"])
def test_without_time_the_answer_is_undecided(solver):
    steps = []
    jacobian = two_sparse(np.random.default_rng(0), 500, 10)
    check = check_sdi(jacobian, time_limit=1e-4, solver=solver, on_step=lambda *step: steps.append(step))
    assert (check.condition_1, check.condition_2, check.certificate.kind) == ("undecided", "undecided", "none")
    assert check.gamma == pytest.approx((0, 1))
    assert check.second_ratio is None
    assert "condition 1" not in {what for what, _, _ in steps}


def test_a_solver_without_time_knows_nothing_but_the_box():
    rows = k_sign(3, 2)
    question = Question(rows, np.full(3, -2.0), np.full(3, 2.0), 3.001)
    answer = answer_by_highs(question, Clock(100.0), 0.0)
    assert (answer.point, answer.bound) == (None, 12.0)


def test_very_many_rows_need_no_square_of_their_number():
    # All left singular vectors of so many rows would take 80 GB.
    check = check_sdi(on_sphere(np.random.default_rng(0), 100_000, 2))
    assert (check.condition_1, check.condition_2) == ("holds", "holds")


def test_progress_is_told():
    steps = []
    check_sdi(k_sign(5, 2), solver="highs", time_limit=600, on_step=lambda *step: steps.append(step))
    assert {what for what, _, _ in steps} == {"bounds", "sign vectors", "linear programs", "condition 1", "condition 2"}
    assert all(0 <= done < of for _, done, of in steps)


def test_the_answer_does_not_depend_on_chance():
    jacobian = on_sphere(np.random.default_rng(0), 300, 9)
    first, second = (check_sdi(jacobian, random_state=3, time_limit=600) for _ in range(2))
    assert first.gamma == second.gamma
    assert (first.certificate.point == second.certificate.point).all()


@pytest.mark.parametrize("function", [fit_weights, check_sdi, local_identifiability])
@pytest.mark.parametrize(
    ("jacobian", "error", "complaint"),
    [
        ([1.0, 2.0], ValueError, r"jacobian has shape \(2,\): pass an array of shape \(n_features, n_components\)"),
        (np.empty((0, 3)), ValueError, r"jacobian has shape \(0, 3\)"),
        ([[1.0, np.nan]], ValueError, "jacobian has the value nan in row 0, column 1: all values must be finite"),
        ([[1.0, 0.0], [2.0, 0.0]], ValueError, "column 1 of jacobian is zero: that component acts on no feature"),
        ([["a"]], TypeError, "jacobian has dtype <U1: pass real numbers"),
        (None, TypeError, "jacobian is None, not an array"),
        (
            [[1.0, 1e-310], [2.0, 0.0]],
            ValueError,
            "column 1 of jacobian reaches 1e-310, and must reach a number between",
        ),
        ([[1e305, 1.0], [2.0, 0.0]], ValueError, "column 0 of jacobian reaches 1e[+]305, and must .* divide it by a"),
    ],
)
def test_jacobians_that_cannot_be_used(function, jacobian, error, complaint):
    with pytest.raises(error, match=complaint):
        function(jacobian)


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"tol": 0.1}, ValueError, "tol=0.1 is out of range: use a finite value of at least 1e-06 and at most 0.01"),
        ({"time_limit": 0}, ValueError, "time_limit=0 is out of range"),
        ({"solver": "guess"}, ValueError, "solver='guess' is not known: use one of auto, vertices, highs, scip"),
        ({"symmetric": 1}, TypeError, "symmetric=1 is neither True nor False"),
        ({"tighten": None}, TypeError, "tighten=None is neither True nor False"),
        ({"random_state": "x"}, TypeError, "random_state is of type str"),
    ],
)
def test_arguments_that_cannot_be_used(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        check_sdi(np.eye(2), **arguments)


def test_tolerance_of_local_identifiability():
    with pytest.raises(ValueError, match="tol=1 is out of range"):
        local_identifiability(np.eye(2), tol=1)


def test_scip_is_asked_for_where_it_is_not_installed(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyscipopt" else found(name))
    with pytest.raises(ImportError, match=r'pip install "identica\[sdi\]"'):
        check_sdi(np.concatenate([np.eye(2), -np.eye(2)]), solver="scip")
    with pytest.raises(ImportError, match="needs PySCIPOpt"):  # where nothing is left to decide, too
        check_sdi(np.eye(2), solver="scip")
    assert check_sdi(k_sign(3, 1), solver="auto").condition_1 == "holds"


@pytest.mark.parametrize(
    ("jacobians", "arguments", "complaint"),
    [
        (np.ones(3), {}, r"jacobians has shape \(3,\): pass an array of shape \(n_points, n_features, n_components\)"),
        (np.stack([np.eye(2), [[1.0, 0.0], [1.0, 0.0]]]), {}, "column 1 of jacobian 1 is zero"),
        (np.eye(2), {"n_points": 2}, "n_points=2 is out of range: use from 1 to 1"),
        (np.eye(2), {"n_jobs": 0}, "n_jobs=0 is out of range"),
        (np.eye(2), {"tol": 1.0}, "tol=1 is out of range"),
    ],
)
def test_points_that_cannot_be_summarised(jacobians, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        summarise_sdi(jacobians, **arguments)
