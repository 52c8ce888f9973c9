"""From networks of a compact space to networks of features: fixed matrices around them, or these multiplied in.

Symbols: V = loadings (n_features, rank), with orthogonal columns of one length c, so that a row x has the coordinates
V'x / c^2 and coordinates y the features V y.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn

from identica.networks.layers import Beside, blank_linear, linear_map

__all__ = ["into_features", "widened"]


def into_features(
    encoder: nn.Sequential, decoder: nn.Sequential, loadings: Tensor
) -> tuple[nn.Sequential, nn.Sequential]:
    """Put fixed linear maps around networks of a compact space, so that they go from features to features.

    Parameters
    ----------
    encoder, decoder : torch.nn.Sequential
        Framed networks that see coordinates.
    loadings : Tensor of shape (n_features, rank)
        From coordinates to features, with orthogonal columns of one length.

    Returns
    -------
    encoder : torch.nn.Sequential
        Projects first; ends in its frame.
    decoder : torch.nn.Sequential
        Begins with its frame; ends in a fixed matrix of n_features by rank.
    """
    inward = linear_map(loadings.T / loadings[:, 0].square().sum()).requires_grad_(False)
    outward = linear_map(loadings).requires_grad_(False)
    return nn.Sequential(inward, *encoder), nn.Sequential(*decoder, outward)


def widened(encoder: nn.Sequential, decoder: nn.Sequential, loadings: Tensor) -> tuple[nn.Sequential, nn.Sequential]:
    """Multiply the matrices of a compact space into dense networks, which then see features and can be trained on.

    Parameters
    ----------
    encoder, decoder : torch.nn.Sequential
        What :class:`Dense` built for coordinates, framed.
    loadings : Tensor of shape (n_features, rank)
        V.

    Returns
    -------
    encoder, decoder : torch.nn.Sequential
        The same maps from features to features, as :class:`Dense` would have built them.

    Examples
    --------
    >>> from identica.networks import Dense, frame
    >>> pair = frame(*Dense(hidden=(8,)).build(torch.eye(1, 2), seed=0), 1)
    >>> wide = widened(*pair, torch.eye(5, 2))
    >>> wide[1](wide[0](torch.zeros(3, 5))).shape
    torch.Size([3, 5])
    """
    encoder, decoder = copy.deepcopy(encoder), copy.deepcopy(decoder)
    inward = loadings.T / loadings[:, 0].square().sum()
    inner, outer = cast(nn.Sequential, encoder[0]), cast(nn.Sequential, decoder[1])
    body = cast(nn.Sequential, cast(Beside, inner[0]).body)
    first, after, last = (cast(nn.Linear, layer) for layer in (body[0], inner[1], outer[1]))
    hidden = after.in_features - inward.shape[0]
    straight = after.weight[:, hidden:]
    body[0] = _linear(first.weight @ inward, first.bias)
    inner[1] = _linear(torch.cat([after.weight[:, :hidden], straight @ inward], dim=1), after.bias)
    outer[1] = _linear(loadings @ last.weight, loadings @ last.bias)
    return encoder, decoder


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = blank_linear(weight.shape[1], weight.shape[0]).to(weight)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer
