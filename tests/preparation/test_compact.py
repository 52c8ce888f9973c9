"""The compact space against a plain singular value decomposition, whichever way it is computed."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from identica.preparation import compact, principal_subspace
from identica.preparation.compact import noise_floor


def low_rank(n: int, m: int, rank: int, noise: float = 1e-4) -> NDArray[np.float64]:
    generator = np.random.default_rng(0)
    strengths = np.geomspace(1, 0.1, rank)
    values = generator.standard_normal((n, rank)) * strengths @ generator.standard_normal((rank, m))
    values += noise * generator.standard_normal((n, m))
    return values - values.mean(axis=0)


@pytest.mark.parametrize(("n", "m"), [(300, 40), (40, 300), (100, 100)])
@pytest.mark.parametrize("way", ["gram", "sampling"])
def test_it_is_the_principal_subspace(n: int, m: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "sampling":
        monkeypatch.setattr(compact, "EXACT", 10)
    values = low_rank(n, m, 12)
    space = principal_subspace(values, 2, left_out=1e-3)
    _, singular, right = np.linalg.svd(values, full_matrices=False)
    variances = singular**2 / n
    shares = 1 - np.cumsum(variances) / variances.sum()
    assert space.rank == int(np.argmax(shares <= 1e-3)) + 1
    np.testing.assert_allclose(space.variances, variances[: space.rank], rtol=1e-6)
    np.testing.assert_allclose(space.axes.T @ space.axes, np.eye(space.rank), atol=1e-9)
    projector = right[: space.rank].T @ right[: space.rank]
    np.testing.assert_allclose(space.axes @ space.axes.T, projector, atol=1e-5)
    assert space.left_out == pytest.approx(shares[space.rank - 1], rel=1e-4)


def test_what_is_left_out_and_what_is_kept_make_the_whole() -> None:
    values = low_rank(200, 50, 10, noise=0.3)
    space = principal_subspace(values, 2, left_out=0.2)
    mean_square = np.square(values).sum(axis=1).mean()
    outside = values - values @ space.axes @ space.axes.T
    assert space.share_left_out(values, mean_square) == pytest.approx(np.square(outside).sum(1).mean() / mean_square)
    kept = np.square(space.project(values) / space.stretch).sum(axis=1).mean()
    assert kept / mean_square + space.left_out == pytest.approx(1)


@pytest.mark.parametrize(("n_components", "rank"), [(1, 5), (2, 8), (5, 20)])
def test_there_are_four_axes_for_each_component(n_components: int, rank: int) -> None:
    values = low_rank(400, 60, 6, noise=0.02)
    assert principal_subspace(values, n_components, left_out=0.01).rank == rank


def test_directions_of_rounding_are_no_data_but_there_is_one_for_each_component() -> None:
    values = low_rank(100, 30, 3, noise=0.0)
    assert principal_subspace(values, 2).rank == 3
    space = principal_subspace(values, 5)
    assert space.rank == 5
    np.testing.assert_allclose(space.axes.T @ space.axes, np.eye(5), atol=1e-9)


def test_a_constant_feature_has_exactly_no_loading() -> None:
    values = low_rank(100, 30, 3)
    values[:, 4] = 0
    assert not principal_subspace(values, 2).axes[4].any()


def test_signs_do_not_depend_on_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    values = low_rank(100, 30, 5, noise=0.0)
    exact = principal_subspace(values, 1)
    monkeypatch.setattr(compact, "EXACT", 10)
    for seed in (0, 1):
        np.testing.assert_allclose(principal_subspace(values, 1, seed=seed).axes, exact.axes, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 31])
def test_a_rank_out_of_range_is_refused(rank: int) -> None:
    with pytest.raises(ValueError, match=rf"compact={rank} is no rank for 2 components of 30 features: use 2 to 30"):
        principal_subspace(low_rank(50, 30, 3), 2, rank=rank)


def test_many_features_never_make_a_square_matrix_of_them() -> None:
    values = low_rank(150, 8000, 5).astype(np.float32)
    tracemalloc.start()
    principal_subspace(values, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8000**2 * 4 / 4  # a quarter of such a matrix in float32


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_the_noise_floor_is_the_share_of_noise(noise: float) -> None:
    values = low_rank(4000, 50, 4, noise=noise)
    space = principal_subspace(values, 2, left_out=1e-3)
    share = 50 * noise**2 / np.square(values).sum(axis=1).mean()
    found = noise_floor(values, space.variances)
    assert found is not None
    assert found == pytest.approx(share, rel=0.15)
    assert noise_floor(values[:80], space.variances) is None
