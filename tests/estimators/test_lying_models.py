"""Model files from strangers, with checksums that are right: one sentence, no memory, never a traceback."""

import contextlib
import json
import resource
import subprocess
import sys
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from cli_cases import write_small_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lies import VALUES, deep, lying, opened, places, put, without, write

from identica import DICA, Training, load
from identica.estimators.model_faults import configuration_fault
from identica.io import DataError
from identica.io import tensors as tensor_files
from identica.io.budget import _written

SIGNED = ("configuration", "attributes")


def _refused(path: Path, complaint: str = ".") -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        load(path)
    assert len(str(caught.value)) < 1000


def _lie(model: Path, tmp_path: Path, text: str, place: tuple, value: object) -> Path:
    return lying(model, text, lambda values: put(values, place, value), SIGNED, tmp_path / "lie.safetensors")


def test_the_changed_file_loads_where_nothing_is_changed(small_model, tmp_path):
    assert load(lying(small_model, "attributes", lambda values: values, SIGNED, tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    "network",
    [
        {"hidden": [30_000, 30_000]},
        {"hidden": [10**9, 10**9]},
        {"hidden": [10**30]},
        {"hidden": [8] * 10**6},
        {"hidden": [8] * 900},
        {"kind": "convolutional", "channels": [10**9] * 16, "hidden": 10**9, "image_shape": [2, 3], "compact": None},
        {"kind": "convolutional", "channels": [4] * 10**5, "hidden": 4, "image_shape": [2, 3], "compact": None},
    ],
)
def test_networks_that_the_tensors_do_not_have_are_never_built(small_model, tmp_path, network):
    def change(values):
        changed = {**values["network"], **network}
        return {**values, "network": {name: value for name, value in changed.items() if value is not None}}

    path = lying(small_model, "configuration", change, SIGNED, tmp_path / "lie.safetensors")
    load(small_model)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _refused(path, "lie.safetensors is damaged or no model")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (("n_components",), 10**9, "n_components is 1000000000"),
        (("n_components",), 3, "component_strength_"),
        (("n_components",), True, r"configuration\.n_components is True, and a whole number from 1"),
        (("training", "batch_size"), 10**30, "batch_size="),
        (("training", "patience"), 30.0, "patience=30.0"),
        (("training", "refit_samples"), 10**12, "refit_samples=1000000000000 is out of range"),
        (("n_init",), 10**12, r"in the range \[1, 10000\]"),
        (("method",), ["dica"], r"configuration\.method is a list, and a text of 1 to 100 characters"),
        (("method",), "os.system", "method='os.system' is unknown"),
        (("solver",), {"kind": "identica.solvers.Direct"}, "solver.kind="),
        (("network", "kind"), {}, "network.kind="),
        (("device",), 5, "configuration.device is 5"),
        (("encoder",), 5, "configuration.encoder is 5"),
        (("encoder",), "Linear(6, 2)", r"with encoder=Linear\(6, 2\) of your own"),
        ((), [], "configuration is a list, and a table is needed"),
        (("training", "max_steps"), True, "max_steps"),
        (("verbose",), deep(70), "more than 64 lists or tables deep"),
    ],
)
def test_configurations(small_model, tmp_path, place, value, complaint):
    _refused(_lie(small_model, tmp_path, "configuration", place, value), complaint)


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (("n_features_in_",), 10**8, "sample_shape_"),
        (("n_features_in_",), "6", "n_features_in_ is '6', and a whole number from 1"),
        (("sample_shape_",), [2, 2], "sample_shape_"),
        (("rank_",), 5, "tensor encoder"),
        (("rank_",), 7, "attributes.rank_ is 7, for 2 components of 6 features"),
        (("rank_",), 1, "attributes.rank_ is 1"),
        (("feature_names_in_",), ["a"], "feature_names_in_ has 1 names of 6"),
        (("duplicates_",), [[0, 2]], r"duplicates_\[0\]\[1\] is 2"),
        (("history_", 0, "epoch"), "x", r"history_\[0\].epoch is 'x'"),
        (("starts_", 0, "kept"), 1, r"starts_\[0\].kept is 1, and true or false"),
        (("observed_", "counts"), {"mean_depth": 1.0, "limit": 5.0}, "observed.counts.intercept is missing"),
        (("observed_", "covariates"), [{"name": "a"}], r"covariates\[0\].levels is missing"),
        (
            ("observed_", "covariates"),
            [{"name": "a", "levels": None, "centre": [0.0], "scale": 0.0}],
            "no centre and scale that fit covariate 'a'",
        ),
        (("wild_rows_",), [-1], r"wild_rows_\[0\] is -1"),
    ],
)
def test_attributes(small_model, tmp_path, place, value, complaint):
    _refused(_lie(small_model, tmp_path, "attributes", place, value), complaint)


