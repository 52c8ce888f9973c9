"""The stages of one start of a fit, with progress, early stopping and pauses.

All randomness of an epoch comes from a generator seeded by (seed, stage, epoch), so that a fit that goes on from a
checkpoint repeats exactly what an uninterrupted one would have done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor

from identica.io import DataError
from identica.training.checkpoint import PartialStage, load_optimiser, optimiser_state
from identica.training.descent import Descent
from identica.training.early_stopping import Best, state_of
from identica.training.objective import Objective
from identica.training.schema import TRAINED, check_like, check_result
from identica.training.start import Start

__all__ = ["Stopped", "Trainer"]

ALL_ROWS = " (all rows)"
MOST_ROUNDED = 8
"""Times all steps of a fit that no stage can have had, however they are rounded to epochs."""


class Stopped(Exception):  # noqa: N818 (no error: another start, or the user, has ended the fit)
    """A start has stopped at the end of an epoch because it was asked to."""


@final
class Trainer(Start):
    """Runs the stages of one start over one set of data, and can go on where an earlier run was cut off.

    Its parameters are those of :class:`Start`.
    """

    def compute(
        self,
        stage: str,
        function: Callable[[torch.Generator], dict[str, Tensor]],
        gives: Mapping[str, tuple[int, ...]],
    ) -> dict[str, Tensor]:
        """Run a stage that is short and computes at once, or recall what it gave before an interruption.

        Parameters
        ----------
        stage : str
            Its name.
        function : callable
            Takes a generator, may change the networks, returns tensors to remember.
        gives : mapping of str to tuple of int
            Their names and shapes, which what is recalled must have.

        Returns
        -------
        dict of str to Tensor
            What the function gave.

        Raises
        ------
        DataError
            If a checkpoint has something else of this stage.
        """
        stage += self.suffix
        if stage not in self._done:
            start = time.perf_counter()
            self.progress.begin(stage, 1)
            self.results[stage] = function(self._generator(stage, 0))
            self._finish(stage, start)
        # A stage that gave nothing has left nothing in a checkpoint.
        found = self.results.setdefault(stage, {})
        check_result(stage, found, gives)
        return found

    def minimise(
        self,
        stage: str,
        objective: Objective,
        *,
        max_steps: int,
        keep_best: bool = True,
        by_reconstruction: bool = False,
        limit: float = math.inf,
        pause: int | None = None,
    ) -> None:
        """Train the networks until ``max_steps``, or until validation has stopped to improve, or until a pause.

        Parameters
        ----------
        stage : str
            Name of the stage, for history and checkpoint.
        objective : Objective
            What to minimise; holds the networks.
        max_steps : int
            Upper bound on steps.
        keep_best : bool, default=True
            Whether to stop early, and to go back at the end to the best validation loss; otherwise the last epoch
            counts.
        by_reconstruction : bool, default=False
            Whether the best is told by the reconstruction of validation rows alone, as where the weight of a penalty
            changes; by default by all that is minimised.
        limit : float, default=infinity
            Validation reconstruction above which the whole stage is undone, if the last epoch counts.
        pause : int, optional
            Steps after which to leave the stage unfinished; the same call with a later pause, or none, goes on.

        Raises
        ------
        ValueError
            If the loss stops being a finite number, or a checkpoint has something else of this stage.
        """
        known = self.results.get(stage) if self.suffix else None
        if known is not None:
            self.check_trained(stage)
        stage += self.suffix
        if stage in self._done:
            self.check_trained(stage)
            return
        if known is not None and bool(known["undone"]):
            return
        batch_size, per_epoch = self._plan(max_steps)
        n_epochs = self.n_epochs(max_steps)
        descent = Descent(
            objective,
            self.data,
            batch_size=batch_size,
            per_epoch=per_epoch,
            n_epochs=n_epochs,
            learning_rate=self.training.peak,
            weight_decay=self.training.weight_decay,
        )
        until = n_epochs
        if known is not None:  # how long to train is known from the first pass
            until, keep_best, limit = math.ceil(int(known["best_step"]) / per_epoch), False, math.inf
        leave = n_epochs if pause is None else math.ceil(pause / per_epoch)
        self._descend(stage, descent, until, leave, keep_best, limit, by_reconstruction=by_reconstruction)

    def _descend(
        self,
        stage: str,
        descent: Descent,
        until: int,
        leave: int,
        keep_best: bool,
        limit: float,
        *,
        by_reconstruction: bool,
    ) -> None:
        objective = descent.objective
        partial, self._partial = self._partial, None
        first, spent, validation, loss = 0, 0.0, 0.0, math.inf
        # Where training only loses what the start had, the start is kept: few samples, linear data.
        best = Best(state_of(objective), math.inf)
        if partial is not None:
            self._check_partial(stage, partial, objective, descent.n_steps)
            objective.load_state_dict(partial.objective)
            load_optimiser(descent.optimiser, partial.optimiser)
            best = Best(partial.best, partial.best_loss, partial.best_epoch, partial.good_epoch)
            first, spent = partial.epoch + 1, self.durations[stage]
            validation = self.history[-1]["validation_reconstruction"]
        elif objective.penalty is None:
            best.loss = descent.validate(self.seed)[1]
        start = time.perf_counter() - spent
        if first >= leave and first < until:
            self._partial = partial
            return
        self.progress.begin(stage, until, first)
        for epoch in range(first, until):
            if self.stop.is_set():
                self.progress.pause()
                raise Stopped
            if keep_best and best.is_old(epoch, self.training.patience):
                break
            terms = descent.epoch(epoch, self._generator(stage, epoch))
            validation, loss = descent.validate(self.seed)
            if not math.isfinite(loss) or not math.isfinite(terms["loss"]):
                raise ValueError(
                    f"the loss is not finite in stage {stage}, epoch {epoch}: lower training.learning_rate "
                    f"(now {descent.learning_rate:g})"
                )
            if keep_best and (objective.penalty is None or objective.penalty.settled):
                best.see(objective, validation if by_reconstruction else loss, epoch)
            self.durations[stage] = time.perf_counter() - start
            record = {"start": self.number, "stage": stage, "epoch": epoch, "step": (epoch + 1) * descent.per_epoch}
            record |= {"seconds": sum(self.durations.values()), **terms, "validation_reconstruction": validation}
            self.history.append(record)
            self.progress.advance(record)
            paused = leave <= epoch + 1 < until
            if paused or self._checkpoint.path is not None:
                partial = PartialStage(
                    stage,
                    epoch,
                    best.loss,
                    best.epoch,
                    best.good_epoch,
                    state_of(objective),
                    best.state,
                    optimiser_state(descent.optimiser),
                )
                self._keep(partial)
            if paused:
                self._partial = partial
                self.progress.pause()
                return
        undone = not keep_best and validation > limit
        if undone or (keep_best and best.loss < math.inf):
            objective.load_state_dict(best.state)
        best_step = (best.good_epoch + 1 if keep_best else until) * descent.per_epoch
        self.results[stage] = {
            "best_step": torch.tensor(best_step),
            "undone": torch.tensor(undone),
            "loss": torch.tensor(best.loss if keep_best else loss),
            "early": torch.tensor(keep_best and self.data.held_out and best_step < 0.9 * descent.n_steps),
        }
        self._finish(stage, start)

    def check_trained(self, stage: str) -> None:
        """Make sure that what is known of a stage is what training gives, and of no more steps than it can have had.

        Parameters
        ----------
        stage : str
            Its whole name; that of a stage that is over.

        Raises
        ------
        DataError
            If a checkpoint has something else.
        """
        check_result(stage, self.results.get(stage), TRAINED)
        steps = float(self.results[stage]["best_step"])
        if not 0 <= steps <= MOST_ROUNDED * self.training.max_steps:
            raise DataError(
                f"the checkpoint does not fit to this fit, its best step of stage {stage} is {steps:g}: delete it and "
                "start the fit anew without resuming"
            )

    def _check_partial(self, stage: str, partial: PartialStage, objective: Objective, n_steps: int) -> None:
        """Make sure that a stage under way is the one that comes next, with a state like that of its objective."""
        if partial.name != stage or self.history[-1]["stage"] != stage or partial.epoch >= n_steps:
            raise DataError(
                f"the checkpoint does not fit to this fit, stage {partial.name[:40]!r} is under way there and "
                f"{stage!r} comes next: delete it and start the fit anew without resuming"
            )
        wanted = objective.state_dict()
        check_like(f"the stage {stage}", partial.objective, wanted)
        check_like(f"the best of stage {stage}", partial.best, wanted)

    def _finish(self, stage: str, start: float) -> None:
        self.progress.end()
        self.durations[stage] = time.perf_counter() - start
        self._done += (stage,)
        # A short computation may come while a stage is paused, which goes on afterwards.
        self._keep(self._partial, now=True)
