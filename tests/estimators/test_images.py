"""Images: convolutional networks and their Jacobians, shapes that come back, traversals."""

import numpy as np
import pytest
import torch
from methods import QUICK

from identica import DICA, Autoencoder, Convolutional, Dense, PolytopicFactorization, load
from identica.datasets import load_digits, make_sprites
from identica.estimators.traversal import component_ranges, traverse
from identica.jacobian import jacobian, jacobian_by_forward_mode
from identica.jacobian.matrix import _push
from identica.networks.layers import Crop

# Few steps on few images end wherever they end.
pytestmark = pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment")
SHAPES = [(8, 8), (28, 28), (9, 13), (10, 7, 3)]
IMAGES = make_sprites(90, size=9, random_state=0).X
COLOURS = np.random.default_rng(0).integers(0, 256, size=(60, 6, 5, 3), dtype=np.uint8)


def networks(shape, *, noise=0.05, **parameters):
    """An encoder and a decoder in float64 whose convolutional parts are no longer zero."""
    axes = torch.randn(3, int(np.prod(shape)), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    built = Convolutional(**parameters).build(axes, 0, shape)
    for network in built:
        network.double()
        for number, parameter in enumerate(network.parameters()):
            generator = torch.Generator().manual_seed(number)
            parameter.data += noise * torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
    return axes, *built


@pytest.mark.parametrize("activation", ["softplus", "silu"])
@pytest.mark.parametrize("shape", SHAPES)
def test_convolutional_jacobians_agree_with_autograd(shape, activation):
    _, _, decoder = networks(shape, channels=(4, 6), activation=activation)
    latents = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    output, fast = jacobian(decoder, latents)
    slow = torch.stack([torch.autograd.functional.jacobian(lambda z: decoder(z[None])[0], point) for point in latents])
    assert fast.abs().max() > 0.1
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-10)
    torch.testing.assert_close(fast, jacobian_by_forward_mode(decoder, latents), rtol=0, atol=1e-10)
    torch.testing.assert_close(output, decoder(latents))


def test_jacobians_of_many_images_are_taken_in_parts(monkeypatch):
    _, _, decoder = networks((9, 13), channels=(4, 6))
    latents = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    pushed = []
    monkeypatch.setattr("identica.jacobian.matrix._push", lambda *given: pushed.append(given) or _push(*given))
    whole = jacobian(decoder, latents, features=[5, 2, 90])  # with gradients never
    monkeypatch.setattr("identica.jacobian.matrix.ENTRIES_AT_ONCE", 2 * 3 * 9 * 13)
    assert len(pushed) == 1
    with torch.no_grad():
        parts = jacobian(decoder, latents, features=[5, 2, 90])
    assert len(pushed) == 1 + 4
    jacobian(decoder, latents)
    assert len(pushed) == 1 + 4 + 1
    torch.testing.assert_close(parts, tuple(part.detach() for part in whole), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_convolutional_networks_start_at_the_axes(shape):
    axes, encoder, decoder = networks(shape, noise=0.0)
    latents = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    # Parameters are built in float32.
    torch.testing.assert_close(decoder(latents), latents @ axes, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoder(latents @ axes), latents, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(9, 13), (10, 7, 3)])
def test_the_decoder_cuts_off_what_the_encoder_pads(shape):
    _, encoder, decoder = networks(shape, channels=(4, 6))
    (pad,), (crop,) = (
        [layer for layer in network.modules() if isinstance(layer, kind)]
        for network, kind in ((encoder, torch.nn.ZeroPad2d), (decoder, Crop))
    )
    images = torch.randn(2, 3, *shape[:2], generator=torch.Generator().manual_seed(0))
    assert pad(images).shape[-2:] == (12, 16 if shape[1] == 13 else 8)
    assert torch.equal(crop(pad(images)), images)


def test_a_convolution_moves_with_what_it_sees():
    # Of the decoder's convolutional part: a pixel's value depends on its neighbourhood, not on where that is.
    _, _, decoder = networks((8, 12), channels=(4,), hidden=5)
    body = decoder.second
    fields = torch.randn(1, 4, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    shifted = torch.roll(fields, 1, dims=3)
    image, other = (body[6:](part).reshape(8, 12) for part in (fields, shifted))
    torch.testing.assert_close(image[:, 2:8], other[:, 4:10])
    assert not torch.allclose(image, other)


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"channels": ()}, ValueError, "channels is empty"),
        ({"channels": 3}, TypeError, "channels=3 is no sequence"),
        ({"channels": (0,)}, ValueError, "a number in channels=0"),
        ({"hidden": 0}, ValueError, "hidden=0"),
        ({"activation": "sine"}, ValueError, "activation='sine'"),
        ({"image_shape": (28,)}, ValueError, "has 1 numbers: give"),
        ({"image_shape": "big"}, TypeError, "image_shape='big' is no sequence"),
    ],
)
def test_impossible_architectures_are_refused(parameters, error, words):
    with pytest.raises(error, match=words):
        Convolutional(**parameters)


