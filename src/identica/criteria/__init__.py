"""What is maximised: pure functions of a decoder's Jacobian, and the penalties that training makes of them."""

from __future__ import annotations

from identica.criteria.geometry import (
    l1_norm,
    log_power_mean,
    log_volume,
    log_volume_from_gram,
    power_mean,
    row_norms,
)
from identica.criteria.joint import Joint
from identica.criteria.penalty import JacobianSample, Loss, Penalty
from identica.criteria.sparsity import Sparsity
from identica.criteria.volume import Volume, volume_criterion, volume_efficiency

__all__ = [
    "JacobianSample",
    "Joint",
    "Loss",
    "Penalty",
    "Sparsity",
    "Volume",
    "l1_norm",
    "log_power_mean",
    "log_volume",
    "log_volume_from_gram",
    "power_mean",
    "row_norms",
    "volume_criterion",
    "volume_efficiency",
]
