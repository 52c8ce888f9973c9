"""Local identifiability: known answers, a brute-force oracle, and what it promises."""

import numpy as np
import pytest
from influence_cases import k_sign, on_sphere, small_instance, two_sparse
from reference import in_cone_of_subgradients

from identica.trust.sdi import fit_weights, local_identifiability


@pytest.mark.parametrize(
    ("jacobian", "identifiable", "stationary"),
    [
        (np.eye(1), True, True),
        (np.eye(4) * [1.0, 10.0, 100.0, 1e5], True, True),
        (k_sign(5, 2), True, True),
        (k_sign(2, 2), False, True),
        (k_sign(4, 4), False, True),
        (on_sphere(np.random.default_rng(0), 784, 10), True, True),
        (on_sphere(np.random.default_rng(0), 50, 10), False, False),
        (two_sparse(np.random.default_rng(0), 200, 8), True, True),
        (np.random.default_rng(0).standard_normal((784, 10)), False, False),
        (np.ones((4, 2)), False, False),
        (np.ones((1, 3)), False, False),
    ],
)
def test_known_answers(jacobian, identifiable, stationary):
    local = local_identifiability(jacobian)
    assert (local.identifiable, local.stationary) == (identifiable, stationary)
    assert (local.residual < 1e-7) == stationary
    assert (local.margin > 0) <= stationary


def test_a_stationary_point_can_be_a_saddle():
    rows = k_sign(2, 2)
    turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)
    turned = rows @ turn
    turned /= np.abs(turned).sum(axis=1).max()
    assert np.linalg.det(turned.T @ turned) == pytest.approx(4 * np.linalg.det(rows.T @ rows))


def test_the_brute_force_cone_has_the_same_answer():
    seen = {True: 0, False: 0}
    for number in range(120):
        jacobian = small_instance(number)
        if jacobian is None or jacobian.shape[1] > 3:
            continue
        scaled = jacobian * fit_weights(jacobian)
        scaled[np.abs(scaled) < 1e-4] = 0
        active = scaled[np.abs(scaled).sum(axis=1) > 1 - 1e-4]
        identity = np.eye(scaled.shape[1])
        local = local_identifiability(jacobian)
        distance = in_cone_of_subgradients(active, identity)
        assert local.stationary == (distance < 1e-4), number
        moved = [
            in_cone_of_subgradients(active, identity + sign * 1e-5 * entry.reshape(identity.shape))
            for entry in np.eye(identity.size)
            for sign in (-1, 1)
        ]
        assert local.identifiable == (max(distance, *moved) < 1e-8), number
        seen[local.identifiable] += 1
    assert min(seen.values()) > 10


@pytest.mark.parametrize("jacobian", [np.eye(3), k_sign(5, 2), on_sphere(np.random.default_rng(1), 60, 3)])
def test_no_small_change_has_a_larger_volume_where_it_is_identifiable(jacobian):
    scaled = jacobian * fit_weights(jacobian)
    assert local_identifiability(jacobian).identifiable
    generator = np.random.default_rng(0)
    d = scaled.shape[1]
    for size in (1e-5, 1e-3):
        for _ in range(200):
            change = generator.standard_normal((d, d))
            change = np.eye(d) + size * change / np.linalg.norm(change)
            fits = np.abs(scaled @ change).sum(axis=1).max()
            assert np.linalg.slogdet(change / fits).logabsdet < -1e-12 or np.abs(change - change[0, 0]).max() == 0


def test_the_residual_is_the_distance_from_the_cone():
    # One active row e_1 + e_2 over 2: I = lambda (1, 1)'(1, 1) / 2 misses by 1/2 in all entries at lambda = 1.
    assert local_identifiability([[1.0, 1.0]]).residual == pytest.approx(0.5)
    assert local_identifiability([[1.0, 1.0]]).n_active == 1


def test_rows_nearly_on_the_boundary_count_to_the_tolerance():
    generator = np.random.default_rng(0)
    jacobian = np.concatenate([np.eye(3), on_sphere(generator, 60, 3) * 0.995])
    assert local_identifiability(jacobian).n_active == 3
    assert local_identifiability(jacobian, tol=1e-2).n_active == 63


def test_the_boundary_of_the_cone_is_not_inside_whichever_way_is_open():
    # The identity is the sum of what the two sign vectors give; the unit vector makes the cone solid to one side.
    rows = np.array([[0.5, 0.5], [0.5, -0.5], [1.0, 0.0]])
    for seed in range(20):
        found = local_identifiability(rows, random_state=seed)
        assert found.stationary
        assert not found.identifiable
        assert found.margin < 1e-6
    assert local_identifiability(np.concatenate([rows, [[0.0, 1.0]]])).identifiable
