"""Images of one shape that moves, grows, turns and brightens: continuous, dependent factors that are known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_choice, check_correlation, check_integer, check_real, local_random
from identica.datasets.sampling import draw_latents

__all__ = ["SPRITE_FACTORS", "SPRITE_SHAPES", "Sprites", "draw_sprites", "make_sprites"]

Array = NDArray[np.floating[Any]]
SPRITE_FACTORS = ("x", "y", "scale", "angle", "shade")
RANGES = np.array([[-0.2, 0.2], [-0.2, 0.2], [0.22, 0.38], [-np.pi / 3, np.pi / 3], [0.4, 1.0]])
"""Of each factor: position and scale in image sides, angle in radians, shade of the shape on black."""
SPRITE_SHAPES = ("ellipse", "rectangle", "triangle")
SLIMNESS = 0.5
"""Short side of an ellipse or a rectangle to its long one, so that an angle can be seen."""
LARGEST, SMALLEST = 1e6, 1e-6
"""Of factors, and of lengths, that single precision can draw."""
LARGEST_SIDE = 2**12
PIXELS_AT_ONCE = 2**15
"""Few enough to stay in the processor's cache."""


@final
@dataclass(frozen=True, eq=False)
class Sprites:
    """Simulated images and the factors behind them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, size, size)
        Images, float32 in [0, 1].
    latents : ndarray of shape (n_samples, 5)
        The factors ``SPRITE_FACTORS``, exact.
    """

    X: NDArray[np.float32]
    latents: Array

    def __iter__(self) -> Iterator[Any]:
        """Unpack as ``X, latents``."""
        return iter((self.X, self.latents))


def make_sprites(
    n_samples: int = 10_000,
    *,
    size: int = 32,
    shape: str = "triangle",
    correlation: float = 0.5,
    softness: float = 2.0,
    random_state: int | RandomState | None = None,
) -> Sprites:
    """Draw antialiased images of one shape with five continuous factors, each two of which depend on each other.

    Factors are uniform on their ranges and joined by a Gaussian copula: position x and y from -0.2 to 0.2 and half
    length from 0.22 to 0.38 of the image's side, angle from -60 to 60 degrees, shade from 0.4 to 1.

    Parameters
    ----------
    n_samples : int, default=10000
        Images.
    size : int, default=32
        Their side in pixels, at least 8.
    shape : {"ellipse", "rectangle", "triangle"}, default="triangle"
        What is drawn.
    correlation : float, default=0.5
        Of each two factors' normal scores.
    softness : float, default=2.0
        Width of the edges in pixels, over which a pixel goes smoothly from inside to outside.
    random_state : int, RandomState or None, default=None
        An int makes the images reproducible.

    Returns
    -------
    Sprites
        Images and factors.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If a number is out of its range or the shape is unknown.

    Examples
    --------
    >>> sprites = make_sprites(3, random_state=0)
    >>> sprites.X.shape, sprites.latents.shape
    ((3, 32, 32), (3, 5))
    """
    n_samples = check_integer("n_samples", n_samples, 1)
    size = check_integer("size", size, 8, LARGEST_SIDE)
    check_choice("shape", shape, SPRITE_SHAPES)
    softness = check_real("softness", softness, above=0)
    n_factors = len(SPRITE_FACTORS)
    correlation = check_correlation(correlation, n_factors)
    random = local_random(random_state)
    scores = draw_latents("dependent", n_samples, n_factors, correlation, random) / (2 * np.sqrt(3.0)) + 0.5
    latents = RANGES[:, 0] + scores * (RANGES[:, 1] - RANGES[:, 0])
    return Sprites(draw_sprites(latents, size=size, shape=shape, softness=softness), latents)


def draw_sprites(
    latents: ArrayLike, *, size: int = 32, shape: str = "triangle", softness: float = 2.0
) -> NDArray[np.float32]:
    """Draw the images that factors stand for: the mixing function of :func:`make_sprites`.

    Parameters
    ----------
    latents : array-like of shape (n_samples, 5)
        The factors ``SPRITE_FACTORS``: position and half length in image sides, angle in radians, shade.
    size, shape, softness
        As in :func:`make_sprites`.

    Returns
    -------
    ndarray of float32 of shape (n_samples, size, size)
        Images in [0, 1], for shades in [0, 1].

    Raises
    ------
    ValueError
        If the factors are not five columns of finite numbers with positive lengths, a number is out of its range or the
        shape is unknown.

    Examples
    --------
    >>> image = draw_sprites([[0.0, 0.0, 0.3, 0.0, 0.8]], size=16)[0]
    >>> image.shape, round(float(image.max()), 2)
    ((16, 16), 0.8)
    """
    size = check_integer("size", size, 8, LARGEST_SIDE)
    check_choice("shape", shape, SPRITE_SHAPES)
    softness = check_real("softness", softness, above=0)
    factors = np.asarray(latents, dtype=np.float64)
    if factors.ndim != 2 or factors.shape[1] != len(SPRITE_FACTORS) or not np.isfinite(factors).all():
        raise ValueError(
            f"latents of shape {factors.shape}: give finite numbers of shape (n_samples, {len(SPRITE_FACTORS)}), the "
            f"columns {', '.join(SPRITE_FACTORS)}"
        )
    if (np.abs(factors) > LARGEST).any():
        raise ValueError(f"latents go up to {np.abs(factors).max():g}: give numbers of at most {LARGEST:g}")
    if (factors[:, SPRITE_FACTORS.index("scale")] < SMALLEST).any():
        raise ValueError(f"scale is not positive everywhere: give half lengths of at least {SMALLEST:g}, such as 0.3")
    images = np.empty((len(factors), size, size), dtype=np.float32)
    at_once = max(1, PIXELS_AT_ONCE // size**2)
    for start in range(0, len(factors), at_once):
        part = slice(start, start + at_once)
        images[part] = _draw(factors[part], size, shape, softness)
    return images


def _draw(latents: Array, size: int, shape: str, softness: float) -> Array:
    """Draw some images from their signed distances to the shape's edge, negative inside."""
    x, y, scale, angle, shade = latents.astype(np.float32).T[:, :, None, None]
    centres = ((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5)[None]
    along, across = np.cos(angle), np.sin(angle)
    columns, rows = centres[:, None, :] - x, centres[:, :, None] - y
    u = along * columns + across * rows
    v = along * rows - across * columns
    if shape == "ellipse":
        u *= u
        v *= v
        a, b = scale * scale, np.square(scale * np.float32(SLIMNESS))
        square = u / a + v / b
        slope = np.sqrt(u / (a * a) + v / (b * b))
        distance = (square - 1) / np.maximum(2 * slope, np.float32(1e-6))  # to first order
    elif shape == "rectangle":
        distance = np.maximum(np.abs(u) - scale, np.abs(v) - scale * np.float32(SLIMNESS))
    else:  # a pointed triangle: two sides that meet at (scale, 0), and a back
        unit = np.float32(1 / np.sqrt(1.25))
        distance = np.maximum(
            (u * (unit / 2) + np.abs(v) * unit) - scale * (unit / 2), -u - scale * np.float32(SLIMNESS)
        )
    inside = distance
    inside *= np.float32(-size / softness)
    inside += np.float32(0.5)
    np.clip(inside, 0, 1, out=inside)
    smooth = 3 - 2 * inside
    smooth *= inside
    smooth *= inside
    smooth *= shade
    return np.asarray(smooth)
