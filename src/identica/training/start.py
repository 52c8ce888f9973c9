"""One start of a fit: networks that begin somewhere, the data they see, and the record of what they have come to."""

from __future__ import annotations

import hashlib
import math
import threading
from typing import Any

import torch
from torch import Tensor, nn

from identica.criteria import JacobianSample, Penalty
from identica.likelihoods import CountLikelihood
from identica.training.checkpoint import Checkpoint, PartialStage, Snapshot
from identica.training.descent import Data, Descent
from identica.training.early_stopping import state_of
from identica.training.objective import Objective
from identica.training.plan import Training
from identica.training.progress import Progress
from identica.training.schema import TRAINED, check_like, check_result

__all__ = ["Start"]

MIN_STEPS_PER_EPOCH = 32
ROWS_PER_COMPONENT = 6


class Start:
    """Networks, data and settings of one start, the record of what it has done, and its snapshot.

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
    wide_data : Data, optional
        The same rows as features, where ``data`` has coordinates of a compact space and the start may be widened.
    number : int
        Of this start.
    basis : str
        Where its latents begin, for the record.
    checkpoint : Checkpoint, optional
        Takes a snapshot after each epoch.
    fingerprint : str
        Of data and configuration: a snapshot of another fit is refused.
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
        wide_data: Data | None = None,
        number: int = 0,
        basis: str = "principal",
        checkpoint: Checkpoint | None = None,
        fingerprint: str = "",
    ) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.data = self.narrow_data = data
        self.training = training
        self.seed = seed
        self.linear_error = linear_error
        self.wide_data = wide_data
        self.progress = progress
        self.number = number
        self.basis = basis
        self.units: Tensor | None = None
        self.stop = threading.Event()
        self.history: list[dict[str, Any]] = []
        self.durations: dict[str, float] = {}
        self.results: dict[str, dict[str, Tensor]] = {}
        self._checkpoint = Checkpoint(None, 0.0) if checkpoint is None else checkpoint
        self._fingerprint = fingerprint
        self.suffix = ""
        self._done: tuple[str, ...] = ()
        self._partial: PartialStage | None = None

    def is_wider(self, snapshot: Snapshot) -> bool:
        """Tell whether a snapshot was taken after the start had gone over to features, which this one has not.

        Parameters
        ----------
        snapshot : Snapshot
            Of this start.

        Returns
        -------
        bool
            Whether its networks see features there; shapes do not tell where the compact space is as large.
        """
        return snapshot.widened and not self._is_widened

    @property
    def _is_widened(self) -> bool:
        return self.data is not self.narrow_data

    def resume(self, snapshot: Snapshot) -> None:
        """Take up the state that a checkpoint holds; stages that it has done will be skipped.

        Parameters
        ----------
        snapshot : Snapshot
            Of a fit of the same data with the same configuration.

        Raises
        ------
        ValueError
            If it belongs to another fit, or its networks are not like those of this start.
        """
        if snapshot.fingerprint != self._fingerprint:
            raise ValueError(
                "the checkpoint was written by a fit of other data or with other parameters: "
                "resume with those, or start anew without resuming"
            )
        networks = self._networks()
        check_like("the networks", snapshot.networks, networks.state_dict())
        for stage, found in snapshot.results.items():
            if not TRAINED.keys().isdisjoint(found):
                check_result(stage, found, TRAINED)
        self.history = snapshot.history
        self.durations = snapshot.durations
        self.results = snapshot.results
        networks.load_state_dict(snapshot.networks)
        self._done, self._partial = snapshot.done, snapshot.partial

    @property
    def n_components(self) -> int:
        """Number of latent components."""
        first: nn.Linear = self.decoder[0]  # type: ignore[assignment]
        return first.in_features

    @property
    def follows_counts(self) -> bool:
        """Whether it is trained on a likelihood of counts, now or once it has left the compact space."""
        data = self.data if self.wide_data is None else self.wide_data
        return isinstance(data.likelihood, CountLikelihood)

    @property
    def jacobian_sample(self) -> JacobianSample:
        """How much of the Jacobian a step looks at."""
        n_samples = self.training.n_jacobians(min(self.training.batch_size, len(self.data.train)))
        # A sample has a volume only with several rows for each component.
        n_rows = max(self.training.jacobian_features, ROWS_PER_COMPONENT * self.n_components)
        return self.sample(n_samples, n_rows, whole_volume=False)

    def sample(self, n_samples: int, n_rows: int, *, whole_volume: bool = True) -> JacobianSample:
        """Return how much of the Jacobian to look at, in the coordinates and in the units of this start.

        Parameters
        ----------
        n_samples, n_rows : int
            At how many samples, and how many rows of each.
        whole_volume : bool, default=True
            Whether in a compact space the volume is that of all rows.

        Returns
        -------
        JacobianSample
            Takes the Jacobians.
        """
        n_outputs = self.data.inputs(self.data.train[:1]).numel()
        return JacobianSample(
            n_samples, n_rows, self.data.loadings, self.units, n_outputs, whole_volume, self.data.direction
        )

    def objective(self, penalty: Penalty | None = None) -> Objective:
        """Make what to minimise of this start's networks and data.

        Parameters
        ----------
        penalty : Penalty, optional
            None for reconstruction alone.

        Returns
        -------
        Objective
            Holds the networks.
        """
        return Objective(self.encoder, self.decoder, self.data.likelihood, penalty, left_out=self.data.left_out)

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

    def is_done(self, stage: str) -> bool:
        """Tell whether a stage of the pass that is under way is over.

        Parameters
        ----------
        stage : str
            Its name.

        Returns
        -------
        bool
            False also where it never began.
        """
        return stage + self.suffix in self._done

    def latest(self, stage: str) -> dict[str, Tensor] | None:
        """Return what a stage gave, in the last pass over the data that had it.

        Parameters
        ----------
        stage : str
            Its name.

        Returns
        -------
        dict of str to Tensor or None
            What it gave; None if it did not run.
        """
        return self.results.get(stage + self.suffix, self.results.get(stage))

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

    def validate(self, *, trained: bool = False) -> float:
        """Return the fraction of variance unexplained on the validation rows, or on as many that were trained on.

        Parameters
        ----------
        trained : bool, default=False
            Which.

        Returns
        -------
        float
            0 for a perfect reconstruction.
        """
        data = self.data.trained() if trained else self.data
        plan = {"batch_size": 1, "per_epoch": 1, "n_epochs": 1, "learning_rate": 1.0, "weight_decay": 0.0}
        return Descent(self.objective(), data, **plan).validate(self.seed)[0]  # type: ignore[arg-type]

    def _generator(self, stage: str, epoch: int) -> torch.Generator:
        digest = hashlib.sha256(f"{self.seed} {stage} {epoch}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})

    def _keep(self, partial: PartialStage | None, *, now: bool = False) -> None:
        """Hand a snapshot to the checkpoint."""
        if self._checkpoint.path is None:
            return
        snapshot = Snapshot(
            fingerprint=self._fingerprint,
            seed=self.seed,
            done=self._done,
            networks=state_of(self._networks()),
            history=list(self.history),
            durations=dict(self.durations),
            results=dict(self.results),
            partial=partial,
            widened=self._is_widened,
        )
        self._checkpoint.put(self.number, snapshot, now=now)
