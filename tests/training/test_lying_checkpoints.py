"""Checkpoints from strangers, with checksums and fingerprints that are right: one sentence, never a traceback."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_cases import small_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lies import VALUES, deep, opened, places, put, without, write

from identica import DICA, Dense, PolytopicFactorization, Staged, Training
from identica.io import DataError
from identica.training import checkpoint
from identica.training.trainer import Trainer

QUICK = Training(max_steps=130, batch_size=32, learning_rate=0.02)


def _model() -> DICA:
    return DICA(2, n_init=1, network=Dense(hidden=(4,)), solver=Staged(restarts=2), training=QUICK, random_state=0)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of one fit: within its first stage, within its refine stage, and at its end."""
    folder = tmp_path_factory.mktemp("checkpoints")
    seen: dict[str, Path] = {}

    def kept(path, snapshots):
        written(path, snapshots)
        (snapshot,) = snapshots.values()
        name = "end" if snapshot.partial is None else snapshot.partial.name
        seen[name] = folder / name
        seen[name].write_bytes(path.read_bytes())

    with pytest.MonkeyPatch.context() as patched:
        written = checkpoint.write_snapshots
        patched.setattr(checkpoint, "write_snapshots", kept)
        patched.setattr(Trainer, "minimise", _eager(Trainer.minimise))
        _model().fit(small_data(), checkpoint=folder / "fit")
    assert {"reconstruct", "refine", "end"} <= seen.keys(), seen.keys()
    return seen


def _eager(minimise):
    """Write the checkpoint after every epoch."""

    def run(self, *args, **options):
        self._checkpoint.seconds = -1.0
        return minimise(self, *args, **options)

    return run


def _go_on(path: Path) -> DICA:
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    return _model().fit(small_data(), checkpoint=copy, resume=True)


def _refused(path: Path, complaint: str = ".") -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        _go_on(path)
    assert "delete it and start the fit anew" in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("moment", ["reconstruct", "refine", "end"])
def test_what_nobody_has_changed_goes_on_to_the_same_result(moments, moment):
    expected = _model().fit(small_data()).transform(small_data())
    np.testing.assert_array_equal(_go_on(moments[moment]).transform(small_data()), expected)


@pytest.mark.parametrize("moment", ["reconstruct", "refine", "end"])
def test_tensors_of_other_names_shapes_and_types(moments, moment, tmp_path):
    texts, tensors = opened(moments[moment])
    path = tmp_path / "lie"
    groups = {}
    for name, tensor in tensors.items():
        groups.setdefault(name.rsplit("/", 1)[0] if "optimiser" in name else name.rsplit("|", 1)[0], (name, tensor))
    for name, tensor in groups.values():
        others = {other: kept for other, kept in tensors.items() if other != name}
        lies = [others, others | {f"{name}x": tensor}, tensors | {name: torch.zeros(*tensor.shape, 2)}]
        lies.append(tensors | {name: torch.zeros(tensor.shape, dtype=torch.complex64)})
        if "results" not in name:
            lies += [tensors | {name: tensor.half()}, tensors | {name: torch.full(tensor.shape, torch.nan)}]
        for lie in lies:
            _refused(write(path, texts, lie, "state"))


