"""Volumes, norms and the criterion against textbook versions, at their limits, and their gradients."""

import math
from collections.abc import Callable

import pytest
import reference
import torch
from decoders import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from identica.criteria import (
    l1_norm,
    log_power_mean,
    log_volume,
    log_volume_from_gram,
    power_mean,
    row_norms,
    volume_criterion,
    volume_efficiency,
)

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
EXPONENTS = [0, 0.5, 1, 1.5, 2, 3, 50, math.inf]
SHAPES = [(1, 1), (4, 1), (3, 3), (7, 3), (40, 6)]

exponents = st.sampled_from(EXPONENTS)
seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_volume_and_norms_are_the_textbook_s(shape: tuple[int, int]) -> None:
    matrices = draw(3, 2, *shape)
    flat = matrices.flatten(0, 1)
    volumes = torch.stack([reference.log_volume(matrix) for matrix in flat]).reshape(3, 2)
    norms = torch.tensor([reference.row_norms(matrix) for matrix in flat], dtype=torch.float64)
    torch.testing.assert_close(log_volume(matrices), volumes, **CLOSE)
    torch.testing.assert_close(log_volume_from_gram(matrices.mT @ matrices), volumes, **CLOSE)
    torch.testing.assert_close(row_norms(matrices), norms.reshape(3, 2, -1), **CLOSE)
    torch.testing.assert_close(l1_norm(matrices), norms.sum(-1).reshape(3, 2), **CLOSE)


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_power_mean_and_criterion_are_the_textbook_s(shape: tuple[int, int], p: float) -> None:
    matrices = draw(3, *shape)
    norms = row_norms(matrices)
    means = [reference.power_mean(reference.row_norms(matrix), p) for matrix in matrices]
    assert power_mean(norms, p).tolist() == pytest.approx(means, rel=1e-10)
    assert log_power_mean(norms, p).tolist() == pytest.approx([math.log(mean) for mean in means], abs=1e-10)
    criteria = [reference.volume_criterion(matrix, p) for matrix in matrices]
    assert volume_criterion(matrices, p).tolist() == pytest.approx(criteria, abs=1e-10)


def test_criterion_of_a_sample_of_rows_takes_the_volume_of_all() -> None:
    matrix = draw(8, 3)
    found = volume_criterion(matrix[:4], 3, gram=matrix.mT @ matrix)
    mean = reference.power_mean(reference.row_norms(matrix[:4]), 3)
    assert float(found) == pytest.approx(float(reference.log_volume(matrix)) / 6 - math.log(mean), abs=1e-10)


def test_closed_forms() -> None:
    diagonal = torch.diag(torch.tensor([1.0, 3.0, 0.5]).double())
    assert log_volume(diagonal) == pytest.approx(2 * math.log(1.5))
    norms = torch.tensor([1.0, 4.0]).double()
    assert [float(power_mean(norms, p)) for p in (0, 1, 2, math.inf)] == pytest.approx([2, 2.5, 8.5**0.5, 4])
    # Balanced multiples of the axes reach the bound, whatever their size.
    axes = 7 * torch.eye(3).double().repeat(5, 1)
    for p in (2, 3, math.inf):
        assert float(volume_criterion(axes, p)) == pytest.approx(math.log(5) / 2)
        assert float(volume_efficiency(volume_criterion(axes, p), 15, 3)) == pytest.approx(1)


@pytest.mark.parametrize(
    "function",
    [
        log_volume,
        l1_norm,
        lambda j: log_volume_from_gram(j.mT @ j),
        *[lambda j, p=p: power_mean(row_norms(j), p) for p in EXPONENTS],
        *[lambda j, p=p: volume_criterion(j, p) for p in EXPONENTS],
    ],
)
def test_gradients_are_those_of_differences(function: Callable[[Tensor], Tensor]) -> None:
    assert torch.autograd.gradcheck(function, draw(2, 6, 3).requires_grad_(True))


def awkward(name: str) -> Tensor:
    matrix = draw(6, 3)
    match name:
        case "rank-deficient":
            matrix[:, 2] = matrix[:, 0] + matrix[:, 1]
        case "nearly rank-deficient":
            matrix[:, 2] = matrix[:, 0] + 1e-7 * matrix[:, 1]
        case "equal columns":
            matrix[:, 1:] = matrix[:, :1]
        case "zero column":
            matrix[:, 1] = 0
        case "zero columns":
            matrix[:, 1:] = 0
        case "zero row":
            matrix[2] = 0
        case "zero":
            matrix[:] = 0
        case "far units":
            matrix *= torch.tensor([1e-8, 1.0, 1e8]).double()
        case "small":
            matrix *= 1e-15
        case "large":
            matrix *= 1e15
        case "fewer features than components":
            matrix = matrix[:2]
        case "one column, zero":
            matrix = matrix[:, :1] * 0
    return matrix


