"""How well estimated components agree with the true ones, up to order and maps of single components."""

from identica.metrics.correlation import correlation_matrix, mean_correlation_coefficient
from identica.metrics.disentanglement import DCI, dci
from identica.metrics.matching import Matching, match_components
from identica.metrics.regression import mean_r2, r2_matrix
from identica.metrics.scores import score_components

__all__ = [
    "DCI",
    "Matching",
    "correlation_matrix",
    "dci",
    "match_components",
    "mean_correlation_coefficient",
    "mean_r2",
    "r2_matrix",
    "score_components",
]
