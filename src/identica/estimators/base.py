"""What all methods share: data in, networks, stages of training, components out in a canonical form.

Symbols: m = n_features, d = n_components, J = decoder Jacobian.
"""

from __future__ import annotations

import abc
import os
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from identica.checkpoint import find_snapshot
from identica.descent import Data
from identica.estimators.building import build_networks, find_device
from identica.estimators.canonical import ENTRIES_AT_ONCE, canonicalise
from identica.estimators.persistence import fingerprint, load_estimator, save_estimator
from identica.estimators.preparation import (
    FloatArray,
    check_finite,
    criterion_units,
    principal_axes,
    split_rows,
    standardise,
)
from identica.jacobian import jacobian
from identica.networks import Dense, evaluate, frame
from identica.progress import Progress
from identica.trainer import Trainer
from identica.training import Training

__all__ = ["ComponentAnalysis"]

DEFAULT_NORM_POWER = 1.0


class ComponentAnalysis(TransformerMixin, BaseEstimator, abc.ABC):
    """Base of all methods: an autoencoder whose decoder's Jacobian is shaped by the subclass.

    A subclass lists its hyper-parameters in ``__init__`` and says in ``_fit_stages`` how the networks are trained.
    """

    method: ClassVar[str]
    encoder_: nn.Sequential
    decoder_: nn.Sequential

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "network": [Dense, None],
        "training": [Training, None],
        "standardize": ["boolean"],
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
        X : array-like of shape (n_samples, n_features)
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
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2, ensure_all_finite=False)
        check_finite(X, self._names())
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
        standardised = standardise(X, per_feature=self.standardize, names=self._names())
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
        self._describe(standardised.values, seed)
        self._conclude(trainer)
        return self

    def _names(self) -> Any:
        return getattr(self, "feature_names_in_", None)

    def _trainer(
        self, values: FloatArray, training: Training, seed: int, *, checkpoint: Path | None, fingerprint: str
    ) -> Trainer:
        """Build networks that start at the principal axes, and what trains them."""
        kept, held_out = split_rows(len(values), training.validation_fraction, seed)
        train, validation = values[kept], values[held_out if len(held_out) else kept]
        axes, linear_error = principal_axes(train, validation, self.n_components, seed)
        encoder, decoder = self._build(axes, seed)
        device, dtype = find_device(self.device), Training.DTYPES[training.dtype]
        data = Data(
            torch.as_tensor(train, dtype=dtype, device=device),
            torch.as_tensor(validation, dtype=dtype, device=device),
            float(np.mean(np.square(values, dtype=np.float64))),
            held_out=len(held_out) > 0,
            units=torch.as_tensor(criterion_units(self.scale_), dtype=dtype, device=device),
        )
        return Trainer(
            encoder.to(device, dtype),
            decoder.to(device, dtype),
            data,
            training,
            seed=seed,
            linear_error=linear_error,
            progress=Progress(int(self.verbose), type(self).__name__),
            checkpoint=checkpoint,
            fingerprint=fingerprint,
        )

    def _build(self, axes: FloatArray, seed: int) -> tuple[nn.Sequential, nn.Sequential]:
        """Build framed networks in float64, around the user's own modules where given."""
        encoder, decoder = build_networks(self.network or Dense(), axes, seed, self.encoder, self.decoder)
        encoder, decoder = frame(self._wrap_encoder(encoder), decoder, self.n_components)
        return encoder.double(), decoder.double()

    def _describe(self, values: FloatArray, seed: int) -> None:
        """Bring the components to their canonical form and set what is reported of them."""
        rows = torch.as_tensor(values, device=find_device(self.device))
        # In float64, then everything takes the precision of the data.
        self.encoder_.double()
        self.decoder_.double()
        units = torch.as_tensor(criterion_units(self.scale_), dtype=torch.float64, device=rows.device)
        summary = canonicalise(self.encoder_, self.decoder_, rows, units, p=self._criterion_power, seed=seed)
        self.encoder_.to(rows.dtype)
        self.decoder_.to(rows.dtype)
        influence = summary.influence.cpu().numpy()
        self.component_strength_ = influence.sum(axis=0).astype(values.dtype)
        self.influence_ = (influence * self.scale_[:, None]).astype(values.dtype)
        self.criterion_ = summary.criterion
        self.volume_efficiency_ = summary.volume_efficiency

    def _checked(self, X: Any) -> FloatArray:
        check_is_fitted(self, "encoder_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False, ensure_all_finite=False)
        check_finite(X, self._names())
        return X  # type: ignore[no-any-return]

    def _standardised(self, X: FloatArray) -> Tensor:
        # What overflows here is refused by evaluate.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._on_device((X - self.mean_) / self.scale_)

    def _on_device(self, values: Any) -> Tensor:
        """Bring values into the precision and onto the device of the networks."""
        weight = next(self.decoder_.parameters())
        return torch.as_tensor(values, dtype=weight.dtype, device=weight.device)

    def transform(self, X: Any) -> FloatArray:
        """Return the components of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations, in the units of the data that were fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Components; zero mean and unit variance on the data that were fitted.

        Raises
        ------
        ValueError
            If X has other features than the data that were fitted, or values that are not finite or too large.
        """
        X = self._checked(X)
        return evaluate(self.encoder_, self._standardised(X)).cpu().numpy().astype(X.dtype, copy=False)

    def inverse_transform(self, X: Any) -> FloatArray:
        """Return the observations that components stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Components.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Observations, in the units of the data that were fitted.

        Raises
        ------
        ValueError
            If X has not n_components columns, or values that are not finite or too large.
        """
        check_is_fitted(self, "decoder_")
        latents = np.asarray(X, dtype=self.mean_.dtype)
        if latents.ndim != 2 or latents.shape[1] != self.n_components:
            raise ValueError(
                f"components of shape {latents.shape} were given: (n_samples, {self.n_components}) is needed"
            )
        return evaluate(self.decoder_, self._on_device(latents)).cpu().numpy() * self.scale_ + self.mean_

    def reconstruct(self, X: Any) -> FloatArray:
        """Return what the networks make of samples: decoder(encoder(X)).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Their reconstruction, in the same units.
        """
        X = self._checked(X)
        outputs = evaluate(nn.Sequential(self.encoder_, self.decoder_), self._standardised(X))
        return (outputs.cpu().numpy() * self.scale_ + self.mean_).astype(X.dtype)

    def jacobian(self, X: Any) -> FloatArray:
        """Return the decoder's Jacobian at samples: how each feature answers to each component there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations.

        Returns
        -------
        ndarray of shape (n_samples, n_features, n_components)
            dx_i / ds_j, in units of feature i per standard deviation of component j.
        """
        X = self._checked(X)
        size = max(1, ENTRIES_AT_ONCE // (self.n_features_in_ * self.n_components))
        result = np.empty((len(X), self.n_features_in_, self.n_components), dtype=X.dtype)
        latents = evaluate(self.encoder_, self._standardised(X))
        with torch.no_grad():
            for start, part in enumerate(torch.split(latents, size)):
                _, matrix = jacobian(self.decoder_, part)
                result[start * size : start * size + len(part)] = matrix.cpu().numpy()
        result *= self.scale_[:, None]
        return result

    def score(self, X: Any, y: Any = None) -> float:
        """Return the fraction of variance explained: 1 - mean squared error over variance, in standardised units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations.
        y : None
            Ignored.

        Returns
        -------
        float
            1 for a perfect reconstruction, 0 for that of the fitted data's mean.
        """
        X = self._checked(X)
        target = (X - self.mean_) / self.scale_
        error = (self.reconstruct(X) - X) / self.scale_
        return 1.0 - float(np.mean(np.square(error)) / max(np.mean(np.square(target)), np.finfo(np.float64).tiny))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the components' names.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str
            component_0, component_1, ...
        """
        check_is_fitted(self, "encoder_")
        return np.array([f"component_{j}" for j in range(self.n_components)], dtype=object)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator into one safetensors file, whole or not at all; nothing is pickled.

        Parameters
        ----------
        path : path
            Name of the file, by custom with the ending .safetensors.
        """
        check_is_fitted(self, "encoder_")
        save_estimator(self, Path(path))

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, encoder: nn.Module | None = None, decoder: nn.Module | None = None
    ) -> Self:
        """Read a fitted estimator.

        Parameters
        ----------
        path : path
            What :meth:`save` wrote.
        encoder, decoder : torch.nn.Module, optional
            Modules of the same structure, if the estimator was fitted with the user's own.

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        ValueError
            If the file is damaged, of a newer version, or of another method.
        """
        loaded = load_estimator(Path(path), encoder=encoder, decoder=decoder)
        if not isinstance(loaded, cls):
            raise ValueError(
                f"{path} holds a {type(loaded).__name__}, not a {cls.__name__}: use {type(loaded).__name__}.load or "
                "identica.load"
            )
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
