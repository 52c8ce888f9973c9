"""Checks of the diverse-influence condition, on which identifiability rests, for given Jacobians."""

from __future__ import annotations

from identica.trust.sdi.check import check_sdi
from identica.trust.sdi.local import LocalIdentifiability, local_identifiability
from identica.trust.sdi.result import Certificate, SDICheck
from identica.trust.sdi.summary import SDIPoint, SDISummary, summarise_sdi
from identica.trust.sdi.weights import fit_weights

__all__ = [
    "Certificate",
    "LocalIdentifiability",
    "SDICheck",
    "SDIPoint",
    "SDISummary",
    "check_sdi",
    "fit_weights",
    "local_identifiability",
    "summarise_sdi",
]
