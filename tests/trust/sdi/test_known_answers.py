"""Jacobians for which the condition can be worked out by hand."""

import math

import numpy as np
import pytest
from influence_cases import k_sign, on_sphere, signed_permutations, two_sparse

from identica.trust.sdi import check_sdi
from identica.trust.sdi.rows import ScaledRows

PATIENT = 600.0


@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_signed_unit_vectors_meet_both_conditions(d):
    check = check_sdi(np.concatenate([np.eye(d), -np.eye(d)]), time_limit=PATIENT)
    assert (check.condition_1, check.condition_2) == ("holds", "holds")
    assert check.gamma == pytest.approx((1, 1))
    assert check.second_ratio == (0, 0)
    assert check.count_bound == (d, d)
    assert check.weights == pytest.approx(1)


@pytest.mark.parametrize("solver", ["vertices", "highs", "scip"])
@pytest.mark.parametrize(("d", "k"), [(3, 1), (3, 2), (4, 2), (4, 4), (5, 2), (5, 3)])
def test_all_sign_vectors_of_k_entries(d, k, solver):
    if solver == "scip":
        pytest.importorskip("pyscipopt")
    check = check_sdi(k_sign(d, k), solver=solver, tighten=True, time_limit=PATIENT)
    low, high = check.gamma
    gamma = min(1, math.sqrt(d) / k)
    assert low == pytest.approx(gamma, abs=3e-4)
    assert low - 1e-9 <= gamma == pytest.approx(high, abs=1e-9)
    assert check.condition_1 == ("holds" if gamma == 1 else "fails")
    assert check.condition_2 == ("holds" if k < math.sqrt(d) or k == 1 else "fails")
    assert check.count_bound == pytest.approx((math.comb(d, k), d))


def test_longer_sign_vectors_are_found_too_long():
    check = check_sdi(k_sign(8, 3), time_limit=PATIENT)
    assert (check.condition_1, check.condition_2) == ("fails", "fails")
    assert check.gamma[1] == pytest.approx(math.sqrt(8) / 3)
    assert check.gamma[0] < check.gamma[1]


@pytest.mark.parametrize(
    ("entries", "second", "ratio"),
    [
        ((0.5, 0.3, 0.15, 0.05), "fails", 1),
        ((0.7, 0.2, 0.08, 0.02), "holds", 0.8837),
        ((0.6, 0.3, 0.1), "holds", 0.9623),
    ],
)
def test_all_signed_permutations_of_a_vector(entries, second, ratio):
    check = check_sdi(signed_permutations(entries), time_limit=PATIENT)
    sums = np.cumsum(sorted(entries, reverse=True))
    d = len(entries)
    gamma = min(1, min(sums[j] * math.sqrt(d / (j + 1)) for j in range(d)))
    assert check.gamma == pytest.approx((gamma, gamma))
    assert (check.condition_1, check.condition_2) == ("holds", second)
    assert check.second_ratio == pytest.approx((ratio, ratio), abs=5e-5)
    touching = check.certificate.touching
    assert (touching is None) == (second == "holds")
    if touching is not None:
        assert np.linalg.norm(touching) == pytest.approx(math.sqrt(d))
        assert np.abs(touching).min() < 0.9


def test_second_ratio_of_two_entries():
    assert check_sdi(k_sign(5, 2)).second_ratio == pytest.approx((2 / math.sqrt(5),) * 2)


def test_unit_vectors_meet_the_symmetric_condition_alone():
    plain, symmetric = check_sdi(np.eye(4)), check_sdi(np.eye(4), symmetric=True)
    assert (plain.condition_1, plain.condition_2, plain.gamma) == ("fails", "fails", (0, 0))
    assert (symmetric.condition_1, symmetric.condition_2) == ("holds", "holds")
    assert (plain.count_bound, symmetric.count_bound) == ((2, 4), (2, 2))


@pytest.mark.parametrize("d", [1, 2, 3, 4, 6])
def test_fewer_than_twice_as_many_rows_as_columns_fail(d):
    generator = np.random.default_rng(d)
    for rows in (generator.standard_normal((2 * d - 1, d)), np.concatenate([np.eye(d), -np.eye(d)])[:-1]):
        check = check_sdi(rows, time_limit=PATIENT)
        assert (check.condition_1, check.condition_2) == ("fails", "fails")
        assert check.count_bound[0] < check.count_bound[1]


