"""Images as PNG and animated GIF."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from identica.io.files import atomic_write

__all__ = [
    "encode_gif",
    "encode_png",
    "grey_levels",
    "influence_levels",
    "influence_maps",
    "picture_levels",
    "tile",
    "value_range",
    "write_png",
]

FRAME_MS = 120
TAIL = 0.001
"""Share of values darker than black, or brighter than white."""
MOST_RANGED = 1000
"""Images looked at for the range of their values."""


def value_range(images: NDArray[Any]) -> tuple[float, float]:
    """Return what to draw black and what white: the range of all but the outermost values.

    Parameters
    ----------
    images : ndarray of shape (n_samples, ...)
        Images; of many, some.

    Returns
    -------
    low, high : float
        The ends.

    Examples
    --------
    >>> value_range(np.array([[0, 255]]))
    (0.255, 254.745)
    """
    some = images[:: max(1, len(images) // MOST_RANGED)]
    low, high = (float(value) for value in np.quantile(some, [TAIL, 1 - TAIL]))
    return low, high


def grey_levels(values: ArrayLike, low: float, high: float) -> NDArray[np.uint8]:
    """Bring values to grey levels, what lies outside to black or white.

    Parameters
    ----------
    values : array-like
        Any shape.
    low, high : float
        What becomes 0 and 255.

    Returns
    -------
    ndarray of uint8
        Of the same shape.

    Examples
    --------
    >>> grey_levels([-1.0, 0.5, 2.0], 0, 1).tolist()
    [0, 128, 255]
    """
    span = high - low if high > low else 1.0
    return np.asarray(np.rint(255 * np.clip((np.asarray(values) - low) / span, 0, 1)), dtype=np.uint8)


def picture_levels(values: NDArray[Any], shape: Sequence[int], low: float, high: float) -> NDArray[np.uint8]:
    """Bring decoded images to grey levels or colours.

    Parameters
    ----------
    values : ndarray of shape (..., height, width) or (..., height, width, channels)
        Images.
    shape : sequence of int
        (height, width) or (height, width, channels) of one of them.
    low, high : float
        What becomes 0 and 255.

    Returns
    -------
    ndarray of uint8 of shape (..., height, width) or (..., height, width, 3)
        Three channels are colours; of any other number the first is shown.

    Examples
    --------
    >>> picture_levels(np.zeros((7, 4, 5, 2)), (4, 5, 2), 0, 1).shape
    (7, 4, 5)
    """
    return grey_levels(values[..., 0] if len(shape) == 3 and shape[2] != 3 else values, low, high)


def influence_maps(influence: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Give influences on pixels the shape of images.

    Parameters
    ----------
    influence : ndarray of shape (n_features, n_components)
        Not negative.
    shape : sequence of int
        (height, width) or (height, width, channels) of an image; of channels the mean is taken.

    Returns
    -------
    ndarray of shape (n_components, height, width)
        One image per component.

    Examples
    --------
    >>> influence_maps(np.ones((24, 5)), (2, 4, 3)).shape
    (5, 2, 4)
    """
    maps = influence.T.reshape(-1, *shape)
    return np.asarray(maps.mean(axis=-1) if len(shape) == 3 else maps)


def influence_levels(influence: NDArray[Any], shape: Sequence[int]) -> NDArray[np.uint8]:
    """Draw how much each pixel follows each component, the most moved pixel of each component white.

    Parameters
    ----------
    influence : ndarray of shape (n_features, n_components)
        Not negative.
    shape : sequence of int
        (height, width) or (height, width, channels) of an image; of channels the mean is shown.

    Returns
    -------
    ndarray of uint8 of shape (n_components, height, width)
        One image per component.

    Examples
    --------
    >>> influence_levels(np.eye(4, 2), (2, 2)).tolist()
    [[[255, 0], [0, 0]], [[0, 255], [0, 0]]]
    """
    return np.stack([grey_levels(one, 0, one.max()) for one in influence_maps(influence, shape)])


def tile(images: ArrayLike, *, gap: int = 2, background: int = 255) -> NDArray[np.uint8]:
    """Lay images out in a grid.

    Parameters
    ----------
    images : array-like of uint8 of shape (n_rows, n_columns, height, width) or (n_rows, n_columns, height, width, 3)
        What to lay out.
    gap : int, default=2
        Pixels between them.
    background : int, default=255
        Grey level of the gaps.

    Returns
    -------
    ndarray of uint8 of shape (total height, total width) or (total height, total width, 3)
        One image.

    Examples
    --------
    >>> tile(np.zeros((2, 3, 4, 5), dtype=np.uint8)).shape
    (10, 19)
    """
    given = np.asarray(images, dtype=np.uint8)
    margins = [(0, 0), (0, 0), (0, gap), (0, gap), *[(0, 0)] * (given.ndim - 4)]
    padded = np.pad(given, margins, constant_values=background)
    rows = np.concatenate(list(padded), axis=1)
    whole = np.concatenate(list(rows), axis=1)
    return whole[:-gap, :-gap] if gap else whole


def encode_png(image: NDArray[np.uint8], *, enlarge: int = 1) -> bytes:
    """Return an image as the bytes of a PNG file.

    Parameters
    ----------
    image : ndarray of uint8 of shape (height, width) or (height, width, 3)
        Grey levels or colours.
    enlarge : int, default=1
        Side of the square that each pixel becomes.

    Returns
    -------
    bytes
        The file.
    """
    buffer = io.BytesIO()
    _enlarged(image, enlarge).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def write_png(path: str | os.PathLike[str], image: NDArray[np.uint8], *, enlarge: int = 1) -> None:
    """Write an image as a PNG file.

    Parameters
    ----------
    path : str or path
        The file.
    image, enlarge
        As in :func:`encode_png`.
    """
    content = encode_png(image, enlarge=enlarge)
    with atomic_write(path) as file:
        file.write(content)


def encode_gif(frames: Sequence[NDArray[np.uint8]], *, enlarge: int = 1) -> bytes:
    """Return images as the bytes of an animated GIF that goes forth and back without an end.

    Parameters
    ----------
    frames : sequence of ndarray of uint8
        Images of one shape.
    enlarge : int, default=1
        Side of the square that each pixel becomes.

    Returns
    -------
    bytes
        The file.
    """
    pictures = [_enlarged(frame, enlarge) for frame in [*frames, *frames[-2:0:-1]]]
    buffer = io.BytesIO()
    rest: dict[str, Any] = {"append_images": pictures[1:], "save_all": True, "duration": FRAME_MS, "loop": 0}
    pictures[0].save(buffer, format="GIF", **rest)
    return buffer.getvalue()


def _enlarged(image: NDArray[np.uint8], by: int) -> Image.Image:
    return Image.fromarray(np.repeat(np.repeat(np.ascontiguousarray(image), by, axis=0), by, axis=1))
