"""The loop: stages of optimisation over fixed data, with a history, progress, early stopping and a checkpoint.

All randomness of an epoch comes from a generator seeded by (seed, stage, epoch), so that a fit that goes on from a
checkpoint repeats exactly what an uninterrupted one would have done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from identica.checkpoint import PartialStage, Snapshot, load_optimiser, optimiser_state, write_snapshot
from identica.objective import JacobianSample, Objective
from identica.progress import Progress

__all__ = ["Data", "Trainer", "Training"]

MIN_STEPS_PER_EPOCH = 32
EVALUATION_BATCH = 4096


@final
@dataclass(frozen=True)
class Training:
    """How long and how fast to train; shared by all methods.

    An epoch is one pass over the training rows, or 32 steps where a pass is shorter than that: small data are
    planned in steps, too.

    Parameters
    ----------
    max_steps : int, default=6000
        Steps of the longest stage.
    batch_size : int, default=256
        Rows in a step.
    learning_rate : float, default=2e-3
        Peak of a schedule that rises over the first steps and falls to zero as a cosine.
    weight_decay : float, default=0.0
        Of AdamW.
    validation_fraction : float, default=0.1
        Share of the rows held out of training; they tell when to stop and what reconstruction to report. With 0,
        the training rows serve.
    patience : int, default=30
        Epochs without a better validation loss after which a stage ends.
    jacobian_samples : int, default=32
        Rows of a batch at which a step takes the Jacobian.
    jacobian_features : int, default=256
        Features, drawn anew at every step, of which it takes the rows.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training; fitted networks have that of the data.
    checkpoint_seconds : float, default=5.0
        Least time between two writings of the checkpoint, if there is one.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> Training(max_steps=100).batch_size
    256
    """

    max_steps: int = 6000
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    validation_fraction: float = 0.1
    patience: int = 30
    jacobian_samples: int = 32
    jacobian_features: int = 256
    dtype: str = "float32"
    checkpoint_seconds: float = 5.0

    DTYPES: ClassVar[dict[str, torch.dtype]] = {"float32": torch.float32, "float64": torch.float64}

    def __post_init__(self) -> None:
        """Check every number's range."""
        for name in ("max_steps", "batch_size", "patience", "jacobian_samples", "jacobian_features"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r}: give a positive integer")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate}: give a positive number, such as 0.002")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: give a number that is not negative")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction={self.validation_fraction}: give a number in [0, 1)")
        if self.dtype not in self.DTYPES:
            raise ValueError(f"dtype={self.dtype!r}: use 'float32' or 'float64'")

    @property
    def jacobian_sample(self) -> JacobianSample:
        """How much of the Jacobian a step looks at."""
        return JacobianSample(self.jacobian_samples, self.jacobian_features)


@final
@dataclass(frozen=True)
class Data:
    """Rows to train on and rows to validate on, on the device and in the precision of the training.

    Parameters
    ----------
    train, validation : Tensor of shape (n, n_features)
        Standardised rows.
    variance : float
        Mean squared entry of the rows, the unit of reconstruction.
    """

    train: Tensor
    validation: Tensor
    variance: float


