"""Jacobians of a fitted method in the units in which its criterion compared the features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from identica.estimators.fitted import FittedNetworks
from identica.preparation import FloatArray

__all__ = ["compared_jacobians"]


def compared_jacobians(estimator: FittedNetworks, latents: ArrayLike) -> FloatArray:
    """Return the decoder's Jacobians, each row in the unit in which the fit compared that feature with the others.

    These are the rows of which a criterion of the Jacobian, or a condition on it, speaks. They are those of
    :meth:`~identica.estimators.ComponentAnalysis.jacobian` over the feature's scale, times ``feature_units_`` where the
    fit has them.

    Parameters
    ----------
    estimator : fitted estimator
        Of this library.
    latents : array-like of shape (n_points, n_components)
        Components at which to take them, as ``transform`` gives them.

    Returns
    -------
    ndarray of shape (n_points, n_features, n_components)
        Of float64.

    Raises
    ------
    ValueError
        If there are not n_components columns.

    Examples
    --------
    >>> from identica import PolytopicFactorization
    >>> X = np.random.default_rng(0).uniform(size=(60, 4))
    >>> model = PolytopicFactorization(2, random_state=0).fit(X)
    >>> expected = model.jacobian(X[:3]) * (model.feature_units_ / model.scale_)[:, None]
    >>> np.allclose(compared_jacobians(model, model.transform(X[:3])), expected)
    True
    """
    check_is_fitted(estimator, "decoder_")
    points = np.asarray(latents, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != estimator.n_components:
        raise ValueError(
            f"components of shape {points.shape} were given: (n_points, {estimator.n_components}) is needed"
        )
    found = estimator._decoder_jacobian(estimator._on_device(points), np.float64)
    units = getattr(estimator, "feature_units_", None)
    return found if units is None else np.asarray(found * units[:, None])
