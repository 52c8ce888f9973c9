"""The agreement of two fits: of components up to a monotone change, of groups up to any smooth one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from identica.trust import compare_starts, component_agreement

LATENTS = np.random.default_rng(0).uniform(-1, 1, (800, 4))


def bent_within_pairs(latents: np.ndarray) -> np.ndarray:
    """Turn and bend each pair by itself, with its inverse a polynomial, too."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    pairs = [latents[:, k : k + 2] @ turn for k in (0, 2)]
    return np.hstack([np.column_stack([pair[:, 0], pair[:, 1] + 0.7 * pair[:, 0] ** 2]) for pair in pairs])


def test_components_agree_up_to_order_sign_and_monotone_change() -> None:
    assert component_agreement(LATENTS, -(LATENTS[:, [2, 0, 3, 1]] ** 3)) == pytest.approx(1)
    mixed = LATENTS @ np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4))).Q
    assert component_agreement(LATENTS, mixed) < 0.9


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 3, 0, 1], [3, 2, 1, 0]])
def test_groups_agree_up_to_any_smooth_change_within_them(order: list[int]) -> None:
    bent = bent_within_pairs(LATENTS)[:, order]
    assert component_agreement(LATENTS, bent, 2) > 0.97
    assert component_agreement(bent, LATENTS, 2) > 0.97
    assert component_agreement(LATENTS, bent) < 0.9


def test_groups_that_share_their_components_otherwise_disagree() -> None:
    assert component_agreement(LATENTS, LATENTS[:, [0, 2, 1, 3]], 2) < 0.6
    turned = LATENTS @ np.kron([[0.7, -0.714], [0.714, 0.7]], np.eye(2))
    assert component_agreement(LATENTS, turned, 2) < 0.85


def test_a_group_that_holds_less_than_the_other_disagrees_both_ways() -> None:
    poor = LATENTS.copy()
    poor[:, 1] = LATENTS[:, 0]
    assert component_agreement(LATENTS, poor, 2) < 0.8
    assert component_agreement(poor, LATENTS, 2) < 0.8


def test_few_rows_do_not_agree_by_chance() -> None:
    other = np.random.default_rng(1).uniform(-1, 1, (60, 4))
    assert component_agreement(LATENTS[:60], other, 2) < 0.3


@pytest.mark.parametrize("group_size", [1, 2])
def test_a_constant_component_agrees_with_none_and_warns_of_nothing(group_size: int) -> None:
    poor = LATENTS.copy()
    poor[:, 2] = 1.0
    assert 0.6 < component_agreement(LATENTS, poor, group_size) < 0.9


class Permuting(nn.Module):
    """An encoder whose components are the rows' own columns, the first of them turned."""

    def __init__(self, angle: float) -> None:
        super().__init__()
        self.turn = torch.eye(4, dtype=torch.float64)
        self.turn[:2, :2] = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows @ self.turn


def start(number: int, angle: float) -> SimpleNamespace:
    data = SimpleNamespace(coordinates=lambda rows: rows)
    return SimpleNamespace(number=number, basis="pca", history=[], encoder=Permuting(angle), data=data)


def test_a_start_whose_criterion_is_lower_by_two_hundredths_counts_a_third() -> None:
    starts = [start(0, 0.0), start(1, 0.0), start(2, math.pi / 4), start(3, 0.0)]
    found = SimpleNamespace(
        best=starts[0], finished=tuple(starts[:3]), criteria=(1.0, 1.0, 0.98), errors=(0.1, 0.2, 0.3)
    )
    comparison = compare_starts(found, starts, torch.as_tensor(LATENTS))
    other = component_agreement(LATENTS, Permuting(math.pi / 4)(torch.as_tensor(LATENTS)).numpy())
    assert other < 0.9
    third = math.exp(-1)
    assert comparison.agreement == pytest.approx((1 + third * other) / (1 + third))
    assert [record.get("agreement") for record in comparison.records] == [1.0, pytest.approx(1), other, None]
    assert [record["kept"] for record in comparison.records] == [True, False, False, False]
    assert [record["reconstruction_error"] for record in comparison.records] == [0.1, 0.2, 0.3, None]
    # One that is higher counts no more than one that is as high.
    higher = SimpleNamespace(best=starts[1], finished=tuple(starts[1:3]), criteria=(1.0, 1.5), errors=(0.1, 0.1))
    assert compare_starts(higher, starts, torch.as_tensor(LATENTS)).agreement == pytest.approx(other)
