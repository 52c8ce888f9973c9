"""The plain autoencoder: what a low-dimensional code is without a condition on the Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from identica.estimators.base import NetworkAnalysis
from identica.solvers import Direct, Solver

__all__ = ["Autoencoder"]


@final
@dataclass(eq=False, repr=False)
class Autoencoder(NetworkAnalysis):
    """Plain autoencoder, the method called "Base" in arXiv:2510.17040; its components are not identifiable.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    %(shared)s

    Attributes
    ----------
    %(attributes)s

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(200, 10, 2, random_state=0).X
    >>> Autoencoder(2, n_init=1, training=Training(max_steps=50), random_state=0).fit_transform(X).shape
    (200, 2)
    """

    method: ClassVar[str] = "autoencoder"
    identifies: ClassVar[bool] = False

    def _solver(self) -> Solver:
        return Direct()
