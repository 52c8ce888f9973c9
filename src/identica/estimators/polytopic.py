"""The linear method: among all linear maps that explain the data, the one whose loadings span the largest volume."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, final

from sklearn.utils._param_validation import Interval, StrOptions

from identica.arguments import MOST_STARTS
from identica.criteria import NONNEGATIVE, POLYTOPES, Criterion, Volume
from identica.estimators.base import ComponentAnalysis
from identica.estimators.parameters import check_criterion
from identica.networks import Affine
from identica.solvers import Linear, LinearComponents, Solver
from identica.training import Training

__all__ = ["PolytopicFactorization"]


@final
@dataclass(eq=False, repr=False)
class PolytopicFactorization(ComponentAnalysis):
    """Polytopic matrix factorisation: X = S A' with the largest determinant of a factor held in a polytope.

    PCA, then the change of basis with the largest determinant for the size of one factor's rows. ``factor="mixing"``
    holds the rows of A, the loadings: with the L1 ball it is the align stage of :class:`DICA` on a linear model, and
    what it reaches is what a nonlinear method has to beat. ``factor="components"`` holds the rows of S, the components
    of samples, as Tatli and Erdogan do: sources in a cube, such as bounded independent or dependent ones, or in a
    simplex, such as shares of a whole. The hard bound of the paper is a power mean of the rows' gauges here, see
    ``power``.

    It must fail where the mixing turns the influences from place to place, as in mixtures of the kind "folded", and
    where the rows do not fill the polytope: they must reach far enough towards all its faces.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    criterion : {"c_1", "c_2", "c_inf"} or Criterion, optional
        What is to be large for ``factor="mixing"`` and ``polytope="l1"``, as in :class:`DICA`, whose default is
        another; "c_2" if None.
    polytope : {"l1", "max", "simplex", "nonnegative-l1", "nonnegative-max"}, default="l1"
        Unit ball of the L1 norm, cube, simplex, and the parts of ball and cube without negative entries.
    factor : {"mixing", "components"}, default="mixing"
        Whose rows are held. For nonnegative components the data are not centred; what comes out is
        brought to mean 0 and variance 1 all the same, as by every method.
    power : float, optional
        Exponent of the power mean of the gauges; infinity is the bound itself, which one outlier decides. 2 if None
        for the rows of the mixing, and 8 for those of the components.
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
    criterion: str | Criterion | None = None
    polytope: str = "l1"
    factor: str = "mixing"
    power: float | None = None
    n_restarts: int = 32

    method: ClassVar[str] = "polytopic"
    follows_counts: ClassVar[bool] = False
    # What other methods let the user choose.
    network: ClassVar[Affine] = Affine()
    training: ClassVar[Training] = Training(validation_fraction=0.0, dtype="float64")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ComponentAnalysis._parameter_constraints,
        "polytope": [StrOptions(set(POLYTOPES))],
        "factor": [StrOptions({"mixing", "components"})],
        "power": [Interval(Real, 0, None, closed="both"), None],
        "n_restarts": [Interval(Integral, 1, MOST_STARTS, closed="both")],
    }

    def _solver(self) -> Solver:
        if self.factor == "components":
            return LinearComponents(self.n_restarts)
        return Linear(self.n_restarts)

    def _criterion(self) -> Criterion:
        if self.criterion is not None:
            if self.power is not None or (self.polytope, self.factor) != ("l1", "mixing"):
                raise ValueError(
                    f"criterion={self.criterion!r} is given beside polytope={self.polytope!r}, factor={self.factor!r} "
                    f"and power={self.power}: give the criterion, or the others"
                )
            return check_criterion(self.criterion)
        power = (2.0 if self.factor == "mixing" else 8.0) if self.power is None else float(self.power)
        return Volume(power, self.polytope)

    @property
    def _centred(self) -> bool:
        return self.factor == "mixing" or self.polytope not in NONNEGATIVE
