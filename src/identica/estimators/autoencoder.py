"""The plain autoencoder: what a low-dimensional code is without a condition on the Jacobian."""

from __future__ import annotations

from typing import Any, ClassVar, final

import torch
from torch import nn

from identica.estimators.base import ComponentAnalysis
from identica.networks import Network
from identica.training import Training
from identica.training.objective import Objective
from identica.training.trainer import Trainer

__all__ = ["Autoencoder"]


@final
class Autoencoder(ComponentAnalysis):
    """Plain autoencoder, the method called "Base" in arXiv:2510.17040; its components are not identifiable.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
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
    >>> Autoencoder(2, training=Training(max_steps=50), random_state=0).fit_transform(X).shape
    (200, 2)
    """

    method: ClassVar[str] = "autoencoder"

    def __init__(
        self,
        n_components: int = 2,
        *,
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
        self.network = network
        self.training = training
        self.standardize = standardize
        self.encoder = encoder
        self.decoder = decoder
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _fit_stages(self, trainer: Trainer, training: Training) -> None:
        objective = Objective(trainer.encoder, trainer.decoder, trainer.data.variance)
        trainer.minimise("reconstruct", objective, max_steps=training.max_steps)
