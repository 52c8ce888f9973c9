"""A study of signals: which of those that a user sees predict whether the components were recovered."""

from __future__ import annotations

from identica.experiments.trust_study.families import STUDY_FAMILIES, Setting, settings, study_datasets
from identica.experiments.trust_study.page import draw_recovery, signals_to_markdown
from identica.experiments.trust_study.roc import SignalScore, score_signal
from identica.experiments.trust_study.signals import NOT_SEEN, SIGNALS, Signals
from identica.experiments.trust_study.study import reproduce_trust_study, trust_study
from identica.experiments.trust_study.unseen import UnseenScore, combination_on_unseen, threshold_on_unseen

__all__ = [
    "NOT_SEEN",
    "SIGNALS",
    "STUDY_FAMILIES",
    "Setting",
    "SignalScore",
    "Signals",
    "UnseenScore",
    "combination_on_unseen",
    "draw_recovery",
    "reproduce_trust_study",
    "score_signal",
    "settings",
    "signals_to_markdown",
    "study_datasets",
    "threshold_on_unseen",
    "trust_study",
]
