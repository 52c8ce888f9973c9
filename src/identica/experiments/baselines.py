"""The linear method that deserves to stand beside the nonlinear ones."""

from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from identica.alignment import align

__all__ = ["AlignedPCA"]


@final
class AlignedPCA(TransformerMixin, BaseEstimator):
    """Find components by the volume criterion among all linear maps.

    PCA gives loadings W of shape (n_features, n_components); the align stage of :class:`identica.DICA` turns
    them into W T of the largest criterion, an answer close to that of polytopic matrix factorisation [1]_.
    What it reaches on a data set is what a nonlinear method has to beat there.

    Parameters
    ----------
    n_components : int, default=2
        Number of components.
    norm_power : float, default=3.0
        Exponent of the power mean of the row norms.
    n_restarts : int, default=32
        Random starts of the align stage.
    random_state : int, RandomState or None, default=None
        Source of randomness.

    References
    ----------
    .. [1] Tatli and Erdogan, "Polytopic Matrix Factorization: Determinant Maximization Based Criterion and
       Identifiability", IEEE Transactions on Signal Processing 69, 2021.

    Examples
    --------
    >>> from identica.datasets import make_mixture
    >>> from identica.experiments import AlignedPCA
    >>> X, latents, _ = make_mixture(500, 40, 2, kind="linear", random_state=0)
    >>> AlignedPCA(2, random_state=0).fit_transform(X).shape
    (500, 2)
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        norm_power: float = 3.0,
        n_restarts: int = 32,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.norm_power = norm_power
        self.n_restarts = n_restarts
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit PCA and turn its axes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations.
        y : None
            Ignored.

        Returns
        -------
        AlignedPCA
            The fitted estimator.
        """
        random = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(int(random.randint(2**31 - 1)))
        self.pca_ = PCA(self.n_components, whiten=True, random_state=random).fit(X)
        loadings = self.pca_.components_.T * np.sqrt(self.pca_.explained_variance_)
        found = align(
            torch.as_tensor(loadings)[None],
            p=self.norm_power,
            n_restarts=self.n_restarts,
            generator=generator,
        )
        self.unmixing_ = np.linalg.inv(found.transform.numpy()).T
        self.restarts_ = found.criteria.numpy()
        self.restart_agreement_ = found.agreement
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Give the components of observations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Observations.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Their components.
        """
        check_is_fitted(self)
        return np.asarray(self.pca_.transform(X) @ self.unmixing_)
