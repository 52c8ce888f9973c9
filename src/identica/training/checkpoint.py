"""The state of an unfinished fit, all its starts, as one safetensors file, written whole or not at all; no pickle."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import safetensors.torch
import torch
from torch import Tensor

from identica.io import DataError, atomic_write
from identica.io.checkpoint_header import CHECKPOINT_FORMAT, damage_of_checkpoint, read_starts
from identica.io.tensors import open_tensors
from identica.training.schema import check_like

__all__ = [
    "Checkpoint",
    "PartialStage",
    "Snapshot",
    "checksum",
    "find_snapshots",
    "load_optimiser",
    "optimiser_state",
    "read_snapshots",
    "write_snapshots",
]

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter, beside the number of its steps."""
UNUSED = "unused"


@final
@dataclass(frozen=True)
class PartialStage:
    """A stage of training that is under way, at the end of an epoch.

    Parameters
    ----------
    name : str
        The stage.
    epoch : int
        The epoch that has just ended.
    best_loss : float
        Best validation loss so far; infinite if there is none yet.
    best_epoch : int
        Its epoch; -1 if there is none yet.
    good_epoch : int
        The last epoch about as good; -1 if there is none yet.
    objective, best, optimiser : dict of str to Tensor
        State of the objective now, its state at the best epoch, and that of the optimiser.
    """

    name: str
    epoch: int
    best_loss: float
    best_epoch: int
    good_epoch: int
    objective: dict[str, Tensor]
    best: dict[str, Tensor]
    optimiser: dict[str, Tensor]


@final
@dataclass(frozen=True)
class Snapshot:
    """Everything that one start of a fit needs to go on as if it had not been interrupted.

    Parameters
    ----------
    fingerprint : str
        Of the data and the configuration.
    seed : int
        Of the fit.
    done : tuple of str
        Stages that are over.
    networks : dict of str to Tensor
        State of both networks.
    history : list of dict
        As in the trainer.
    durations : dict of str to float
        Seconds per stage.
    results : dict of str to dict of str to Tensor
        What the computed stages gave.
    partial : PartialStage, optional
        The stage under way.
    widened : bool, default=False
        Whether the networks have gone over from a compact space to features.
    """

    fingerprint: str
    seed: int
    done: tuple[str, ...]
    networks: dict[str, Tensor]
    history: list[dict[str, Any]]
    durations: dict[str, float]
    results: dict[str, dict[str, Tensor]]
    partial: PartialStage | None = field(default=None)
    widened: bool = False


def write_snapshots(path: Path, snapshots: Mapping[int, Snapshot]) -> None:
    """Write the snapshots of all starts, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    snapshots : mapping of int to Snapshot
        By the number of the start.
    """
    headers: dict[str, dict[str, Any]] = {}
    tensors: dict[str, Tensor] = {}
    for number, snapshot in sorted(snapshots.items()):
        groups = {"networks": snapshot.networks}
        groups |= {f"results/{stage}": members for stage, members in snapshot.results.items()}
        header: dict[str, Any] = {
            "fingerprint": snapshot.fingerprint,
            "seed": snapshot.seed,
            "done": snapshot.done,
            "history": snapshot.history,
            "durations": snapshot.durations,
            "widened": snapshot.widened,
        }
        if snapshot.partial is not None:
            partial = snapshot.partial
            groups |= {"objective": partial.objective, "best": partial.best, "optimiser": partial.optimiser}
            header["partial"] = {
                "name": partial.name,
                "epoch": partial.epoch,
                "best_loss": partial.best_loss,
                "best_epoch": partial.best_epoch,
                "good_epoch": partial.good_epoch,
            }
        headers[str(number)] = header
        tensors |= {
            f"{number}|{group}|{name}": tensor.detach().cpu().contiguous()
            for group, members in groups.items()
            for name, tensor in members.items()
        }
    state = json.dumps(headers)
    metadata = {"format": CHECKPOINT_FORMAT, "state": state, "sha256": checksum(tensors, state)}
    payload = safetensors.torch.save(tensors, metadata)
    with atomic_write(path) as file:
        file.write(payload)


def read_snapshots(path: Path) -> dict[int, Snapshot]:
    """Read the snapshots of all starts.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of int to Snapshot
        What :func:`write_snapshots` wrote.

    Raises
    ------
    DataError
        If the file is damaged or no checkpoint.
    """

    def damaged(reason: object) -> str:
        return damage_of_checkpoint(path, reason)

    with open_tensors(path, damaged) as opened:
        headers = read_starts(path, opened)
        tensors = opened.tensors()
    if opened.texts.get("sha256") != checksum(tensors, opened.texts["state"]):
        raise DataError(damaged("its checksum is not that of its content"))
    return {int(number): _assemble(header, number, tensors) for number, header in headers.items()}


