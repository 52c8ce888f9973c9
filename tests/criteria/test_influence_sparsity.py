"""How sparse influences are: the L1 norm for latents of unit variance, whatever scales and units they have."""

import pytest
import torch
from decoders import draw

from identica.criteria import InfluenceSparsity, LocalGeometry


def local(seed: int = 1, n_points: int = 4) -> LocalGeometry:
    latents = draw(50, 3, seed=9)
    covariance = latents.T.cov(correction=0)
    whole = LocalGeometry.of(draw(n_points, 9, 3, seed=seed))
    return LocalGeometry(whole.rows, whole.log_volume, whole.column_squares, covariance)


def test_it_is_the_textbook_s() -> None:
    given = local()
    deviations = given.covariance.diagonal().sqrt()
    rows = given.rows.reshape(-1, 3)
    mean = sum(float(abs(row[j]) * deviations[j]) for row in rows for j in range(3)) / len(rows)
    assert float(InfluenceSparsity().value(given).neg().exp()) == pytest.approx(mean, rel=1e-10)


def test_without_a_covariance_latents_have_unit_variance() -> None:
    whole = LocalGeometry.of(draw(4, 9, 3))
    assert float(InfluenceSparsity().value(whole).neg().exp()) == pytest.approx(float(whole.rows.abs().sum(-1).mean()))


def test_scales_of_latents_do_not_matter_and_units_of_features_move_it_by_a_constant() -> None:
    scales = torch.tensor([0.01, 1.0, 300.0]).double()
    value = InfluenceSparsity().value
    for seed in (1, 2):
        assert float(value(local(seed).scaled(scales))) == pytest.approx(float(value(local(seed))), abs=1e-12)
    one, other = local(1), local(2)
    moved = [
        LocalGeometry(5 * each.rows, each.log_volume, each.column_squares, each.covariance) for each in (one, other)
    ]
    assert float(value(moved[0]) - value(moved[1])) == pytest.approx(float(value(one) - value(other)))


def test_sparse_rows_are_better_than_the_same_rows_turned() -> None:
    sparse = torch.cat([torch.eye(3).double()] * 4)[None]
    turned = sparse @ torch.linalg.qr(draw(3, 3)).Q
    value = InfluenceSparsity().value
    assert float(value(LocalGeometry.of(sparse))) == pytest.approx(0.0)
    assert float(value(LocalGeometry.of(turned))) < -0.2


def test_gradients_are_those_of_differences() -> None:
    given = local(n_points=2)

    def value(rows: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
        return InfluenceSparsity().value(LocalGeometry(rows, given.log_volume, given.column_squares, covariance))

    inputs = given.rows.clone().requires_grad_(True), given.covariance.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(value, inputs)
