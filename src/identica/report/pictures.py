"""Traversals and influences of images, as files that a page can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from identica.estimators import ComponentAnalysis
from identica.estimators.traversal import Decodes, component_ranges, traverse
from identica.io.pictures import encode_png, grey_levels, influence_maps, picture_levels, tile

__all__ = ["PictureRow", "Pictures"]

N_STEPS = 11
PIXELS_WIDE = 1000
"""About what a row takes on a page: small images are enlarged to it, for the reader's browser to shrink."""


@final
@dataclass(frozen=True, eq=False)
class PictureRow:
    """What one component does to one image. Positions are in standard deviations of the component.

    Parameters
    ----------
    name : str
        The component's.
    low, high : float
        Ends of the range that the data cover.
    own : float
        Where the sample itself stands.
    traversal : bytes
        PNG file: the sample, its component moved from the one end to the other in even steps.
    influence : bytes
        PNG file: the mean absolute derivative of every pixel by the component.
    """

    name: str
    low: float
    high: float
    own: float
    traversal: bytes
    influence: bytes

    @property
    def mark(self) -> float:
        """Where the sample itself stands in the picture, as a share of its width."""
        share = (self.own - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return (min(1.0, max(0.0, share)) * (N_STEPS - 1) + 0.5) / N_STEPS


@final
@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of traversals and influences, where the samples are images.

    Parameters
    ----------
    sample : str
        Name of the sample from which all rows start.
    rows : tuple of PictureRow
        One per component.
    most : float
        Influence that is drawn white, in units of the data per standard deviation of a component; none is black.
    widths : tuple of (int, int)
        Of a traversal and of an influence, in pixels.
    """

    sample: str
    rows: tuple[PictureRow, ...]
    most: float
    widths: tuple[int, int]

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
        anchor_name: str | None = None,
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
        anchor_name : str, optional
            What to call it; "sample 0" and so on by default.

        Returns
        -------
        Pictures
            All files.
        """
        ranges = component_ranges(latents)
        moved = traverse(model, latents[anchor : anchor + 1], ranges, N_STEPS).values[0]
        moved = moved.reshape(*moved.shape[:2], *shape)
        # Components of this library have zero mean and unit variance already, on the data that were fitted.
        centre, deviation = np.zeros(len(ranges)), np.ones(len(ranges))
        if not isinstance(model, ComponentAnalysis):
            centre, deviation = latents.mean(axis=0), latents.std(axis=0)
            deviation = np.where(deviation > 0, deviation, 1.0)
        ends, own = (ranges - centre[:, None]) / deviation[:, None], (latents[anchor] - centre) / deviation
        influence = getattr(model, "influence_", None)
        if influence is None:  # what a model without Jacobians moves on the same way
            influence = _slopes(moved, ends)
        maps = influence_maps(influence, shape)
        most = float(maps.max())
        # What is enlarged before it is laid out has narrow gaps, however small the images are.
        enlarge = max(1, PIXELS_WIDE // (N_STEPS * shape[1]))
        steps = np.repeat(np.repeat(picture_levels(moved, shape, low, high), enlarge, axis=2), enlarge, axis=3)
        strips = [tile(row[None], background=128) for row in steps]
        return cls(
            sample=f"sample {anchor}" if anchor_name is None else anchor_name,
            rows=tuple(
                PictureRow(
                    name=f"component {j}",
                    low=float(ends[j, 0]),
                    high=float(ends[j, 1]),
                    own=float(own[j]),
                    traversal=encode_png(strip),
                    influence=encode_png(grey_levels(maps[j], 0, most), enlarge=enlarge),
                )
                for j, strip in enumerate(strips)
            ),
            most=most,
            widths=(strips[0].shape[1], enlarge * shape[1]),
        )


def _slopes(moved: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    """Return the mean absolute slope of every pixel, (n_features, n_components), on the way of each component."""
    step = (ends[:, 1] - ends[:, 0]) / (N_STEPS - 1)
    slopes = np.abs(np.diff(moved, axis=1)).mean(axis=1).reshape(len(moved), -1).T
    return np.asarray(slopes / np.where(step > 0, step, 1.0))
