"""Does the answer deserve belief: agreement of starts, and a verdict in words."""

from __future__ import annotations

from identica.trust.agreement import Comparison, compare_starts, component_agreement
from identica.trust.pointwise import PointwiseAgreement, of_single_points, pointwise_agreement
from identica.trust.verdict import Sign, Verdict, judge

__all__ = [
    "Comparison",
    "PointwiseAgreement",
    "Sign",
    "Verdict",
    "compare_starts",
    "component_agreement",
    "judge",
    "of_single_points",
    "pointwise_agreement",
]
