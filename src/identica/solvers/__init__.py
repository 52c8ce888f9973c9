"""How a method finds its components: what is trained, in which stages, from which starts."""

from __future__ import annotations

from identica.solvers.contrastive import Contrastive
from identica.solvers.direct import Direct
from identica.solvers.joint import Joint
from identica.solvers.linear import Linear, LinearComponents
from identica.solvers.solver import Solver
from identica.solvers.staged import Staged
from identica.solvers.variational import Variational

__all__ = ["SOLVERS", "Contrastive", "Direct", "Joint", "Linear", "LinearComponents", "Solver", "Staged", "Variational"]

SOLVERS: dict[str, type[Solver]] = {solver.kind: solver for solver in (Staged, Joint, Contrastive, Variational)}
"""What a user can choose between, by the name that stands in files; each method allows some of them."""
