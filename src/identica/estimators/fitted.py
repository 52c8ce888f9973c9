"""What a fitted method does: components, observations and Jacobians from its networks; save and load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from identica.criteria import without_common_shift
from identica.estimators.canonical import ENTRIES_AT_ONCE
from identica.estimators.conditioning import Conditioning
from identica.estimators.persistence import load_estimator, save_estimator
from identica.io import check_output_file
from identica.jacobian import jacobian
from identica.networks import evaluate
from identica.preparation import FloatArray, Observed, check_counts, check_observations, check_size_factors

__all__ = ["FittedNetworks"]


class FittedNetworks(TransformerMixin, BaseEstimator):
    """An encoder and a decoder between standardised observations and components; fitting sets what is declared here."""

    n_components: int
    standardize: bool | None
    likelihood: str
    encoder_: nn.Sequential
    decoder_: nn.Sequential
    mean_: FloatArray
    scale_: FloatArray
    observed_: Observed
    conditioning_: Conditioning | None
    n_features_in_: int
    sample_shape_: tuple[int, ...]

    @property
    def scaled_by_feature_(self) -> bool:
        """Whether each feature is divided by its own deviation, or all by one number, as pixels are by default."""
        # Pixels are measured alike, and the few that hardly vary must not be blown up.
        return len(self.sample_shape_) == 1 if self.standardize is None else bool(self.standardize)

    @property
    def _centred(self) -> bool:
        """Whether the mean of each feature is taken out before anything else."""
        return True

    def _checked(self, X: Any) -> FloatArray:
        check_is_fitted(self, "encoder_")
        return check_observations(self, X, fitting=False)

    def _seen(self, X: FloatArray, covariates: Any, size_factors: Any) -> tuple[Tensor, NDArray[np.float64] | None]:
        """Return what the networks see of checked observations, and what is known beside them."""
        observed = self.observed_
        if observed.counts is not None:
            check_counts(X, self.likelihood, getattr(self, "feature_names_in_", None))
        elif size_factors is not None:
            raise ValueError("size_factors are given and the model was fitted to no counts: leave them out")
        design = observed.design(X, covariates, check_size_factors(size_factors, len(X)))
        return self._on_device(observed.standardised(X, design)), design

    def _components(self, X: FloatArray, covariates: Any, size_factors: Any) -> FloatArray:
        """Return the components of checked observations."""
        rows, design = self._seen(X, covariates, size_factors)
        latents = evaluate(self.encoder_, rows).cpu().numpy()
        if self.conditioning_ is not None and design is not None:
            latents = self.conditioning_.without(latents, design)
        return latents.astype(X.dtype, copy=False)

    def _on_device(self, values: Any) -> Tensor:
        """Bring values into the precision and onto the device of the networks."""
        weight = next(self.decoder_.parameters())
        return torch.as_tensor(values, dtype=weight.dtype, device=weight.device)

    def transform(self, X: Any, *, covariates: Any = None, size_factors: Any = None) -> FloatArray:
        """Return the components of samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images of the shape fitted
            Observations, in the units of the data that were fitted.
        covariates : array-like or DataFrame of shape (n_samples, n_covariates), optional
            Where the model was fitted with covariates: those of these samples.
        size_factors : array-like of shape (n_samples,), optional
            Where the model was fitted to counts: depths in place of the samples' totals, needed where the fit had them.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Components; zero mean and unit variance on the data that were fitted, without what is linear in depth or
            covariates.

        Raises
        ------
        ValueError
            If X has other features than the data that were fitted, or values that are not finite or too large.
        """
        return self._components(self._checked(X), covariates, size_factors)

    def fit_transform(self, X: Any, y: Any = None, **known: Any) -> FloatArray:
        """Fit the components of a table and return them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images
            Observations.
        y : array-like, optional
            For methods that use it.
        **known
            Of ``fit``, such as covariates and size_factors.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Components.
        """
        again = {name: value for name, value in known.items() if name in ("covariates", "size_factors")}
        return self.fit(X, y, **known).transform(X, **again)  # type: ignore[no-any-return]

    def inverse_transform(self, X: Any) -> FloatArray:
        """Return the observations that components stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Components.

        Returns
        -------
        ndarray of shape (n_samples, n_features), or of images where images were fitted
            Observations, in the units of the data that were fitted; of counts, means at depth 1 and mean covariates.

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
        rows = self.observed_.restored(evaluate(self.decoder_, self._on_device(latents)).cpu().numpy())
        return np.asarray(rows.astype(self.mean_.dtype, copy=False).reshape(-1, *self.sample_shape_))

    def reconstruct(self, X: Any, *, covariates: Any = None, size_factors: Any = None) -> FloatArray:
        """Return what the networks make of samples: decoder(encoder(X)).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images of the shape fitted
            Observations.
        covariates : array-like or DataFrame of shape (n_samples, n_covariates), optional
            Where the model was fitted with covariates: those of these samples.
        size_factors : array-like of shape (n_samples,), optional
            Where the model was fitted to counts: depths in place of the samples' totals, needed where the fit had them.

        Returns
        -------
        ndarray of the shape of X
            Their reconstruction, in the same units.
        """
        shape = np.shape(X)
        X = self._checked(X)
        return self._restored(*self._seen(X, covariates, size_factors), X.dtype).reshape(shape)

    def _restored(self, rows: Tensor, design: NDArray[np.float64] | None, dtype: Any) -> FloatArray:
        """Return what the networks make of rows that they see, in the user's units."""
        outputs = evaluate(nn.Sequential(self.encoder_, self.decoder_), rows).cpu().numpy()
        return self.observed_.restored(outputs, design).astype(dtype)

    def jacobian(self, X: Any, *, covariates: Any = None, size_factors: Any = None) -> FloatArray:
        """Return the decoder's Jacobian at components of samples: how each feature answers to each component there.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images of the shape fitted
            Observations.
        covariates : array-like or DataFrame of shape (n_samples, n_covariates), optional
            Where the model was fitted with covariates: those of these samples.
        size_factors : array-like of shape (n_samples,), optional
            Where the model was fitted to counts: depths in place of the samples' totals, needed where the fit had them.

        Returns
        -------
        ndarray of shape (n_samples, n_features, n_components)
            dx_i / ds_j, in units of feature i per standard deviation of component j; of counts, of their means at depth
            1 and mean covariates, less what all features do in common, which depth leaves open. For images the
            features keep their axes: (n_samples, height, width[, channels], n_components).
        """
        shape = np.shape(X)
        X = self._checked(X)
        latents = self._on_device(self._components(X, covariates, size_factors))
        result = self._decoder_jacobian(latents, X.dtype)
        if self.observed_.log_link:
            result *= self.observed_.slopes(evaluate(self.decoder_, latents).cpu().numpy())[..., None]
        else:
            result *= self.scale_[:, None]
        return result.reshape(*shape, self.n_components)

    def _decoder_jacobian(self, latents: Tensor, dtype: Any) -> FloatArray:
        """Return the Jacobian at components, in units of the standardised features, features flattened."""
        size = max(1, ENTRIES_AT_ONCE // (self.n_features_in_ * self.n_components))
        result = np.empty((len(latents), self.n_features_in_, self.n_components), dtype=dtype)
        direction = self.observed_.direction
        common = None if direction is None else self._on_device(direction)
        with torch.no_grad():
            for start, part in enumerate(torch.split(latents, size)):
                _, matrix = jacobian(self.decoder_, part)
                if common is not None:
                    matrix = without_common_shift(matrix, common)
                result[start * size : start * size + len(part)] = matrix.cpu().numpy()
        return result

    def score(self, X: Any, y: Any = None, *, covariates: Any = None, size_factors: Any = None) -> float:
        """Return the fraction of variance explained: 1 - mean squared error over variance, in standardised units.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images of the shape fitted
            Observations.
        y : None
            Ignored.
        covariates : array-like or DataFrame of shape (n_samples, n_covariates), optional
            Where the model was fitted with covariates: those of these samples.
        size_factors : array-like of shape (n_samples,), optional
            Where the model was fitted to counts: depths in place of the samples' totals, needed where the fit had them.

        Returns
        -------
        float
            1 for a perfect reconstruction, 0 for that of the fitted data's mean.
        """
        X = self._checked(X)
        rows, design = self._seen(X, covariates, size_factors)
        target = rows.cpu().numpy()
        error = self.observed_.standardised(self._restored(rows, design, X.dtype), design) - target
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

        Raises
        ------
        ValueError
            If its folder is missing or cannot be written.
        """
        check_is_fitted(self, "encoder_")
        check_output_file(path)
        save_estimator(self, Path(path))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        device: str | torch.device | None = None,
    ) -> Self:
        """Read a fitted estimator.

        Parameters
        ----------
        path : path
            What :meth:`save` wrote.
        encoder, decoder : torch.nn.Module, optional
            Modules of the same structure, if the estimator was fitted with the user's own.
        device : str or torch.device, optional
            Where to compute; that of the fit, or the CPU where that is not at hand.

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        ValueError
            If the file is damaged, of a newer version, or of another method.
        """
        loaded = load_estimator(Path(path), encoder=encoder, decoder=decoder, device=device)
        if not isinstance(loaded, cls):
            raise ValueError(
                f"{path} holds a {type(loaded).__name__}, not a {cls.__name__}: use {type(loaded).__name__}.load or "
                "identica.load"
            )
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = True
        return tags