def test_a_configuration_is_what_a_fit_writes():
    assert configuration_fault({"a": {"b": 1}}, {"a": {"b": 1}}) is None
    for lie, said in (
        ({"a": {"b": True}}, "configuration.a.b is not as a fit writes it"),
        ({"a": {"b": 1, "c": 2}}, "configuration.a has the key 'c', which is not known"),
        ({"a": {}}, "configuration.a.b is missing"),
        ({"a": 1}, "configuration.a is not as a fit writes it"),
    ):
        assert configuration_fault(lie, {"a": {"b": 1}}) == said


@pytest.mark.parametrize("text", SIGNED)
def test_every_key_is_needed_and_no_other_is_known(small_model, tmp_path, text):
    texts, tensors = opened(small_model)
    values, path = json.loads(texts[text]), tmp_path / "lie.safetensors"
    optional = {"restart_agreement_", "pointwise_agreement_", "refined_", "feature_names_in_", "encoder", "decoder"}
    keys = [place for place in places(values) if place and isinstance(place[-1], str) and "history_" not in place]
    for place in keys:
        if place[-1] not in optional and "durations_" not in place[:-1] and place[-1] not in ("criterion", "agreement"):
            write(path, texts | {text: json.dumps(without(values, place))}, tensors, *SIGNED)
            _refused(path, f"{place[-1]}|method")
    write(path, texts | {text: json.dumps(values | {"colour": 1})}, tensors, *SIGNED)
    _refused(path, "colour")
    twice = texts[text].rstrip("}") + ', "history_": 0, "history_": 0}'
    write(path, texts | {text: twice}, tensors, *SIGNED)
    _refused(path, "not valid JSON")


def test_tensors(small_model, tmp_path):
    texts, tensors = opened(small_model)
    path = tmp_path / "lie.safetensors"
    for name, tensor in tensors.items():
        lies = [tensor.half(), tensor.to(torch.int64), torch.zeros(*tensor.shape, 2)]
        for lie in [*lies, *([] if name == "restarts_" else [torch.zeros(0)])]:
            _refused(write(path, texts, tensors | {name: lie}, *SIGNED), name)
        if name not in ("restarts_", "feature_units_"):
            others = {other: kept for other, kept in tensors.items() if other != name}
            _refused(write(path, texts, others, *SIGNED), name)
    _refused(write(path, texts, tensors | {"encoder.9.weight": torch.zeros(1)}, *SIGNED), "encoder.9.weight")
    _refused(write(path, texts, tensors | {"colour_": torch.zeros(1)}, *SIGNED), "colour_")
    for value in (0.0, -1.0, float("nan")):
        spoilt = tensors | {"scale_": torch.full_like(tensors["scale_"], value)}
        _refused(write(path, texts, spoilt, *SIGNED), "scale_")
    for name, tensor in tensors.items():
        for value in (float("nan"), float("inf")):
            spoilt = tensor.clone().flatten()
            spoilt[-1] = value
            lie = write(path, texts, tensors | {name: spoilt.reshape(tensor.shape)}, *SIGNED)
            _refused(lie, f"the array {name} has values that are not finite")
    lie = write(path, texts, tensors | {"feature_units_": torch.full_like(tensors["feature_units_"], -1.0)}, *SIGNED)
    _refused(lie, "feature_units_ has negative values")
    lie = write(path, texts, tensors | {"restarts_": torch.zeros(10_001, dtype=torch.float64)}, *SIGNED)
    _refused(lie, "and there are 10000 starts at most")


