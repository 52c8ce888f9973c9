"""Identifiable nonlinear component analysis: the true hidden factors behind data."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identica.criteria import Volume
    from identica.estimators import (
        DICA,
        IMA,
        Autoencoder,
        AuxiliaryICA,
        Compositional,
        PolytopicFactorization,
        SparseJacobian,
        load,
    )
    from identica.networks import Convolutional, Dense
    from identica.single_cell import get, pl, tl
    from identica.solvers import Contrastive, Joint, Staged, Variational
    from identica.training import Training

__all__ = [
    "DICA",
    "IMA",
    "Autoencoder",
    "AuxiliaryICA",
    "Compositional",
    "Contrastive",
    "Convolutional",
    "Dense",
    "Joint",
    "PolytopicFactorization",
    "SparseJacobian",
    "Staged",
    "Training",
    "Variational",
    "Volume",
    "get",
    "load",
    "pl",
    "tl",
]

__version__ = "0.3.0"

_HOMES = {
    "DICA": "identica.estimators",
    "IMA": "identica.estimators",
    "Autoencoder": "identica.estimators",
    "AuxiliaryICA": "identica.estimators",
    "Compositional": "identica.estimators",
    "Contrastive": "identica.solvers",
    "Convolutional": "identica.networks",
    "Dense": "identica.networks",
    "Joint": "identica.solvers",
    "PolytopicFactorization": "identica.estimators",
    "SparseJacobian": "identica.estimators",
    "Staged": "identica.solvers",
    "Training": "identica.training",
    "Variational": "identica.solvers",
    "Volume": "identica.criteria",
    "get": "identica.single_cell",
    "load": "identica.estimators",
    "pl": "identica.single_cell",
    "tl": "identica.single_cell",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``identica --help`` waits for nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
