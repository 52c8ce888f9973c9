"""A sample of a network's outputs and of its Jacobian's rows is what the whole would give, however it is computed."""

import itertools
import math

import pytest
import torch
from decoders import build, draw
from torch import nn

from identica import Convolutional
from identica.jacobian import jacobian
from identica.jacobian.sampling import push_sampled
from identica.jacobian.tangents import push_tangents
from identica.networks.layers import Channels, Crop, Plus

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
# Kernel, stride, padding, dilation; a hundred output channels make dense rows the cheaper way.
CONVOLUTIONS = [
    setting
    for setting in itertools.product((1, (3, 2), 4), (1, (2, 1)), (0, (1, 2)), (1, 2))
    if setting[0] != 1 or setting[3] == 1
]


def whole(module, primal, tangents, features):
    output, pushed = push_tangents(module, primal, tangents)
    return output.flatten(1)[:, features], pushed.flatten(2)[:, :, features]


def gradients(module, results):
    loss = sum((result * draw(*result.shape)).sin().sum() for result in results)
    return torch.autograd.grad(loss, list(module.parameters()), allow_unused=True, materialize_grads=True)


@pytest.fixture
def convolved(monkeypatch):
    """Count the images that pass through whole convolutions."""
    seen = []
    convolve = nn.Conv2d._conv_forward
    monkeypatch.setattr(
        nn.Conv2d,
        "_conv_forward",
        lambda self, images, *rest: seen.append(len(images)) or convolve(self, images, *rest),
    )
    return seen


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), CONVOLUTIONS)
@pytest.mark.parametrize("last", [True, False], ids=["channels last", "channels first"])
def test_rows_of_a_convolution_are_its_own(kernel, stride, padding, dilation, last, convolved):
    layer = build(lambda: nn.Conv2d(3, 100, kernel, stride=stride, padding=padding, dilation=dilation))
    primal, tangents = draw(4, 9, 8, 3), draw(4, 2, 9, 8, 3, seed=2)
    primal, tangents = (
        (values.movedim(-1, -3) if last else values.movedim(-1, -3).contiguous()) for values in (primal, tangents)
    )
    size = layer(primal)[0].numel()
    features = torch.tensor([0, size - 1, -1, size // 2, 7, size // 3])
    expected = whole(layer, primal, tangents, features)
    convolved.clear()
    found = push_sampled(layer, primal, tangents, features)
    assert not convolved
    torch.testing.assert_close(found, expected, **CLOSE)
    torch.testing.assert_close(gradients(layer, found), gradients(layer, expected), **CLOSE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Conv2d(4, 8, 3, groups=2, padding=1),
        lambda: nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular"),
        lambda: nn.Conv2d(4, 8, 3, padding="same"),
        lambda: nn.Conv2d(4, 1, 1),
    ],
    ids=["groups", "circular", "same", "cheaper whole"],
)
def test_other_convolutions_are_computed_whole(make, convolved):
    module = build(lambda: nn.Sequential(make(), nn.Flatten()))
    primal, tangents, features = draw(2, 4, 5, 6), draw(2, 3, 4, 5, 6, seed=2), torch.arange(0, 30, 2)
    found = push_sampled(module, primal, tangents, features)
    assert convolved
    torch.testing.assert_close(found, whole(module, primal, tangents, features), **CLOSE)


def test_what_only_moves_values_is_traced_back(convolved):
    module = build(
        lambda: nn.Sequential(
            nn.Tanh(),
            nn.Sequential(nn.Conv2d(4, 36, 3, padding=1), nn.PixelShuffle(3)),
            Crop(13, 10),
            Channels(first=False),
            nn.Flatten(),
        )
    )
    primal, tangents = draw(2, 4, 5, 4), draw(2, 3, 4, 5, 4, seed=2)
    features = torch.arange(0, 13 * 10 * 4, 11)
    expected = whole(module, primal, tangents, features)
    convolved.clear()
    found = push_sampled(module, primal, tangents, features)
    assert not convolved
    torch.testing.assert_close(found, expected, **CLOSE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.Unflatten(1, (6, 2))),
        lambda: nn.Sequential(nn.Linear(3, 5), nn.Flatten()),
        lambda: nn.Sequential(nn.Tanh(), nn.Flatten()),
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 9), nn.Unflatten(1, (3, 3)), nn.Flatten()),
        lambda: nn.Sequential(
            nn.Flatten(), Plus(nn.Linear(12, 9, bias=False), nn.Sequential(nn.Tanh(), nn.Linear(12, 9)))
        ),
        lambda: nn.Sequential(),
    ],
    ids=["rearranged alone", "linear of many axes", "bent", "linear", "sum", "nothing"],
)
def test_other_ends_give_the_same(make):
    module = build(make)
    primal, tangents, features = draw(2, 4, 3), draw(2, 3, 4, 3, seed=2), torch.tensor([5, 0, 2])
    torch.testing.assert_close(
        push_sampled(module, primal, tangents, features), whole(module, primal, tangents, features), **CLOSE
    )


def test_hooks_are_heard():
    """A layer that hooks may change is not replaced by some rows of its matrix."""
    module = build(lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Flatten()))
    module[1].register_forward_hook(lambda module, inputs, output: torch.sin(output))
    latents, features = draw(2, 3), [3, 1]
    output, matrix = jacobian(module, latents, features=features)
    torch.testing.assert_close(output, module(latents)[:, features], **CLOSE)
    torch.testing.assert_close(matrix, jacobian(module, latents)[1][:, features], **CLOSE)


@pytest.mark.parametrize("shape", [(8, 8), (9, 13), (10, 7, 3)])
def test_a_convolutional_decoder_computes_no_other_pixels(shape, convolved):
    _, decoder = Convolutional(channels=(4, 6)).build(draw(3, math.prod(shape)), 0, shape)
    decoder = build(lambda: decoder)
    latents, features = draw(5, 3), [0, 5, math.prod(shape) - 1]
    expected = jacobian(decoder, latents)
    convolved.clear()
    found = jacobian(decoder, latents, features=features)
    assert not convolved
    torch.testing.assert_close(found, (expected[0][:, features], expected[1][:, features]), **CLOSE)


def test_a_mask_of_features_is_a_sample():
    decoder = build(lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)))
    mask = torch.tensor([True, False, True])
    torch.testing.assert_close(
        jacobian(decoder, draw(2, 2), features=mask), jacobian(decoder, draw(2, 2), features=[0, 2])
    )
