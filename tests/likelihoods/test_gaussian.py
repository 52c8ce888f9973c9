"""The Gaussian likelihood counts the fraction of variance unexplained."""

import pytest
import torch

from identica.likelihoods import Gaussian


def test_its_unit_is_what_a_constant_leaves() -> None:
    X = torch.randn(500, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    X -= X.mean(0)
    likelihood = Gaussian(float(X.square().sum(1).mean()))
    assert float(likelihood.loss(torch.zeros_like(X), X)) == pytest.approx(1)
    assert float(likelihood.loss(X, X)) == 0
    half = X.clone()
    half[:, :3] = 0
    explained = float(X[:, 3:].square().sum() / X.square().sum())
    assert float(likelihood.loss(half, X)) == pytest.approx(1 - explained)


def test_residuals_are_one_number_for_each_sample_of_any_shape() -> None:
    images = torch.arange(24.0).reshape(2, 3, 4)
    residual = Gaussian(1.0).residual(torch.zeros_like(images), images)
    assert residual.tolist() == [float((images[i] ** 2).sum()) for i in range(2)]