def test_positive_rows_have_no_margin():
    rows = np.abs(np.random.default_rng(0).standard_normal((50, 4)))
    check = check_sdi(rows)
    assert (check.condition_1, check.gamma, check.certificate.kind) == ("fails", (0, 0), "direction")
    assert (rows * check.weights @ check.certificate.point).max() <= 1e-9
    assert check_sdi(rows, symmetric=True).gamma[0] > 0


@pytest.mark.parametrize("symmetric", [False, True])
def test_rank_deficient_rows_have_no_margin(symmetric):
    rows = np.random.default_rng(0).standard_normal((30, 3)) @ np.array([[1.0, 0, 1, 2], [0, 1, 1, 0], [0, 0, 0, 1]])
    for jacobian in (rows, rows[:2]):
        check = check_sdi(jacobian, symmetric=symmetric)
        assert (check.condition_1, check.condition_2, check.gamma) == ("fails", "fails", (0, 0))


def test_one_component_needs_both_signs():
    assert check_sdi([[2.0], [-1.0], [0.0]]).gamma == pytest.approx((0.5, 0.5))
    assert check_sdi([[2.0], [-2.0]]).condition_2 == "holds"
    assert check_sdi([[2.0], [1.0]]).gamma == (0, 0)
    assert check_sdi([[2.0], [1.0]], symmetric=True).condition_1 == "holds"


@pytest.mark.parametrize(
    ("d", "m", "hold"), [(2, 4, 0), (2, 10, 0), (2, 200, 10), (3, 30, 0), (3, 300, 10), (5, 100, 0)]
)
def test_random_rows_on_the_sphere(d, m, hold):
    checks = [check_sdi(on_sphere(np.random.default_rng(seed), m, d), time_limit=PATIENT) for seed in range(10)]
    assert sum(check.condition_1 == "holds" for check in checks) == hold


def test_sparse_rows_hold_where_vertices_cannot_be_enumerated():
    pytest.importorskip("pyscipopt")
    check = check_sdi(two_sparse(np.random.default_rng(0), 500, 10), time_limit=PATIENT)
    assert (check.condition_1, check.condition_2, check.certificate.kind) == ("holds", "holds", "scip")
    assert check.certificate.bound == pytest.approx(1 + check.tol)
    assert check.second_ratio[0] <= check.second_ratio[1] < 1


def test_a_violation_is_certified_by_a_point():
    jacobian = np.random.default_rng(0).standard_normal((1000, 10))
    check = check_sdi(jacobian, time_limit=PATIENT)
    point = check.certificate.point
    assert (check.condition_1, check.certificate.kind) == ("fails", "point")
    assert (jacobian * check.weights @ point).max() <= 1 + 1e-12
    assert np.linalg.norm(point) == pytest.approx(math.sqrt(10) / check.gamma[1])
    assert 0 < check.gamma[0] < check.gamma[1] < 1


def test_active_rows_are_those_on_the_boundary():
    rows = np.concatenate([k_sign(3, 1), 0.999 * k_sign(3, 3), k_sign(3, 2)])
    check = check_sdi(rows / [1.0, 10.0, 100.0])
    assert check.weights == pytest.approx([1, 10, 100])
    assert check.active_rows.tolist() == [*range(6), *range(14, 26)]
    assert check_sdi(rows, tol=1e-2).active_rows.tolist() == list(range(26))


def test_efficiency_is_that_of_the_criterion_at_its_best_scales():
    import torch

    from identica.criteria import volume_criterion, volume_efficiency

    jacobian = np.random.default_rng(0).standard_normal((20, 3))
    rows = ScaledRows.of(jacobian, symmetric=False)
    criterion = volume_criterion(torch.as_tensor(rows.scaled), math.inf)
    assert rows.volume_efficiency == pytest.approx(float(volume_efficiency(criterion, 20, 3)))
    assert ScaledRows.of(np.eye(3), symmetric=False).volume_efficiency == pytest.approx(1)
    assert ScaledRows.of(np.ones((4, 2)), symmetric=False).volume_efficiency < 1e-7
