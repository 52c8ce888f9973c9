"""The overlap of blocks: zero for disjoint ones, a textbook's number elsewhere, blind to what may not matter."""

import pytest
import torch
from decoders import draw
from torch import Tensor

from identica.criteria import Compositionality, LocalGeometry, block_norms, compositional_overlap


def overlap(matrices: Tensor, block_size: int) -> Tensor:
    return compositional_overlap(block_norms(matrices, block_size))


def disjoint(n_blocks: int, block_size: int, n_rows: int = 5) -> Tensor:
    """Jacobians at two points whose rows belong to one block each."""
    blocks = [draw(2, n_rows, block_size, seed=k) for k in range(n_blocks)]
    return torch.stack([torch.block_diag(*(block[n] for block in blocks)) for n in range(2)])


def within_blocks(n_blocks: int, block_size: int) -> Tensor:
    """Any invertible change of latents in each block."""
    return torch.block_diag(*(draw(block_size, block_size, seed=10 + k) for k in range(n_blocks)))


def by_hand(matrix: Tensor, block_size: int) -> float:
    """Equation (7) of Brady et al. in an orthonormal frame of each block, each pair as a share of its largest value."""
    blocks = [torch.linalg.qr(block).Q for block in matrix.split(block_size, dim=1)]
    pairs = [(k, other) for k in range(len(blocks)) for other in range(k)]
    total = sum(float(blocks[k][i].norm() * blocks[o][i].norm()) for k, o in pairs for i in range(len(matrix)))
    return total / (block_size * len(pairs))


@pytest.mark.parametrize(("n_blocks", "block_size"), [(4, 1), (2, 1), (2, 2), (3, 2), (2, 3)])
def test_it_is_the_textbook_s_and_lies_between_zero_and_one(n_blocks: int, block_size: int) -> None:
    matrices = draw(4, 11, n_blocks * block_size)
    found = overlap(matrices, block_size)
    assert found.tolist() == pytest.approx([by_hand(matrix, block_size) for matrix in matrices], rel=1e-9)
    assert 0 < float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize(("n_blocks", "block_size"), [(4, 1), (2, 2), (3, 3)])
def test_it_is_zero_for_disjoint_blocks_and_for_one_block(n_blocks: int, block_size: int) -> None:
    matrices = disjoint(n_blocks, block_size)
    assert overlap(matrices, block_size).max().item() < 1e-12
    assert overlap(draw(2, 7, 3), 3).tolist() == [0.0, 0.0]


def test_it_is_one_where_blocks_have_the_same_influence() -> None:
    column = draw(7, 1)
    assert float(overlap(torch.cat([column, -3 * column], dim=1), 1)) == pytest.approx(1)


@pytest.mark.parametrize(("n_blocks", "block_size"), [(4, 1), (2, 2), (3, 2)])
def test_no_linear_change_within_a_block_and_no_common_unit_matters(n_blocks: int, block_size: int) -> None:
    matrices = draw(4, 11, n_blocks * block_size)
    torch.testing.assert_close(
        overlap(1e3 * matrices @ within_blocks(n_blocks, block_size), block_size), overlap(matrices, block_size)
    )
    whole = torch.randperm(n_blocks, generator=torch.Generator().manual_seed(0))
    order = (whole[:, None] * block_size + torch.arange(block_size)).flatten()
    torch.testing.assert_close(overlap(matrices[..., order], block_size), overlap(matrices, block_size))
    mixing = torch.linalg.qr(draw(*[n_blocks * block_size] * 2)).Q
    assert (overlap(disjoint(n_blocks, block_size) @ mixing, block_size) > 0.05).all()


def test_squares_of_a_block_sum_to_its_size() -> None:
    norms = block_norms(draw(3, 11, 6), 2)
    assert norms.shape == (3, 11, 3)
    torch.testing.assert_close(norms.square().sum(1), torch.full((3, 3), 2.0).double())


@pytest.mark.parametrize("block_size", [1, 2])
def test_gradients_are_those_of_differences(block_size: int) -> None:
    matrices = draw(2, 7, 4).requires_grad_(True)
    criterion = Compositionality(block_size)
    assert torch.autograd.gradcheck(lambda J: criterion.value(LocalGeometry.of(J)), matrices)


@pytest.mark.parametrize("block_size", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_where_influences_are_zero_or_fall_together(block_size: int, dtype: torch.dtype) -> None:
    degenerate = draw(2, 7, 4).to(dtype)
    degenerate[0, :, :2], degenerate[0, 3], degenerate[1, :, 1] = 0, 0, degenerate[1, :, 0]
    degenerate.requires_grad_(True)
    value = Compositionality(block_size).value(LocalGeometry.of(degenerate))
    value.backward()
    assert bool(value.isfinite())
    assert degenerate.grad is not None
    assert bool(degenerate.grad.isfinite().all())


def test_its_value_is_minus_the_mean_and_its_group_the_block() -> None:
    matrices = draw(5, 4, 9, 6)
    found = Compositionality(3).value(LocalGeometry.of(matrices))
    torch.testing.assert_close(found, -overlap(matrices, 3).mean(-1))
    assert Compositionality(3).group_size == 3


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_block_has_a_whole_size(size: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"block_size={size} is"):
        Compositionality(size)  # type: ignore[arg-type]
