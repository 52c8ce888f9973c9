"""Compositional, object-centric components: blocks of latents, each of which influences features of its own."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar, final

from sklearn.utils._param_validation import Interval

from identica.criteria import Compositionality, Criterion
from identica.estimators.base import NetworkAnalysis
from identica.estimators.parameters import check_solver
from identica.solvers import Solver, Staged

__all__ = ["Compositional"]


@final
@dataclass(eq=False, repr=False)
class Compositional(NetworkAnalysis):
    """Compositional analysis: blocks of components such that each feature is influenced by one block.

    Minimises, beside reconstruction, the contrast of Brady et al., equation (7): the sum over features i and pairs of
    blocks (k, l) of a_ik a_il, a_ik the norm of feature i's gradient with respect to block k, here in an orthonormal
    basis of the block's columns, and with each pair's sum divided by its largest possible value, the size of a block.
    So it cannot be made small by scaling a block or by columns of it that fall together (this form is our choice; the
    paper's code sums the products themselves for tables, and divides by a pixel's mean norm for images). See
    :class:`identica.criteria.Compositionality`.

    Blocks are found as wholes: within a block, any smooth change of its components is as good. Where features
    depend on several blocks nothing guarantees them. It must fail where the rows of the Jacobian have no preferred
    direction, as in mixtures of the kind "isotropic".

    Parameters
    ----------
    n_components : int, default=2
        Number of components d, of all blocks together.
    block_size : int, default=1
        Components of a block, such as the number of properties of an object; d is a multiple of it. Components
        ``k * block_size`` to ``(k + 1) * block_size - 1`` are block k.
    solver : "staged" or Staged, default="staged"
        Reconstructs, aligns and refines, see :class:`identica.Staged`.
    %(shared)s

    Attributes
    ----------
    restarts_ : ndarray of shape (restarts,)
        Criterion, minus the mean overlap of blocks in [0, 1], of each start of the alignment.
    restart_agreement_ : float
        Mean matched cosine between the blocks of the best restart and of the others.
    refined_ : bool
        Whether the refine stage was kept.
    %(attributes)s

    References
    ----------
    J. Brady, R. S. Zimmermann, Y. Sharma, B. Schölkopf, J. von Kügelgen and W. Brendel, "Provably Learning
    Object-Centric Representations", ICML 2023.

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 30, 2, kind="compositional", block_size=1, random_state=0).X
    >>> Compositional(2, n_init=1, training=Training(max_steps=300), random_state=0).fit_transform(X).shape
    (500, 2)
    """

    _: KW_ONLY
    block_size: int = 1
    solver: str | Solver = "staged"

    method: ClassVar[str] = "compositional"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkAnalysis._parameter_constraints,
        "block_size": [Interval(Integral, 1, None, closed="left")],
    }

    def _solver(self) -> Solver:
        if self.n_components % self.block_size:
            raise ValueError(
                f"n_components={self.n_components} is no multiple of block_size={self.block_size}: all blocks have the "
                "same size, choose one that divides the number of components"
            )
        return check_solver(self.solver, Staged)

    def _criterion(self) -> Criterion:
        return Compositionality(self.block_size)
