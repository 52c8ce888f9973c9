"""Traversals and influences of images, as files that a page can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from identica.io.pictures import encode_png, grey_levels, tile
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
    def from_model(cls, model: Decodes, X: NDArray[Any], *, anchor: int = 0) -> Self:
        """Draw what a fitted model makes of images.

        Parameters
        ----------
        model : fitted estimator
            Has ``transform`` and ``inverse_transform``.
        X : ndarray of shape (n_samples, height, width) or (n_samples, height, width, channels)
            Images that say how far each component goes.
        anchor : int, default=0
            Sample from which it starts.

        Returns
        -------
        Pictures
            Both files.
        """
        latents = model.transform(X)
        ranges = component_ranges(latents)
        moved = traverse(model, latents[anchor : anchor + 1], ranges, N_STEPS).values[0]
        moved = moved.reshape(*moved.shape[:2], *X.shape[1:])
        low, high = np.quantile(X, [0.001, 0.999])
        influence = getattr(model, "influence_", None)
        if influence is None:  # what a model without Jacobians moves on the same way
            influence = np.abs(np.diff(moved, axis=1)).mean(axis=1).reshape(len(moved), -1).T
        maps = np.moveaxis(influence.reshape(*X.shape[1:], -1), -1, 0)
        width = X.shape[2]
        levels = np.stack([grey_levels(one, 0, one.max()) for one in maps])
        return cls(
            traversal=_png(grey_levels(moved, low, high), N_STEPS * width),
            influence=_png(levels[None], len(maps) * width),
            names=tuple(f"component {j}" for j in range(len(maps))),
        )


def _png(images: NDArray[np.uint8], width: int) -> bytes:
    if images.ndim == 5 and images.shape[-1] != 3:  # not colours: the first channel
        images = images[..., 0]
    return encode_png(tile(images, background=128), enlarge=max(1, MOST_PIXELS_WIDE // (width + 1)))
