"""Diverse influence component analysis: components by the largest volume of the decoder's Jacobian."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Literal, final

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from identica.criteria import Joint, Volume
from identica.estimators.base import DEFAULT_NORM_POWER, ComponentAnalysis
from identica.networks import Network
from identica.solvers.aligning import align_networks, conclude_alignment, settle_networks
from identica.training import Training
from identica.training.objective import Objective
from identica.training.trainer import Trainer

__all__ = ["DICA"]

REFINE_MAY_COST = 0.05
"""Share of the variance explained that the refine stage may cost before it is undone."""


@final
class DICA(ComponentAnalysis):
    """Diverse influence component analysis: the components whose influences on the features span most volume.

    Among the autoencoders that reconstruct the data, the one whose decoder's Jacobian J has the largest volume for
    the size of its rows, measured by c_p(J) = log det(J'J) / (2 d) - log M_p(r(J)), r_i = ||J_i||_1, M_p their power
    mean. The scale-free form of equations (3) to (5) of [1]_, without its constant C.

    ``solver="staged"`` reconstructs (a plain autoencoder), aligns (the best linear change of the latents, from many
    starts), refines (everything, with a weight on c_p that is held and then falls) and settles (where rows turn out to
    be far more even at unit variance, it aligns once more there, with p of at least 2). ``solver="joint"`` is equation
    (8) of [1]_ from the first step, with its warm-up; it counts reconstruction as a fraction of variance unexplained
    and its weights per component and per feature.

    The criterion compares rows in the features' own units, within a factor of three about the median scale, until the
    last stage of the staged solver.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d; at most the number of features.
    solver : {"staged", "joint"}, default="staged"
        How to fit.
    norm_power : float, default=1.0
        p, in [0, infinity]; staged only. From 2 on the criterion is bounded; 1 found the components most exactly in
        simulations, and needs the weight to fall as it does.
    volume_weight : float, default=0.15
        Staged: first weight of c_p in the refine stage, times the fraction of variance explained; it ends at 1/75 of
        that, and 0 leaves the stage out. Joint: lambda_vol per component, 2 d lambda_vol of equation (8).
    n_restarts : int, default=32
        Random starts of the align stage.
    volume : {"logdet", "trace"}, default="logdet"
        c_vol of the joint solver: exact, or a stochastic surrogate whose gradient is the same where the encoder
        inverts the decoder (the choice of surrogate is ours).
    norm_weight : float, default=0.03
        Joint: lambda_norm per feature, m lambda_norm of equation (8).
    warmup_epochs : int, optional
        Joint: T_w; a third of the epochs if None.
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

    Attributes
    ----------
    encoder_, decoder_ : torch.nn.Sequential
        Fitted networks, between standardised data and components.
    criterion_ : float
        Mean c_p over samples, at the scales of the components at which it is largest.
    volume_efficiency_ : float
        exp(c_p) / sqrt(m / d) at p = max(norm_power, 2), in (0, 1].
    reconstruction_error_, linear_reconstruction_error_ : float
        Fraction of variance unexplained on the validation rows, by the model and by PCA with as many components.
    restarts_ : ndarray of shape (n_restarts,)
        Criterion of each start of the align stage, up to a constant that all share; staged only.
    restart_agreement_ : float
        Mean matched |cosine| between the best start's components and the others'; below 0.95 a ConvergenceWarning
        is given. Staged only.
    criterion_units_ : {"own", "unit variance"}
        Units of the features in which the last stage has found to compare rows; staged only.
    refined_ : bool
        Whether the refine stage was kept; it is undone where it costs too much reconstruction. Staged only.
    influence_ : ndarray of shape (n_features, n_components)
        Mean |dx_i / ds_j|, in units of feature i per standard deviation of component j.
    component_strength_ : ndarray of shape (n_components,)
        Sum of a component's influences in standardised units, by which components are ordered.
    history_ : list of dict
        One record per stage and epoch.
    durations_ : dict of str to float
        Seconds per stage.
    n_features_in_, feature_names_in_, mean_, scale_
        Of the data.

    References
    ----------
    .. [1] T. H. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
       Identifiability", NeurIPS 2025, arXiv:2510.17040.

    Examples
    --------
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 30, 2, random_state=0).X
    >>> dica = DICA(2, training=Training(max_steps=300), random_state=0).fit(X)
    >>> dica.transform(X).shape, dica.jacobian(X[:3]).shape
    ((500, 2), (3, 30, 2))
    """

    method: ClassVar[str] = "dica"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ComponentAnalysis._parameter_constraints,
        "solver": [StrOptions({"staged", "joint"})],
        "norm_power": [Interval(Real, 0, np.inf, closed="both")],
        "volume_weight": [Interval(Real, 0, None, closed="left")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "volume": [StrOptions({"logdet", "trace"})],
        "norm_weight": [Interval(Real, 0, None, closed="left")],
        "warmup_epochs": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_components: int = 2,
        *,
        solver: Literal["staged", "joint"] = "staged",
        norm_power: float = DEFAULT_NORM_POWER,
        volume_weight: float = 0.15,
        n_restarts: int = 32,
        volume: Literal["logdet", "trace"] = "logdet",
        norm_weight: float = 0.03,
        warmup_epochs: int | None = None,
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
        self.solver = solver
        self.norm_power = norm_power
        self.volume_weight = volume_weight
        self.n_restarts = n_restarts
        self.volume = volume
        self.norm_weight = norm_weight
        self.warmup_epochs = warmup_epochs
        self.network = network
        self.training = training
        self.standardize = standardize
        self.encoder = encoder
        self.decoder = decoder
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _criterion_power(self) -> float:
        return self.norm_power if self.solver == "staged" else 1.0

    def _fit_stages(self, trainer: Trainer, training: Training) -> None:
        if self.solver == "staged":
            self._fit_staged(trainer, training)
        else:
            self._fit_joint(trainer, training)

    def _fit_staged(self, trainer: Trainer, training: Training) -> None:
        encoder, decoder, variance = trainer.encoder, trainer.decoder, trainer.data.variance
        plain = Objective(encoder, decoder, variance)
        trainer.minimise("reconstruct", plain, max_steps=max(1, training.max_steps // 3))
        found = trainer.compute(
            "align", lambda generator: align_networks(trainer, self.norm_power, self.n_restarts, generator)
        )
        # Twice as long as reconstruction took: not long where few samples made that stop early.
        steps = 2 * trainer.best_step("reconstruct")
        if self.volume_weight > 0 and steps > 0:
            error = float(found["reconstruction"])
            explained = max(0.0, 1.0 - error)
            weight = self.volume_weight * explained
            penalty = Volume(trainer.jacobian_sample, weight, self.norm_power, trainer.n_epochs(steps))
            limit = error + REFINE_MAY_COST * explained
            if error <= trainer.linear_error:
                limit = min(limit, trainer.linear_error)
            refined = Objective(encoder, decoder, variance, penalty)
            trainer.minimise("refine", refined, max_steps=steps, keep_best=False, limit=limit)
        trainer.compute(
            "settle", lambda generator: settle_networks(trainer, self.norm_power, self.n_restarts, generator)
        )

    def _conclude(self, trainer: Trainer) -> None:
        if self.solver == "joint":
            return
        conclude_alignment(self, trainer)
        self.refined_ = "refine" in trainer.results and not bool(trainer.results["refine"]["undone"])

    def _fit_joint(self, trainer: Trainer, training: Training) -> None:
        n_epochs = trainer.n_epochs(training.max_steps)
        warmup = max(1, n_epochs // 3) if self.warmup_epochs is None else self.warmup_epochs
        penalty = Joint(trainer.jacobian_sample, self.volume_weight, self.norm_weight, warmup, self.volume)
        objective = Objective(trainer.encoder, trainer.decoder, trainer.data.variance, penalty)
        trainer.minimise("joint", objective, max_steps=training.max_steps)
