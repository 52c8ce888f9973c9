"""Does the answer deserve belief: agreement of starts, a verdict in words, and how many components there are."""

from __future__ import annotations

from identica.trust.agreement import Comparison, agreement_by_component, compare_starts, component_agreement
from identica.trust.choice import Choice, recommend
from identica.trust.choosing import choose
from identica.trust.evidence import ComponentEvidence, NumberEvidence, number_evidence
from identica.trust.other_fits import CrossCheck, cross_check
from identica.trust.pointwise import PointwiseAgreement, of_single_points, pointwise_agreement
from identica.trust.signs import QUESTIONS, Sign
from identica.trust.single_fits import SingleFit
from identica.trust.verdict import ASSUMED, Verdict, judge

__all__ = [
    "ASSUMED",
    "QUESTIONS",
    "Choice",
    "Comparison",
    "ComponentEvidence",
    "CrossCheck",
    "NumberEvidence",
    "PointwiseAgreement",
    "Sign",
    "SingleFit",
    "Verdict",
    "agreement_by_component",
    "choose",
    "compare_starts",
    "component_agreement",
    "cross_check",
    "judge",
    "number_evidence",
    "of_single_points",
    "pointwise_agreement",
    "recommend",
]
