"""Gauges of polytopes: their closed forms, and what makes them gauges."""

import pytest
import torch
from decoders import draw
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from identica.criteria import NONNEGATIVE, POLYTOPES, LocalGeometry, Volume, gauge

every_polytope = pytest.mark.parametrize("polytope", POLYTOPES)
numbers = st.floats(-1e3, 1e3, allow_subnormal=False)
vectors = st.lists(numbers, min_size=3, max_size=3).map(lambda row: torch.tensor(row, dtype=torch.float64))


@given(row=vectors)
def test_closed_forms(row: Tensor) -> None:
    values = row.tolist()
    assert float(gauge(row, "l1")) == pytest.approx(sum(map(abs, values)))
    assert float(gauge(row, "max")) == max(map(abs, values))
    positive = row.abs()
    assert float(gauge(positive, "simplex")) == pytest.approx(float(positive.sum()))
    assert float(gauge(positive, "nonnegative-l1")) == pytest.approx(float(positive.sum()))
    assert float(gauge(positive, "nonnegative-max")) == float(positive.max())
    for polytope in NONNEGATIVE:  # a negative entry counts ten times
        costly = torch.tensor([entry if entry >= 0 else -10 * entry for entry in values]).double()
        assert float(gauge(row, polytope)) == pytest.approx(float(gauge(costly, polytope)))


@every_polytope
@given(row=vectors, other=vectors, factor=st.floats(0, 1e3))
def test_homogeneous_convex_and_positive(polytope: str, row: Tensor, other: Tensor, factor: float) -> None:
    size = float(gauge(row, polytope))
    assert float(gauge(factor * row, polytope)) == pytest.approx(factor * size)
    assert float(gauge(row + other, polytope)) <= size + float(gauge(other, polytope)) + 1e-9 * (1 + size)
    assert size >= float(row.abs().max())
    if polytope not in NONNEGATIVE:
        assert float(gauge(-row, polytope)) == size


@every_polytope
def test_order_of_components_does_not_matter(polytope: str) -> None:
    rows = draw(6, 4)
    torch.testing.assert_close(gauge(rows[:, [2, 0, 3, 1]], polytope), gauge(rows, polytope))


@every_polytope
@pytest.mark.parametrize("p", [2.0, 8.0])
def test_gradients_of_the_volume_in_a_polytope_are_those_of_differences(polytope: str, p: float) -> None:
    matrices = draw(2, 7, 3).requires_grad_(True)
    criterion = Volume(p, polytope)
    assert torch.autograd.gradcheck(lambda J: criterion.value(LocalGeometry.of(J)), matrices)


@every_polytope
def test_a_common_unit_does_not_move_the_volume_in_a_polytope(polytope: str) -> None:
    matrices = draw(4, 9, 3)
    criterion = Volume(8.0, polytope)
    torch.testing.assert_close(
        criterion.value(LocalGeometry.of(1e3 * matrices)), criterion.value(LocalGeometry.of(matrices))
    )


def test_an_unknown_polytope_is_refused() -> None:
    for ask in (lambda: gauge(torch.ones(2), "dodecahedron"), lambda: Volume(2.0, "dodecahedron")):
        with pytest.raises(ValueError, match="polytope='dodecahedron' is not known: use one of l1, max, simplex"):
            ask()
