"""One stage from the first step to the last: reconstruction and a penalty, or reconstruction alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

from identica.criteria import Criterion, JacobianSample, Penalty
from identica.solvers.solver import Solver
from identica.training.trainer import Trainer

__all__ = ["Direct"]


@final
@dataclass(frozen=True)
class Direct(Solver):
    """Minimises reconstruction plus a penalty in one stage.

    Parameters
    ----------
    penalty : callable, optional
        Takes how much of the Jacobian to look at and gives the penalty; None for a plain autoencoder.
    stage : str, default="reconstruct"
        Its name.
    """

    penalty: Callable[[JacobianSample], Penalty] | None = None
    stage: str = "reconstruct"

    kind: ClassVar[str] = "direct"

    @property
    def compact(self) -> bool:  # type: ignore[override]
        """Whether nothing but reconstruction is trained."""
        return self.penalty is None

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Train up to a pause; see :meth:`Solver.begin`."""
        penalty = None if self.penalty is None else self.penalty(start.jacobian_sample)
        start.minimise(self.stage, start.objective(penalty), max_steps=start.training.max_steps, pause=pause)

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Train to the end; see :meth:`Solver.finish`."""
        self.begin(start, None)
