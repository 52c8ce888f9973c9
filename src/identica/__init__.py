"""Identifiable nonlinear component analysis: the true hidden factors behind data."""

from identica.estimators import DICA, Autoencoder, SparseJacobian, load
from identica.networks import Dense
from identica.training import Training

__all__ = ["DICA", "Autoencoder", "Dense", "SparseJacobian", "Training", "load"]

__version__ = "0.1.0"
