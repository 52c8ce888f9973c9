"""Independent mechanism analysis: components that influence the features along orthogonal directions."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, final

from identica.criteria import Criterion, IndependentMechanism
from identica.estimators.base import NetworkAnalysis
from identica.estimators.parameters import check_solver
from identica.solvers import Solver, Staged

__all__ = ["IMA"]


@final
@dataclass(eq=False, repr=False)
class IMA(NetworkAnalysis):
    """Independent mechanism analysis: the autoencoder whose decoder's Jacobian has columns nearest to orthogonal.

    Minimises the mean contrast sum_j log ||J_:j|| - log det(J'J) / 2 of Gresele et al., equation (10), beside
    reconstruction. The contrast is 0 where all columns are orthogonal. Scales of single components do not change it.

    It finds components whose mixing has orthogonal columns of lengths that change from point to point, each in its own
    way. It must fail where directions are orthogonal in one frame but not in the data's (a linear or post-nonlinear
    mixture with dense rows), and where columns keep their lengths, as those of an isometry: then each rotation is as
    good.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d; at most the number of features.
    solver : "staged" or Staged, default="staged"
        Reconstructs, aligns and refines, see :class:`identica.Staged`.
    %(shared)s

    Attributes
    ----------
    restarts_ : ndarray of shape (restarts,)
        Criterion, minus the mean contrast per component, of each start of the alignment.
    restart_agreement_ : float
        Mean matched |cosine| between the best restart's components and the others'.
    refined_ : bool
        Whether the refine stage was kept.
    %(attributes)s

    References
    ----------
    L. Gresele, J. von Kügelgen, V. Stimper, B. Schölkopf and M. Besserve, "Independent mechanism analysis, a new
    concept?", NeurIPS 2021.

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 30, 2, kind="orthogonal", random_state=0).X
    >>> IMA(2, n_init=1, training=Training(max_steps=300), random_state=0).fit_transform(X).shape
    (500, 2)
    """

    _: KW_ONLY
    solver: str | Solver = "staged"

    method: ClassVar[str] = "ima"

    def _solver(self) -> Solver:
        return check_solver(self.solver, Staged)

    def _criterion(self) -> Criterion:
        return IndependentMechanism()
