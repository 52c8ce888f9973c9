"""The align stage: it finds known mixings, its scales are the best ones, and its comparison is fair."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from decoders import draw
from torch import Tensor

from identica.criteria import (
    Compositionality,
    Criterion,
    IndependentMechanism,
    InfluenceSparsity,
    LocalGeometry,
    Volume,
    best_scales,
    volume_criterion,
)
from identica.datasets import make_mixture
from identica.solvers.alignment import align, matched_cosine


def diverse_rows(n_features: int, n_components: int, seed: int) -> Tensor:
    """Draw rows of either sign on the L1 sphere."""
    random = np.random.default_rng(seed)
    sizes = random.dirichlet([0.3] * n_components, n_features)
    return torch.tensor(sizes * random.choice([-1, 1], sizes.shape))


@pytest.mark.parametrize("p", [1.0, 3.0, math.inf])
@pytest.mark.parametrize("turn", ["rotation", "any"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_align_undoes_a_mixing_up_to_order_and_sign(p: float, turn: str, dtype: torch.dtype) -> None:
    mixing, change = diverse_rows(80, 4, seed=1), draw(4, 4)
    change = torch.linalg.qr(change).Q if turn == "rotation" else change
    scales = torch.tensor([0.5, 1.0, 2.0]).double()  # three points, with larger and smaller Jacobians
    matrices = (scales[:, None, None] * (mixing @ change)).to(dtype)
    generator = torch.Generator().manual_seed(0)
    found = align(LocalGeometry.of(matrices), Volume(p), n_restarts=5, generator=generator, n_steps=250)
    undone = change @ found.transform.double()
    assert matched_cosine(undone, torch.eye(4).double()) > 0.995
    assert found.criteria.shape == (5,)
    assert found.agreement > 0.99


CASES = {
    "independent-mechanism": (IndependentMechanism(), {"kind": "orthogonal"}),
    "sparsity": (InfluenceSparsity(), {"kind": "sparse", "n_active": 2}),
    "blocks of one": (Compositionality(1), {"kind": "compositional", "block_size": 1}),
    "blocks of two": (Compositionality(2), {"kind": "compositional", "block_size": 2}),
}


@pytest.mark.parametrize(("criterion", "mixing"), CASES.values(), ids=CASES.keys())
def test_each_criterion_undoes_a_mixing_of_its_own_kind(criterion: Criterion, mixing: dict) -> None:
    data = make_mixture(1000, 30, 4, latents="uniform", random_state=0, **mixing)
    change = draw(4, 4)
    latents = torch.as_tensor(data.latents) @ torch.linalg.inv(change).T
    local = LocalGeometry.of(torch.as_tensor(data.jacobian(data.latents[:16])) @ change)
    local = replace(local, covariance=latents.T.cov(correction=0))
    found = align(local, criterion, n_restarts=4, generator=torch.Generator().manual_seed(0), n_steps=250)
    undone = change @ found.transform
    assert matched_cosine(undone, torch.eye(4).double(), criterion.group_size) > 0.995
    assert found.agreement > 0.95


def test_components_are_paired_rightly_among_many() -> None:
    data = make_mixture(8, 60, 6, kind="compositional", block_size=2, random_state=0)
    change = draw(6, 6)
    local = LocalGeometry.of(torch.as_tensor(data.jacobians) @ change)
    generator = torch.Generator().manual_seed(0)
    found = align(local, Compositionality(2), n_restarts=6, generator=generator)
    assert matched_cosine(change @ found.transform, torch.eye(6).double(), 2) > 0.999
    assert found.agreement > 0.95


def test_align_finds_a_maximum() -> None:
    matrices = draw(3, 40, 3)
    found = align(
        LocalGeometry.of(matrices), Volume(3.0), n_restarts=8, generator=torch.Generator().manual_seed(0), n_steps=600
    )

    def criterion(transform: Tensor) -> float:
        return float(volume_criterion(matrices @ transform, 3.0).mean())

    best = criterion(found.transform)
    for seed in range(20):
        nearby = torch.eye(3) + 0.05 * draw(3, 3, seed=seed)
        assert criterion(found.transform @ nearby) < best


def test_criteria_are_those_of_the_restarts_and_the_best_is_kept() -> None:
    matrices = draw(1, 40, 5)  # rows without direction: the restarts differ
    restarts = []
    for n_restarts in (6, 1):
        generator = torch.Generator().manual_seed(0)
        restarts.append(
            align(LocalGeometry.of(matrices), Volume(1.0), n_restarts=n_restarts, generator=generator, n_steps=300)
        )
    several, first = restarts
    gain = [float(volume_criterion(matrices @ found.transform, 1.0).mean()) for found in restarts]
    assert gain[0] - gain[1] == pytest.approx(float(several.criteria.max() - first.criteria[0]), abs=1e-9)
    assert float(several.criteria.max() - several.criteria.min()) > 0.001


def test_restarts_disagree_where_rows_have_no_direction() -> None:
    generator = torch.Generator().manual_seed(0)
    found = align(LocalGeometry.of(draw(1, 150, 6)), Volume(1.0), n_restarts=8, generator=generator, n_steps=250)
    assert found.agreement < 0.9


def test_one_restart_agrees_with_itself() -> None:
    found = align(
        LocalGeometry.of(draw(1, 20, 3)),
        Volume(3.0),
        n_restarts=1,
        generator=torch.Generator().manual_seed(0),
        n_steps=5,
    )
    assert found.agreement == 1.0


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
def test_best_scales_are_a_stationary_point_and_the_maximum(p: float) -> None:
    matrices = draw(4, 30, 3) * torch.tensor([0.01, 1.0, 50.0])
    scales = best_scales(Volume(p), LocalGeometry.of(matrices))
    assert float(scales.log().sum()) == pytest.approx(0, abs=1e-12)

    def criterion(logarithms: Tensor) -> Tensor:
        return volume_criterion(matrices * logarithms.exp(), p).mean()

    logarithms = scales.log().requires_grad_(True)
    best = criterion(logarithms)
    (gradient,) = torch.autograd.grad(best, logarithms)
    assert gradient.abs().max().item() < 1e-4
    for seed in range(10):
        step = draw(3, seed=seed)
        for size in (0.05, 1.0):
            assert criterion(logarithms.detach() + size * step / step.norm()).item() < best.item()
    # The scales that a fit happens to have do not matter.
    other = torch.tensor([3.0, 0.2, 7.0]).double()
    expected = scales / other / (scales / other).log().mean().exp()
    torch.testing.assert_close(best_scales(Volume(p), LocalGeometry.of(matrices * other)), expected, rtol=1e-3, atol=0)


def test_best_scales_are_finite_where_a_component_does_nothing() -> None:
    matrices = draw(2, 5, 3).float()
    matrices[..., 1] = 0
    scales = best_scales(Volume(3.0), LocalGeometry.of(matrices))
    assert scales.dtype == torch.float32
    assert torch.isfinite(scales).all()


def test_matched_cosine_of_groups_is_that_of_their_spaces() -> None:
    matrix = draw(6, 4)
    within = torch.block_diag(draw(2, 2, seed=5), draw(2, 2, seed=6))
    moved = (matrix @ within)[:, [3, 2, 0, 1]]
    assert matched_cosine(matrix, moved, 2) == pytest.approx(1)
    assert matched_cosine(matrix, moved) < 0.95
    # Planes of four axes that share one axis each: one principal cosine of each is 1, the other 0.
    axes = torch.eye(4)
    assert matched_cosine(axes, axes[:, [0, 2, 1, 3]], 2) == pytest.approx(math.sqrt(0.5))


def test_matched_cosine_ignores_order_sign_and_length_and_nothing_else() -> None:
    matrix = draw(6, 4)
    moved = matrix[:, [2, 0, 3, 1]] * torch.tensor([-1.0, 3.0, 0.1, -7.0])
    assert matched_cosine(matrix, moved) == pytest.approx(1)
    axes = torch.eye(2)
    turned = torch.tensor([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    assert matched_cosine(axes, axes @ turned) == pytest.approx(math.cos(0.4))
    # One to one: two columns cannot both take the same partner.
    assert matched_cosine(axes, torch.tensor([[1.0, 1.0], [0.0, 0.0]])) == pytest.approx(0.5)
