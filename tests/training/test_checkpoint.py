"""Checkpoints: what is written comes back, and what is no checkpoint is refused in one sentence."""

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from decoders import build, draw
from torch import nn

from identica.io import DataError
from identica.io.checkpoint_header import CHECKPOINT_FORMAT
from identica.training.checkpoint import (
    PartialStage,
    Snapshot,
    checksum,
    load_optimiser,
    optimiser_state,
    read_snapshots,
    write_snapshots,
)

PARTIAL = PartialStage(
    name="refine",
    epoch=3,
    best_loss=0.25,
    best_epoch=2,
    good_epoch=3,
    objective={"encoder.0.weight": draw(2, 3), "penalty.bound": torch.tensor(1.5)},
    best={"encoder.0.weight": draw(2, 3, seed=2)},
    optimiser={"0/step": torch.tensor(7.0), "0/exp_avg": draw(2, 3, seed=3)},
)
RECORD = {"start": 0, "stage": "refine", "epoch": 3, "step": 128, "seconds": 1.5, "loss": 0.5, "volume": None}
RECORD |= {"validation_reconstruction": 0.25}
SNAPSHOT = Snapshot(
    fingerprint="ab12",
    seed=2**32 - 1,
    done=("reconstruct", "align"),
    networks={"encoder.0.weight": draw(2, 3).float(), "decoder.0.weight": draw(3, 2).T},
    history=[RECORD],
    durations={"reconstruct": 1.25, "refine": 2.5},
    results={"align": {"transform": draw(2, 2), "criteria": draw(4)}},
    partial=PARTIAL,
    widened=True,
)


@pytest.mark.parametrize(
    "snapshot",
    [
        SNAPSHOT,
        replace(SNAPSHOT, partial=None, results={}, done=(), history=[]),
        replace(SNAPSHOT, partial=replace(PARTIAL, best_loss=math.inf, best_epoch=-1, best={}, optimiser={})),
    ],
    ids=["whole", "between stages", "before the first validation"],
)
def test_what_is_written_comes_back(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "fit.checkpoint"
    write_snapshots(path, {3: snapshot, 0: copy.deepcopy(SNAPSHOT)})
    read = read_snapshots(path)
    assert sorted(read) == [0, 3]
    found = read[3]
    for name in ("fingerprint", "seed", "done", "history", "durations", "widened"):
        assert getattr(found, name) == getattr(snapshot, name)
    exact = {"rtol": 0, "atol": 0}
    torch.testing.assert_close(found.networks, snapshot.networks, **exact)
    torch.testing.assert_close(found.results, snapshot.results, **exact)
    if snapshot.partial is None:
        assert found.partial is None
    else:
        assert found.partial is not None
        for name in ("name", "epoch", "best_loss", "best_epoch"):
            assert getattr(found.partial, name) == getattr(snapshot.partial, name)
        for name in ("objective", "best", "optimiser"):
            torch.testing.assert_close(getattr(found.partial, name), getattr(snapshot.partial, name), **exact)
    assert [each.name for each in tmp_path.iterdir()] == ["fit.checkpoint"]


def test_an_optimiser_goes_on_as_if_nothing_had_happened() -> None:
    def step(module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        module(draw(4, 3)).square().sum().backward()
        optimiser.step()

    first = build(lambda: nn.Linear(3, 2))
    optimiser = torch.optim.Adam(first.parameters(), lr=0.1)
    step(first, optimiser)
    second = build(lambda: nn.Linear(3, 2))
    second.load_state_dict(first.state_dict())
    resumed = torch.optim.Adam(second.parameters(), lr=0.1)
    state = optimiser_state(optimiser)
    step(first, optimiser)  # the copy does not move along
    load_optimiser(resumed, state)
    step(second, resumed)
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)


def test_a_missing_file_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_snapshots(tmp_path / "none")


def _written(tmp_path: Path) -> bytes:
    path = tmp_path / "good"
    write_snapshots(path, {0: SNAPSHOT})
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no checkpoint at all",
        lambda whole: whole[:-10],
        lambda whole: whole[:100],
        lambda whole: whole[:8] + b"\xff" * 8 + whole[16:],
        lambda whole: b"\xff" * 8 + whole[8:],
    ],
    ids=["empty", "text", "cut in the tensors", "cut in the header", "header", "length"],
)
def test_a_damaged_file_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(damage(_written(tmp_path)))
    with pytest.raises(DataError, match=r"bad is damaged or no checkpoint.*delete it and start the fit anew"):
        read_snapshots(path)


def test_a_file_whose_numbers_have_changed_is_refused(tmp_path: Path) -> None:
    whole = bytearray(_written(tmp_path))
    whole[-3] ^= 1  # in a tensor: as good a safetensors file as before
    path = tmp_path / "bad"
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError, match=r"bad is damaged or no checkpoint.*its checksum is not that of its content"):
        read_snapshots(path)


def _header(**changes: object) -> str:
    header = {"fingerprint": "a", "seed": 0, "done": [], "history": [], "durations": {}, "widened": False} | changes
    return json.dumps({"0": {name: value for name, value in header.items() if value is not None}})


@pytest.mark.parametrize(
    "metadata",
    [
        {"format": CHECKPOINT_FORMAT},
        {"format": CHECKPOINT_FORMAT, "state": "{"},
        {"format": CHECKPOINT_FORMAT, "state": "[]"},
        {"format": CHECKPOINT_FORMAT, "state": "null"},
        *[
            {"format": CHECKPOINT_FORMAT, "state": _header(**{k: None})}
            for k in ("fingerprint", "seed", "done", "history")
        ],
        {"format": CHECKPOINT_FORMAT, "state": _header(done=3)},
        {"format": CHECKPOINT_FORMAT, "state": _header(partial={"name": "refine"})},
        {"format": CHECKPOINT_FORMAT, "state": _header(partial={"name": "refine", "colour": "red"})},
        {"format": CHECKPOINT_FORMAT, "state": _header(partial=3)},
    ],
)
def test_a_header_that_lacks_something_is_refused(metadata: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bad"
    tensors = {"0|networks|weight": torch.zeros(1)}
    signed = metadata | {"sha256": checksum(tensors, metadata.get("state"))}
    safetensors.torch.save_file(tensors, path, signed)
    with pytest.raises(DataError, match=r"bad is damaged or no checkpoint \((?!its checksum)"):
        read_snapshots(path)


def test_a_file_without_networks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    tensors, state = {"0|results/a|weight": torch.zeros(1)}, _header()
    metadata = {"format": CHECKPOINT_FORMAT, "state": state, "sha256": checksum(tensors, state)}
    safetensors.torch.save_file(tensors, path, metadata)
    with pytest.raises(
        DataError, match=r"bad is damaged or no checkpoint \(it has the tensor .*which is of nothing that start 0 has"
    ):
        read_snapshots(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"format": "identica-checkpoint-999"}])
def test_a_file_of_another_format_is_refused(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    path = tmp_path / "other"
    safetensors.torch.save_file({"0|networks|weight": torch.zeros(1)}, path, metadata)
    with pytest.raises(DataError, match=r"other is no checkpoint of this version.*delete it"):
        read_snapshots(path)
