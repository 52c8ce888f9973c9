"""Sprites show the factors they are drawn from, exactly."""

import numpy as np
import pytest

from identica.datasets import SPRITE_SHAPES, draw_sprites, make_sprites
from identica.datasets.sprites import RANGES

CENTRES = (np.arange(32) + 0.5) / 32 - 0.5


@pytest.mark.parametrize("shape", SPRITE_SHAPES)
def test_images_show_their_factors(shape):
    images, factors = make_sprites(200, shape=shape, correlation=0.0, softness=1.0, random_state=0)
    x, y, scale, _, shade = factors.T
    assert images.shape == (200, 32, 32)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.max(axis=(1, 2)), shade, atol=0.02)
    weight = images / images.sum(axis=(1, 2), keepdims=True)
    centre = (weight * CENTRES).sum(axis=(1, 2)), (weight * CENTRES[:, None]).sum(axis=(1, 2))
    # The triangle's corners are (1, 0) and (-1/2, +-3/4) of its scale: all three shapes are centred.
    inside = np.abs(np.stack([x, y])).max(axis=0) + scale < 0.5  # none of it is cut off
    for found, true in zip(centre, (x, y), strict=True):
        np.testing.assert_allclose((found - true)[inside], 0, atol=0.005)
    area = images.sum(axis=(1, 2)) / shade / 32**2 / scale**2
    expected = {"ellipse": np.pi / 2, "rectangle": 2.0, "triangle": 9 / 8}[shape]
    np.testing.assert_allclose(area[inside], expected, rtol=0.06)


@pytest.mark.parametrize("shape", SPRITE_SHAPES)
def test_the_long_side_points_along_the_angle(shape):
    images, factors = make_sprites(300, shape=shape, softness=1.0, random_state=1)
    x, y, scale, angle, _ = factors.T
    inside = np.abs(np.stack([x, y])).max(axis=0) + scale < 0.5
    u = CENTRES[None, None, :] - x[:, None, None]
    v = CENTRES[None, :, None] - y[:, None, None]
    along = np.cos(angle)[:, None, None] * u + np.sin(angle)[:, None, None] * v
    across = np.cos(angle)[:, None, None] * v - np.sin(angle)[:, None, None] * u
    weight = images / images.sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose((weight * along * across).sum(axis=(1, 2))[inside], 0, atol=1e-3)
    spread = [np.sqrt((weight * w**2).sum(axis=(1, 2)))[inside] / scale[inside] for w in (along, across)]
    expected = {"ellipse": (1 / 2, 1 / 4), "rectangle": (1 / np.sqrt(3), 0.5 / np.sqrt(3))}
    if shape in expected:
        for found, value in zip(spread, expected[shape], strict=True):
            np.testing.assert_allclose(found, value, atol=0.03)


def test_factors_depend_on_each_other_and_fill_their_ranges():
    factors = make_sprites(4000, size=8, correlation=0.6, random_state=0).latents
    correlations = np.corrcoef(factors.T)[np.triu_indices(5, 1)]
    expected = 6 / np.pi * np.arcsin(0.6 / 2)  # of uniforms joined by a Gaussian copula
    np.testing.assert_allclose(correlations, expected, atol=0.04)
    np.testing.assert_allclose(factors.min(axis=0), RANGES[:, 0], atol=0.01)
    np.testing.assert_allclose(factors.max(axis=0), RANGES[:, 1], atol=0.01)


def test_images_change_smoothly_with_their_factors():
    random = [make_sprites(1, softness=2.0, random_state=3).latents for _ in range(2)]
    np.testing.assert_array_equal(*random)
    # No pixel jumps: neighbours differ by less than the steepest edge allows.
    images = make_sprites(50, softness=4.0, random_state=0).X
    assert np.abs(np.diff(images, axis=2)).max() < 1.5 / 4 + 0.05


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"n_samples": 0}, ValueError, "n_samples=0"),
        ({"size": 4}, ValueError, "size=4"),
        ({"shape": "heart"}, ValueError, "shape='heart' is not known"),
        ({"softness": 0}, ValueError, "softness=0"),
        ({"size": 2**40}, ValueError, "size=1099511627776 is out of range: use from 8 to 4096"),
        ({"correlation": 1.5}, ValueError, "correlation=1.5"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        make_sprites(**change)


def test_images_are_drawn_from_any_factors():
    images, factors = make_sprites(30, size=9, shape="ellipse", softness=1.5, random_state=0)
    np.testing.assert_array_equal(draw_sprites(factors, size=9, shape="ellipse", softness=1.5), images)
    moved = factors.copy()
    moved[:, 4] *= 0.5
    np.testing.assert_allclose(draw_sprites(moved, size=9, shape="ellipse", softness=1.5), 0.5 * images, atol=1e-6)


@pytest.mark.parametrize(
    ("latents", "said"),
    [
        (np.zeros((2, 4)), r"latents of shape \(2, 4\): give finite numbers of shape \(n_samples, 5\)"),
        ([[0, 0, np.nan, 0, 1]], "finite numbers"),
        ([[0, 0, 0, 0, 1]], "scale is not positive"),
        ([[0, 0, 1e-30, 0, 1]], "give half lengths of at least 1e-06"),
        ([[1e300, 0, 0.3, 0, 1]], r"latents go up to 1e\+300: give numbers of at most 1e\+06"),
    ],
)
def test_factors_that_cannot_be_drawn_are_refused(latents, said):
    with pytest.raises(ValueError, match=said):
        draw_sprites(latents)


@pytest.mark.parametrize("shape", SPRITE_SHAPES)
def test_the_smallest_and_the_farthest_are_drawn(shape):
    images = draw_sprites([[1e6, -1e6, 1e-6, 1e6, 1.0], [0.0, 0.0, 1e6, 0.0, 1.0]], shape=shape)
    assert np.isfinite(images).all()
    assert (images[0] == 0).all()
    assert (images[1] == 1).all()
