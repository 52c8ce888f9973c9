"""The linear method: among all linear maps that explain the data, the one whose loadings span the largest volume."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, final

import numpy as np
import torch
from sklearn.utils._param_validation import Interval

from identica.estimators.base import ComponentAnalysis
from identica.networks import Affine
from identica.solvers.aligning import align_networks, conclude_alignment, settle_networks
from identica.training import Training
from identica.training.trainer import Trainer

__all__ = ["PolytopicFactorization"]


@final
class PolytopicFactorization(ComponentAnalysis):
    """Linear components by the volume criterion: PCA, then the turn of its loadings of the largest criterion.

    It is the align stage of :class:`DICA` on a linear model, close to polytopic matrix factorisation, which
    maximises the determinant of factors held in a polytope. What it reaches is what a nonlinear method has to beat.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    norm_power : float, default=2.0
        Exponent p of the power mean of the row norms, as in :class:`DICA`, whose default is another.
    n_restarts : int, default=32
        Random starts of the alignment.
    standardize : bool, optional
        Whether each feature is brought to unit variance inside; otherwise all are divided by one number. By default
        the features of tables are, the pixels of images are not.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes a GPU if there is one.
    random_state : int, RandomState or None, default=None
        An int makes the result reproducible.
    verbose : int, default=0
        1 shows progress on standard error.

    Attributes
    ----------
    encoder_, decoder_ : torch.nn.Sequential
        Linear maps between standardised data and components.
    criterion_, volume_efficiency_, reconstruction_error_, linear_reconstruction_error_
        As those of :class:`DICA`; both errors are of the rows fitted on.
    restarts_, restart_agreement_, criterion_units_
        As those of :class:`DICA`.
    influence_ : ndarray of shape (n_features, n_components)
        |dx_i / ds_j|, in units of feature i per standard deviation of component j.

    References
    ----------
    G. Tatli and A. T. Erdogan, "Polytopic Matrix Factorization: Determinant Maximization Based Criterion and
    Identifiability", IEEE Transactions on Signal Processing 69, 2021.

    Examples
    --------
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 40, 2, kind="linear", random_state=0).X
    >>> PolytopicFactorization(2, random_state=0).fit_transform(X).shape
    (500, 2)
    """

    method: ClassVar[str] = "polytopic"
    # What other methods let the user choose.
    network = Affine()
    training = Training(validation_fraction=0.0, dtype="float64")
    encoder = None
    decoder = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: ComponentAnalysis._parameter_constraints[name]
        for name in ("n_components", "standardize", "device", "random_state", "verbose")
    } | {
        "norm_power": [Interval(Real, 0, np.inf, closed="both")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int = 2,
        *,
        norm_power: float = 2.0,
        n_restarts: int = 32,
        standardize: bool | None = None,
        device: str | torch.device = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.norm_power = norm_power
        self.n_restarts = n_restarts
        self.standardize = standardize
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _criterion_power(self) -> float:
        return self.norm_power

    def _fit_stages(self, trainer: Trainer, training: Training) -> None:
        trainer.compute(
            "align", lambda generator: align_networks(trainer, self.norm_power, self.n_restarts, generator, n_points=1)
        )
        trainer.compute(
            "settle",
            lambda generator: settle_networks(trainer, self.norm_power, self.n_restarts, generator, n_points=1),
        )

    def _conclude(self, trainer: Trainer) -> None:
        conclude_alignment(self, trainer)
