"""Samples that several fits share: features, and what is known of each sample beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from identica.preparation import check_size_factors, fit_covariates

__all__ = ["Samples"]


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


@final
@dataclass(frozen=True, eq=False)
class Samples:
    """Observations and all that an estimator is told of each.

    Parameters
    ----------
    X : array, data frame or sparse matrix of shape (n_samples, ...)
        Observations.
    y : array of shape (n_samples, ...), optional
        What methods need that are told something of each sample.
    covariates : array or data frame of shape (n_samples,) or (n_samples, n_covariates), optional
        What shall not come back as a component.
    size_factors : ndarray of shape (n_samples,), optional
        Depths of counts.
    """

    X: Any
    y: Any = None
    covariates: Any = None
    size_factors: Any = None

    @classmethod
    def checked(cls, X: Any, y: Any, covariates: Any, size_factors: Any) -> Samples:
        """Build them from what a user gives.

        Parameters
        ----------
        X, y, covariates, size_factors
            As ``fit`` of an estimator takes them; lists become arrays.

        Returns
        -------
        Samples
            Whose rows can be taken.

        Raises
        ------
        ValueError
            If covariates or size factors cannot be those of X.
        """
        X, y, covariates = (
            values if values is None or hasattr(values, "shape") else np.asarray(values)
            for values in (X, y, covariates)
        )
        n_samples = X.shape[0] if len(X.shape) else 0
        if covariates is not None:
            fit_covariates(covariates, n_samples)
        return cls(X, y, covariates, check_size_factors(size_factors, n_samples))

    @property
    def beside(self) -> dict[str, Any]:
        """Keyword arguments of ``fit``, ``transform`` and ``score``: those of covariates and size factors given."""
        known = {"covariates": self.covariates, "size_factors": self.size_factors}
        return {name: values for name, values in known.items() if values is not None}

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """Return some of the samples.

        Parameters
        ----------
        rows : ndarray of int
            Which.

        Returns
        -------
        Samples
            In that order.
        """
        return Samples(*(None if values is None else _rows(values, rows) for values in vars(self).values()))

    def check_levels(self, fitted: NDArray[np.intp], shown: NDArray[np.intp]) -> None:
        """Make sure that a fit to some samples can be shown others.

        Parameters
        ----------
        fitted : ndarray of int
            Samples that are fitted.
        shown : ndarray of int
            Samples whose components are asked for.

        Raises
        ------
        ValueError
            If a level of a covariate is in the latter only.
        """
        if self.covariates is None:
            return
        try:
            known, _ = fit_covariates(_rows(self.covariates, fitted), len(fitted))
            known.encode(_rows(self.covariates, shown), len(shown))
        except ValueError as error:
            raise ValueError(
                f"{error} (one of the fits is made to {len(fitted)} of the samples alone: leave rare levels out, or "
                "join them)"
            ) from error

    def digest(self, into: _Hash) -> None:
        """Add all that they hold to a hash.

        Parameters
        ----------
        into : hashlib's hash
            Is changed.
        """
        into.update(repr((list(getattr(self.X, "columns", [])), self.X.shape)).encode())
        matrix: Any = self.X
        parts = (matrix.data, matrix.indices, matrix.indptr) if issparse(self.X) else (matrix,)
        for part in parts:
            into.update(np.ascontiguousarray(part).data)
        if self.y is not None:
            into.update(repr(np.asarray(self.y).tolist()).encode())
        for name, values in self.beside.items():
            into.update(repr((name, list(getattr(values, "columns", [])), np.asarray(values).tolist())).encode())


def _rows(values: Any, rows: NDArray[np.intp]) -> Any:
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]
