"""Sparsity of the Jacobian as the condition: few components influence each feature."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, final

import torch
from sklearn.utils._param_validation import Interval
from torch import nn

from identica.criteria import Sparsity
from identica.estimators.base import ComponentAnalysis
from identica.networks import Network
from identica.training import Training
from identica.training.objective import Objective
from identica.training.trainer import Trainer

__all__ = ["SparseJacobian"]


@final
class SparseJacobian(ComponentAnalysis):
    """Autoencoder with an L1 penalty on its decoder's Jacobian, the method called "Sparse" in arXiv:2510.17040.

    Minimises (fraction of variance unexplained) + weight * ||J||_1 / (m sqrt(d)). Latents are held at unit variance
    by batch normalisation, so that the penalty cannot be escaped by rescaling them.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    weight : float, default=0.1
        Of the penalty, against the fraction of variance unexplained.
    network : Dense or Convolutional, optional
        Architecture of encoder and decoder; ``Dense()`` if None.
    training : Training, optional
        Length and speed of the training; ``Training()`` if None.
    standardize : bool, optional
        Whether each feature is brought to unit variance inside; otherwise all are divided by one number. By default
        the features of tables are, the pixels of images are not.
    encoder, decoder : torch.nn.Module, optional
        Own modules, (n, n_features) -> (n, n_components) and back, on standardised data; copied, then trained.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes a GPU if there is one.
    random_state : int, RandomState or None, default=None
        An int makes the result reproducible.
    verbose : int, default=0
        1 shows progress on standard error.

    Examples
    --------
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(200, 10, 2, random_state=0).X
    >>> SparseJacobian(2, training=Training(max_steps=50), random_state=0).fit_transform(X).shape
    (200, 2)
    """

    method: ClassVar[str] = "sparse-jacobian"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ComponentAnalysis._parameter_constraints,
        "weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int = 2,
        *,
        weight: float = 0.1,
        network: Network | None = None,
        training: Training | None = None,
        standardize: bool | None = None,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        device: str | torch.device = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.weight = weight
        self.network = network
        self.training = training
        self.standardize = standardize
        self.encoder = encoder
        self.decoder = decoder
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _wrap_encoder(self, encoder: nn.Module) -> nn.Module:
        unit_variance = nn.BatchNorm1d(self.n_components, affine=False, momentum=0.05, dtype=torch.float64)
        return nn.Sequential(encoder, unit_variance)

    def _fit_stages(self, trainer: Trainer, training: Training) -> None:
        penalty = Sparsity(trainer.jacobian_sample, self.weight)
        objective = Objective(trainer.encoder, trainer.decoder, trainer.data.variance, penalty)
        trainer.minimise("train", objective, max_steps=training.max_steps)