def test_a_file_of_holes_is_refused_before_its_tensors_are_read(small_model, tmp_path):
    content = small_model.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    begin = len(content) - 8 - length
    header["restarts_"] = {"dtype": "F64", "shape": [2**25], "data_offsets": [begin, begin + 2**28]}
    text = json.dumps(header).encode()
    path = tmp_path / "lie.safetensors"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + content[8 + length :])
        file.truncate(file.tell() + 2**28)
    if _written(path, 2**20) > 2**20:
        pytest.skip("files have no holes here")
    _refused(path, "holds bytes that were never written")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_infinities_of_modules_of_one_s_own_are_theirs(tmp_path):
    class Masked(torch.nn.Linear):
        def __init__(self):
            with torch.random.fork_rng():
                super().__init__(6, 2)
            self.register_buffer("mask", torch.tensor([float("-inf"), 0.0]))

    rows = np.random.default_rng(0).random((60, 6))
    model = DICA(2, encoder=Masked(), n_init=1, training=Training(max_steps=2), random_state=0).fit(rows)
    model.save(tmp_path / "own.safetensors")
    assert load(tmp_path / "own.safetensors", encoder=Masked()).encoder_ is not None


def test_a_long_header_and_many_tensors_are_refused_before_they_are_read(small_model):
    with patch.object(tensor_files, "LONGEST_HEADER", 100):
        _refused(small_model, "and 100 are the most")
    with patch.object(tensor_files, "MOST_TENSORS", 3):
        _refused(small_model, "and 3 are the most")


def test_tensors_beyond_the_limit_of_memory_are_refused(small_model, monkeypatch):
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "1KiB")
    _refused(small_model, "IDENTICA_MAX_MEMORY")


def test_the_command_says_one_line(refused, small_model, tmp_path):
    write_small_csv(Path("data.csv"))
    words = ["transform", "lie.safetensors", "data.csv", "--output", "latents.npy"]
    _lie(small_model, tmp_path, "attributes", ("history_",), deep(10_000 // 20))
    refused(words, "more than 64 lists or tables deep")
    _lie(small_model, tmp_path, "configuration", ("network", "hidden"), [30_000, 30_000])
    refused(words, "configuration.network.hidden asks for a layer of 30000, and no tensor has such a side")
    lying(small_model, "attributes", lambda values: without(values, ("rank_",)), SIGNED, Path("lie.safetensors"))
    refused(words, "attributes.rank_ is missing")


LIES = {
    "deep": ("attributes", lambda values: put(values, ("history_",), deep(500)), "lists or tables deep"),
    "missing": ("attributes", lambda values: without(values, ("rank_",)), "attributes.rank_ is missing"),
    "device": ("configuration", lambda values: without(values, ("device",)), "configuration.device is missing"),
    "wide": ("configuration", lambda values: put(values, ("network", "hidden"), [30_000] * 2), "a layer of 30000"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("command", ["transform", "check-sdi", "report"])
def test_what_the_header_tells_is_told_before_torch_is_imported(small_model, tmp_path, lie, command):
    text, change, said = LIES[lie]
    lying(small_model, text, change, SIGNED, tmp_path / "model.safetensors")
    write_small_csv(tmp_path / "data.csv")
    words = {
        "transform": ["transform", "model.safetensors", "data.csv", "--output", "z.npy"],
        "check-sdi": ["check-sdi", "model.safetensors", "data.csv"],
        "report": ["report", "."],
    }
    code = f"import sys; from identica.cli import main; print(main({words[command]}), 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (run.stdout, run.stderr.count("\n")) == ("2 False\n", 1)
    assert said in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "model.safetensors"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_model_with_any_value_in_any_place_loads_or_is_refused(small_model, tmp_path, data):
    texts, tensors = opened(small_model)
    text = data.draw(st.sampled_from(SIGNED))
    values = json.loads(texts[text])
    place = data.draw(st.sampled_from(list(places(values))))
    changed = json.dumps(put(values, place, data.draw(VALUES)))
    path = write(tmp_path / "lie.safetensors", texts | {text: changed}, tensors, *SIGNED)
    with contextlib.suppress(DataError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load(path)
        assert model.transform(torch.zeros(2, 6).numpy()).shape == (2, 2)
