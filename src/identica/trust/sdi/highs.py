"""Long points of a polytope by mixed-integer programs, with the solver HiGHS that SciPy brings.

The square of each coordinate is replaced by a piecewise linear function above it, exact at its breakpoints. Before the
first program these are -1, 0 and 1, so that it is exact at the vertices of the box; the coordinates of an answer
that turns out to be too short are breakpoints of the next program.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, final

import numpy as np
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from identica.trust.sdi.clock import Clock
from identica.trust.sdi.polytope import feasible
from identica.trust.sdi.question import Answer, Question

__all__ = ["answer_by_highs"]

INFEASIBLE, TIME_LIMIT = 2, 1
SHORTEST_SEGMENT = 1e-3
LEAST_SECONDS = 0.05


def answer_by_highs(question: Question, clock: Clock, seconds: float) -> Answer:
    """Answer by a sequence of mixed-integer programs.

    Parameters
    ----------
    question : Question
        What to decide.
    clock : Clock
        When to stop at the latest.
    seconds : float
        How long this may take.

    Returns
    -------
    Answer
        A point, a proof that there is none (a bound below the threshold), or neither.
    """
    end = clock.spent + seconds
    bound = question.trivial_bound
    breaks: list[set[float]] = [{-1.0, 0.0, 1.0} for _ in question.low]
    while bound >= question.threshold and min(end - clock.spent, clock.left) > LEAST_SECONDS:
        program = _Program(question, breaks)
        found = program.solve(min(end - clock.spent, clock.left))
        if found.status == INFEASIBLE:
            return Answer(None, math.nextafter(question.threshold, 0.0))
        if found.mip_dual_bound is not None:
            bound = min(bound, program.constant - float(found.mip_dual_bound))
        if found.x is None:
            break
        point = feasible(question.rows, np.asarray(found.x[: len(breaks)]))
        if point @ point >= question.threshold:
            return Answer(point, bound)
        added = [_split(own, value) for own, value in zip(breaks, point.tolist(), strict=True)]
        if found.status == TIME_LIMIT or not any(added):
            break
    return Answer(None, bound)


def _split(breaks: set[float], value: float) -> bool:
    """Add a breakpoint, and its mirror image, where there is none near it; tell whether there was none."""
    if min(abs(value - own) for own in breaks) < SHORTEST_SEGMENT:
        return False
    breaks |= {value, -value}
    return True


@final
class _Program:
    """Variables: x; then for each segment of each coordinate its share in [0, 1], and whether it may be used.

    x_j = low_j + sum_k length_k share_k, and a segment may only be used once the one before it is used up.
    """

    def __init__(self, question: Question, breaks: list[set[float]]) -> None:
        self.question = question
        d = len(breaks)
        self.constant = float(np.square(question.low).sum())
        knots = [
            [low, *sorted(b for b in own if low + SHORTEST_SEGMENT < b < high - SHORTEST_SEGMENT), high]
            for own, low, high in zip(breaks, question.low.tolist(), question.high.tolist(), strict=True)
        ]
        self._n_segments = sum(len(own) - 1 for own in knots)
        self._n_variables = d + 2 * self._n_segments
        self._entries: list[tuple[int, int, float]] = []
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._rise = np.zeros(self._n_variables)
        share = d
        for j, own in enumerate(knots):
            link = {j: 1.0}
            for k, (a, b) in enumerate(itertools.pairwise(own)):
                link[share + k] = a - b
                self._rise[share + k] = b * b - a * a
                if k:
                    used = share + k + self._n_segments
                    self._constrain({used: 1.0, share + k - 1: -1.0}, -math.inf, 0.0)
                    self._constrain({share + k: 1.0, used: -1.0}, -math.inf, 0.0)
            self._constrain(link, own[0], own[0])
            share += len(own) - 1
        self._constrain(dict(enumerate(self._rise.tolist())), question.threshold - self.constant, math.inf)

    def _constrain(self, coefficients: dict[int, float], lower: float, upper: float) -> None:
        row = len(self._lower)
        self._entries += [(row, column, value) for column, value in coefficients.items() if value]
        self._lower.append(lower)
        self._upper.append(upper)

    def solve(self, seconds: float) -> Any:
        """Maximise the piecewise linear function; a result of :func:`scipy.optimize.milp`."""
        question, d = self.question, len(self.question.low)
        row, column, value = zip(*self._entries, strict=True)
        shape = (len(self._lower), self._n_variables)
        own = scipy.sparse.csr_array((value, (row, column)), shape=shape)
        binding = question.binding_rows()
        beside = scipy.sparse.csr_array((len(binding), self._n_variables - d))
        of_rows = scipy.sparse.hstack([scipy.sparse.csr_array(binding), beside], format="csr")
        ones = np.ones(2 * self._n_segments)
        low, high = np.concatenate([question.low, 0 * ones]), np.concatenate([question.high, ones])
        whole = np.zeros(self._n_variables, dtype=np.intp)
        whole[d + self._n_segments :] = 1
        return milp(
            -self._rise,
            integrality=whole,
            bounds=Bounds(low, high),
            constraints=[
                LinearConstraint(of_rows, -np.inf, 1.0),
                LinearConstraint(own, np.array(self._lower), np.array(self._upper)),
            ],
            options={"time_limit": seconds, "mip_rel_gap": 1e-6},
        )
