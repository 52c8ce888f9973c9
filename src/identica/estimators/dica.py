"""Diverse influence component analysis: components by the largest volume of the decoder's Jacobian."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, final

from identica.criteria import Criterion
from identica.estimators.base import NetworkAnalysis
from identica.estimators.parameters import check_criterion, check_solver
from identica.solvers import Joint, Solver, Staged

__all__ = ["DICA"]


@final
@dataclass(eq=False, repr=False)
class DICA(NetworkAnalysis):
    """Diverse influence component analysis: the components whose influences on the features span most volume.

    Among the autoencoders that reconstruct the data, the one whose decoder's Jacobian J has the largest volume for
    the size of its rows: log det(J'J) / (2 d) against the row norms r_i = ||J_i||_1. A form without constants of
    equations (3) to (5) of arXiv:2510.17040.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d; at most the number of features.
    criterion : {"c_1", "c_2", "c_inf"} or Criterion, default="c_1"
        What is to be large: "c_1" is ``Volume(1)``, the total norm of equation (8), "c_2" is ``Volume(2)``, and "c_inf"
        is ``Volume(inf)``, the bound (4) on every row. Rows are compared in ``feature_units``; copies of a feature
        share one vote, and noise has none (``feature_units_``).
    solver : {"staged", "joint"}, Staged or Joint, default="staged"
        How to fit: ``Staged(...)`` reconstructs, aligns and refines, ``Joint(...)`` minimises equation (8) from the
        first step. The names stand for their defaults.
    %(shared)s

    Attributes
    ----------
    restarts_ : ndarray of shape (restarts,)
        Criterion of each start of the alignment, up to a constant that all share; staged only.
    restart_agreement_ : float
        Mean matched |cosine| between the best restart's components and the others'; staged only.
    pointwise_agreement_ : float
        How far single points of the data, each by itself, speak for the same components, see
        :func:`identica.trust.pointwise_agreement`; staged only.
    refined_ : bool
        Whether the refine stage was kept; it is undone where it costs too much reconstruction. Staged only.
    %(attributes)s

    References
    ----------
    H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
    Identifiability", NeurIPS 2025, arXiv:2510.17040.

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 30, 2, random_state=0).X
    >>> dica = DICA(2, n_init=1, training=Training(max_steps=300), random_state=0).fit(X)
    >>> dica.transform(X).shape, dica.jacobian(X[:3]).shape
    ((500, 2), (3, 30, 2))
    """

    _: KW_ONLY
    criterion: str | Criterion = "c_1"
    solver: str | Solver = "staged"

    method: ClassVar[str] = "dica"

    def _solver(self) -> Solver:
        return check_solver(self.solver, Staged, Joint)

    def _criterion(self) -> Criterion:
        return check_criterion(self.criterion)
