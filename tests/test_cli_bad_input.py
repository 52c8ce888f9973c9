"""Bad input: one line on standard error, nothing written, status 2."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from cli_cases import QUICK, small_data, write_small_csv
from safetensors import safe_open

from identica import load
from identica.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of a table with names."""
    folder = tmp_path_factory.mktemp("model")
    write_small_csv(folder / "data.csv")
    (folder / "quick.json").write_text(QUICK)
    words = ["fit", str(folder / "data.csv"), "-d", "2", "--config", str(folder / "quick.json")]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder / "out" / "model.safetensors"


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command in a folder and check that it complains in one line and leaves the folder as it was."""
    monkeypatch.chdir(tmp_path)

    def run(words, complaint):
        before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        folders = {path for path in Path().rglob("*") if path.is_dir()}
        capsys.readouterr()
        assert main(words) == 2
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1
        assert shown.err.startswith("identica: error: ")
        assert complaint in shown.err
        assert shown.out == ""
        assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
        assert {path for path in Path().rglob("*") if path.is_dir()} == folders

    return run


def holed(row, column, value):
    X = small_data()
    X[row, column] = value
    return X


@pytest.mark.parametrize(
    ("X", "complaint"),
    [
        (holed(3, 1, np.nan), "NaN (a missing value) at row 3, column 1"),
        (holed(4, 2, -np.inf), "an infinite value at row 4, column 2"),
        (small_data()[:1], "data.npy has 1 row, a fit needs a minimum of 2"),
        (np.ones((5, 3)), "constant"),
        (small_data().astype(complex), "complex numbers"),
        (small_data() > 0, "booleans"),
        (small_data()[None], "data.npy has 1 row, a fit needs a minimum of 2"),
        (small_data()[None, None, None], "5 dimensions"),
        (small_data().astype(str), "text"),
    ],
)
def test_arrays_that_cannot_be_fitted(refused, X, complaint):
    np.save("data.npy", X)
    refused(["fit", "data.npy", "-d", "2", "--output", "new/out"], complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 fields where 2 are expected"),
        ("a,b\n1,2\n3,x\n", "column 'b' is not numeric"),
        ("a,b\n1,2\n3,nan\n", "the value at line 3, column 'b' is missing"),
        ("a,b\n1,2\n3,\n", "the value at line 3, column 'b' is missing"),
        ('"a\nb",b\n1,2\n-inf,4\n', "the value at line 4, column 'a\\nb' is infinite"),
        ("1,5;2,5\n2,5;3,5\n", "fields seem separated by semicolons (line 2)"),
        ("a,a\n1,2\n3,4\n", "'a' occurs twice"),
        ("", "is empty"),
        ("a,b\n", "is empty"),
        ("a,b\n1,2\n", "data.csv has 1 row, a fit needs a minimum of 2: samples go into rows"),
    ],
)
def test_text_files_that_cannot_be_fitted(refused, text, complaint):
    Path("data.csv").write_text(text)
    refused(["fit", "data.csv", "-d", "1", "--output", "out"], complaint)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-d", "0"], "n_components=0 is not possible, use at least 1"),
        (["-d", "-3"], "n_components=-3 is not possible"),
        (["-d", "7"], "n_components=7 exceeds n_features=6"),
        (["-d", "two"], "error: -d/--n-components: 'two' is not possible, give a whole number; For full helptext"),
        ([], "the number of components is not given, add -d N"),
        (["-d", "2", "--seed", "1.5"], "error: --seed: '1.5' is not possible, give a whole number; For full"),
        (["-d", "2", "--holdout", "many"], "error: --holdout: 'many' is not possible, give a number; For full"),
        (["-d", "2", "--holdout", "0.999"], "holdout=0.999 leaves 0 of 60 rows to fit on, use a smaller share"),
        (["-d", "2", "--output", ""], "an empty word was given after --output: give a value"),
        (["-d", "2", "--output="], "an empty word was given"),
        (["-d", "2", "--seed", "-1"], "seed -1 is not allowed"),
        (["-d", "2", "--seed", str(2**32)], "is not allowed, use an integer from 0 to 2**32 - 1"),
        (["-d", "2", "--holdout", "1"], "holdout=1.0 is not a share of the rows"),
        (["-d", "2", "--holdout", "nan"], "holdout=nan is not a share of the rows"),
        (["-d", "2", "--threads", "0"], "threads=0 is not possible"),
        (["-d", "2", "--threads", "100000"], "threads=100000 is not possible here, use 1 to"),
        (["-d", "2", "--device", "abacus"], "device='abacus' is not usable here"),
        (["-d", "2", "--layer", "counts"], "layer='counts' is for .h5ad files"),
        (["-d", "2", "--index-column", "cell"], "has no column 'cell'"),
        (["-d", "2", "--method", "magic"], "'magic' is unknown: use one of autoencoder, dica"),
        (["-d", "2", "--colour", "red"], "Unrecognized options: --colour"),
    ],
)
def test_arguments_that_cannot_be(refused, words, complaint):
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "--output", "out", *words], complaint)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Expected one of {fit, transform, traverse, score, report, simulate, reproduce, demo}"),
        (["nonsense"], "Unrecognized options: nonsense"),
        (["fit"], "Missing from identica fit: FILE"),
        (["score", "one.npy"], "Missing from identica score"),
        (["simulate", "weather", "--output", "out"], "weather"),
        (["simulate", "mixture"], "--output DIR"),
        (["fit", "none.csv", "-d", "2"], "none.csv does not exist"),
        (["fit", ".", "-d", "2"], ". is a directory, give a file"),
        (["demo", "--seed", "-1", "--output", "out"], "seed -1 is not allowed, use an integer from 0 to 2**32 - 1"),
        (["simulate", "mixture", "--output", "out", "--seed", "-1"], "seed -1 is not allowed"),
        (["score", "a.npy", "b.npy", "--seed", "-1"], "seed -1 is not allowed"),
        (["reproduce", "mixture", "--output", "o", "--methods"], "--methods names none: name some, or leave it out"),
        (["reproduce", "mixture", "--output", "o", "--methods", "magic"], "method 'magic' is unknown: use pca, "),
        (["reproduce", "single-cell", "--output", "o", "-n", "1"], "n_samples=1 is not possible, use at least 2"),
        (["reproduce", "single-cell", "--output", "o", "--seeds", "0"], "seeds=0 is not possible, use at least 1"),
        *(
            (
                [command, "single-cell", "--output", "o", "--noise-strength", "2"],
                "strength 2 was given without --noise:",
            )
            for command in ("simulate", "reproduce")
        ),
        (["reproduce", "single-cell", "--output", "o", "-d", "5000"], "error: -d 5000 is out of range: use from 1"),
        (["reproduce", "single-cell", "--output", "o", "--dropout", "-1"], "error: --dropout -1 is out of range: use"),
        (["simulate", "single-cell", "--output", "o", "-n", "0"], "error: -n 0 is out of range: use at least 1"),
        (["simulate", "single-cell", "--output", "o", "--outliers", "2"], "error: --outliers 2 is out of range: use"),
        (["simulate", "single-cell", "--output", "o", "--library-size", "999"], "error: --library-size 999 is out of"),
        (["simulate", "mixture", "-n", "1.5", "--output", "o"], "-n/--n-samples: '1.5' is not possible, give a whole"),
        (
            ["simulate", "mixture", "--output", "o", "--latents", "foo"],
            "invalid choice 'foo' for argument '--latents'. Expected one of ('uniform', 'dependent', 'gaussian')",
        ),
        (
            ["simulate", "mixture", "--output", "o", "--latents", "uniform", "--correlation", "0.9"],
            "correlation=0.9 was given for latents='uniform', which are independent",
        ),
    ],
)
def test_usage(refused, words, complaint):
    refused(words, complaint)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("c.yaml", "", "unknown ending '.yaml', use .toml or .json"),
        ("c.json", "{", "is not valid JSON"),
        ("c.toml", "= 3", "is not valid TOML"),
        ("c.json", "[1]", "holds no parameters"),
        ("c.json", '{"widht": 3}', "no parameter 'widht'"),
        ("c.json", '{"training": {"steps": 3}}', "no parameter 'steps'"),
        ("c.json", '{"training": {"max_steps": 0}}', "max_steps=0"),
        ("c.json", '{"training": {"refit_samples": "x"}}', "refit_samples='x' is not an integer"),
        ("c.json", '{"training": {"checkpoint_seconds": "x"}}', "checkpoint_seconds='x' is not a number"),
        ("c.json", '{"training": {"learning_rate": "fast"}}', "learning_rate='fast' is not a number"),
        ("c.json", '{"training": {"dtype": []}}', "dtype=[] is not known: use one of float32, float64"),
        ("c.json", '{"network": {"hidden": 5}}', "hidden=5 is no sequence"),
        ("c.json", '{"network": {"activation": []}}', "activation=[] is not known"),
        ("c.json", '{"network": 3}', "network=3"),
        ("c.json", '{"method": "pca"}', "'pca' is unknown"),
        ("c.json", '{"n_restarts": "many"}', "n_restarts"),
        ("c.json", '{"random_state": "dice"}', "seed 'dice' is not allowed"),
    ],
)
def test_configurations_that_cannot_be_used(refused, name, text, complaint):
    write_small_csv(Path("data.csv"))
    Path(name).write_text(text)
    refused(["fit", "data.csv", "-d", "2", "--config", name, "--output", "out"], complaint)


def test_a_configuration_without_a_number_of_components(refused):
    write_small_csv(Path("data.csv"))
    Path("c.json").write_text('{"n_components": true}')
    refused(["fit", "data.csv", "--config", "c.json", "--output", "out"], "n_components=True is not a number")


def test_a_configuration_that_is_not_there(refused):
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "-d", "2", "--config", "c.toml"], "c.toml cannot be read")


@pytest.mark.parametrize(
    ("output", "complaint"), [("data.csv", "is not a directory"), ("/proc/none", "cannot be written")]
)
@pytest.mark.parametrize(
    "words",
    [["fit", "data.csv", "-d", "2"], ["simulate", "mixture", "-n", "9"], ["score", "data.csv", "data.csv"]],
)
def test_output_directories_that_cannot_be_written(refused, words, output, complaint):
    write_small_csv(Path("data.csv"))
    refused([*words, "--output", output], complaint)


# -------------------------------------------------------------------------------------------------- transform


@pytest.mark.parametrize(
    ("columns", "names", "complaint"),
    [
        (slice(0, 5), True, "has 5 features and the model was fitted on 6"),
        (slice(0, 5), False, "has 5 features and the model was fitted on 6"),
        (
            [1, 0, 2, 3, 4, 5],
            True,
            "another order: column 0 (counted from 0) is 'gene_1' and should be 'gene_0'",
        ),
    ],
)
def test_transform_of_other_features(refused, model, columns, names, complaint):
    write_small_csv(Path("data.csv"), names=names)
    if names:
        lines = [line.split(",") for line in Path("data.csv").read_text().splitlines()]
        kept = [0, *(np.arange(1, 7)[columns])]
        Path("data.csv").write_text("\n".join(",".join(line[i] for i in kept) for line in lines))
    else:
        write_small_csv(Path("data.csv"), small_data()[:, columns], names=False)
    refused(["transform", str(model), "data.csv", "--output", "new/latents.csv"], complaint)


def test_transform_of_features_with_other_names(refused, model):
    write_small_csv(Path("data.csv"))
    Path("data.csv").write_text(Path("data.csv").read_text().replace("gene_3", "tf_3"))
    refused(["transform", str(model), "data.csv", "--output", "latents.npy"], "is 'tf_3' and should be 'gene_3'")


def test_models_that_cannot_be_read(refused, model):
    write_small_csv(Path("data.csv"))
    content = model.read_bytes()
    faults = {
        "cut": content[: len(content) // 2],
        "garbage": b"garbage" * 20,
        "empty": b"",
        "csv": b"a,b\n1,2\n",
    }
    for name, fault in faults.items():
        Path(f"{name}.safetensors").write_bytes(fault)
        refused(["transform", f"{name}.safetensors", "data.csv", "--output", "latents.npy"], f"{name}.safetensors")
    refused(["transform", "none.safetensors", "data.csv", "--output", "latents.npy"], "none.safetensors")
    refused(["transform", ".", "data.csv", "--output", "latents.npy"], ". is not a file")


def test_a_model_of_a_newer_version(refused, model):
    write_small_csv(Path("data.csv"))
    with safe_open(model, framework="pt") as file:
        header = file.metadata() | {"format_version": "99", "library_version": "9.9"}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    safetensors.torch.save_file(tensors, "new.safetensors", header)
    refused(["transform", "new.safetensors", "data.csv", "--output", "latents.npy"], "9.9")


def test_a_model_whose_numbers_are_damaged_or_missing(refused, model):
    write_small_csv(Path("data.csv"))
    with safe_open(model, framework="pt") as file:
        header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    faults = [{other: kept for other, kept in tensors.items() if other != name} for name in tensors]
    faults += [tensors | {name: tensor[..., :1].clone()} for name, tensor in tensors.items() if tensor.ndim]
    for name, tensor in tensors.items():
        nudged = tensor.clone()
        nudged.view(-1)[0] += 1
        faults.append(tensors | {name: nudged})
    for fault in faults:
        if all(torch.equal(fault.get(name, torch.zeros(0)), tensor) for name, tensor in tensors.items()):
            continue  # a tensor of one entry, cut to one entry
        safetensors.torch.save_file(fault, "spoilt.safetensors", header)
        refused(
            ["transform", "spoilt.safetensors", "data.csv", "--output", "latents.npy"],
            "spoilt.safetensors is damaged, its checksum is not that of its content",
        )


def test_a_model_whose_header_is_damaged(refused, model):
    write_small_csv(Path("data.csv"))
    with safe_open(model, framework="pt") as file:
        header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    faults = [
        {key: value for key, value in header.items() if key != name}
        for name in ("configuration", "attributes", "sha256")
    ]
    faults += [header | {name: header[name].replace("gene", "tf").replace("2", "3")} for name in
               ("configuration", "attributes", "sha256")]  # fmt: skip
    for fault in faults:
        safetensors.torch.save_file(tensors, "spoilt.safetensors", fault)
        refused(["transform", "spoilt.safetensors", "data.csv", "--output", "latents.npy"], "is damaged, its checksum")
    for version in ("\u00b2", ""):
        safetensors.torch.save_file(tensors, "spoilt.safetensors", header | {"format_version": version})
        refused(["transform", "spoilt.safetensors", "data.csv", "--output", "latents.npy"], "has no version of a model")


def test_a_safetensors_file_of_something_else(refused):
    write_small_csv(Path("data.csv"))
    safetensors.torch.save_file({}, "other.safetensors")
    refused(["transform", "other.safetensors", "data.csv", "--output", "latents.npy"], "no model of identica")


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("latents.txt", "unknown ending '.txt', use one of .npy, .csv, .tsv, .parquet"),
        ("data.csv/latents.npy", "is not a directory"),
        ("/proc/none/latents.npy", "cannot be written"),
    ],
)
def test_outputs_of_transform(refused, model, output, complaint):
    write_small_csv(Path("data.csv"))
    refused(["transform", str(model), "data.csv", "--output", output], complaint)


def test_transform_does_not_write_over_what_it_reads(refused, model):
    write_small_csv(Path("data.csv"))
    refused(["transform", str(model), "data.csv", "--output", "./data.csv"], "output data.csv is the file data.csv")


def test_fit_does_not_write_over_what_it_reads(refused):
    folder = Path("out")
    folder.mkdir()
    np.save(folder / "latents.npy", small_data())
    write_small_csv(folder / "history.csv")
    (folder / "run.json").write_text(QUICK)
    Path("linked.npy").symlink_to(folder / "latents.npy")
    lost = "that is read and would be lost, write to another place"
    for data in ("out/latents.npy", "linked.npy", "out/history.csv"):
        refused(["fit", data, "-d", "2", "--output", "out"], lost)
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "-d", "2", "--config", "out/run.json", "--output", "out"], lost)


def test_simulate_and_score_do_not_write_over_what_they_read(refused):
    Path("regulon.tsv").write_text("source\ttarget\tweight\nA\tB\t1\nA\tC\t-1\n")
    words = ["simulate", "single-cell", "-d", "1", "--regulon", "regulon.tsv", "--output", "."]
    refused(words, "output regulon.tsv is the file regulon.tsv")


# ------------------------------------------------------------------------------------------------------ score


def test_scores_of_different_rows(refused):
    np.save("a.npy", small_data())
    np.save("b.npy", small_data()[:-1])
    refused(["score", "a.npy", "b.npy", "--output", "out"], "a.npy has 60 rows and b.npy has 59")
    Path("a.csv").write_text(",s\nx,1\ny,2\n")
    Path("b.csv").write_text(",s\ny,1\nx,2\n")
    refused(["score", "a.csv", "b.csv", "--output", "out"], "name the same rows in another order")


# -------------------------------------------------------------------------------------------------- full disk


@pytest.mark.parametrize(
    "name", ["model.safetensors", "latents.npy", "latents.csv", "history.csv", "report.html", "run.json"]
)
def test_a_disk_that_is_full_at_the_end_of_a_fit(tmp_path, monkeypatch, capsys, name):
    write_small_csv(tmp_path / "data.csv")
    (tmp_path / "quick.json").write_text(QUICK)
    replace = Path.replace

    def fail(self, target):
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    words = ["fit", str(tmp_path / "data.csv"), "-d", "2", "--config", str(tmp_path / "quick.json")]
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    left = [path.name for path in (tmp_path / "out").iterdir()] if (tmp_path / "out").exists() else []
    assert name not in left
    assert "run.json" not in left
    assert not [path for path in left if path.endswith(".tmp")]
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"identica: error: {tmp_path / 'out' / name}: No space left on device"


def test_a_file_that_may_not_grow(tmp_path):
    """The operating system itself refuses to write on, in the middle of a file."""
    command = [sys.executable, "-c", "import sys; from identica.cli import main; sys.exit(main())"]
    words = ["simulate", "mixture", "-n", "2000", "-m", "10", "--output", str(tmp_path / "out")]
    run = subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert run.returncode == 2
    assert run.stderr == f"identica: error: {tmp_path / 'out' / 'X.npy'}: File too large\n"
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_of_at_most(size):
    """Let the operating system refuse to write on after so many bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_may_not_grow(tmp_path, capsys):
    write_small_csv(tmp_path / "data.csv")
    (tmp_path / "quick.json").write_text(QUICK)
    words = ["fit", str(tmp_path / "data.csv"), "-d", "2", "--config", str(tmp_path / "quick.json")]
    with files_of_at_most(2_000):
        assert main([*words, "--output", str(tmp_path / "out")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"identica: error: {tmp_path / 'out' / 'checkpoint.safetensors'}: File too large"
    assert not (tmp_path / "out").exists()


def test_a_model_that_may_not_grow_leaves_the_one_that_was_there(model, tmp_path):
    fitted = load(model)
    fitted.save(tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()
    with files_of_at_most(2_000), pytest.raises(OSError, match="File too large"):
        fitted.save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_traceback_on_request(monkeypatch):
    monkeypatch.setenv("IDENTICA_TRACEBACK", "1")
    with pytest.raises(ValueError, match=r"none\.csv does not exist"):
        main(["fit", "none.csv", "-d", "2"])