@pytest.mark.parametrize("name", ["weight", "0|weight", "1|networks|a", "x|networks|a", "0|other|a", "0|results/zz|a"])
def test_names_of_tensors_that_mean_nothing(moments, tmp_path, name):
    texts, tensors = opened(moments["refine"])
    _refused(write(tmp_path / "lie", texts, tensors | {name: torch.zeros(1)}, "state"), "it has the tensor")


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        ((), [], "state is a list"),
        (("0",), deep(70), "more than 64 lists or tables deep"),
        (("0", "widened"), 1, "widened is 1, and true or false"),
        (("0", "seed"), 10**30, "seed is a number beyond all range"),
        (("0", "history"), [], "history or its durations do not know"),
        (("0", "durations"), {}, "history or its durations do not know"),
        (("0", "partial", "name"), "align", "durations|comes next"),
        (("0", "partial", "epoch"), 10**12, "comes next"),
        (("0", "partial", "good_epoch"), 10**12, "a best epoch that is yet to come"),
        (("0", "done"), ["units", "reconstruct"], "it has the tensor"),
        (("0", "history", 0, "step"), "x", "step is 'x'"),
    ],
)
def test_headers(moments, tmp_path, place, value, complaint):
    texts, tensors = opened(moments["refine"])
    state = json.dumps(put(json.loads(texts["state"]), place, value))
    _refused(write(tmp_path / "lie", texts | {"state": state}, tensors, "state"), complaint)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [(("0",), deep(500), "lists or tables deep"), (("0", "widened"), 1, "widened is 1, and true or false is needed")],
)
def test_what_the_header_tells_is_told_before_torch_is_imported(moments, tmp_path, place, value, said):
    texts, tensors = opened(moments["refine"])
    state = json.dumps(put(json.loads(texts["state"]), place, value))
    (tmp_path / "out").mkdir()
    lie = write(tmp_path / "out" / "checkpoint.safetensors", texts | {"state": state}, tensors, "state")
    np.save(tmp_path / "data.npy", small_data())
    before = lie.read_bytes()
    words = ["fit", "data.npy", "-d", "2", "--output", "out", "--resume"]
    code = f"import sys; from identica.cli import main; print(main({words}), 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (run.stdout, run.stderr.count("\n")) == ("2 False\n", 1)
    assert said in run.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [lie.name]
    assert lie.read_bytes() == before


def test_every_key_is_needed(moments, tmp_path):
    texts, tensors = opened(moments["refine"])
    state = json.loads(texts["state"])
    state["0"]["history"] = state["0"]["history"][-1:]
    terms = {"reconstruction", "criterion", "reconstruct", "align", "units"}
    keys = [
        place for place in places(state) if len(place) > 1 and isinstance(place[-1], str) and place[-1] not in terms
    ]
    assert len(keys) > 10
    for place in keys:
        changed = json.dumps(without(state, place))
        _refused(write(tmp_path / "lie", texts | {"state": changed}, tensors, "state"))


@pytest.mark.parametrize("value", [-1.0, 1e18, torch.nan])
def test_steps_that_no_stage_can_have_had(moments, tmp_path, value):
    texts, tensors = opened(moments["refine"])
    lie = tensors | {"0|results/reconstruct|best_step": torch.tensor(value)}
    _refused(write(tmp_path / "lie", texts, lie, "state"), "best step of stage reconstruct")


def test_a_stage_that_is_said_to_be_over_must_have_given_something(moments, tmp_path):
    texts, tensors = opened(moments["reconstruct"])
    state = json.loads(texts["state"])
    for stage, complaint in (("units", "the stage units units is missing"), ("reconstruct", "best_step is missing")):
        changed = without(put(state, ("0", "done"), [stage]), ("0", "partial"))
        few = {name: tensor for name, tensor in tensors.items() if name.startswith("0|networks")}
        _refused(write(tmp_path / "lie", texts | {"state": json.dumps(changed)}, few, "state"), complaint)


def test_a_linear_fit_has_its_stage_checked_too(tmp_path):
    model, path = PolytopicFactorization(2, n_restarts=3, random_state=0), tmp_path / "fit"
    model.fit(small_data(), checkpoint=path)
    texts, tensors = opened(path)
    write(path, texts, tensors | {"0|results/align|criteria": torch.zeros(4)}, "state")
    with pytest.raises(DataError, match=r"of the stage align criteria has the shape \(4,\), and \(3,\) is needed"):
        model.fit(small_data(), checkpoint=path, resume=True)


def test_what_is_no_file_is_no_checkpoint(tmp_path):
    with pytest.raises(DataError, match="is damaged or no checkpoint"):
        checkpoint.read_snapshots(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_checkpoint_with_any_value_in_any_place_goes_on_or_is_refused(moments, tmp_path, data):
    texts, tensors = opened(moments["refine"])
    state = json.loads(texts["state"])
    place = data.draw(st.sampled_from(list(places(state))))
    changed = json.dumps(put(state, place, data.draw(VALUES)))
    path = write(tmp_path / "lie", texts | {"state": changed}, tensors, "state")
    # A fit of another fingerprint, and training that ends nowhere, are said by a ValueError of ours.
    with contextlib.suppress(DataError, ValueError):
        _go_on(path)
