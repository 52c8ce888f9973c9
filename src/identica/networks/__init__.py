"""Encoders and decoders: what builds them, and the linear frame around them that alignment writes into."""

from __future__ import annotations

from identica.networks.compact import into_features, widened
from identica.networks.convolutional import Convolutional
from identica.networks.dense import Affine, Dense
from identica.networks.framing import change_basis, evaluate, frame, of_unit_variance
from identica.networks.layers import ACTIVATIONS

__all__ = [
    "ACTIVATIONS",
    "NETWORKS",
    "Affine",
    "Convolutional",
    "Dense",
    "Network",
    "change_basis",
    "evaluate",
    "frame",
    "into_features",
    "of_unit_variance",
    "widened",
]

Network = Dense | Convolutional
"""What a user chooses between."""
NETWORKS: dict[str, type[Network]] = {network.kind: network for network in (Dense, Convolutional)}
"""The same by the name that stands in files."""
