"""No training at all: networks that start at the principal axes, turned by the alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from identica.criteria import Criterion, LocalGeometry
from identica.solvers.alignment import ALIGNED, align, align_networks, aligned
from identica.solvers.solver import Solver
from identica.training.inspection import draw_latents
from identica.training.trainer import Trainer

__all__ = ["Linear", "LinearComponents"]

ROWS = 8192
"""Samples whose components are held in a polytope."""


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
        start.compute(
            "align",
            lambda generator: align_networks(start, criterion, self.restarts, generator, n_points=1),
            ALIGNED | {"criteria": (self.restarts,)},
        )


@final
@dataclass(frozen=True)
class LinearComponents(Solver):
    """Aligns the components of samples in the place of the rows of the Jacobian: z' = U z with the largest criterion.

    Parameters
    ----------
    restarts : int
        Random starts of the alignment, side by side.
    """

    restarts: int

    kind: ClassVar[str] = "linear-components"

    def value(self, start: Trainer) -> float | None:
        """Return the criterion of the components; see :meth:`Solver.value`."""
        return float(start.results["align"]["criteria"].max())

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Do nothing; see :meth:`Solver.begin`."""

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Align; see :meth:`Solver.finish`."""

        def turn(generator: torch.Generator) -> dict[str, Tensor]:
            components = draw_latents(start, ROWS, generator)
            found = align(LocalGeometry.of(components[None]), criterion, n_restarts=self.restarts, generator=generator)
            # Components as rows are multiplied by U', the Jacobian by the inverse of U.
            return aligned(start, found, torch.linalg.inv(found.transform).mT)

        start.compute("align", turn, ALIGNED | {"criteria": (self.restarts,)})
