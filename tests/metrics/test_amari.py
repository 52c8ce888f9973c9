"""Amari distance: 0 for the mixing up to order, sign and scale, 1 for the worst, the formula in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import hadamard

from identica.metrics import amari_distance


def by_loops(product):
    d = len(product)
    rows = sum(sum(abs(row)) / max(abs(row)) - 1 for row in product)
    columns = sum(sum(abs(column)) / max(abs(column)) - 1 for column in product.T)
    return (rows + columns) / (2 * d * (d - 1))


@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(4)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4),
    exponents=st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    n_features=st.integers(4, 7),
)
@settings(max_examples=40, deadline=None)
def test_order_sign_and_scale_of_the_columns_of_either_do_not_matter(seed, order, signs, exponents, n_features):
    random = np.random.default_rng(seed)
    true, estimated = random.normal(size=(2, n_features, 4))
    scales = np.array(signs) * 10 ** np.array(exponents)
    before = amari_distance(true, estimated)
    assert 0.01 < before <= 1.0
    assert_allclose(amari_distance(true, scales * estimated[:, order]), before, atol=1e-8)
    assert_allclose(amari_distance(scales * true[:, order], estimated), before, atol=1e-8)
    assert amari_distance(true, scales * true[:, order]) < 1e-8


@pytest.mark.parametrize("d", [2, 4, 8])
def test_equal_entries_are_the_worst(d):
    assert amari_distance(hadamard(d), np.eye(d)) == pytest.approx(1.0)


@pytest.mark.parametrize("angle", [0.0, 0.2, np.pi / 4])
def test_a_turn_of_two_axes_has_its_tangent(angle):
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert amari_distance(np.eye(2), turn) == pytest.approx(np.tan(angle))


def test_the_formula_by_loops():
    true, estimated = np.random.default_rng(0).normal(size=(2, 6, 3))
    true, estimated = (mixing / np.linalg.norm(mixing, axis=0) for mixing in (true, estimated))
    product = np.linalg.lstsq(estimated, true)[0]
    assert amari_distance(true, estimated) == pytest.approx(by_loops(product))
    assert amari_distance(estimated, true) != pytest.approx(by_loops(product), abs=1e-3)  # it is not symmetric


def test_what_is_missed_entirely_counts_as_the_worst():
    # Of P = [[1, 0], [0, 0]] one row and one column are as good, one of each as bad as can be.
    assert amari_distance(np.eye(3)[:, :2], np.eye(3)[:, [0, 2]]) == pytest.approx(0.5)


def test_a_single_component_has_no_other_to_be_mixed_with():
    assert amari_distance([[1.0], [2.0]], [[3.0], [1.0]]) == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_it_neither_overflows_nor_vanishes(scale):
    true, estimated = np.random.default_rng(1).normal(size=(2, 5, 3))
    assert amari_distance(scale * true, estimated / scale) == pytest.approx(amari_distance(true, estimated))


@pytest.mark.parametrize(
    ("true", "estimated", "error", "message"),
    [
        (np.eye(3), np.ones(3), ValueError, r"estimated_mixing has shape \(3,\): .*\(n_features, n_components\)"),
        (np.eye(3), np.eye(3)[:, :2], ValueError, r"true_mixing has shape \(3, 3\) and estimated_mixing has \(3, 2\)"),
        (np.ones((3, 2)), np.eye(3)[:, :2], ValueError, "true_mixing has 2 columns of rank 1: .*independent"),
        (np.eye(2), np.diag([1.0, 0.0]), ValueError, "estimated_mixing has 2 columns of rank 1: .*zero"),
        (np.eye(3)[:2], np.eye(3)[:2], ValueError, "true_mixing has 3 columns of rank 2"),
        (np.eye(2), [[1.0, np.nan], [0.0, 1.0]], ValueError, r"estimated_mixing has the value nan at \(0, 1\)"),
        (np.eye(2) * 1j, np.eye(2), TypeError, "true_mixing has dtype complex128: pass real numbers"),
        (np.zeros((0, 2)), np.eye(2), ValueError, r"true_mixing has shape \(0, 2\): .*without empty axes"),
    ],
)
def test_bad_input_gets_one_clear_sentence(true, estimated, error, message):
    with pytest.raises(error, match=message):
        amari_distance(true, estimated)
