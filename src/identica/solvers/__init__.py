"""How a method finds its components: what is trained, in which stages, from which starts."""

from __future__ import annotations

from identica.solvers.direct import Direct
from identica.solvers.joint import Joint
from identica.solvers.linear import Linear
from identica.solvers.solver import Solver
from identica.solvers.staged import Staged

__all__ = ["SOLVERS", "Direct", "Joint", "Linear", "Solver", "Staged"]

SOLVERS: dict[str, type[Solver]] = {solver.kind: solver for solver in (Staged, Joint)}
"""What a user can choose between, by the name that stands in files."""
