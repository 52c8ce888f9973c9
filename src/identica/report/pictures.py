"""Traversals and influences of images, as files that a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from identica.io.pictures import encode_png, influence_levels, picture_levels, tile
from identica.traversal import Decodes, component_ranges, traverse

__all__ = ["Pictures"]

N_STEPS = 11
MOST_PIXELS_WIDE = 900


@final
@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of traversals and influences, where the samples are images.

    Parameters
    ----------
    traversal : bytes
        PNG file: one row per component, which goes from one end of its range to the other.
    influence : bytes
        PNG file: one image per component, the mean absolute derivative of every pixel.
    names : tuple of str
        What the rows are called.
    """

    traversal: bytes
    influence: bytes
    names: tuple[str, ...]

    @classmethod
    def from_model(
        cls,
        model: Decodes,
        latents: NDArray[Any],
        shape: Sequence[int],
        *,
        low: float,
        high: float,
        anchor: int = 0,
    ) -> Self:
        """Draw what a fitted model makes of images.

        Parameters
        ----------
        model : fitted estimator
            Has ``inverse_transform``.
        latents : ndarray of shape (n_samples, n_components)
            Components of images, which say how far each goes.
        shape : sequence of int
            (height, width) or (height, width, channels) of an image.
        low, high : float
            What is drawn black and what white, as :func:`identica.io.pictures.value_range` finds them.
        anchor : int, default=0
            Sample from which it starts.

        Returns
        -------
        Pictures
            Both files.
        """
        moved = traverse(model, latents[anchor : anchor + 1], component_ranges(latents), N_STEPS).values[0]
        moved = moved.reshape(*moved.shape[:2], *shape)
        influence = getattr(model, "influence_", None)
        if influence is None:  # what a model without Jacobians moves on the same way
            influence = np.abs(np.diff(moved, axis=1)).mean(axis=1).reshape(len(moved), -1).T
        levels = influence_levels(influence, shape)
        return cls(
            traversal=_png(picture_levels(moved, shape, low, high), N_STEPS * shape[1]),
            influence=_png(levels[None], len(levels) * shape[1]),
            names=tuple(f"component {j}" for j in range(len(levels))),
        )


def _png(images: NDArray[np.uint8], width: int) -> bytes:
    return encode_png(tile(images, background=128), enlarge=max(1, MOST_PIXELS_WIDE // (width + 1)))
