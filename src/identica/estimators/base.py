"""What all methods share: data in, networks, stages of training, components out in a canonical form.

Symbols: m = n_features, d = n_components, J = decoder Jacobian.
"""

from __future__ import annotations

import abc
import copy
import os
import warnings
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from identica.alignment import best_scales
from identica.checkpoint import read_snapshot
from identica.estimators.persistence import fingerprint, load_estimator, save_estimator
from identica.geometry import volume_criterion, volume_efficiency
from identica.jacobian import jacobian
from identica.networks import Dense, change_basis, frame
from identica.progress import Progress
from identica.training import Data, Trainer, Training

__all__ = ["ComponentAnalysis"]

FloatArray = NDArray[np.floating[Any]]

DEFAULT_NORM_POWER = 3.0
POINTS = 512
"""Data points at which influence and criterion are averaged."""
ROWS_AT_ONCE = 4096
ENTRIES_AT_ONCE = 2**24


class ComponentAnalysis(TransformerMixin, BaseEstimator, abc.ABC):  # type: ignore[misc]
    """Base of all methods: an autoencoder whose decoder's Jacobian is shaped by the subclass.

    A subclass lists its hyper-parameters in ``__init__`` and says in ``_fit_stages`` how the networks are trained.
    """

    method: ClassVar[str]

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

    @property
    def _criterion_power(self) -> float:
        return DEFAULT_NORM_POWER

    # ------------------------------------------------------------------------------------------------- fitting

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
            File that is written every few seconds and when the fit is interrupted (Ctrl-C), so that it can go on;
            deleted when the fit is complete.
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
        self._check_finite(X)
        n_samples, n_features = X.shape
        if self.n_components > n_features:
            raise ValueError(
                f"n_components={self.n_components} exceeds n_features={n_features}: the decoder must be injective, "
                f"use at most {n_features}"
            )
        training = self.training or Training()
        snapshot = None
        if resume:
            if checkpoint is None:
                raise ValueError("resume=True needs a checkpoint: pass the path of the file to go on from")
            snapshot = read_snapshot(Path(checkpoint)) if Path(checkpoint).exists() else None
        drawn = int(check_random_state(self.random_state).randint(2**31 - 1))
        seed = drawn if snapshot is None or self.random_state is not None else snapshot.seed
        standardised = self._standardise(X)
        rows = np.random.default_rng(seed).permutation(n_samples)
        n_held_out = round(training.validation_fraction * n_samples)
        n_held_out = n_held_out if 1 <= n_held_out <= n_samples - 2 else 0
        held_out, kept = rows[:n_held_out], rows[n_held_out:]
        device = self._device()
        dtype = Training.DTYPES[training.dtype]
        train = torch.as_tensor(standardised[kept], dtype=dtype, device=device)
        validation = torch.as_tensor(standardised[held_out], dtype=dtype, device=device) if n_held_out else train
        axes, linear_error = _principal_axes(
            standardised[kept], standardised[held_out] if n_held_out else standardised[kept], self.n_components, seed
        )
        encoder, decoder = self._build(torch.as_tensor(axes, dtype=torch.float64), seed, n_features)
        encoder, decoder = encoder.to(device, dtype), decoder.to(device, dtype)
        data = Data(train, validation, float(np.mean(np.square(standardised, dtype=np.float64))))
        trainer = Trainer(
            encoder,
            decoder,
            data,
            training,
            seed=seed,
            progress=Progress(int(self.verbose), type(self).__name__),
            checkpoint=None if checkpoint is None else Path(checkpoint),
            fingerprint="" if checkpoint is None else fingerprint(self, X),
        )
        if snapshot is not None:
            trainer.resume(snapshot)
        self._fit_stages(trainer, training)
        self.encoder_, self.decoder_ = encoder.eval(), decoder.eval()
        self.history_ = trainer.history
        self.durations_ = trainer.durations
        self.linear_reconstruction_error_ = linear_error
        self._finish(torch.as_tensor(standardised, device=device), validation.double(), data.variance, seed)
        if checkpoint is not None:
            Path(checkpoint).unlink(missing_ok=True)
        return self

    def _standardise(self, X: FloatArray) -> FloatArray:
        """Set mean_ and scale_ and return the standardised data; warn of constant features."""
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
        centred = X - self.mean_
        deviations = np.sqrt(np.mean(np.square(centred, dtype=np.float64), axis=0))
        size = np.maximum(np.abs(self.mean_), np.abs(X).max(axis=0))
        constant = deviations <= 10 * np.finfo(X.dtype).eps * size
        if constant.all():
            raise ValueError(
                f"all {X.shape[1]} features are constant: components need features that vary between samples"
            )
        if constant.any():
            names = getattr(self, "feature_names_in_", None)
            where = np.flatnonzero(constant)
            listed = [str(i) if names is None else str(names[i]) for i in where[:10]]
            more = f" and {len(where) - 10} more" if len(where) > 10 else ""
            warnings.warn(
                f"{len(where)} constant feature(s) carry no information and are reconstructed as they are: "
                f"{', '.join(listed)}{more}",
                UserWarning,
                stacklevel=3,
            )
        if self.standardize:
            scale = np.where(constant, 1.0, deviations)
        else:
            scale = np.full(X.shape[1], np.sqrt(np.mean(np.square(deviations[~constant]))))
        self.scale_ = scale.astype(X.dtype)
        standardised: FloatArray = np.where(constant, 0, centred / self.scale_)
        return standardised

    def _build(self, axes: Tensor, seed: int, n_features: int) -> tuple[nn.Sequential, nn.Sequential]:
        built = (self.network or Dense()).build(axes, seed)
        encoder, decoder = (
            ours if own is None else copy.deepcopy(own)
            for ours, own in zip(built, (self.encoder, self.decoder), strict=True)
        )
        # Asked for a batch each, in evaluation mode so that nothing changes.
        for name, own, module, n_in, n_out in (
            ("encoder", self.encoder, encoder, n_features, self.n_components),
            ("decoder", self.decoder, decoder, self.n_components, n_features),
        ):
            if own is None:
                continue
            parameter = next(module.parameters(), axes)
            with torch.no_grad():
                output = copy.deepcopy(module).eval()(torch.zeros(3, n_in, dtype=parameter.dtype, device=parameter.device))
            if not isinstance(output, Tensor) or output.shape != (3, n_out):
                given = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
                raise TypeError(
                    f"the {name} turns an input of shape (3, {n_in}) into {given}: it must return a tensor of "
                    f"shape (3, {n_out})"
                )
        return frame(self._wrap_encoder(encoder.double()), decoder.double(), self.n_components)

    def _device(self) -> torch.device:
        if str(self.device) == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={self.device!r} is not usable here: use 'auto', 'cpu' or a device that PyTorch lists"
            ) from error
        return device

    def _check_finite(self, X: FloatArray) -> None:
        finite = np.isfinite(X)
        if finite.all():
            return
        row, column = np.argwhere(~finite)[0]
        names = getattr(self, "feature_names_in_", None)
        feature = f"feature {column}" if names is None else f"feature {names[column]!r} (column {column})"
        kind = "NaN" if np.isnan(X[row, column]) else "inf"
        raise ValueError(
            f"X contains {int((~finite).sum())} value(s) that are NaN or infinite, the first ({kind}) in sample {row}, "
            f"{feature}: remove those samples or fill the values in before"
        )

    # ------------------------------------------------------------------------------------------ canonical form

    def _finish(self, standardised: Tensor, validation: Tensor, variance: float, seed: int) -> None:
        """Bring components to zero mean, unit variance, an order and a sign; compute what is reported."""
        dtype = standardised.dtype
        # The frames are changed in float64, then everything takes the precision of the data.
        self.encoder_.double()
        self.decoder_.double()
        d, m = self.n_components, self.n_features_in_
        generator = torch.Generator().manual_seed(seed)
        few = standardised[torch.randperm(len(standardised), generator=generator)[:POINTS]].double()
        with torch.no_grad():
            latents = torch.cat([self.encoder_(part.double()) for part in torch.split(standardised, ROWS_AT_ONCE)])
            mean, deviation = latents.mean(0), latents.std(0, unbiased=False)
            deviation = torch.where(deviation > 0, deviation, 1.0)
            total, signed = self._influence(few)
            strength = total.sum(0) * deviation
            order = torch.argsort(strength, descending=True, stable=True)
            strongest = total.argmax(0)
            sign = torch.where(signed[strongest, torch.arange(d, device=total.device)] < 0, -1.0, 1.0).to(total)
            columns = torch.diag(deviation * sign)[:, order]
            change_basis(self.encoder_, self.decoder_, columns, mean)
            restored = self.decoder_(self.encoder_(validation))
            self.reconstruction_error_ = float((restored - validation).square().mean()) / variance
            total, _ = self._influence(few)
            self.component_strength_ = total.sum(0).cpu().numpy().astype(self.mean_.dtype)
            self.influence_ = (total.cpu().numpy() * self.scale_[:, None]).astype(self.mean_.dtype)
        self.criterion_ = self._mean_criterion(few)
        self.volume_efficiency_ = float(volume_efficiency(torch.tensor(self.criterion_), m, d))
        self.encoder_.to(dtype)
        self.decoder_.to(dtype)

    def _influence(self, few: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean of |J| and the mean of J over samples, each (n_features, n_components)."""
        size = max(1, ENTRIES_AT_ONCE // (self.n_features_in_ * self.n_components))
        total = signed = torch.zeros((), device=few.device)
        for part in torch.split(few, size):
            _, matrix = jacobian(self.decoder_, self.encoder_(part))
            total = total + matrix.abs().sum(0)
            signed = signed + matrix.sum(0)
        return total / len(few), signed / len(few)

    def _mean_criterion(self, few: Tensor) -> float:
        """Return the mean c_p at the scales of the components at which it is largest."""
        size = max(8, ENTRIES_AT_ONCE // (self.n_features_in_ * self.n_components))
        with torch.no_grad():
            _, matrices = jacobian(self.decoder_, self.encoder_(few[:size]))
        scales = best_scales(matrices, self._criterion_power)
        return float(volume_criterion(matrices * scales, self._criterion_power).mean())

    # ------------------------------------------------------------------------------------------- using the fit

    def _checked(self, X: Any) -> FloatArray:
        check_is_fitted(self, "encoder_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False, ensure_all_finite=False)
        self._check_finite(X)
        return X  # type: ignore[no-any-return]

    def _standardised(self, X: FloatArray) -> Tensor:
        return torch.as_tensor((X - self.mean_) / self.scale_, dtype=self._model_dtype(), device=self._model_device())

    def _model_dtype(self) -> torch.dtype:
        return self.decoder_[0].weight.dtype  # type: ignore[no-any-return]

    def _model_device(self) -> torch.device:
        return self.decoder_[0].weight.device  # type: ignore[no-any-return]

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
            If X has other features than the data that were fitted, or values that are not finite.
        """
        X = self._checked(X)
        with torch.no_grad():
            parts = [self.encoder_(part) for part in torch.split(self._standardised(X), ROWS_AT_ONCE)]
        return torch.cat(parts).cpu().numpy().astype(X.dtype, copy=False)  # type: ignore[no-any-return]

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
            If X has not n_components columns.
        """
        check_is_fitted(self, "decoder_")
        latents = np.asarray(X, dtype=self.mean_.dtype)
        if latents.ndim != 2 or latents.shape[1] != self.n_components:
            raise ValueError(
                f"components of shape {latents.shape} were given: (n_samples, {self.n_components}) is needed"
            )
        points = torch.as_tensor(latents, dtype=self._model_dtype(), device=self._model_device())
        with torch.no_grad():
            parts = [self.decoder_(part) for part in torch.split(points, ROWS_AT_ONCE)]
        return torch.cat(parts).cpu().numpy() * self.scale_ + self.mean_  # type: ignore[no-any-return]

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
        with torch.no_grad():
            parts = [self.decoder_(self.encoder_(part)) for part in torch.split(self._standardised(X), ROWS_AT_ONCE)]
        return (torch.cat(parts).cpu().numpy() * self.scale_ + self.mean_).astype(X.dtype)  # type: ignore[no-any-return]

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
        with torch.no_grad():
            for start, part in enumerate(torch.split(self._standardised(X), size)):
                _, matrix = jacobian(self.decoder_, self.encoder_(part))
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


def _principal_axes(
    train: FloatArray, held_out: FloatArray, n_components: int, seed: int
) -> tuple[FloatArray, float]:
    """Return loadings of unit-variance principal components, and the error of PCA on rows held out."""
    n_found = min(n_components, *train.shape)
    pca = PCA(n_found, random_state=np.random.RandomState(seed)).fit(train)
    restored = pca.inverse_transform(pca.transform(held_out))
    error = float(np.mean(np.square(restored - held_out)) / np.mean(np.square(held_out)))
    axes = np.random.default_rng(seed).standard_normal((n_components, train.shape[1])) * 1e-3
    variances = np.maximum(pca.explained_variance_, 1e-6 * max(pca.explained_variance_[0], 1e-6))
    axes[:n_found] = pca.components_ * np.sqrt(variances)[:, None]
    return axes, error
