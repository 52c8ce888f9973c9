"""The geometry of a decoder in a compact space is that of the same decoder among features."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from decoders import draw

from identica.criteria import JacobianSample, LocalGeometry
from identica.networks import Dense, frame, widened

N_FEATURES, RANK, D = 40, 6, 3
UNITS = torch.linspace(0.5, 2.0, N_FEATURES, dtype=torch.float64)
LOADINGS = 3 * torch.linalg.qr(torch.randn(N_FEATURES, RANK, generator=torch.Generator().manual_seed(0)).double())[0]


@pytest.fixture
def decoders():
    pair = frame(*Dense(hidden=(8,)).build(torch.eye(D, RANK), seed=0), D)
    pair = tuple(network.double() for network in pair)
    last = pair[1][1][-1]
    with torch.no_grad():
        last.weight += torch.randn(last.weight.shape, generator=torch.Generator().manual_seed(1))
    return pair[1], widened(*pair, LOADINGS)[1]


LATENTS = torch.randn(5, D, generator=torch.Generator().manual_seed(2)).double()


@pytest.mark.parametrize("units", [None, UNITS])
@pytest.mark.parametrize("whole_volume", [False, True])
@pytest.mark.parametrize("drawn", [False, True])
def test_as_among_features(decoders, units, whole_volume, drawn):
    def generator():
        return torch.Generator().manual_seed(3) if drawn else None

    narrow = JacobianSample(5, 12, LOADINGS, units, whole_volume=whole_volume).at(decoders[0], LATENTS, generator())
    wide = JacobianSample(5, 12, None, units).at(decoders[1], LATENTS, generator())
    assert narrow.rows.shape == (5, 12 if drawn else N_FEATURES, D)
    torch.testing.assert_close(narrow.rows, wide.rows)
    if whole_volume:
        wide = JacobianSample(5, N_FEATURES, None, units).at(decoders[1], LATENTS, None)
    torch.testing.assert_close(narrow.log_volume, wide.log_volume)
    torch.testing.assert_close(narrow.column_squares, wide.column_squares)


def test_a_sampled_volume_can_be_trained_through(decoders):
    sample = JacobianSample(5, 12, LOADINGS, whole_volume=False)
    local = sample.at(decoders[0], LATENTS, torch.Generator().manual_seed(3))
    local.log_volume.sum().backward()
    assert decoders[0][1][-1].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("known", [False, True])
def test_scaled_geometry_is_that_of_the_scaled_jacobian_and_latents(known):
    matrices, scales = draw(5, N_FEATURES, D), torch.tensor([0.1, 1.0, 7.0]).double()
    covariance = LATENTS.T.cov(correction=0) if known else torch.eye(D).double()
    local = replace(LocalGeometry.of(matrices), covariance=covariance if known else None)
    scaled, expected = local.scaled(scales), LocalGeometry.of(matrices * scales)
    torch.testing.assert_close(scaled.rows, expected.rows)
    torch.testing.assert_close(scaled.log_volume, expected.log_volume)
    torch.testing.assert_close(scaled.column_squares, expected.column_squares)
    # Latents are divided by what their columns are multiplied by.
    inverse = torch.diag(1 / scales)
    torch.testing.assert_close(scaled.covariance, inverse @ covariance @ inverse)
    torch.testing.assert_close(local.spread / scales, scaled.spread)


def test_the_covariance_is_that_of_the_latents_asked_about(decoders):
    sample = JacobianSample(5, N_FEATURES)
    local = sample.at(decoders[1], LATENTS, None)
    expected = np.cov(LATENTS.numpy().T, bias=True)
    np.testing.assert_allclose(local.covariance, expected, rtol=1e-12)
    np.testing.assert_allclose(local.spread, LATENTS.numpy().std(axis=0), rtol=1e-12)
    alone = sample.at(decoders[1], LATENTS[:1], None)
    assert alone.covariance is None
    assert alone.spread.tolist() == [1.0] * D
