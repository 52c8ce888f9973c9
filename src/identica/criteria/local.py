"""The decoder's Jacobian at a few points, as much of it as criteria and penalties look at.

Symbols: n points, k rows looked at, m = n_features, d = n_components, J = Jacobian of the decoder's output in
standardised features, V = loadings of the compact space (m, rank), H = Jacobian in that space, so that J = V H.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor, nn

from identica.criteria.geometry import log_volume_from_gram
from identica.criteria.shifts import without_common_shift
from identica.jacobian import jacobian, jacobian_beyond

__all__ = ["JacobianSample", "LocalGeometry"]


@final
@dataclass(frozen=True)
class LocalGeometry:
    """Jacobians at a few points: some of their rows, and what is known of all rows together.

    Parameters
    ----------
    rows : Tensor of shape (..., n, k, d)
        Some rows of J, or all.
    log_volume : Tensor of shape (..., n)
        log det J'J of all rows.
    column_squares : Tensor of shape (..., n, d)
        Squared lengths of the columns of J, over all rows.
    covariance : Tensor of shape (..., d, d), optional
        Covariance of the latents over the data; the identity where it is not known.
    direction : Tensor of shape (k,), optional
        Of what all rows can have in common that the data do not tell, see :func:`common_shift`; the rows are such as
        have it at its median in the components as they are. None where there is no such freedom.
    """

    rows: Tensor
    log_volume: Tensor
    column_squares: Tensor
    covariance: Tensor | None = None
    direction: Tensor | None = None

    @classmethod
    def of(cls, matrix: Tensor, direction: Tensor | None = None) -> LocalGeometry:
        """Describe whole Jacobians.

        Parameters
        ----------
        matrix : Tensor of shape (..., n, m, d)
            Jacobians.
        direction : Tensor of shape (m,), optional
            Of a common shift of their rows that is free.

        Returns
        -------
        LocalGeometry
            With all rows.

        Examples
        --------
        >>> local = LocalGeometry.of(torch.eye(3)[None])
        >>> local.log_volume.tolist()
        [0.0]
        """
        if direction is not None:
            matrix = without_common_shift(matrix, direction)
        gram = matrix.mT @ matrix
        squares = gram.diagonal(dim1=-2, dim2=-1)
        return cls(matrix, log_volume_from_gram(gram), squares, direction=direction)

    @property
    def spread(self) -> Tensor:
        """Standard deviations of the latents, of shape (..., d)."""
        if self.covariance is None:
            return torch.ones_like(self.rows[..., 0, 0, :])
        return self.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(torch.finfo(self.rows.dtype).tiny).sqrt()

    def scaled(self, scales: Tensor) -> LocalGeometry:
        """Multiply the columns of every Jacobian by numbers.

        Parameters
        ----------
        scales : Tensor of shape (d,)
            Positive numbers.

        Returns
        -------
        LocalGeometry
            Of J diag(scales).
        """
        identity = torch.eye(len(scales)).to(scales)
        covariance = identity if self.covariance is None else self.covariance
        return LocalGeometry(
            self.rows * scales,
            self.log_volume + 2 * scales.log().sum(),
            self.column_squares * scales.square(),
            covariance / torch.outer(scales, scales),
            self.direction,
        )


@final
@dataclass(frozen=True)
class JacobianSample:
    """How much of the Jacobian a training step looks at.

    Parameters
    ----------
    n_samples : int
        Samples of a batch at which the Jacobian is taken.
    n_features : int
        Rows of each Jacobian, drawn anew at every step.
    loadings : Tensor of shape (n_features of the data, rank), optional
        V, with orthogonal columns of one length, where the networks see coordinates of a compact space; None where
        they see the features themselves.
    units : Tensor of shape (n_features of the data,), optional
        Factor of each row; 1 if None.
    n_outputs : int, optional
        Outputs of the decoder, where it is none of a compact space; found by asking it if None.
    whole_volume : bool, default=True
        Whether in a compact space the volume is that of all rows whatever rows are drawn, J'J = H'V'V H. Otherwise it
        is that of the rows drawn, as among features, and H itself is not needed. With a direction it always is.
    direction : Tensor of shape (n_features of the data,), optional
        Of a common shift of all rows that the data do not tell, in the features' own units; taken out of the rows.
    """

    n_samples: int
    n_features: int
    loadings: Tensor | None = None
    units: Tensor | None = None
    n_outputs: int | None = None
    whole_volume: bool = True
    direction: Tensor | None = None

    def at(self, decoder: nn.Module, latents: Tensor, generator: torch.Generator | None) -> LocalGeometry:
        """Return the geometry of the decoder at some points, with a sample of the Jacobians' rows or with all.

        The volume of a sample is brought to the number of all rows.

        Parameters
        ----------
        decoder : torch.nn.Module
            (n, d) -> (n, ...).
        latents : Tensor of shape (n, d)
            Points at which to differentiate.
        generator : torch.Generator or None
            Source of the sample, on the CPU; None takes all rows.

        Returns
        -------
        LocalGeometry
            Differentiable.
        """
        total = self._n_features(decoder, latents)
        chosen = self.features(total, generator)
        if self.loadings is None:
            _, rows = jacobian(decoder, latents, features=chosen)
            if self.units is not None:
                rows = rows * _at(self.units.to(rows), chosen).unsqueeze(-1)
        elif self.whole_volume and self.direction is None:
            _, inner = jacobian(decoder, latents)
            rows = _at(self._scaled_loadings, chosen).to(inner) @ inner
            gram = inner.mT @ self._loadings_gram.to(inner) @ inner
            return _described(rows, gram, latents)
        else:
            rows = jacobian_beyond(decoder, latents, _at(self._scaled_loadings, chosen).to(latents))
        direction = None
        if self.direction is not None:
            direction = _at(self.direction if self.units is None else self.direction * self.units, chosen).to(rows)
            rows = without_common_shift(rows, direction)
        return _described(rows, rows.mT @ rows * (total / rows.shape[-2]), latents, direction)

    def _n_features(self, decoder: nn.Module, latents: Tensor) -> int:
        if self.loadings is not None:
            return len(self.loadings)
        if self.n_outputs is not None:
            return self.n_outputs
        with torch.no_grad():
            return int(decoder(latents[:1]).numel())

    @cached_property
    def _scaled_loadings(self) -> Tensor:
        """Return the loadings in the units of the features: the same at every step."""
        loadings: Tensor = self.loadings  # type: ignore[assignment]
        return loadings if self.units is None else loadings * self.units.to(loadings)[:, None]

    @cached_property
    def _loadings_gram(self) -> Tensor:
        return self._scaled_loadings.T @ self._scaled_loadings

    def features(self, n_features: int, generator: torch.Generator | None) -> Tensor | None:
        """Draw rows without replacement.

        Parameters
        ----------
        n_features : int
            Rows of the whole Jacobian.
        generator : torch.Generator or None
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n_rows,) or None
            Indices, on the CPU; None where all rows are taken.
        """
        if generator is None or n_features <= self.n_features:
            return None
        return torch.randperm(n_features, generator=generator)[: self.n_features]


def _described(rows: Tensor, gram: Tensor, latents: Tensor, direction: Tensor | None = None) -> LocalGeometry:
    covariance = latents.mT.cov(correction=0).reshape(gram.shape[-2:]) if len(latents) > 1 else None
    return LocalGeometry(rows, log_volume_from_gram(gram), gram.diagonal(dim1=-2, dim2=-1), covariance, direction)


def _at(values: Tensor, chosen: Tensor | None) -> Tensor:
    return values if chosen is None else values[chosen.to(values.device)]