@final
class Checkpoint:
    """Gathers the snapshots of starts that train side by side, and writes them into one file now and then.

    Parameters
    ----------
    path : Path or None
        The file; None keeps everything in memory and writes nothing.
    seconds : float
        Least time between two writings while starts train.
    snapshots : mapping of int to Snapshot, optional
        Those of an earlier run, to go on from.
    """

    def __init__(self, path: Path | None, seconds: float, snapshots: Mapping[int, Snapshot] | None = None) -> None:
        self.path = path
        self.seconds = seconds
        self._snapshots = dict(snapshots or {})
        self._written = time.monotonic()
        self._lock = threading.Lock()

    def put(self, number: int, snapshot: Snapshot, *, now: bool = False) -> None:
        """Take the newest snapshot of a start.

        Parameters
        ----------
        number : int
            Of the start.
        snapshot : Snapshot
            Its state.
        now : bool, default=False
            Whether to write at once, as at the end of a stage.
        """
        with self._lock:
            self._snapshots[number] = snapshot
            if self.path is not None and (now or time.monotonic() - self._written >= self.seconds):
                self._write(self.path)

    def flush(self) -> None:
        """Write what there is, as after an interruption."""
        with self._lock:
            if self.path is not None and self._snapshots:
                self._write(self.path)

    def _write(self, path: Path) -> None:
        write_snapshots(path, self._snapshots)
        self._written = time.monotonic()


def checksum(tensors: dict[str, Tensor], *texts: str | None) -> str:
    """Return a digest of everything that a safetensors file holds, by which a damaged one is told.

    Parameters
    ----------
    tensors : dict of str to Tensor
        On the CPU.
    *texts : str or None
        Of its header.

    Returns
    -------
    str
        SHA-256 as a hexadecimal number.
    """
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name in sorted(tensors):
        values = tensors[name].contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        if values.numel():
            digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _assemble(header: dict[str, Any], number: str, tensors: dict[str, Tensor]) -> Snapshot:
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        of, group, member = name.split("|", 2)
        if of == number:
            groups.setdefault(group, {})[member] = tensor
    partial = None
    if "partial" in header:
        # A group without tensors leaves no trace in the file.
        partial = PartialStage(
            **header["partial"],
            objective=groups.get("objective", {}),
            best=groups.get("best", {}),
            optimiser=groups.get("optimiser", {}),
        )
    return Snapshot(
        fingerprint=header["fingerprint"],
        seed=header["seed"],
        done=tuple(header["done"]),
        networks=groups["networks"],
        history=header["history"],
        durations=header["durations"],
        results={k.removeprefix("results/"): v for k, v in groups.items() if k.startswith("results/")},
        partial=partial,
        widened=header["widened"],
    )


def find_snapshots(path: str | os.PathLike[str] | None, resume: bool) -> dict[int, Snapshot]:
    """Read the snapshots to go on from, if there are any and going on is wanted.

    Parameters
    ----------
    path : path or None
        The checkpoint's file.
    resume : bool
        Whether to go on.

    Returns
    -------
    dict of int to Snapshot
        Empty where the fit is to start anew.

    Raises
    ------
    ValueError
        If going on is wanted and no path is given.
    """
    if not resume:
        return {}
    if path is None:
        raise ValueError("resume=True needs a checkpoint: pass the path of the file to go on from")
    return read_snapshots(Path(path)) if Path(path).exists() else {}


def optimiser_state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return a copy of an optimiser's state as named tensors.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
        Adam or AdamW.

    Returns
    -------
    dict of str to Tensor
        Names are "<index of the parameter>/<name>", and "<index>/unused" for a parameter without a state.
    """
    kept = optimiser.state_dict()["state"]
    state = {f"{i}/{name}": value.detach().clone() for i, entry in kept.items() for name, value in entry.items()}
    # A parameter that has never had a gradient has no state; that this is so is kept, too.
    return state | {f"{i}/{UNUSED}": torch.zeros(0) for i in range(len(_parameters(optimiser))) if i not in kept}


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser the state that :func:`optimiser_state` returned.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
        Of the same parameters in the same order.
    tensors : dict of str to Tensor
        Its state.

    Raises
    ------
    DataError
        If it is the state of other parameters.
    """
    wanted: dict[str, Tensor] = {}
    for i, parameter in enumerate(_parameters(optimiser)):
        if f"{i}/{UNUSED}" in tensors:
            wanted[f"{i}/{UNUSED}"] = torch.zeros(0)
        else:
            wanted |= {f"{i}/{name}": parameter for name in MOMENTS} | {f"{i}/step": torch.zeros(())}
    check_like("the optimiser", tensors, wanted)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        if name != UNUSED:  # A copy: the optimiser changes its state in place, and the snapshot may yet be written.
            state.setdefault(int(index), {})[name] = value.clone()
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
