"""No training at all: networks that start at the principal axes, turned by the alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from identica.criteria import Criterion
from identica.solvers.alignment import align_networks
from identica.solvers.solver import Solver
from identica.training.trainer import Trainer

__all__ = ["Linear"]


@final
@dataclass(frozen=True)
class Linear(Solver):
    """Aligns linear networks, whose Jacobian is the same at every point.

    Parameters
    ----------
    restarts : int
        Random starts of the alignment, side by side.
    """

    restarts: int

    kind: ClassVar[str] = "linear"

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Do nothing: linear networks start where PCA ends; see :meth:`Solver.begin`."""

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Align; see :meth:`Solver.finish`."""
        start.compute("align", lambda generator: align_networks(start, criterion, self.restarts, generator, n_points=1))
