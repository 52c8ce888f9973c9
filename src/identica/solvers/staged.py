"""Reconstruct, align, refine: first the manifold, then one change of basis from many starts, then everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from identica.arguments import MOST_STARTS, check_integer, check_real
from identica.criteria import Criterion
from identica.solvers.alignment import ALIGN_POINTS, ALIGN_ROWS, ALIGNED, align_networks
from identica.solvers.refinement import Refinement
from identica.solvers.solver import Solver
from identica.training.passes import widen
from identica.training.trainer import Trainer

__all__ = ["Staged"]

LAST = 1 / 75
"""Share of its first weight that the criterion has at the end of the refine stage."""
LAST_OF_COUNTS = 0.3
"""The same where most of what varies is noise: with less the components turn away again."""
DENSER = 2
"""Times the rows that the alignment sees of counts, with as many times fewer restarts: their Jacobians are noisy, and a
sample of few rows can have its largest volume elsewhere, for all restarts alike."""
TRIFLE = 2e-3
"""Share of the variance explained that the refine stage may cost whatever PCA leaves."""
REFINE_MAY_COST = 0.05
"""Share of the variance explained that the refine stage may cost before it is undone."""


@final
@dataclass(frozen=True)
class Staged(Solver):
    """Reconstructs (a plain autoencoder), aligns (the best linear change of the latents) and refines (all together).

    With a likelihood of counts the autoencoder is trained on their residuals first, and then on the counts.

    Parameters
    ----------
    restarts : int, default=32
        Random starts of the alignment, side by side; of counts half of them, at twice as many rows of
        Jacobians, and half as many points.
    weight : float, default=0.15
        First weight of the criterion in the refine stage, times the share that is explained; it ends at 1/75 of that,
        with a likelihood of counts at 0.3, and 0 leaves the stage out.

    Raises
    ------
    TypeError
        If a value is of the wrong type.
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> Staged(restarts=8).weight
    0.15
    """

    restarts: int = 32
    weight: float = 0.15

    kind: ClassVar[str] = "staged"
    compact: ClassVar[bool] = True
    widens: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check every number."""
        object.__setattr__(self, "restarts", check_integer("restarts", self.restarts, 1, MOST_STARTS))
        object.__setattr__(self, "weight", check_real("weight", self.weight, at_least=0))

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Reconstruct; see :meth:`Solver.begin`."""
        steps = max(1, start.training.max_steps // 3)
        start.minimise("reconstruct", start.objective(), max_steps=steps, pause=pause)

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Reconstruct to the end, align and refine; see :meth:`Solver.finish`."""
        self.begin(start, None)
        # Twice as long as reconstruction took: not long where few samples made that stop early.
        steps = 2 * start.best_step("reconstruct")
        counted = start.follows_counts
        if counted:  # the compact space knows residuals only
            widen(start)
            steps = max(1, start.training.max_steps // 3)
            start.minimise("counts", start.objective(), max_steps=steps)
        restarts, points, rows = self.restarts, ALIGN_POINTS, ALIGN_ROWS
        if start.data.direction is not None:  # of counts
            restarts, points, rows = max(min(2, restarts), restarts // DENSER), points // DENSER, DENSER * rows
        found = start.compute(
            "align",
            lambda generator: align_networks(start, criterion, restarts, generator, n_points=points, n_rows=rows),
            ALIGNED | {"criteria": (restarts,)},
        )
        if self.weight == 0 or steps == 0:
            return
        if start.is_done("refine"):
            start.check_trained("refine" + start.suffix)
            return
        # In the compact space the decoder could not leave the data's subspace, which it must on the way to the maximum.
        widen(start)
        error = float(found["reconstruction"])
        explained = max(0.0, 1.0 - error)
        weight, last = self.weight * explained, LAST_OF_COUNTS if counted else LAST
        penalty = Refinement(start.jacobian_sample, criterion, weight, start.n_epochs(steps), last=last)
        if counted:  # most of what varies is noise, which a weight that falls lets the networks fit
            start.minimise("refine", start.objective(penalty), max_steps=steps, by_reconstruction=True)
            return
        limit = error + REFINE_MAY_COST * explained
        if error <= start.linear_error:  # what was better than PCA must stay so, rounding and trifles apart
            limit = min(limit, max(start.linear_error, error + TRIFLE * explained))
        start.minimise("refine", start.objective(penalty), max_steps=steps, keep_best=False, limit=limit)