@pytest.mark.parametrize(
    ("X", "network", "words"),
    [
        (IMAGES.reshape(90, -1), Convolutional(), r"was given rows of 81 features: give images.*or say image_shape"),
        (IMAGES, Convolutional(image_shape=(10, 10)), r"does not fit samples of shape \(9, 9\)"),
        (IMAGES.reshape(90, -1), Convolutional(image_shape=(10, 10)), r"does not fit samples of shape \(81,\)"),
    ],
)
def test_samples_that_are_no_images_are_refused(X, network, words):
    with pytest.raises(ValueError, match=words):
        Autoencoder(2, network=network, standardize=False, training=QUICK).fit(X)


@pytest.mark.parametrize("network", [None, Convolutional((4,), hidden=8)], ids=["dense", "convolutional"])
@pytest.mark.parametrize("X", [IMAGES, COLOURS], ids=["grey", "colour"])
def test_images_come_back_in_their_shape(X, network, tmp_path):
    model = DICA(2, network=network, training=QUICK, random_state=0).fit(X)
    shape, flat = X.shape[1:], X.reshape(len(X), -1)
    latents = model.transform(X)
    assert latents.dtype == np.float32
    np.testing.assert_array_equal(latents, model.transform(flat.astype(np.float32)))
    assert model.inverse_transform(latents).shape == X.shape
    assert model.reconstruct(X).shape == X.shape
    assert model.reconstruct(flat.astype(np.float32)).shape == flat.shape
    assert model.jacobian(X[:3]).shape == (3, *shape, 2)
    assert np.ptp(model.scale_) == 0  # pixels share one scale
    np.testing.assert_allclose(model.score(X), model.score(flat.astype(np.float32)))
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert (again.sample_shape_, again.network) == (shape, network or Dense())
    np.testing.assert_array_equal(again.transform(X), latents)
    with pytest.raises(ValueError, match=r"holds images of shape \(4, 4\), and the images that were fitted have"):
        model.transform(np.zeros((2, 4, 4)))


def test_rows_of_pixels_with_a_shape_of_their_own_are_as_good_as_images():
    parameters = {"training": QUICK, "standardize": False, "random_state": 0}
    images = Autoencoder(2, network=Convolutional((4,)), **parameters).fit(IMAGES)
    rows = Autoencoder(2, network=Convolutional((4,), image_shape=(9, 9)), **parameters).fit(IMAGES.reshape(90, -1))
    np.testing.assert_array_equal(images.transform(IMAGES), rows.transform(IMAGES.reshape(90, -1)))


def test_what_was_fitted_on_rows_takes_no_images():
    model = PolytopicFactorization(2, standardize=False, random_state=0).fit(IMAGES.reshape(90, -1))
    with pytest.raises(ValueError, match=r"the rows that were fitted have the shape \(81,\)"):
        model.transform(IMAGES)


@pytest.mark.slow
def test_a_convolutional_fit_beats_pca_on_digits():
    X = load_digits().X
    model = Autoencoder(4, network=Convolutional(), random_state=0).fit(X)
    assert model.reconstruction_error_ < 0.8 * model.linear_reconstruction_error_


def test_traversals_move_one_component_over_its_range():
    model = PolytopicFactorization(2, random_state=0).fit(IMAGES)
    latents = model.transform(IMAGES)
    ranges = component_ranges(latents, coverage=0.5)
    inside = [
        (low < column).mean() - (high < column).mean() for (low, high), column in zip(ranges, latents.T, strict=True)
    ]
    np.testing.assert_allclose(inside, 0.5, atol=0.03)
    moved = traverse(model, latents[:3], ranges, n_steps=4)
    assert moved.values.shape == (3, 2, 4, 9, 9)
    for component, step in np.ndindex(2, 4):
        expected = latents[:3].copy()
        expected[:, component] = np.linspace(*ranges[component], 4)[step]
        np.testing.assert_allclose(moved.values[:, component, step], model.inverse_transform(expected), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: component_ranges([[0.0]], coverage=0), "coverage=0"),
        (lambda: traverse(None, [[0.0]], [[0, 1]], n_steps=1), "n_steps=1"),
        (lambda: traverse(None, [[0.0]], [[0, 1], [0, 1]]), "do not belong together"),
        (lambda: traverse(None, np.empty((0, 1)), [[0, 1]]), "do not belong together"),
    ],
)
def test_impossible_traversals_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
