"""Convolutional encoders and decoders of images, each a linear map plus a convolutional network.

As in the dense networks the linear part starts at the principal components, and the convolutional part at zero.

Symbols: m = n_features = height * width * channels, d = n_components.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from identica.arguments import check_choice, check_integer
from identica.networks.layers import ACTIVATIONS, Channels, Crop, Plus, blank_linear, linear_map

__all__ = ["Convolutional"]

MOST_LEVELS = 16
KERNEL = 4
"""Side of the encoder's kernels; with a stride of 2 and a margin of 1 it halves a side exactly."""


@final
@dataclass(frozen=True)
class Convolutional:
    """Convolutional encoder and decoder of images, each beside a linear map.

    Every level of the encoder halves the sides of the image. The decoder makes a map of the last level's size and
    channels, from which one sub-pixel convolution (Shi et al. 2016) of 3 by 3 draws all pixels; a training step, which
    looks at a sample of pixels, computes those alone where that costs less. Images whose sides are no multiple of
    2 ** levels are padded inside by zeros, and cropped.

    Parameters
    ----------
    channels : tuple of int, default=(16, 32)
        Channels of the encoder's levels; the decoder's map has as many as the last.
    hidden : int, default=128
        Width of the dense layers between the last level and the components.
    activation : str, default="softplus"
        One of ``ACTIVATIONS``; a smooth one has a Jacobian without jumps.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels), where samples come as rows of a table; by default the shape in
        which they are given.

    Raises
    ------
    TypeError
        If channels or the shape are no sequences of integers.
    ValueError
        If a size is not positive, there are more than 16 levels, or the activation is unknown.

    References
    ----------
    W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
    Network", CVPR 2016.

    Examples
    --------
    >>> encoder, decoder = Convolutional((4, 8), image_shape=(6, 5)).build(torch.eye(3, 30), seed=0)
    >>> decoder(encoder(torch.zeros(2, 30))).shape
    torch.Size([2, 30])
    """

    channels: tuple[int, ...] = (16, 32)
    hidden: int = 128
    activation: str = "softplus"
    image_shape: tuple[int, ...] | None = None

    kind: ClassVar[str] = "convolutional"

    def __post_init__(self) -> None:
        """Check the sizes and the activation."""
        object.__setattr__(self, "channels", _sizes("channels", self.channels, "(16, 32)"))
        if not self.channels:
            raise ValueError("channels is empty: give those of at least one level, such as (16, 32)")
        if len(self.channels) > MOST_LEVELS:
            raise ValueError(
                f"channels has {len(self.channels)} levels, each of which halves the image: give at most {MOST_LEVELS}"
            )
        object.__setattr__(self, "hidden", check_integer("hidden", self.hidden, 1))
        check_choice("activation", self.activation, sorted(ACTIVATIONS))
        if self.image_shape is not None:
            shape = _sizes("image_shape", self.image_shape, "(28, 28)")
            if len(shape) not in (2, 3):
                raise ValueError(
                    f"image_shape={shape} has {len(shape)} numbers: give (height, width) or (height, width, channels)"
                )
            object.__setattr__(self, "image_shape", shape)

    def build(self, axes: Tensor, seed: int, sample_shape: tuple[int, ...] = ()) -> tuple[nn.Module, nn.Module]:
        """Build an encoder and a decoder whose linear parts are the given axes and whose bends start at zero.

        Parameters
        ----------
        axes : Tensor of shape (n_components, n_features)
            Loadings: the decoder starts as ``latents @ axes``, the encoder as its pseudo-inverse; networks are built on
            their device.
        seed : int
            Of the convolutions' initial weights.
        sample_shape : tuple of int, default=()
            Shape in which samples were given.

        Returns
        -------
        encoder : torch.nn.Module
            (n, n_features) -> (n, n_components).
        decoder : torch.nn.Module
            (n, n_components) -> (n, n_features).

        Raises
        ------
        ValueError
            If the samples have no shape of an image, or another one than ``image_shape`` says.
        """
        height, width, n_channels = shape = self._shape(sample_shape, axes.shape[1])
        levels = 2 ** len(self.channels)
        rows, columns = (-(-side // levels) for side in (height, width))
        widths = (n_channels, *self.channels)
        flat = self.channels[-1] * rows * columns
        generator, device = torch.Generator().manual_seed(seed), axes.device
        activation = ACTIVATIONS[self.activation]

        pairs = list(itertools.pairwise(widths))
        inward: list[nn.Module] = [nn.Unflatten(1, shape), Channels(first=True)]
        if (rows * levels, columns * levels) != (height, width):
            inward.append(nn.ZeroPad2d((0, columns * levels - width, 0, rows * levels - height)))
        for n_in, n_out in pairs:
            layer = _blank(n_in, n_out, KERNEL, device, stride=2, padding=1)
            inward += [_drawn(layer, n_in * KERNEL**2, generator), activation()]
        inward += [
            Channels(first=False),
            nn.Flatten(),
            _drawn(blank_linear(flat, self.hidden, device), flat, generator),
            activation(),
        ]
        inward.append(_zero(blank_linear(self.hidden, axes.shape[0], device)))

        outward: list[nn.Module] = []
        for n_in, n_out in ((axes.shape[0], self.hidden), (self.hidden, flat)):
            outward += [_drawn(blank_linear(n_in, n_out, device), n_in, generator), activation()]
        outward += [
            # Channels that lie beside each other in memory make convolutions two to three times as fast.
            nn.Unflatten(1, (rows, columns, self.channels[-1])),
            Channels(first=True),
            _zero(_blank(self.channels[-1], n_channels * levels**2, 3, device, padding=1)),
            nn.PixelShuffle(levels),
            Crop(height, width),
            Channels(first=False),
            nn.Flatten(),
        ]

        # In the precision of the convolutions beside them.
        to_latents, to_pixels = (linear_map(weight.float()) for weight in (torch.linalg.pinv(axes).T, axes.T))
        return Plus(to_latents, nn.Sequential(*inward)), Plus(to_pixels, nn.Sequential(*outward))

    def _shape(self, sample_shape: tuple[int, ...], n_features: int) -> tuple[int, int, int]:
        given = sample_shape if len(sample_shape) > 1 else None
        if given is None and self.image_shape is None:
            raise ValueError(
                f"Convolutional was given rows of {n_features} features: give images of shape (n_samples, height, "
                "width) or (n_samples, height, width, channels), or say image_shape=(height, width)"
            )
        shape = self.image_shape or given or ()
        if len(shape) not in (2, 3):
            raise ValueError(
                f"samples of shape {shape} are no images: give (n_samples, height, width) or (n_samples, height, "
                "width, channels)"
            )
        height, width, n_channels = (*shape, 1)[:3]
        if height * width * n_channels != n_features or (given is not None and given != shape):
            raise ValueError(
                f"image_shape={shape} does not fit samples of shape {given or (n_features,)}: give the shape of one "
                "sample, or leave it out for images"
            )
        return height, width, n_channels


def _sizes(name: str, values: object, example: str) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name}={values!r} is no sequence: give integers, such as {example}")
    return tuple(check_integer(f"a number in {name}", value, 1) for value in values)


def _blank(n_in: int, n_out: int, kernel: int, device: torch.device, **options: int) -> Any:
    """Return a convolution whose entries are yet to be set, without a draw from the global random state."""
    return nn.utils.skip_init(nn.Conv2d, n_in, n_out, kernel, device=device, **options)  # type: ignore[no-untyped-call]


def _drawn(layer: Any, n_in: int, generator: torch.Generator) -> nn.Module:
    """Draw weights that keep the variance of what enters by ``n_in`` inputs."""
    bound = (3.0 / n_in) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -1.0, 1.0, generator=generator)
    module: nn.Module = layer
    return module


def _zero(layer: Any) -> nn.Module:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    module: nn.Module = layer
    return module
