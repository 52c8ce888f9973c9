"""The methods: scikit-learn estimators that hold an encoder and a decoder."""

import os
from pathlib import Path

import torch
from torch import nn

from identica.estimators.autoencoder import Autoencoder
from identica.estimators.auxiliary import AuxiliaryICA
from identica.estimators.base import ComponentAnalysis
from identica.estimators.compared import compared_jacobians
from identica.estimators.compositional import Compositional
from identica.estimators.dica import DICA
from identica.estimators.independent_mechanism import IMA
from identica.estimators.persistence import load_estimator
from identica.estimators.plain_values import METHODS, configuration, fingerprint, from_configuration, register
from identica.estimators.polytopic import PolytopicFactorization
from identica.estimators.sparse_jacobian import SparseJacobian

__all__ = [
    "DICA",
    "IMA",
    "METHODS",
    "Autoencoder",
    "AuxiliaryICA",
    "ComponentAnalysis",
    "Compositional",
    "PolytopicFactorization",
    "SparseJacobian",
    "compared_jacobians",
    "configuration",
    "fingerprint",
    "from_configuration",
    "load",
]

for _method in (DICA, SparseJacobian, Autoencoder, PolytopicFactorization, IMA, Compositional, AuxiliaryICA):
    register(_method)


def load(
    path: str | os.PathLike[str],
    *,
    encoder: nn.Module | None = None,
    decoder: nn.Module | None = None,
    device: str | torch.device | None = None,
) -> ComponentAnalysis:
    """Read a fitted estimator of whatever method.

    Parameters
    ----------
    path : path
        What an estimator's ``save`` wrote.
    encoder, decoder : torch.nn.Module, optional
        Modules of the same structure, if it was fitted with the user's own.
    device : str or torch.device, optional
        Where to compute; that of the fit, or the CPU where that is not at hand.

    Returns
    -------
    ComponentAnalysis
        The fitted estimator.

    Raises
    ------
    ValueError
        If the file is damaged, no model, or of a newer version.
    """
    return load_estimator(Path(path), encoder=encoder, decoder=decoder, device=device)
