"""Blocks against blocks: what mixes within a block is forgiven, what mixes between them is not."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from identica.metrics import block_r2, kernel_ridge_r2
from identica.metrics.blocks import _assigned_blocks

QUICK = {"alphas": (1e-4,), "gammas": (0.1,)}
score = partial(block_r2, **QUICK)
TRUE = np.random.default_rng(0).normal(size=(150, 4))
TURN = np.array([[0.8, 0.6], [-0.6, 0.8]])
WITHIN = np.hstack([TRUE[:, 2:] @ TURN, TRUE[:, :2] @ TURN.T])
BLOCKS = [[0, 1], [2, 3]]


def test_what_mixes_within_blocks_is_all_there():
    for found in (score(TRUE, WITHIN, BLOCKS), score(TRUE, WITHIN, BLOCKS, [[2, 3], [0, 1]])):
        assert found.estimated_blocks == ((2, 3), (0, 1))
        assert_array_equal(found.order, [0, 1])
        assert_allclose(found.scores, 1.0, atol=0.05)
        assert found.slot_identifiability > 0.85
    given_otherwise = score(TRUE, WITHIN, BLOCKS, BLOCKS)
    assert_array_equal(given_otherwise.order, [1, 0])
    assert_array_equal(given_otherwise.scores, found.scores)


def test_what_mixes_between_blocks_is_half_there():
    between = np.hstack([TRUE[:, :2] + TRUE[:, 2:], TRUE[:, :2] - TRUE[:, 2:]])
    found = block_r2(TRUE, between, BLOCKS)
    assert found.mean == pytest.approx(0.5, abs=0.12)
    assert found.slot_identifiability < 0.2


def test_the_matrix_is_the_mean_of_kernel_ridge_r2_in_each_block():
    random = np.random.default_rng(1)
    estimated = TRUE @ random.normal(size=(4, 5)) + random.normal(size=(150, 5))
    blocks, found_blocks = [[3, 0, 1], [2]], [[4], [0, 2], [1, 3]]
    found = block_r2(TRUE, estimated, blocks, found_blocks)
    for k, columns in enumerate(found_blocks):
        expected = kernel_ridge_r2(TRUE, estimated[:, columns])
        assert_allclose(found.matrix[:, k], [expected[[0, 1, 3]].mean(), expected[2]], atol=1e-12)
    sums = {(a, b): found.matrix[0, a] + found.matrix[1, b] for a in range(3) for b in range(3) if a != b}
    assert tuple(found.order) == max(sums, key=sums.get)
    assert_array_equal(found.scores, found.matrix[[0, 1], found.order])
    assert found.mean == found.scores.mean()
    others = [max(np.delete(row, k)) for row, k in zip(found.matrix, found.order, strict=True)]
    assert found.slot_identifiability == pytest.approx(found.mean - np.mean(others))


def test_single_components_are_blocks_of_one():
    found = score(TRUE, np.exp(TRUE[:, [2, 0, 3, 1]] / 3), [[0], [1], [2], [3]])
    assert found.estimated_blocks == ((1,), (3,), (0,), (2,))
    assert_allclose(found.scores, 1.0, atol=0.05)


def test_capacities_hold_and_surplus_estimates_have_no_block():
    # All six estimates know block 0 best; it has room for two of them.
    estimated = TRUE[:, [0, 0, 1, 1, 0, 1]] + np.array([0.1, 0.2, 0.1, 0.2, 1, 1]) * TRUE[:, [2, 2, 3, 3, 2, 3]]
    found = score(TRUE, estimated, BLOCKS)
    assert [len(columns) for columns in found.estimated_blocks] == [2, 2]
    assert found.estimated_blocks == ((0, 2), (4, 5))


def test_the_assignment_counts_all_that_an_estimate_says_of_a_block():
    agreement = np.array([[0.5, 0.1], [0.5, 0.2], [0.6, 0.9], [0.0, 0.0]])
    assert _assigned_blocks(agreement, ((0, 1), (2, 3))) == ((0,), (1,))


@pytest.mark.parametrize("options", [{"alphas": (1e4,)}, {"gammas": (1e6,)}, {"max_samples": 10}])
def test_options_reach_the_regression(options):
    assert block_r2(TRUE, WITHIN, BLOCKS, **{**QUICK, **options}).mean < 0.95 < score(TRUE, WITHIN, BLOCKS).mean


def test_a_block_without_estimates_scores_nothing():
    found = score(TRUE, TRUE[:, 2:], BLOCKS)
    assert found.estimated_blocks == ((), (0, 1))
    assert_array_equal(found.order, [-1, 1])
    assert found.scores[0] == 0.0
    assert found.mean == found.scores[1] / 2 > 0.45
    given_one = score(TRUE, TRUE[:, 2:], BLOCKS, [[0, 1]])
    assert_array_equal(given_one.order, [-1, 0])
    assert given_one.mean == found.mean


@given(
    seed=st.integers(0, 10**6),
    columns=st.permutations(range(4)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4),
    scale=st.floats(0.01, 100),
)
@settings(max_examples=5, deadline=None)
def test_order_sign_and_scale_of_estimates_and_order_of_blocks_do_not_matter(seed, columns, signs, scale):
    random = np.random.default_rng(seed)
    true = random.normal(size=(40, 4))
    estimated = true @ (np.eye(4) + 0.5 * random.normal(size=(4, 4)))
    before = score(true, estimated, BLOCKS, BLOCKS)
    moved = scale * np.array(signs) * estimated[:, columns]
    places = np.argsort(columns)
    after = score(true, moved, BLOCKS[::-1], [places[2:], places[:2]])
    assert_allclose(after.matrix, before.matrix[::-1, ::-1], atol=1e-6)
    assert after.mean == pytest.approx(before.mean, abs=1e-6)
    assigned, again = score(true, estimated, BLOCKS), score(true, moved, BLOCKS)
    assert [{columns[k] for k in block} for block in again.estimated_blocks] == list(
        map(set, assigned.estimated_blocks)
    )
    assert again.mean == pytest.approx(assigned.mean, abs=1e-6)


@pytest.mark.parametrize(
    ("blocks", "found_blocks", "error", "message"),
    [
        ([[0, 1], [2]], None, ValueError, "true_blocks leaves out column 3: put each of the 4 columns into a block"),
        ([[0, 1], [1, 2, 3]], None, ValueError, "true_blocks has column 1 more than once"),
        ([[0, 1, 2, 3], []], None, ValueError, "true_blocks=.* has no blocks or an empty one"),
        (BLOCKS, [], ValueError, r"estimated_blocks=\(\) has no blocks"),
        (BLOCKS, [[0], [4]], ValueError, r"estimated_blocks\[1\]=4 is out of range: use from 0 to 3"),
        (3, None, TypeError, r"true_blocks is of type int, not a list: .*\[\[0, 1\], \[2\]\]"),
        ([0, 0, 1, 1], None, TypeError, r"true_blocks\[0\] is of type int, not a list: .*\[\[0, 1\], \[2\]\]"),
        ([["a"]], None, TypeError, r"true_blocks\[0\]='a' is not an integer"),
    ],
)
def test_bad_blocks_get_one_clear_sentence(blocks, found_blocks, error, message):
    with pytest.raises(error, match=message):
        block_r2(TRUE, WITHIN, blocks, found_blocks)
