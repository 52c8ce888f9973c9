"""The geometry of a decoder in a compact space is that of the same decoder among features."""

import pytest
import torch

from identica.criteria import JacobianSample
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
