"""What is maximised: pure functions of a decoder's Jacobian, the criteria made of them, and penalties for training."""

from __future__ import annotations

from identica.criteria.compositional import Compositionality, block_norms, compositional_overlap
from identica.criteria.criterion import Criterion
from identica.criteria.geometry import (
    l1_norm,
    log_power_mean,
    log_volume,
    log_volume_from_gram,
    power_mean,
    row_norms,
)
from identica.criteria.independent_mechanism import IndependentMechanism, independent_mechanism_contrast
from identica.criteria.joint import JointPenalty
from identica.criteria.local import JacobianSample, LocalGeometry
from identica.criteria.penalty import Loss, Penalty
from identica.criteria.polytopes import NONNEGATIVE, POLYTOPES, gauge
from identica.criteria.scales import best_scales, best_value
from identica.criteria.shifts import common_shift, without_common_shift
from identica.criteria.sparsity import InfluenceSparsity, Sparsity
from identica.criteria.units import row_units
from identica.criteria.volume import (
    Volume,
    volume_criterion,
    volume_efficiency,
)

__all__ = [
    "CRITERIA",
    "NAMED_CRITERIA",
    "NONNEGATIVE",
    "POLYTOPES",
    "Compositionality",
    "Criterion",
    "IndependentMechanism",
    "InfluenceSparsity",
    "JacobianSample",
    "JointPenalty",
    "LocalGeometry",
    "Loss",
    "Penalty",
    "Sparsity",
    "Volume",
    "best_scales",
    "best_value",
    "block_norms",
    "common_shift",
    "compositional_overlap",
    "gauge",
    "independent_mechanism_contrast",
    "l1_norm",
    "log_power_mean",
    "log_volume",
    "log_volume_from_gram",
    "power_mean",
    "row_norms",
    "row_units",
    "volume_criterion",
    "volume_efficiency",
    "without_common_shift",
]

CRITERIA: dict[str, type[Criterion]] = {
    criterion.kind: criterion for criterion in (Volume, IndependentMechanism, InfluenceSparsity, Compositionality)
}
"""Criteria by the name that stands in files."""
NAMED_CRITERIA: dict[str, Criterion] = {
    "c_1": Volume(1.0),
    "c_2": Volume(2.0),
    "c_inf": Volume(float("inf")),
}
"""What a user can choose by a word."""
