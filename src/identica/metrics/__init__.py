"""How well estimated components agree with the true ones, up to order and maps of single components."""

from identica.metrics.amari import amari_distance
from identica.metrics.blocks import BlockR2, block_r2
from identica.metrics.contrasts import compositional_contrast, independent_mechanism_contrast
from identica.metrics.correlation import correlation_matrix, mean_correlation_coefficient
from identica.metrics.disentanglement import DCI, MIN_DCI_SAMPLES, dci
from identica.metrics.information import InfoMEC, infomec
from identica.metrics.matching import Matching, match_components
from identica.metrics.prediction import kernel_ridge_r2, linear_r2
from identica.metrics.regression import mean_r2, r2_matrix
from identica.metrics.scores import disentanglement_scores, score_components
from identica.metrics.stability import SeedAgreement, seed_agreement

__all__ = [
    "DCI",
    "MIN_DCI_SAMPLES",
    "BlockR2",
    "InfoMEC",
    "Matching",
    "SeedAgreement",
    "amari_distance",
    "block_r2",
    "compositional_contrast",
    "correlation_matrix",
    "dci",
    "disentanglement_scores",
    "independent_mechanism_contrast",
    "infomec",
    "kernel_ridge_r2",
    "linear_r2",
    "match_components",
    "mean_correlation_coefficient",
    "mean_r2",
    "r2_matrix",
    "score_components",
    "seed_agreement",
]
