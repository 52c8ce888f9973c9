"""Whether the diverse-influence condition is met at a point.

Symbols: J = Jacobian of shape (m, d), w = weights of the smallest L1 ball around its rows, Z = J diag(w),
P = {x: Z x <= 1}, the polar of the hull of the rows of Z; the polar of the ellipsoid is ||x||^2 <= d, and that of the
ball the box |x_j| <= 1, whose vertices are in P and have that length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.arguments import check_choice, check_real, local_random
from identica.trust.sdi.clock import Clock, OnStep
from identica.trust.sdi.highs import answer_by_highs
from identica.trust.sdi.polytope import coordinate_bounds, recession_direction
from identica.trust.sdi.question import Answer, Question
from identica.trust.sdi.result import Certificate, SDICheck, ThreeValued
from identica.trust.sdi.rows import ScaledRows
from identica.trust.sdi.scip import answer_by_scip, has_scip, require_scip
from identica.trust.sdi.search import FAR, Longest, search
from identica.trust.sdi.vertices import seconds_of_enumeration, vertices
from identica.trust.sdi.weights import FloatArray, check_jacobian

__all__ = ["check_sdi"]

SOLVERS = ("auto", "vertices", "highs", "scip")
AT_ONCE = 0.25
"""Seconds that an enumeration of vertices may take before anything else is tried."""
BEFORE_SOLVERS = 5.0
"""Seconds that it may take before a mixed-integer program is tried."""
SHARE_OF_ENUMERATION = 0.25
"""Of the time that is left, that an enumeration is expected to take at most; it cannot be stopped and can take more."""
Proof = Literal["vertices", "highs", "scip"]


def check_sdi(
    jacobian: ArrayLike,
    *,
    symmetric: bool = False,
    tol: float = 1e-4,
    time_limit: float = 10.0,
    solver: str = "auto",
    tighten: bool = False,
    random_state: int | RandomState | None = 0,
    on_step: OnStep | None = None,
) -> SDICheck:
    r"""Decide whether the influences on the features are sufficiently diverse at one point.

    With w of :func:`fit_weights`, B = {y: sum_j w_j |y_j| <= 1} and the largest ellipsoid in it,
    E = {y: sum_j w_j^2 y_j^2 <= 1/d}, the condition has two parts:

    1. E is inside the convex hull of the rows, which is inside B;
    2. the polar of the hull touches the boundary of the polar of E at the 2^d points (+-w_1, ..., +-w_d) only.

    No other w has to be tried: E touches each facet of B at its centroid, which by (1) is a convex combination of rows
    on that facet, and that is the optimality condition of w. With Z = J diag(w) and P = {x: Z x <= 1}, (1) says that no
    point of P is longer than sqrt(d). To find the longest point of a polytope is NP-hard in general, hence the time
    limit and the third answer, "undecided". The margin

    .. math:: \gamma = \sqrt d \min_{\|u\| = 1} \max_i Z_i u = \sqrt d / \max_{x \in P} \|x\|

    is 1 if (1) holds, and 0 if the origin is not inside the hull.

    Both parts are decided to a tolerance. (1) fails if a point of P longer than sqrt(d) (1 + tol) is found and holds if
    it is proven that there is none. (2) fails if (1) does, or if a point of P with a length of at least
    sqrt(d) (1 - tol) lies outside the corners of the box, that is, has some \|x_j\| < 1 - c. Where all vertices of P
    are computed, c = sqrt(tol), the distance that a point of the sphere can have from one that is longer by tol, and
    the points are those vertices. A solver decides with c = 0.1. So where (2) holds the components are the only best
    answer up to changes by less than c (``corner_size`` of the result): another answer as good could differ from
    them by a rotation by a few degrees.

    Parameters
    ----------
    jacobian : array-like of shape (n_features, n_components)
        Of the mixing or the decoder at one point. The units of the components do not matter; those of the features do.
    symmetric : bool, default=False
        Whether to take the hull of the rows and their negatives. That is weaker, and enough: the volume and the L1
        norms do not know the signs of rows.
    tol : float, default=1e-4
        From 1e-6 to 1e-2. Also of a row being on the boundary of B and of an entry being zero.
    time_limit : float, default=10.0
        Seconds, kept to about the time of one linear program of the size of J, and of one enumeration of vertices that
        is expected to take a quarter of it.
    solver : {"auto", "vertices", "highs", "scip"}, default="auto"
        How to decide. "auto" looks for long points, computes all vertices of P where that is quick, and else asks SCIP
        (if PySCIPOpt is installed, ``pip install "identica[sdi]"``) and HiGHS. Any other is used alone.
    tighten : bool, default=False
        Whether to use the time that is left after (1) has failed to make the interval of the margin narrower.
    random_state : int, RandomState or None, default=0
        Of the starts of the search for long points.
    on_step : callable, optional
        Called with what is being done, how many parts of it are done, and how many there are.

    Returns
    -------
    SDICheck
        The two answers, the interval of the margin, and what they rest on.

    Raises
    ------
    ValueError
        If the Jacobian is no matrix of finite numbers, has a column of zeros, or another argument is out of range.
    TypeError
        If an argument is of the wrong kind.
    ImportError
        If the solver is "scip" and PySCIPOpt is not installed.

    References
    ----------
    H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
    Identifiability", NeurIPS 2025, arXiv:2510.17040: sufficiently diverse influence.

    Examples
    --------
    >>> signed = np.concatenate([np.eye(3), -np.eye(3)])
    >>> check_sdi(signed).to_dict()
    {'condition_1': 'holds', 'condition_2': 'holds', 'gamma': [1.0, 1.0]}
    >>> check_sdi(np.eye(3)).to_dict()
    {'condition_1': 'fails', 'condition_2': 'fails', 'gamma': [0.0, 0.0]}
    >>> check_sdi(np.eye(3), symmetric=True).condition_1
    'holds'
    """
    checked = check_jacobian(jacobian)
    for name, flag in (("symmetric", symmetric), ("tighten", tighten)):
        if not isinstance(flag, bool | np.bool_):
            raise TypeError(f"{name}={flag!r} is neither True nor False: pass one of them")
    check_choice("solver", solver, SOLVERS)
    if solver == "scip":
        require_scip()
    tolerance = check_real("tol", tol, at_least=1e-6, at_most=1e-2)
    clock = Clock(check_real("time_limit", time_limit, above=0.0), on_step)
    rows = ScaledRows.of(checked, bool(symmetric))
    state = _Check(rows, tolerance, solver, local_random(random_state), clock)
    state.run()
    if tighten:
        state.tighten()
    return state.result()


@final
@dataclass
class _Check:
    """One check under way: what is known of P so far."""

    rows: ScaledRows
    tol: float
    solver: str
    random: RandomState
    clock: Clock
    bound: float = math.inf  # on the length of points of P, over sqrt(d)
    condition_1: ThreeValued = "undecided"
    condition_2: ThreeValued = "undecided"
    kind: Literal["point", "direction", "vertices", "highs", "scip", "none"] = "none"
    second_ratio: tuple[float, float] | None = None
    corner_size: float | None = None
    direction: FloatArray | None = None
    question: Question | None = None  # for a point that is too long, once the coordinates of P are bounded
    longest: Longest = field(init=False)

    def __post_init__(self) -> None:
        self.longest = Longest(self.rows.n_components, math.sqrt(self.tol))

    def run(self) -> None:
        distinct = self.rows.distinct
        self.direction = recession_direction(distinct)
        if self.direction is not None:
            self.condition_1 = self.condition_2 = "fails"
            self.kind = "direction"
            return
        expected = seconds_of_enumeration(*distinct.shape)
        if self.solver in ("auto", "vertices") and expected <= min(AT_ONCE, self.clock.left) and self._enumerate():
            return
        search(distinct, self.longest, 1 + self.tol, self.random, self.clock)
        self.question = self._bounded()
        if self._settle_first():
            return
        most = SHARE_OF_ENUMERATION * self.clock.left
        if self.solver == "auto":
            most = min(most, BEFORE_SOLVERS)
        if self.solver in ("auto", "vertices") and expected <= most and self._enumerate():
            return
        if self.question is not None and self.solver != "vertices":
            self._ask(self.question)

    def tighten(self) -> None:
        """Bring the bound on the length of points of P down to the longest that is known."""
        question = self.question
        while question is not None and self.kind == "point" and not self.clock.over:
            threshold = self.rows.n_components * (self.longest.ratio * (1 + self.tol)) ** 2
            self.clock.tell("margin", 0, 1)
            answer, _ = self._answer(replace(question, threshold=threshold), self.clock.left)
            self._bound_by(answer.bound)
            if answer.point is None:
                return
            self.longest.take(answer.point[None])

    def _enumerate(self) -> bool:
        """Decide by all vertices; tell whether that was possible."""
        self.clock.tell("vertices", 0, 1)
        points = vertices(self.rows.distinct)
        if points is None:
            return False
        self.longest.take(points, vertices=True)
        self.bound = self.longest.ratio
        self.second_ratio = (self.longest.ratio_of_vertices(self.longest.near),) * 2
        if not self._settle_first():
            self._hold_first("vertices")
            self.corner_size = self.longest.near
            if not self._settle_second():
                self.condition_2 = "holds"
        return True

    def _bounded(self) -> Question | None:
        """Bound each coordinate over P, and ask for a point that is too long."""
        bounds = coordinate_bounds(self.rows.distinct, symmetric=self.rows.symmetric, clock=self.clock)
        if bounds is None:
            return None
        d = self.rows.n_components
        question = Question(self.rows.distinct, *bounds, d * (1 + self.tol) ** 2)
        self._bound_by(question.trivial_bound)
        return question

    def _bound_by(self, squared_length: float) -> None:
        self.bound = min(self.bound, math.sqrt(squared_length / self.rows.n_components))

    def _settle_first(self) -> bool:
        """Conclude that (1) fails where a point that is too long is known; tell whether one is."""
        if self.longest.ratio <= 1 + self.tol:
            return False
        self.condition_1 = self.condition_2 = "fails"
        self.kind = "point"
        return True

    def _hold_first(self, proof: Proof) -> None:
        self.condition_1, self.kind = "holds", proof
        self.bound = min(self.bound, 1 + self.tol)

    def _settle_second(self) -> bool:
        """Conclude that (2) fails where a point outside the corners is too long; tell whether one is."""
        if self.longest.ratio_outside < 1 - self.tol:
            return False
        self.condition_2 = "fails"
        return True

    def _ask(self, question: Question) -> None:
        """Decide by the solvers: (1), then (2) by one question for each coordinate that is not near +-1."""
        d = self.rows.n_components
        half = question.one_sided(0) if self.rows.symmetric and d > 1 else question
        self.clock.tell("condition 1", 0, 1)
        answer, proof = self._answer(half, self.clock.left)
        self._bound_by(answer.bound)
        if answer.point is not None:
            self.longest.take(answer.point[None])
            self._settle_first()
            return
        if answer.bound < question.threshold:
            self._hold_first(proof)
            self.corner_size = FAR
        if self._settle_second() or self.condition_1 == "undecided":
            return
        threshold = d * (1 - self.tol) ** 2
        for j in range(d):
            if self.clock.over:
                return
            self.clock.tell("condition 2", j, d)
            asked = Question(question.rows, question.low, question.high, threshold).within(j, 1 - FAR)
            if self.rows.symmetric and d > 1:
                asked = asked.one_sided((j + 1) % d)
            answer, _ = self._answer(asked, self.clock.left / (d - j))
            if answer.point is not None:
                self.longest.take(answer.point[None])
            if self._settle_second() or answer.bound >= threshold:
                return
        self.condition_2 = "holds"
        self.second_ratio = (self.longest.ratio_of_vertices(FAR), 1 - self.tol)

    def _answer(self, question: Question, seconds: float) -> tuple[Answer, Proof]:
        """Ask the solver, or SCIP for half of the time and then HiGHS."""
        if self.solver == "highs" or (self.solver == "auto" and not has_scip()):
            return answer_by_highs(question, self.clock, seconds), "highs"
        answer = answer_by_scip(question, seconds if self.solver == "scip" else seconds / 2)
        if self.solver == "scip" or answer.point is not None or answer.bound < question.threshold:
            return answer, "scip"
        other = answer_by_highs(question, self.clock, seconds / 2)
        return Answer(other.point, min(answer.bound, other.bound)), "highs"

    def result(self) -> SDICheck:
        if self.direction is not None:
            point, high, low = self.direction, 0.0, 0.0
            self.bound = math.inf
        else:
            point, high = self.longest.point, min(1.0, 1 / self.longest.ratio)
            low = min(high, 1 / self.bound)
        touches = self.direction is None and self.condition_2 == "fails" and self.condition_1 != "fails"
        return SDICheck(
            condition_1=self.condition_1,
            condition_2=self.condition_2,
            gamma=(low, high),
            second_ratio=self.second_ratio,
            corner_size=self.corner_size,
            weights=self.rows.weights,
            active_rows=self.rows.active(self.tol),
            count_bound=self.rows.count_bound(self.tol),
            certificate=Certificate(self.kind, point, self.bound, self.longest.outside if touches else None),
            symmetric=self.rows.symmetric,
            tol=self.tol,
            time=self.clock.spent,
        )
