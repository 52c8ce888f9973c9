"""What all methods share: data in, networks, stages of training, components out in a canonical form.

Symbols: m = n_features, d = n_components, J = decoder Jacobian.
"""

from __future__ import annotations

import abc
import os
import warnings
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from torch import nn

from identica.estimators.building import build_networks, find_device
from identica.estimators.canonical import canonicalise
from identica.estimators.fitted import FittedNetworks
from identica.estimators.persistence import fingerprint
from identica.io import check_output_file
from identica.networks import Convolutional, Dense, frame
from identica.preparation import (
    FloatArray,
    check_observations,
    criterion_units,
    principal_axes,
    split_rows,
    standardise,
)
from identica.training import Training
from identica.training.checkpoint import find_snapshot
from identica.training.descent import Data
from identica.training.progress import Progress
from identica.training.trainer import Trainer

__all__ = ["ComponentAnalysis"]

DEFAULT_NORM_POWER = 1.0
SAMPLES_PER_COMPONENT = 10
"""Below this the axes of the data themselves are set by chance; the rule of thumb of regression."""


class ComponentAnalysis(FittedNetworks, abc.ABC):
    """Base of all methods: an autoencoder whose decoder's Jacobian is shaped by the subclass.

    A subclass lists its hyper-parameters in ``__init__`` and says in ``_fit_stages`` how the networks are trained.
    """

    method: ClassVar[str]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "network": [Dense, Convolutional, None],
        "training": [Training, None],
        "standardize": ["boolean", None],
        "encoder": [nn.Module, None],
        "decoder": [nn.Module, None],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @abc.abstractmethod
    def _fit_stages(self, trainer: Trainer, training: Training) -> None:
        """Train the trainer's networks, in one or more stages."""

    def _wrap_encoder(self, encoder: nn.Module) -> nn.Module:
        """Put layers behind the encoder that the method needs; none here."""
        return encoder

    def _conclude(self, trainer: Trainer) -> None:
        """Set fitted attributes of the method's own and warn where the result is not to be trusted."""

    @property
    def _criterion_power(self) -> float:
        return DEFAULT_NORM_POWER

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> Self:
        """Fit the components of a table.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images (n_samples, height, width[, channels])
            Observations, in any units.
        y : None
            Ignored.
        checkpoint : path, optional
            File that is written every few seconds and when the fit is interrupted (Ctrl-C), so that it can go on.
            It stays when the fit is complete: delete it once the result is saved.
        resume : bool, default=False
            Whether to go on from the checkpoint, if it is there, to the same result that an uninterrupted fit has.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or a checkpoint belongs to another fit.
        TypeError
            If an own encoder or decoder does not map the shapes that it should.
        """
        self._validate_params()
        if isinstance(self.n_components, bool):
            raise TypeError(f"n_components={self.n_components} is not a number: give how many components to find")
        if checkpoint is not None:
            check_output_file(checkpoint)
        X = check_observations(self, X, fitting=True)
        n_samples, n_features = X.shape
        if self.n_components > n_features:
            raise ValueError(
                f"n_components={self.n_components} exceeds n_features={n_features}: the decoder must be injective, "
                f"use at most {n_features}"
            )
        training = self.training or Training()
        snapshot = find_snapshot(checkpoint, resume)
        if self.random_state is not None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        else:  # never from NumPy's global state
            seed = int(np.random.default_rng().integers(2**31 - 1)) if snapshot is None else snapshot.seed
        names = getattr(self, "feature_names_in_", None)
        standardised = standardise(X, per_feature=self.scaled_by_feature_, names=names)
        self.mean_, self.scale_ = standardised.mean, standardised.scale
        trainer = self._trainer(
            standardised.values,
            training,
            seed,
            checkpoint=None if checkpoint is None else Path(checkpoint),
            fingerprint="" if checkpoint is None else fingerprint(self, X),
        )
        if snapshot is not None:
            trainer.resume(snapshot)
        self._fit_stages(trainer, training)
        held_out = trainer.compute("validate", lambda _: {"error": torch.tensor(trainer.validate())})
        if n_samples <= training.refit_samples and trainer.stopped_early:
            # Few rows: how long to train is known now, so those held out are better used than kept.
            axes, _ = principal_axes(standardised.values, standardised.values, self.n_components, seed)
            trainer.restart(*self._build(axes, seed), standardised.values)
            self._fit_stages(trainer, training)
        self.encoder_, self.decoder_ = trainer.encoder.eval(), trainer.decoder.eval()
        self.history_, self.durations_ = trainer.history, trainer.durations
        self.reconstruction_error_ = float(held_out["error"])
        self.linear_reconstruction_error_ = trainer.linear_error
        self._describe(standardised.values, trainer.units, seed)
        if n_samples < SAMPLES_PER_COMPONENT * self.n_components:
            warnings.warn(
                f"{n_samples} samples are too few to tell {self.n_components} components apart, whatever else speaks "
                f"for them: use fewer components, or at least {SAMPLES_PER_COMPONENT} samples for each",
                ConvergenceWarning,
                stacklevel=2,
            )
        self._conclude(trainer)
        return self

    def _trainer(
        self, values: FloatArray, training: Training, seed: int, *, checkpoint: Path | None, fingerprint: str
    ) -> Trainer:
        """Build networks that start at the principal axes, and what trains them."""
        kept, held_out = split_rows(len(values), training.validation_fraction, seed)
        train, validation = values[kept], values[held_out if len(held_out) else kept]
        axes, squared_error = principal_axes(train, validation, self.n_components, seed)
        variance = float(np.mean(np.square(values, dtype=np.float64)))
        encoder, decoder = self._build(axes, seed)
        device, dtype = find_device(self.device), Training.DTYPES[training.dtype]
        data = Data(
            torch.as_tensor(train, dtype=dtype, device=device),
            torch.as_tensor(validation, dtype=dtype, device=device),
            variance,
            held_out=len(held_out) > 0,
            units=torch.as_tensor(criterion_units(self.scale_), dtype=dtype, device=device),
        )
        return Trainer(
            encoder.to(device, dtype),
            decoder.to(device, dtype),
            data,
            training,
            seed=seed,
            linear_error=squared_error / variance,
            progress=Progress(int(self.verbose), type(self).__name__),
            checkpoint=checkpoint,
            fingerprint=fingerprint,
        )

    def _build(self, axes: FloatArray, seed: int) -> tuple[nn.Sequential, nn.Sequential]:
        """Build framed networks in float64, around the user's own modules where given."""
        network = self.network or Dense()
        encoder, decoder = build_networks(network, axes, seed, self.sample_shape_, self.encoder, self.decoder)
        encoder, decoder = frame(self._wrap_encoder(encoder), decoder, self.n_components)
        return encoder.double(), decoder.double()

    def _describe(self, values: FloatArray, units: torch.Tensor, seed: int) -> None:
        """Bring the components to their canonical form and set what is reported of them."""
        rows = torch.as_tensor(values, device=find_device(self.device))
        # In float64, then everything takes the precision of the data.
        self.encoder_.double()
        self.decoder_.double()
        units = units.to(rows.device, torch.float64)
        summary = canonicalise(self.encoder_, self.decoder_, rows, units, p=self._criterion_power, seed=seed)
        self.encoder_.to(rows.dtype)
        self.decoder_.to(rows.dtype)
        influence = summary.influence.cpu().numpy()
        self.component_strength_ = influence.sum(axis=0).astype(values.dtype)
        self.influence_ = (influence * self.scale_[:, None]).astype(values.dtype)
        self.criterion_ = summary.criterion
        self.volume_efficiency_ = summary.volume_efficiency
