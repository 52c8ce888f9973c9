"""Whether a point is a strict local maximum of the volume, for rows that are held in the weighted L1 ball.

Symbols: J = Jacobian of shape (m, d), w = weights of the smallest L1 ball around its rows, Z = J diag(w).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy.sparse
from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.arguments import check_real, local_random
from identica.trust.sdi.polytope import linprog
from identica.trust.sdi.weights import FloatArray, check_jacobian, fit_weights

__all__ = ["LocalIdentifiability", "local_identifiability"]

LEAST_MARGIN = 1e-6
"""Distance to the boundary of the cone from which on the identity is inside."""


@final
@dataclass(frozen=True)
class LocalIdentifiability:
    """Whether no small linear change of the components has a larger volume, see :func:`local_identifiability`.

    Parameters
    ----------
    identifiable : bool
        Whether every small change costs volume to first order: the identity is inside the cone.
    stationary : bool
        Whether no small change gains volume to first order: the identity is in the cone, to the tolerance.
    residual : float
        Largest absolute difference between the identity and the nearest matrix of the cone, by that measure; 0 in the
        cone.
    margin : float
        How far the identity can move along either sense of a random direction of Frobenius norm 1 within the cone, at
        most 1; 0 where it is not in the cone.
    n_active : int
        Rows on the boundary of the ball, to the tolerance.
    """

    identifiable: bool
    stationary: bool
    residual: float
    margin: float
    n_active: int


def local_identifiability(
    jacobian: ArrayLike, *, tol: float = 1e-4, random_state: int | RandomState | None = 0
) -> LocalIdentifiability:
    r"""Decide whether the components at one point are a strict local maximum of the volume, by linear programs.

    With w of :func:`fit_weights` and Z = J diag(w), look at log det T over all T for which the rows of Z T stay in the
    unit L1 ball, a convex set. At T = I no direction gains volume to first order if and only if

    .. math:: I = \sum_i \lambda_i Z_i^\top g_i, \quad \lambda_i \ge 0, \quad g_i \in \partial \|Z_i\|_1

    over the active rows i, those on the boundary of the ball; an entry of g_i is the sign of that of Z_i, and any
    number in [-1, 1] where that is zero. Such a point is stationary. It need not be a maximum: all sign vectors of two
    entries are stationary, and a rotation by an eighth of a turn has twice the volume. If the identity is in the
    interior of the cone of these sums, every feasible direction loses volume to first order, and T = I is a strict
    local maximum. The identity is inside if and only if I + e R and I - e R are in the cone for some e > 0, with
    probability 1 over random matrices R; two linear programs find the largest such e.

    Unlike the diverse-influence condition it is a matter of the neighbourhood of T = I alone. Dense rows meet it from
    about 2 d^2 to 4 d^2 rows on. A Jacobian that was learned by maximising the volume at each point meets it by
    construction: there it tells that the fit has converged, and nothing of the truth.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        Of the mixing or the decoder at one point.
    tol : float, default=1e-4
        From 1e-9 to 0.1. A row is active if its L1 norm in Z is at least 1 - tol, an entry of Z is zero if it is at
        most tol, and the point is stationary if the residual is at most tol. For a Jacobian that was learned, take
        as much as its rows are off the boundary: more active rows make a larger cone.
    random_state : int, RandomState or None, default=0
        Of the direction R.

    Returns
    -------
    LocalIdentifiability
        The answer, how far the identity is from the cone, or from its boundary.

    Raises
    ------
    ValueError
        If the Jacobian is no matrix of finite numbers, has a column of zeros, or another argument is out of range.
    TypeError
        If an argument is of the wrong kind.

    Examples
    --------
    >>> local_identifiability(np.eye(3)).identifiable
    True
    >>> rows = np.random.default_rng(0).standard_normal((60, 3))
    >>> rows /= np.abs(rows).sum(axis=1, keepdims=True)
    >>> [local_identifiability(rows[:m]).identifiable for m in (6, 60)]
    [False, True]
    """
    checked = check_jacobian(jacobian)
    tolerance = check_real("tol", tol, at_least=1e-9, at_most=0.1)
    random = local_random(random_state)
    scaled = checked * fit_weights(checked)
    active = scaled[np.abs(scaled).sum(axis=1) >= 1 - tolerance]
    direction = random.standard_normal((active.shape[1],) * 2)
    cone = _Cone(active, tolerance)
    residual, margin = cone.place(direction / np.linalg.norm(direction))
    stationary = residual <= tolerance
    return LocalIdentifiability(stationary and margin >= LEAST_MARGIN, stationary, residual, margin, len(active))


@final
class _Cone:
    """The matrices sum_i Z_i' h_i, h_i = lambda_i g_i, over active rows.

    Variables are lambda, and p and q >= 0 with h_ij = p - q and p + q <= lambda_i for each zero entry. The equation of
    entry (j, k) is sum_i Z_ij h_ik = target_jk.
    """

    def __init__(self, active: FloatArray, tol: float) -> None:
        n_rows, d = active.shape
        signs = np.sign(active) * (np.abs(active) > tol)
        of_rows = np.einsum("ij,ik->jki", active, signs).reshape(d * d, n_rows)
        rows, columns = np.nonzero(signs == 0)
        index = np.arange(len(rows))
        entries = np.repeat(index, d), (np.arange(d) * d + columns[:, None]).ravel()
        of_zeros = scipy.sparse.csr_array((active[rows].ravel(), entries[::-1]), shape=(d * d, len(rows)))
        self.d = d
        self.matrix = scipy.sparse.hstack([scipy.sparse.csr_array(of_rows), of_zeros, -of_zeros], format="csr")
        ones = np.ones(len(rows))
        lambdas = scipy.sparse.csr_array((-ones, (index, rows)), shape=(len(rows), n_rows))
        diagonal = scipy.sparse.eye_array(len(rows), format="csr")
        self.within = scipy.sparse.hstack([lambdas, diagonal, diagonal], format="csr")

    def place(self, direction: FloatArray) -> tuple[float, float]:
        """Return how far the identity is from the cone, and how far it can move along a direction within."""
        first, second = self._reach(direction), self._reach(-direction)
        if first is None or second is None:
            return self._residual(), 0.0
        (ahead, one), (back, other) = first, second
        # The identity lies between the two points of the cone that were reached.
        share = 0.5 if ahead + back == 0 else back / (ahead + back)
        mixed = share * one + (1 - share) * other
        residual = float(np.abs(self.matrix @ mixed - np.eye(self.d).ravel()).max())
        return residual, max(0.0, min(ahead, back))

    def _reach(self, direction: FloatArray) -> tuple[float, FloatArray] | None:
        """Return the largest e <= 1 with I + e R in the cone, and the variables there; None where there is none."""
        found = self._program(direction.ravel(), np.eye(self.d).ravel(), highest=1.0)
        return None if found.status != 0 else (float(found.x[-1]), np.asarray(found.x[:-1]))

    def _program(self, direction: FloatArray, target: FloatArray, highest: float) -> Any:
        n_variables = self.matrix.shape[1]
        column = scipy.sparse.csr_array(-direction[:, None])
        beside = scipy.sparse.csr_array((self.within.shape[0], 1))
        return linprog(
            np.append(np.zeros(n_variables), -1.0),
            A_ub=scipy.sparse.hstack([self.within, beside], format="csr"),
            b_ub=np.zeros(self.within.shape[0]),
            A_eq=scipy.sparse.hstack([self.matrix, column], format="csr"),
            b_eq=target,
            bounds=[(0, None)] * n_variables + [(0, highest)],
            method="highs",
        )

    def _residual(self) -> float:
        """Return the least r with |sum_i Z_i' h_i - I| <= r in all entries; at most 1."""
        n_variables = self.matrix.shape[1]
        target = np.eye(self.d).ravel()
        column = scipy.sparse.csr_array(-np.ones((self.d**2, 1)))
        beside = scipy.sparse.csr_array((self.within.shape[0], 1))
        found = linprog(
            np.append(np.zeros(n_variables), 1.0),
            A_ub=scipy.sparse.vstack(
                [
                    scipy.sparse.hstack([self.within, beside]),
                    scipy.sparse.hstack([self.matrix, column]),
                    scipy.sparse.hstack([-self.matrix, column]),
                ],
                format="csr",
            ),
            b_ub=np.concatenate([np.zeros(self.within.shape[0]), target, -target]),
            bounds=[(0, None)] * n_variables + [(0, 1)],
            method="highs",
        )
        return float(found.fun) if found.status == 0 else 1.0
