"""Long points of a polytope by the global solver SCIP, where PySCIPOpt is installed."""

from __future__ import annotations

import importlib
import importlib.util
import math
from typing import Any

import numpy as np

from identica.trust.sdi.polytope import feasible
from identica.trust.sdi.question import Answer, Question

__all__ = ["answer_by_scip", "has_scip", "require_scip"]


def has_scip() -> bool:
    """Tell whether PySCIPOpt is installed."""
    return importlib.util.find_spec("pyscipopt") is not None


def require_scip() -> None:
    """Make sure that PySCIPOpt is installed.

    Raises
    ------
    ImportError
        If it is not.
    """
    if not has_scip():
        raise ImportError('solver="scip" needs PySCIPOpt: pip install "identica[sdi]", or use another solver')


def answer_by_scip(question: Question, seconds: float) -> Answer:
    """Answer by maximising t subject to ||x||^2 >= t >= threshold, up to the first solution; needs PySCIPOpt.

    Parameters
    ----------
    question : Question
        What to decide.
    seconds : float
        How long this may take.

    Returns
    -------
    Answer
        A point, a proof that there is none (a bound below the threshold), or neither.
    """
    pyscipopt: Any = importlib.import_module("pyscipopt")
    bound = question.trivial_bound
    if bound < question.threshold:
        return Answer(None, bound)
    model = pyscipopt.Model()
    model.hideOutput()
    # Long points were looked for before; what is left is to prove that there are none.
    model.setHeuristics(pyscipopt.SCIP_PARAMSETTING.OFF)
    model.setParam("limits/time", seconds)
    model.setParam("limits/solutions", 1)
    pairs = zip(question.low.tolist(), question.high.tolist(), strict=True)
    x = [model.addVar(lb=low, ub=high) for low, high in pairs]
    square = model.addVar(lb=question.threshold, ub=bound)
    for row in question.binding_rows():
        model.addCons(pyscipopt.quicksum(float(row[j]) * x[j] for j in np.flatnonzero(row)) <= 1)
    model.addCons(pyscipopt.quicksum(each * each for each in x) >= square)
    model.setObjective(square, "maximize")
    model.optimize()
    if model.getStatus() == "infeasible":
        return Answer(None, math.nextafter(question.threshold, 0.0))
    bound = min(bound, _finite(model.getDualbound()))
    if model.getNSols():
        point = feasible(question.rows, np.array([model.getVal(each) for each in x]))
        # The solver's own tolerance may have made it as long as that.
        return Answer(point if point @ point >= question.threshold else None, bound)
    return Answer(None, bound)


def _finite(value: Any) -> float:
    return float(value) if abs(value) < 1e19 else math.inf
