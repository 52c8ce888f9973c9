"""The common shift of a Jacobian's rows: a median, taken out whatever it was, in alignments too."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from identica.criteria import LocalGeometry, Volume, common_shift, without_common_shift
from identica.solvers.alignment import align, matched_cosine


@given(seed=st.integers(0, 10_000), n_rows=st.integers(1, 12), n_zero=st.integers(0, 3))
def test_it_is_where_the_weighted_sum_of_deviations_is_least(seed: int, n_rows: int, n_zero: int) -> None:
    random = np.random.default_rng(seed)
    rows, weights = random.standard_normal((n_rows, 1)), random.uniform(0.1, 3, n_rows)
    weights[:n_zero] = 0
    found = float(common_shift(torch.tensor(rows), torch.tensor(weights))[0])
    if not weights.any():
        assert found == 0
        return
    used = weights > 0

    def deviation(shift: float) -> float:
        return float(np.abs(rows[used, 0] - weights[used] * shift).sum())

    best = min(deviation(ratio) for ratio in rows[used, 0] / weights[used])
    assert deviation(found) == pytest.approx(best)


@given(seed=st.integers(0, 10_000))
def test_what_is_left_does_not_depend_on_the_shift(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, weights = torch.tensor(random.standard_normal((3, 9, 2))), torch.tensor(random.uniform(0.1, 3, 9))
    shift = torch.tensor(random.standard_normal((3, 1, 2)))
    left = without_common_shift(rows, weights)
    np.testing.assert_allclose(without_common_shift(rows + weights[:, None] * shift, weights), left, atol=1e-12)
    # Rows are its own medians once it is out.
    np.testing.assert_allclose(common_shift(left, weights), 0, atol=1e-12)


def test_a_geometry_with_a_direction_has_the_volume_of_the_rows_that_are_left() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2, 30, 3, generator=generator, dtype=torch.float64)
    weights = torch.rand(30, generator=generator, dtype=torch.float64) + 0.5
    local = LocalGeometry.of(rows + weights[:, None] * torch.tensor([5.0, -3.0, 1.0]), weights)
    expected = LocalGeometry.of(without_common_shift(rows, weights))
    np.testing.assert_allclose(local.rows, expected.rows, atol=1e-12)
    np.testing.assert_allclose(local.log_volume, expected.log_volume)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_an_alignment_finds_sparse_influences_behind_a_shift_that_hides_them(power: float) -> None:
    random = np.random.default_rng(1)
    d, k = 4, 240
    sparse = random.uniform(0.5, 1.5, (k, d)) * (random.random((k, d)) < 0.3)  # all of one sign: medians are 0
    weights = random.uniform(0.5, 2, k)
    mixing = random.standard_normal((d, d))
    shift = -(weights @ sparse) / (weights @ weights)  # what a total does: the mean is taken out
    rows = torch.tensor((sparse + np.outer(weights, shift)) @ mixing)[None]
    direction = torch.tensor(weights)

    def recovered(local: LocalGeometry) -> float:
        found = align(local, Volume(power), n_restarts=8, generator=torch.Generator().manual_seed(0))
        return matched_cosine(torch.tensor(mixing) @ found.transform, torch.eye(d, dtype=torch.float64))

    told, blind = recovered(LocalGeometry.of(rows, direction)), recovered(LocalGeometry.of(rows))
    assert told > 0.99
    assert told > blind + 0.02


def test_where_rows_are_noisy_c1_is_climbed_from_c2() -> None:
    assert Volume(1.0).smoothed() == Volume(2.0)
    assert Volume(3.0, "max").smoothed() == Volume(3.0, "max")
    random = np.random.default_rng(0)
    signals = random.standard_normal((60, 4)) * (random.random((60, 4)) < 0.25)
    rows = torch.tensor(signals + 0.3 * random.standard_normal((8, 60, 4)))
    local = LocalGeometry.of(rows)
    local = replace(local, direction=torch.ones(60, dtype=rows.dtype))
    found = align(local, Volume(1.0), n_restarts=6, generator=torch.Generator().manual_seed(0))

    def c1(transform: torch.Tensor) -> float:
        return float(Volume(1.0).value(LocalGeometry.of(without_common_shift(rows @ transform, local.direction))))

    # It ends at a maximum of c_1 itself, which is not that of c_2, and the best of its restarts counts.
    best = c1(found.transform)
    smooth = align(local, Volume(2.0), n_restarts=6, generator=torch.Generator().manual_seed(0))
    assert best > c1(smooth.transform) + 1e-4
    assert matched_cosine(found.transform, torch.eye(4, dtype=rows.dtype)) > 0.9
    for k in range(20):
        generator = torch.Generator().manual_seed(k)
        moved = found.transform @ (torch.eye(4) + 0.05 * torch.randn(4, 4, generator=generator)).to(rows)
        assert c1(moved) < best + 1e-6
