"""Networks: where they start, what a change of basis leaves alone, and which parameters they refuse."""

import numpy as np
import pytest
import torch
from decoders import build, draw
from sklearn.decomposition import PCA
from torch import Tensor, nn

from identica.networks import ACTIVATIONS, Dense, change_basis, frame


def framed(activation: str = "tanh") -> tuple[nn.Sequential, nn.Sequential]:
    """Build a framed pair with generic parameters, frames included."""

    def make() -> nn.Module:
        return nn.ModuleList(frame(*Dense((6, 5), activation).build(torch.eye(3, 7), seed=0), 3))

    encoder, decoder = build(make)  # type: ignore[misc]
    change_basis(encoder, decoder, draw(3, 3, seed=8), draw(3, seed=9))
    return encoder, decoder


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("hidden", [(8,), (16, 5)])
def test_networks_start_at_what_pca_reconstructs(hidden: tuple[int, ...], scale: float) -> None:
    data = (draw(50, 4) @ draw(4, 7, seed=2) + 0.3 * draw(50, 7, seed=3)).numpy()
    data -= data.mean(0)
    pca = PCA(3).fit(data)
    axes = torch.tensor(pca.components_ * scale).float()
    encoder, decoder = Dense(hidden).build(axes, seed=0)
    with torch.no_grad():
        latents = encoder(torch.tensor(data).float())
        found = decoder(latents)
    expected = torch.tensor(pca.inverse_transform(pca.transform(data))).float()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(latents, torch.tensor(pca.transform(data) / scale).float(), rtol=1e-5, atol=1e-5)


def test_bends_start_at_zero_but_can_grow() -> None:
    _, decoder = Dense((8,)).build(torch.eye(3, 7), seed=0)
    latents = draw(20, 3).float()
    (decoder(latents) - 1).square().sum().backward()
    assert decoder[-1].weight.grad[:, :8].abs().min() > 0


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_seed_alone_decides_the_start(activation: str) -> None:
    def start(seed: int) -> list[Tensor]:
        networks = Dense((8,), activation).build(torch.eye(3, 7), seed=seed)
        return [parameter.detach() for network in networks for parameter in network.parameters()]

    first, again, other = start(0), start(0), start(1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in first)


def test_encoder_and_decoder_mirror_each_other() -> None:
    encoder, decoder = Dense((8, 5)).build(torch.eye(3, 7), seed=0)

    def shapes(network: nn.Module) -> list[tuple[int, int]]:
        linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        return [(layer.in_features, layer.out_features) for layer in linear]

    # The last layer sees the input too.
    assert shapes(encoder) == [(7, 5), (5, 8), (8 + 7, 3)]
    assert shapes(decoder) == [(3, 8), (8, 5), (5 + 3, 7)]


def test_frames_are_the_identity_and_are_not_trained() -> None:
    encoder, decoder = Dense((8,)).build(torch.eye(3, 7), seed=0)
    framed_encoder, framed_decoder = frame(encoder, decoder, 3)
    data, latents = draw(5, 7).float(), draw(5, 3).float()
    assert torch.equal(framed_encoder(data), encoder(data))
    assert torch.equal(framed_decoder(latents), decoder(latents))
    assert not any(each.requires_grad for each in framed_encoder[-1].parameters())
    assert not any(each.requires_grad for each in framed_decoder[0].parameters())
    assert all(each.requires_grad for each in (*encoder.parameters(), *decoder.parameters()))


def test_a_change_of_basis_moves_latents_as_it_says_and_no_reconstruction() -> None:
    encoder, decoder = framed()
    data, new_latents = draw(5, 7), draw(5, 3)
    latents, output = encoder(data), decoder(encoder(data))
    transform, shift = draw(3, 3, seed=4), draw(3, seed=5)
    expected_output = decoder(new_latents @ transform.T + shift)
    change_basis(encoder, decoder, transform, shift)
    torch.testing.assert_close(encoder(data) @ transform.T + shift, latents, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(decoder(new_latents), expected_output, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(decoder(encoder(data)), output, rtol=1e-11, atol=1e-11)


def test_reconstructions_survive_many_changes_in_float32() -> None:
    encoder, decoder = (network.float() for network in framed())
    data = draw(5, 7).float()
    output = decoder(encoder(data))
    for seed in range(20):
        turn = torch.linalg.qr(draw(3, 3, seed=seed)).Q.float()
        change_basis(encoder, decoder, turn, 0.1 * draw(3, seed=seed).float())
    assert encoder[-1].weight.dtype == torch.float32
    torch.testing.assert_close(decoder(encoder(data)), output, rtol=1e-4, atol=1e-4)


def test_networks_without_a_frame_are_refused() -> None:
    bare = nn.Sequential(nn.Tanh())
    with pytest.raises(TypeError, match=r"no frame.*frame\(\)"):
        change_basis(bare, bare, torch.eye(3), torch.zeros(3))


@pytest.mark.parametrize(
    ("hidden", "error", "words"),
    [
        ((), ValueError, "hidden is empty: give at least one width"),
        ((0,), ValueError, "a width in hidden=0 is out of range: use at least 1"),
        ((8, -1), ValueError, "a width in hidden=-1 is out of range"),
        ((8.0,), TypeError, r"a width in hidden=8\.0 is not an integer"),
        ((True,), TypeError, "a width in hidden=True is not an integer"),
        (("8",), TypeError, "a width in hidden='8' is not an integer"),
        (5, TypeError, "hidden=5 is no sequence: give the widths"),
        ("88", TypeError, "hidden='88' is no sequence"),
    ],
)
def test_widths_that_are_none_are_refused(hidden: tuple[int, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Dense(hidden)


def test_widths_of_numpy_become_plain_ones() -> None:
    network = Dense(np.array([8, 4]))  # type: ignore[arg-type]
    assert network == Dense((8, 4))
    assert all(type(width) is int for width in network.hidden)


def test_an_unknown_activation_is_refused_with_those_allowed() -> None:
    for activation in ("swish", [], None):
        with pytest.raises(ValueError, match=r"activation=.* is not known: use one of elu.*tanh"):
            Dense(activation=activation)  # type: ignore[arg-type]


def test_a_list_of_widths_serves_as_well() -> None:
    assert Dense([8, 4]) == Dense((8, 4))  # type: ignore[arg-type]
