"""The linear method: among all linear maps that explain the data, the one whose loadings span the largest volume."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar, final

from sklearn.utils._param_validation import Interval

from identica.criteria import Criterion
from identica.estimators.base import ComponentAnalysis
from identica.estimators.parameters import check_criterion
from identica.networks import Affine
from identica.solvers import Linear, Solver
from identica.training import Training

__all__ = ["PolytopicFactorization"]


@final
@dataclass(eq=False, repr=False)
class PolytopicFactorization(ComponentAnalysis):
    """Linear components by a volume criterion: PCA, then the turn of its loadings of the largest criterion.

    It is the align stage of :class:`DICA` on a linear model, close to polytopic matrix factorisation, which
    maximises the determinant of factors held in a polytope. What it reaches is what a nonlinear method has to beat.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    criterion : {"c_1", "c_2", "c_inf"} or Criterion, default="c_2"
        What is to be large, as in :class:`DICA`, whose default is another.
    n_restarts : int, default=32
        Random starts of the alignment.
    %(shared)s

    Attributes
    ----------
    restarts_ : ndarray of shape (n_restarts,)
        Criterion of each start of the alignment, up to a constant that all share.
    restart_agreement_ : float
        Mean matched |cosine| between the best start's components and the others'.
    %(attributes)s

    References
    ----------
    G. Tatli and A. T. Erdogan, "Polytopic Matrix Factorization: Determinant Maximization Based Criterion and
    Identifiability", IEEE Transactions on Signal Processing 69, 2021.

    Examples
    --------
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 40, 2, kind="linear", random_state=0).X
    >>> PolytopicFactorization(2, random_state=0).fit_transform(X).shape
    (500, 2)
    """

    _: KW_ONLY
    criterion: str | Criterion = "c_2"
    n_restarts: int = 32

    method: ClassVar[str] = "polytopic"
    # What other methods let the user choose.
    network: ClassVar[Affine] = Affine()
    training: ClassVar[Training] = Training(validation_fraction=0.0, dtype="float64")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ComponentAnalysis._parameter_constraints,
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
    }

    def _solver(self) -> Solver:
        return Linear(self.n_restarts)

    def _criterion(self) -> Criterion:
        return check_criterion(self.criterion)