AWKWARD = [
    "rank-deficient",
    "nearly rank-deficient",
    "equal columns",
    "zero column",
    "zero columns",
    "zero row",
    "zero",
    "far units",
    "small",
    "large",
    "fewer features than components",
    "one column, zero",
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize(
    "function",
    [log_volume, l1_norm, *[lambda j, p=p: volume_criterion(j, p) for p in EXPONENTS]],
    ids=["log_volume", "l1_norm", *[f"volume_criterion {p}" for p in EXPONENTS]],
)
def test_value_and_gradient_are_finite_where_the_jacobian_is_awkward(
    function: Callable[[Tensor], Tensor], name: str, dtype: torch.dtype
) -> None:
    matrix = awkward(name).to(dtype).requires_grad_(True)
    value = function(matrix)
    (gradient,) = torch.autograd.grad(value, matrix)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [name for name in AWKWARD if name != "fewer features than components"])
def test_an_awkward_jacobian_leaves_the_others_of_its_batch_alone(name: str, dtype: torch.dtype) -> None:
    regular = draw(*awkward(name).shape, seed=5).to(dtype)
    # Beside batches of the same size only: a processor may round a single product otherwise.
    mixed, alike = (torch.stack([regular, middle, regular]) for middle in (awkward(name).to(dtype), regular))
    assert torch.equal(log_volume(mixed)[[0, 2]], log_volume(alike)[[0, 2]])


def test_volume_is_exact_where_units_differ_by_far() -> None:
    scales = torch.tensor([1e-8, 1.0, 1e8])
    regular = draw(6, 3).float()
    assert float(log_volume(regular * scales)) == pytest.approx(float(log_volume(regular)), abs=1e-4)


def test_volume_of_dependent_columns_is_less_than_of_nearly_dependent_ones() -> None:
    """The lift does not turn the worst Jacobian into a good one."""
    volumes = []
    for angle in (1e-2, 1e-4, 1e-5, 0.0):
        matrix = draw(6, 3)
        matrix[:, 2] = matrix[:, 0] + angle * matrix[:, 2]
        volumes.append(float(log_volume(matrix)))
    assert volumes == sorted(volumes, reverse=True)


@settings(deadline=None)  # beside other work
@given(seeds, exponents, st.integers(1, 4), st.integers(0, 8), st.floats(-6, 6))
def test_criterion_is_unmoved_by_scale_order_and_sign(
    seed: int, p: float, n_components: int, more: int, exponent: float
) -> None:
    n_features = n_components + more
    generator = torch.Generator().manual_seed(seed)
    matrix = draw(n_features, n_components, seed=seed)
    signs = torch.randint(0, 2, (n_components,), generator=generator) * 2 - 1
    columns = torch.randperm(n_components, generator=generator)
    rows = torch.randperm(n_features, generator=generator)
    row_signs = torch.randint(0, 2, (n_features, 1), generator=generator) * 2 - 1
    moved = 10**exponent * (matrix * signs * row_signs)[rows][:, columns]
    found, expected = volume_criterion(moved, p), volume_criterion(matrix, p)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


@given(seeds, st.sampled_from([2, 2.5, 3, 10, math.inf]), st.integers(1, 4), st.integers(0, 8), st.floats(0, 4))
def test_criterion_has_its_bound(seed: int, p: float, n_components: int, more: int, peak: float) -> None:
    n_features = n_components + more
    matrix = draw(n_features, n_components, seed=seed)
    matrix = matrix * matrix.abs() ** peak  # peaked entries come near the axes, and so near the bound
    criterion = volume_criterion(matrix, p)
    assert float(criterion) <= math.log(n_features / n_components) / 2 + 1e-9
    assert 0 < float(volume_efficiency(criterion, n_features, n_components)) <= 1 + 1e-9


@given(seeds, exponents, exponents)
def test_power_mean_grows_with_its_exponent(seed: int, first: float, second: float) -> None:
    norms = draw(5, seed=seed).abs()
    low, high = sorted((first, second))
    assert float(power_mean(norms, low)) <= float(power_mean(norms, high)) * (1 + 1e-9)


@pytest.mark.parametrize("p", [-1, -1e-9, -math.inf, math.nan])
@pytest.mark.parametrize("function", [power_mean, log_power_mean, volume_criterion])
def test_exponents_that_are_none_are_refused(function: Callable[[Tensor, float], Tensor], p: float) -> None:
    with pytest.raises(ValueError, match=r"p=.*\[0, infinity\]"):
        function(torch.eye(3), p)
