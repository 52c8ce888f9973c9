"""Sparsity of the Jacobian as the condition: few components influence each feature."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from numbers import Real
from typing import Any, ClassVar, final

from sklearn.utils._param_validation import Interval
from torch import nn

from identica.criteria import Criterion, InfluenceSparsity, Sparsity, Volume
from identica.estimators.base import NetworkAnalysis
from identica.estimators.parameters import check_solver
from identica.networks import of_unit_variance
from identica.solvers import Direct, Solver, Staged

__all__ = ["SparseJacobian"]


@final
@dataclass(eq=False, repr=False)
class SparseJacobian(NetworkAnalysis):
    """Structural sparsity: autoencoder with an L1 penalty on its decoder's Jacobian, "Sparse" in arXiv:2510.17040.

    Minimises (fraction of variance unexplained) + weight * ||J||_1 / (m sqrt(d)). Latents are held at unit variance
    by batch normalisation, so that the penalty cannot be escaped by making them larger, which makes the Jacobian
    smaller and changes nothing else; ``unit_variance=False`` is the penalty alone. It finds components each of which
    influences features that no other does alone (structural sparsity). Where every feature depends on all nothing
    guarantees them. It must fail where the rows of the Jacobian have no preferred direction, as in mixtures of the kind
    "isotropic".

    Parameters
    ----------
    n_components : int, default=2
        Number of components d.
    weight : float, default=0.1
        Of the penalty, against the fraction of variance unexplained; of the solver "direct".
    unit_variance : bool, default=True
        Whether latents are held at unit variance while the networks are trained; of the solver "direct".
    solver : {"direct", "staged"} or Staged, default="direct"
        "direct" minimises the above from the first step. "staged" reconstructs, aligns and refines, see
        :class:`identica.Staged`, with the criterion -log mean_i sum_j |J_ij| sd(s_j), the same norm for latents of
        unit variance without a unit.
    %(shared)s

    Attributes
    ----------
    %(attributes)s

    References
    ----------
    Y. Zheng, I. Ng and K. Zhang, "On the Identifiability of Nonlinear ICA: Sparsity and Beyond", NeurIPS 2022.
    Y. Zheng and K. Zhang, "Generalizing Nonlinear ICA Beyond Structural Sparsity", NeurIPS 2023.

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(200, 10, 2, random_state=0).X
    >>> SparseJacobian(2, n_init=1, training=Training(max_steps=50), random_state=0).fit_transform(X).shape
    (200, 2)
    """

    _: KW_ONLY
    weight: float = 0.1
    unit_variance: bool = True
    solver: str | Solver = "direct"

    method: ClassVar[str] = "sparse-jacobian"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkAnalysis._parameter_constraints,
        "weight": [Interval(Real, 0, None, closed="left")],
        "unit_variance": ["boolean"],
    }

    def _wrap_encoder(self, encoder: nn.Module) -> nn.Module:
        if self.solver != Direct.kind or not self.unit_variance:
            return encoder
        return of_unit_variance(encoder, self.n_components)

    def _solver(self) -> Solver:
        if self.solver == Direct.kind:
            return Direct(partial(Sparsity, weight=self.weight), stage="train")
        solver = check_solver(self.solver, Staged, others=(Direct.kind,))
        if not self.unit_variance:
            raise ValueError(
                "unit_variance=False is of solver='direct', the staged criterion measures latents by their deviation: "
                "leave it out"
            )
        if self.weight != type(self).weight:
            raise ValueError(
                f"weight={self.weight!r} is of solver='direct', the staged solver has its own: leave it out, or use "
                "solver=Staged(weight=...)"
            )
        return solver

    def _criterion(self) -> Criterion:
        return Volume() if self.solver == Direct.kind else InfluenceSparsity()
