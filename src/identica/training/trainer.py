"""The stages of one fit, with a history, progress, early stopping and a checkpoint.

All randomness of an epoch comes from a generator seeded by (seed, stage, epoch), so that a fit that goes on from a
checkpoint repeats exactly what an uninterrupted one would have done.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from identica.criteria import JacobianSample
from identica.training import Training
from identica.training.checkpoint import PartialStage, Snapshot, load_optimiser, optimiser_state, write_snapshot
from identica.training.descent import Data, Descent
from identica.training.objective import Objective
from identica.training.progress import Progress

__all__ = ["Trainer"]

MIN_STEPS_PER_EPOCH = 32
ALL_ROWS = " (all rows)"
ROWS_PER_COMPONENT = 6
TOLERANCE = 1e-3
"""Validation losses that differ by less are about as good: 0.1 % of the variance."""


@final
class Trainer:
    """Runs the stages of one fit over one set of data, and can go on where an earlier run was cut off.

    Parameters
    ----------
    encoder, decoder : torch.nn.Sequential
        Framed networks, trained in place.
    data : Data
        What to train on.
    training : Training
        How.
    seed : int
        Of all randomness.
    progress : Progress
        Where to tell how far it is.
    linear_error : float
        Reconstruction error of PCA on the validation rows, to be not worse than.
    checkpoint : Path or None
        File to write while training and at an interruption.
    fingerprint : str
        Of data and configuration: a checkpoint of another fit is refused.
    """

    def __init__(
        self,
        encoder: nn.Sequential,
        decoder: nn.Sequential,
        data: Data,
        training: Training,
        *,
        seed: int,
        progress: Progress,
        linear_error: float = math.inf,
        checkpoint: Path | None = None,
        fingerprint: str = "",
    ) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.data = data
        self.training = training
        self.seed = seed
        self.linear_error = linear_error
        self.progress = progress
        self.history: list[dict[str, Any]] = []
        self.durations: dict[str, float] = {}
        self.results: dict[str, dict[str, Tensor]] = {}
        self._checkpoint = checkpoint
        self._fingerprint = fingerprint
        self._pass = ""
        self._done: tuple[str, ...] = ()
        self._partial: PartialStage | None = None
        self._snapshot: Snapshot | None = None
        self._written = time.monotonic()

    def resume(self, snapshot: Snapshot) -> None:
        """Take up the state that a checkpoint holds; stages that it has done will be skipped.

        Parameters
        ----------
        snapshot : Snapshot
            Of a fit of the same data with the same configuration.

        Raises
        ------
        ValueError
            If it belongs to another fit.
        """
        if snapshot.fingerprint != self._fingerprint:
            raise ValueError(
                "the checkpoint was written by a fit of other data or with other parameters: "
                "resume with those, or start anew without resuming"
            )
        self.history = snapshot.history
        self.durations = snapshot.durations
        self.results = snapshot.results
        self._networks().load_state_dict(snapshot.networks)
        self._done, self._partial, self._snapshot = snapshot.done, snapshot.partial, snapshot

    @property
    def n_components(self) -> int:
        """Number of latent components."""
        first: nn.Linear = self.decoder[0]  # type: ignore[assignment]
        return first.in_features

    @property
    def jacobian_sample(self) -> JacobianSample:
        """How much of the Jacobian a step looks at, in the units of the criterion."""
        n_samples = self.training.n_jacobians(min(self.training.batch_size, len(self.data.train)))
        # A sample has a volume only with several rows for each component.
        n_rows = max(self.training.jacobian_features, ROWS_PER_COMPONENT * self.n_components)
        return JacobianSample(n_samples, n_rows, self.units)

    @property
    def unit_variance(self) -> bool:
        """Whether a stage of this pass has found that rows compare at unit variance and not in own units."""
        return bool(self.results.get("settle" + self._pass, {}).get("unit_variance", False))

    @property
    def units(self) -> Tensor:
        """Factor of each feature's row in the criterion; 1 where the criterion counts each at unit variance."""
        return torch.ones_like(self.data.units) if self.unit_variance else self.data.units

    def n_epochs(self, max_steps: int) -> int:
        """Return how many epochs a number of steps makes.

        Parameters
        ----------
        max_steps : int
            Steps.

        Returns
        -------
        int
            Epochs, rounded up.
        """
        return math.ceil(max_steps / self._plan(max_steps)[1])

    def _plan(self, max_steps: int) -> tuple[int, int]:
        """Return the batch size and the steps of an epoch."""
        batch_size = min(self.training.batch_size, len(self.data.train))
        per_epoch = max(math.ceil(len(self.data.train) / batch_size), MIN_STEPS_PER_EPOCH)
        return batch_size, min(per_epoch, max_steps)

    def compute(self, stage: str, function: Callable[[torch.Generator], dict[str, Tensor]]) -> dict[str, Tensor]:
        """Run a stage that is short and computes at once, or recall what it gave before an interruption.

        Parameters
        ----------
        stage : str
            Its name.
        function : callable
            Takes a generator, may change the networks, returns tensors to remember.

        Returns
        -------
        dict of str to Tensor
            What the function gave.
        """
        stage += self._pass
        if stage not in self._done:
            start = time.perf_counter()
            self.progress.begin(stage, 1)
            self.results[stage] = self._guarded(lambda: function(self._generator(stage, 0)))
            self._finish(stage, start)
        return self.results[stage]

    def minimise(
        self,
        stage: str,
        objective: Objective,
        *,
        max_steps: int,
        keep_best: bool = True,
        limit: float = math.inf,
    ) -> None:
        """Train the networks until ``max_steps``, or until validation has stopped to improve.

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
        limit : float, default=infinity
            Validation reconstruction above which the whole stage is undone, if the last epoch counts.

        Raises
        ------
        ValueError
            If the loss stops being a finite number.
        """
        known = self.results.get(stage) if self._pass else None
        stage += self._pass
        if stage in self._done or (known is not None and bool(known["undone"])):
            return
        batch_size, per_epoch = self._plan(max_steps)
        n_epochs = self.n_epochs(max_steps)
        descent = Descent(
            objective,
            self.data,
            batch_size=batch_size,
            per_epoch=per_epoch,
            n_epochs=n_epochs,
            learning_rate=self.training.learning_rate,
            weight_decay=self.training.weight_decay,
        )
        until = n_epochs
        if known is not None:  # how long to train is known from the first pass
            until, keep_best, limit = math.ceil(int(known["best_step"]) / per_epoch), False, math.inf
        self._guarded(lambda: self._descend(stage, descent, until, keep_best, limit))

    def _descend(self, stage: str, descent: Descent, until: int, keep_best: bool, limit: float) -> None:
        objective = descent.objective
        partial, self._partial = self._partial, None
        first, spent, validation = 0, 0.0, 0.0
        # Where training only loses what the start had, the start is kept: few samples, linear data.
        best, best_epoch, good_epoch = _state(objective), -1, -1
        if partial is not None:
            objective.load_state_dict(partial.objective)
            load_optimiser(descent.optimiser, partial.optimiser)
            best, best_loss, best_epoch = partial.best, partial.best_loss, partial.best_epoch
            good_epoch = partial.good_epoch
            first, spent = partial.epoch + 1, self.durations[stage]
            validation = self.history[-1]["validation_reconstruction"]
        else:
            best_loss = descent.validate(self.seed)[1] if objective.penalty is None else math.inf
        start = time.perf_counter() - spent
        self.progress.begin(stage, until, first)
        for epoch in range(first, until):
            if keep_best and best_loss < math.inf and epoch - good_epoch > self.training.patience:
                break
            terms = descent.epoch(epoch, self._generator(stage, epoch))
            validation, loss = descent.validate(self.seed)
            if not math.isfinite(loss) or not math.isfinite(terms["loss"]):
                raise ValueError(
                    f"the loss is not finite in stage {stage}, epoch {epoch}: lower training.learning_rate "
                    f"(now {descent.learning_rate:g})"
                )
            if keep_best and (objective.penalty is None or objective.penalty.settled):
                if loss < best_loss:
                    best, best_loss, best_epoch = _state(objective), loss, epoch
                if loss <= best_loss + TOLERANCE:
                    good_epoch = epoch
            self.durations[stage] = time.perf_counter() - start
            record = {"stage": stage, "epoch": epoch, "step": (epoch + 1) * descent.per_epoch}
            record |= {"seconds": sum(self.durations.values()), **terms, "validation_reconstruction": validation}
            self.history.append(record)
            self.progress.advance(record)
            if self._checkpoint is not None:
                state = optimiser_state(descent.optimiser)
                partial = PartialStage(stage, epoch, best_loss, best_epoch, good_epoch, _state(objective), best, state)
                self._keep(partial, self.training.checkpoint_seconds)
        undone = not keep_best and validation > limit
        if undone or (keep_best and best_loss < math.inf):
            objective.load_state_dict(best)
        best_step = (good_epoch + 1 if keep_best else until) * descent.per_epoch
        self.results[stage] = {
            "best_step": torch.tensor(best_step),
            "undone": torch.tensor(undone),
            "early": torch.tensor(keep_best and self.data.held_out and best_step < 0.9 * descent.n_steps),
        }
        self._finish(stage, start)

    def result(self, stage: str) -> dict[str, Tensor]:
        """Return what a stage gave, in the pass over the data that is under way.

        Parameters
        ----------
        stage : str
            Its name.

        Returns
        -------
        dict of str to Tensor
            What it gave.
        """
        return self.results[stage + self._pass]

    def best_step(self, stage: str) -> int:
        """Return the last step at which a stage had a validation loss about as good as its best.

        Parameters
        ----------
        stage : str
            A stage that is over.

        Returns
        -------
        int
            0 if that was its start.
        """
        return int(self.results[stage]["best_step"])

    @property
    def stopped_early(self) -> bool:
        """Whether validation rows have ended a stage before its steps were spent."""
        return any(bool(result.get("early", False)) for result in self.results.values())

    def restart(self, encoder: nn.Module, decoder: nn.Module, rows: Any) -> None:
        """Begin a second pass of all stages, on all rows, each for as many steps as were best in the first.

        Parameters
        ----------
        encoder, decoder : torch.nn.Module
            Networks to start from.
        rows : array of shape (n, n_features)
            All standardised rows.
        """
        train = torch.as_tensor(rows, dtype=self.data.train.dtype, device=self.data.train.device)
        self.data = replace(self.data, train=train, held_out=False)
        self._pass = ALL_ROWS

        def start(_: torch.Generator) -> dict[str, Tensor]:
            self.encoder.load_state_dict(encoder.state_dict())
            self.decoder.load_state_dict(decoder.state_dict())
            return {}

        self.compute("start", start)

    def validate(self) -> float:
        """Return the fraction of variance unexplained on the validation rows.

        Returns
        -------
        float
            0 for a perfect reconstruction.
        """
        plain = Objective(self.encoder, self.decoder, self.data.variance)
        plan = {"batch_size": 1, "per_epoch": 1, "n_epochs": 1, "learning_rate": 1.0, "weight_decay": 0.0}
        return Descent(plain, self.data, **plan).validate(self.seed)[0]  # type: ignore[arg-type]

    def _generator(self, stage: str, epoch: int) -> torch.Generator:
        digest = hashlib.sha256(f"{self.seed} {stage} {epoch}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})

    def _finish(self, stage: str, start: float) -> None:
        self.progress.end()
        self.durations[stage] = time.perf_counter() - start
        self._done += (stage,)
        if self._checkpoint is not None:
            self._keep(None, 0.0)

    def _keep(self, partial: PartialStage | None, seconds: float) -> None:
        """Take a snapshot, and write it unless the last writing was less than ``seconds`` ago."""
        self._snapshot = Snapshot(
            fingerprint=self._fingerprint,
            seed=self.seed,
            done=self._done,
            networks=_state(self._networks()),
            history=list(self.history),
            durations=dict(self.durations),
            results=dict(self.results),
            partial=partial,
        )
        if self._checkpoint is not None and time.monotonic() - self._written >= seconds:
            write_snapshot(self._checkpoint, self._snapshot)
            self._written = time.monotonic()

    def _guarded(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except KeyboardInterrupt:
            self.progress.end()
            if self._checkpoint is not None and self._snapshot is not None:
                write_snapshot(self._checkpoint, self._snapshot)
            raise


def _state(module: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = module.state_dict()
    return {name: value.detach().clone() for name, value in state.items()}
