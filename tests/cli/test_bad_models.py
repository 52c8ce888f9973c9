"""Models and tables that do not fit each other, or are damaged: one line, nothing written, status 2."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from cli_cases import small_data, write_small_csv
from safetensors import safe_open

from identica import load
from identica.cli import main


@pytest.mark.parametrize(
    ("columns", "names", "complaint"),
    [
        (
            slice(0, 5),
            True,
            "lacks 1 of the model's features ('gene_5'): give the 6 that it was fitted on, in any order",
        ),
        (slice(0, 5), False, "has 5 features and the model was fitted on 6"),
    ],
)
def test_transform_of_other_features(refused, small_model, columns, names, complaint):
    write_small_csv(Path("data.csv"), names=names)
    if names:
        lines = [line.split(",") for line in Path("data.csv").read_text().splitlines()]
        kept = [0, *(np.arange(1, 7)[columns])]
        Path("data.csv").write_text("\n".join(",".join(line[i] for i in kept) for line in lines))
    else:
        write_small_csv(Path("data.csv"), small_data()[:, columns], names=False)
    refused(["transform", str(small_model), "data.csv", "--output", "new/latents.csv"], complaint)


def test_transform_puts_features_into_the_models_order_and_says_so(small_model, tmp_path, capsys):
    write_small_csv(tmp_path / "data.csv")
    lines = [line.split(",") for line in (tmp_path / "data.csv").read_text().splitlines()]
    order = [0, 4, 6, 1, 5, 3, 2]
    (tmp_path / "moved.csv").write_text("\n".join(",".join(line[i] for i in order) for line in lines))
    for name in ("data", "moved"):
        words = [
            "transform",
            str(small_model),
            str(tmp_path / f"{name}.csv"),
            "--output",
            str(tmp_path / f"{name}.npy"),
        ]
        assert main(words) == 0
        said = capsys.readouterr().err
        assert ("has the model's features in another order, they are put into the model's" in said) == (name == "moved")
    np.testing.assert_array_equal(np.load(tmp_path / "data.npy"), np.load(tmp_path / "moved.npy"))


def test_transform_fills_missing_values_by_the_means_of_the_fit(small_model, tmp_path, capsys):
    write_small_csv(tmp_path / "data.csv")
    lines = [line.split(",") for line in (tmp_path / "data.csv").read_text().splitlines()]
    mean = str(load(small_model).mean_.ravel()[2])
    for name, field in (("lacking", "NA"), ("mean", mean)):
        lines[5][3] = field
        (tmp_path / f"{name}.csv").write_text("\n".join(map(",".join, lines)))
        words = [
            "transform",
            str(small_model),
            str(tmp_path / f"{name}.csv"),
            "--output",
            str(tmp_path / f"{name}.npy"),
        ]
        if name == "lacking":
            assert main(words) == 2
            assert "line 6, column 'gene_2' is missing, and 1 such" in capsys.readouterr().err
        assert main([*words, "--missing", "mean"]) == 0
        assert ("1 missing value(s) in 1 of 6 columns" in capsys.readouterr().err) == (name == "lacking")
    np.testing.assert_allclose(np.load(tmp_path / "lacking.npy"), np.load(tmp_path / "mean.npy"), atol=1e-5)


def test_transform_of_features_with_other_names(refused, small_model):
    write_small_csv(Path("data.csv"))
    Path("data.csv").write_text(Path("data.csv").read_text().replace("gene_3", "tf_3"))
    refused(
        ["transform", str(small_model), "data.csv", "--output", "latents.npy"],
        "lacks 1 of the model's features ('gene_3') and has 1 that the model does not know ('tf_3')",
    )


def test_models_that_cannot_be_read(refused, small_model):
    write_small_csv(Path("data.csv"))
    content = small_model.read_bytes()
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


def test_a_model_of_a_newer_version(refused, small_model):
    write_small_csv(Path("data.csv"))
    with safe_open(small_model, framework="pt") as file:
        header = file.metadata() | {"format_version": "99", "library_version": "9.9"}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    safetensors.torch.save_file(tensors, "new.safetensors", header)
    refused(["transform", "new.safetensors", "data.csv", "--output", "latents.npy"], "9.9")


def test_a_model_whose_numbers_are_damaged_or_missing(refused, small_model):
    write_small_csv(Path("data.csv"))
    with safe_open(small_model, framework="pt") as file:
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
            "spoilt.safetensors is damaged or no model (",
        )


def test_a_model_whose_header_is_damaged(refused, small_model):
    write_small_csv(Path("data.csv"))
    with safe_open(small_model, framework="pt") as file:
        header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    faults = [
        {key: value for key, value in header.items() if key != name}
        for name in ("configuration", "attributes", "sha256")
    ]
    others = {
        "configuration": ("2", "3"),
        "attributes": ("gene", "tf"),
        "sha256": (header["sha256"], header["sha256"][::-1]),
    }
    assert all(old in header[name] and old != new for name, (old, new) in others.items())
    faults += [header | {name: header[name].replace(*change)} for name, change in others.items()]
    for fault in faults:
        safetensors.torch.save_file(tensors, "spoilt.safetensors", fault)
        refused(["transform", "spoilt.safetensors", "data.csv", "--output", "latents.npy"], "is damaged or no model (")
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
def test_outputs_of_transform(refused, small_model, output, complaint):
    write_small_csv(Path("data.csv"))
    refused(["transform", str(small_model), "data.csv", "--output", output], complaint)


def test_transform_does_not_write_over_what_it_reads(refused, small_model):
    write_small_csv(Path("data.csv"))
    refused(
        ["transform", str(small_model), "data.csv", "--output", "./data.csv"], "output data.csv is the file data.csv"
    )