@final
class Trainer:
    """Runs the stages of one fit over one set of data, and can go on where an earlier run was cut off.

    Parameters
    ----------
    encoder, decoder : torch.nn.Module
        Framed networks, trained in place.
    data : Data
        What to train on.
    training : Training
        How.
    seed : int
        Of all randomness.
    progress : Progress
        Where to tell how far it is.
    checkpoint : Path or None
        File to write while training and at an interruption.
    fingerprint : str
        Of data and configuration: a checkpoint of another fit is refused.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        data: Data,
        training: Training,
        *,
        seed: int,
        progress: Progress,
        checkpoint: Path | None = None,
        fingerprint: str = "",
    ) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.data = data
        self.training = training
        self.seed = seed
        self.progress = progress
        self.history: list[dict[str, Any]] = []
        self.durations: dict[str, float] = {}
        self.results: dict[str, dict[str, Tensor]] = {}
        self._checkpoint = checkpoint
        self._fingerprint = fingerprint
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
        if stage in self._done:
            return self.results[stage]
        start = time.perf_counter()
        self.progress.begin(stage, 1)
        result: dict[str, Tensor] = self._guarded(lambda: function(self._generator(stage, 0)))
        self.progress.end()
        self.results[stage] = result
        self.durations[stage] = time.perf_counter() - start
        self._finish(stage)
        return result

    def minimise(
        self, stage: str, objective: Objective, *, max_steps: int, learning_rate: float, keep_best: bool = True
    ) -> None:
        """Train the networks by AdamW until ``max_steps``, or until validation has stopped to improve.

        Parameters
        ----------
        stage : str
            Name of the stage, for history and checkpoint.
        objective : Objective
            What to minimise; holds the networks.
        max_steps : int
            Upper bound on steps.
        learning_rate : float
            Peak of the schedule.
        keep_best : bool, default=True
            Whether to go back at the end to the epoch of the best validation loss.

        Raises
        ------
        FloatingPointError
            If the loss stops being a finite number.
        """
        if stage in self._done:
            return
        partial, self._partial = self._partial, None
        self._guarded(lambda: self._minimise(stage, objective, max_steps, learning_rate, keep_best, partial))

    def _minimise(
        self,
        stage: str,
        objective: Objective,
        max_steps: int,
        learning_rate: float,
        keep_best: bool,
        partial: PartialStage | None,
    ) -> None:
        batch_size, per_epoch = self._plan(max_steps)
        n_epochs = self.n_epochs(max_steps)
        n_steps = n_epochs * per_epoch
        parameters = [parameter for parameter in objective.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(
            parameters, lr=learning_rate, weight_decay=self.training.weight_decay, fused=True
        )
        best, best_loss, best_epoch = _state(objective), math.inf, -1
        first, spent = 0, 0.0
        if partial is not None:
            objective.load_state_dict(partial.objective)
            load_optimiser(optimiser, partial.optimiser)
            best, best_loss, best_epoch = partial.best, partial.best_loss, partial.best_epoch
            first, spent = partial.epoch + 1, self.durations[stage]
        start = time.perf_counter() - spent
        self.progress.begin(stage, n_epochs, first)
        for epoch in range(first, n_epochs):
            if epoch - best_epoch > self.training.patience and best_epoch >= 0:
                break
            if objective.penalty is not None:
                objective.penalty.begin_epoch(epoch)
            terms = self._epoch(stage, epoch, per_epoch, n_steps, batch_size, objective, optimiser, learning_rate)
            validation, loss = self._validate(objective)
            if not math.isfinite(loss) or not math.isfinite(terms["loss"]):
                raise FloatingPointError(
                    f"the loss is not finite in stage {stage}, epoch {epoch}: lower training.learning_rate "
                    f"(now {learning_rate:g})"
                )
            if objective.penalty is not None:
                objective.penalty.end_epoch(terms)
            if loss < best_loss and (objective.penalty is None or objective.penalty.settled):
                best, best_loss, best_epoch = _state(objective), loss, epoch
            self.durations[stage] = time.perf_counter() - start
            record = {"stage": stage, "epoch": epoch, "step": (epoch + 1) * per_epoch}
            record |= {"seconds": sum(self.durations.values()), **terms, "validation_reconstruction": validation}
            self.history.append(record)
            self.progress.advance(record)
            if self._checkpoint is not None:
                partial = PartialStage(
                    stage, epoch, best_loss, best_epoch, _state(objective), best, optimiser_state(optimiser)
                )
                self._keep(partial, self.training.checkpoint_seconds)
        if keep_best and best_epoch >= 0:
            objective.load_state_dict(best)
        self.progress.end()
        self.durations[stage] = time.perf_counter() - start
        self._finish(stage)

    def _epoch(
        self,
        stage: str,
        epoch: int,
        per_epoch: int,
        n_steps: int,
        batch_size: int,
        objective: Objective,
        optimiser: torch.optim.Optimizer,
        learning_rate: float,
    ) -> dict[str, float]:
        generator = self._generator(stage, epoch)
        totals: dict[str, Tensor] = {}
        objective.train()
        for i, batch in enumerate(self._batches(per_epoch, batch_size, generator)):
            rate = _schedule(epoch * per_epoch + i, n_steps)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * rate
            optimiser.zero_grad(set_to_none=True)
            loss = objective(batch, generator)
            loss.total.backward()
            optimiser.step()
            for name, value in (("loss", loss.total.detach()), *loss.terms.items()):
                totals[name] = totals[name] + value if name in totals else value
        return {name: float(value) / per_epoch for name, value in totals.items()}

    def _batches(self, n_batches: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
        rows = self.data.train
        order = torch.empty(0, dtype=torch.long)
        for _ in range(n_batches):
            while len(order) < batch_size:
                order = torch.cat([order, torch.randperm(len(rows), generator=generator)])
            yield rows[order[:batch_size].to(rows.device)]
            order = order[batch_size:]

    def _validate(self, objective: Objective) -> tuple[float, float]:
        """Return the fraction of variance unexplained on the validation rows, and the loss there."""
        rows = self.data.validation
        objective.eval()
        with torch.no_grad():
            parts = [objective.reconstruction(part) * len(part) for part in torch.split(rows, EVALUATION_BATCH)]
            reconstruction = float(sum(parts[1:], parts[0])) / len(rows)
        if objective.penalty is None:
            return reconstruction, reconstruction
        # Always the same features and probes, so that epochs can be compared.
        generator = torch.Generator().manual_seed(self.seed)
        few = rows[: 4 * self.training.jacobian_samples]
        penalty = objective.penalty(objective.encoder, objective.decoder, few, rows.shape[1], generator)
        return reconstruction, reconstruction + float(penalty.total.detach())

    def _generator(self, stage: str, epoch: int) -> torch.Generator:
        stream = sum(ord(letter) * 257**i for i, letter in enumerate(stage)) % 1_000_003
        return torch.Generator().manual_seed((self.seed * 1_000_003 + stream) * 1_000_003 % 2**40 + epoch)

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})

    def _finish(self, stage: str) -> None:
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


def _schedule(step: int, n_steps: int) -> float:
    """Return the learning rate as a share of its peak: a rise over 2 % of the steps, then a cosine to zero."""
    rise = max(1.0, 0.02 * n_steps)
    return min(1.0, (step + 1) / rise) * 0.5 * (1 + math.cos(math.pi * step / n_steps))


def _state(module: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = module.state_dict()
    return {name: value.detach().clone() for name, value in state.items()}
