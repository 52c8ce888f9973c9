"""Contrasts of Jacobians: closed forms, plain loops, and the limits 0, 1 and infinity."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from identica import criteria
from identica.metrics import compositional_contrast, independent_mechanism_contrast

normalized_contrast = partial(compositional_contrast, normalized=True)
BLOCKS = [[0, 3], [1], [2]]


def jacobians(seed, n_samples=3, n_features=6, n_components=4):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features, n_components))


def test_the_independent_mechanism_contrast_is_that_of_the_criterion():
    given_jacobians = jacobians(0)
    gram = np.swapaxes(given_jacobians, 1, 2) @ given_jacobians
    squares, volume = (torch.from_numpy(v) for v in (np.square(given_jacobians).sum(1), np.linalg.slogdet(gram)[1]))
    expected = criteria.independent_mechanism.independent_mechanism_contrast(squares, volume).mean().item()
    assert expected > 0.5
    assert independent_mechanism_contrast(given_jacobians) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("angle", [1e-6, 0.3, np.pi / 2])
def test_two_columns_have_the_sine_of_their_angle(angle):
    columns = [[[1.0, 5 * np.cos(angle)], [0.0, 5 * np.sin(angle)], [0.0, 0.0]]]
    assert independent_mechanism_contrast(columns) == pytest.approx(-np.log(np.sin(angle)), abs=1e-9)


@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(4)),
    exponents=st.lists(st.floats(-3, 3), min_size=4, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_the_independent_mechanism_contrast_sees_angles_alone(seed, order, exponents):
    given_jacobians = jacobians(seed)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(6, 6)))[0]
    scales = -(10 ** np.array(exponents))
    before = independent_mechanism_contrast(given_jacobians)
    assert before > 0
    assert independent_mechanism_contrast(turn @ given_jacobians[:, :, order] * scales) == pytest.approx(before)
    assert independent_mechanism_contrast(turn[:, :4][None] * scales) == pytest.approx(0.0, abs=1e-12)


def test_dependent_columns_have_no_volume():
    flat = jacobians(1)
    flat[1, :, 2] = 2 * flat[1, :, 0]
    assert independent_mechanism_contrast(flat) == np.inf


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_contrasts_neither_overflow_nor_vanish(scale):
    given_jacobians = jacobians(2)
    for contrast in (independent_mechanism_contrast, partial(normalized_contrast, blocks=BLOCKS)):
        assert contrast(scale * given_jacobians) == pytest.approx(contrast(given_jacobians))


def test_compositional_contrasts_by_loops():
    given_jacobians = jacobians(3)
    plain, cosines = [], []
    for jacobian in given_jacobians:
        norms = [np.sqrt(np.square(jacobian[:, block]).sum(axis=1)) for block in BLOCKS]
        pairs = list(combinations(norms, 2))
        plain.append(sum(a[i] * b[i] for a, b in pairs for i in range(6)))
        cosines.append(np.mean([a @ b / np.sqrt(a @ a * (b @ b)) for a, b in pairs]))
    assert compositional_contrast(given_jacobians, BLOCKS) == pytest.approx(np.mean(plain), rel=1e-12)
    assert normalized_contrast(given_jacobians, BLOCKS) == pytest.approx(np.mean(cosines), rel=1e-12)


def overlap_of_criterion(given_jacobians, block_size):
    local = criteria.LocalGeometry.of(torch.from_numpy(given_jacobians))
    return -criteria.Compositionality(block_size).value(local).item()


@pytest.mark.parametrize(("n_components", "block_size"), [(4, 2), (6, 2), (6, 3)])
def test_the_criterion_is_the_normalized_contrast_in_orthonormal_bases_of_the_blocks(n_components, block_size):
    given_jacobians = jacobians(7, n_features=8, n_components=n_components)
    blocks = np.arange(n_components).reshape(-1, block_size)
    framed = np.concatenate([np.linalg.qr(given_jacobians[:, :, block])[0] for block in blocks], axis=2)
    overlap = overlap_of_criterion(given_jacobians, block_size)
    assert normalized_contrast(framed, blocks) == pytest.approx(overlap, rel=1e-9)
    # A block's columns that all but fall together are the metric's affair alone.
    given_jacobians[:, :, 1] = given_jacobians[:, :, 0] + 1e-3 * given_jacobians[:, :, 1]
    assert overlap_of_criterion(given_jacobians, block_size) == pytest.approx(overlap, rel=1e-6)
    assert abs(normalized_contrast(given_jacobians, blocks) - overlap) > 0.01


def test_the_criterion_of_blocks_of_one_is_the_normalized_contrast():
    given_jacobians = jacobians(8)
    assert overlap_of_criterion(given_jacobians, 1) == pytest.approx(normalized_contrast(given_jacobians), rel=1e-12)


def test_the_criterion_is_zero_where_the_contrasts_are():
    apart = jacobians(9)
    apart[:, :3, 2:] = apart[:, 3:, :2] = 0.0
    assert compositional_contrast(apart, [[0, 1], [2, 3]]) == 0.0
    assert overlap_of_criterion(apart, 2) == pytest.approx(0.0, abs=1e-12)


@given(
    seed=st.integers(0, 10**6),
    order=st.permutations(range(6)),
    exponents=st.lists(st.floats(-3, 3), min_size=3, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_what_compositional_contrasts_do_not_see(seed, order, exponents):
    given_jacobians = jacobians(seed)
    moved = given_jacobians[:, order] * [-1.0, 1.0, -1.0, 1.0]
    angle = seed / 7
    moved[:, :, [0, 3]] @= np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for contrast in (compositional_contrast, normalized_contrast):
        before = contrast(given_jacobians, BLOCKS)
        assert before > 0
        assert contrast(moved, [[2], [3, 0], [1]]) == pytest.approx(before)
    scales = 10 ** np.array(exponents)
    before = normalized_contrast(given_jacobians, BLOCKS)
    assert normalized_contrast(given_jacobians * scales[[0, 1, 2, 0]], BLOCKS) == pytest.approx(before)
    assert compositional_contrast(3 * given_jacobians, BLOCKS) == pytest.approx(
        9 * compositional_contrast(given_jacobians, BLOCKS)
    )


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_limits_of_compositional_contrasts(seed):
    apart = jacobians(seed)
    apart[:, :3, [1, 3]] = apart[:, 3:, [0, 2]] = 0.0
    assert compositional_contrast(apart, [[0, 2], [1, 3]]) == normalized_contrast(apart, [[0, 2], [1, 3]]) == 0.0
    assert compositional_contrast(apart) > 0
    alike = apart[:, :, [0]] * [1.0, -2.0, 0.5, 3.0]
    assert normalized_contrast(alike) == pytest.approx(1.0, abs=1e-12)
    assert normalized_contrast(alike) <= 1.0


def test_a_zero_block_shares_nothing_and_a_single_one_has_no_pair():
    silent = jacobians(4)
    silent[:, :, 1] = 0.0
    pairs = normalized_contrast(silent[:, :, [0, 2]])
    assert normalized_contrast(silent[:, :, :3]) == pytest.approx(pairs / 3)
    for contrast in (compositional_contrast, normalized_contrast):
        assert contrast(silent, [[0, 1, 2, 3]]) == 0.0


def test_jacobians_without_volume_are_refused():
    with pytest.raises(ValueError, match=r"jacobians have 2 features and 3 components: .*at least as many"):
        independent_mechanism_contrast(jacobians(5, n_features=2, n_components=3))
    dead = jacobians(5)
    dead[2, :, 1] = 0.0
    with pytest.raises(ValueError, match=r"jacobians\[2\] has a zero column 1: .*drop components"):
        independent_mechanism_contrast(dead)


def test_blocks_that_are_no_partition_are_refused():
    with pytest.raises(ValueError, match="blocks leaves out column 3"):
        compositional_contrast(jacobians(6), [[0, 1], [2]])
    with pytest.raises(ValueError, match=r"blocks\[0\]=4 is out of range: use from 0 to 3"):
        compositional_contrast(jacobians(6), [[4]])
