"""Standard output that is closed, names that a spreadsheet would take for formulas, and cells that are copied."""

import os
import subprocess
import sys

import anndata
import numpy as np
import pytest
from cli_cases import QUICK, small_data

from identica.cli import main
from identica.io import read_table

PROGRAM = "import sys; from identica.cli import main; sys.exit(main())"


def started(words, unbuffered="", **streams):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], env=environment, stderr=subprocess.PIPE, timeout=100, **streams
    )


@pytest.mark.parametrize(("words", "unbuffered"), [(["--help"], ""), (["--version"], "1")])
def test_a_closed_pipe_ends_quietly(words, unbuffered):
    read, write = os.pipe()
    os.close(read)
    try:
        ended = started(words, unbuffered, stdout=write)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_work_that_is_done_before_the_pipe_is_closed_is_kept(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        ended = started(["simulate", "mixture", "-n", "20", "--output", str(tmp_path / "out")], stdout=write)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert (tmp_path / "out" / "parameters.json").is_file()


def test_no_standard_output_at_all():
    ended = started(["--help"], preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_names_of_samples_are_no_formulas(tmp_path, capsys):
    data, config = tmp_path / "x.csv", tmp_path / "quick.json"
    config.write_text(QUICK)
    rows = [",".join(map(repr, row)) for row in small_data().tolist()]
    lines = [f"=A{i},{row}" for i, row in enumerate(rows)]
    data.write_text("\n".join(["," + ",".join(f"g{j}" for j in range(6)), *lines]) + "\n")
    fit = ["fit", str(data), "-d", "2", "--config", str(config), "--output", str(tmp_path / "out")]
    assert main([*fit, "--quote-formulas"]) == 0, capsys.readouterr().err
    quoted = read_table(tmp_path / "out" / "latents.csv")
    assert quoted.row_names[:2] == ("'=A0", "'=A1")
    transform = ["transform", str(tmp_path / "out" / "model.safetensors"), str(data), "--output"]
    for options, mark in (([], ""), (["--quote-formulas"], "'")):
        assert main([*transform, str(tmp_path / "z.tsv"), *options]) == 0
        again = read_table(tmp_path / "z.tsv")
        assert again.row_names[:2] == (f"{mark}=A0", f"{mark}=A1")
        assert again.values.tolist() == quoted.values.tolist()


def test_names_of_simulated_genes_are_no_formulas(tmp_path):
    (tmp_path / "net.csv").write_text("source,target,weight\n=A,@x,1\n=A,y,-1\nB,y,1\nB,z,1\n")
    words = ["simulate", "single-cell", "-d", "2", "-n", "20", "--regulon", str(tmp_path / "net.csv"), "--output"]
    assert main([*words, str(tmp_path / "out"), "--quote-formulas"]) == 0
    assert "'@x" in read_table(tmp_path / "out" / "X.csv").feature_names
    assert "'=A" in read_table(tmp_path / "out" / "latents.csv").feature_names
    assert "'=A\t'@x\t" in (tmp_path / "out" / "regulon.tsv").read_text()


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data", "ignore::UserWarning:anndata")
def test_the_limit_counts_all_that_is_copied_and_is_asked_before_the_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    anndata.AnnData(small_data(), uns={"beside": np.random.default_rng(0).random(10**5)}).write_zarr("cells.zarr")
    fit = ["fit", "cells.zarr", "--method", "polytopic", "-d", "2", "--output", "out", "--max-memory"]
    assert main([*fit, "500KiB", "--write-h5ad"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "781 KiB" in said
    assert not (tmp_path / "out").exists()
    assert main([*fit, "500KiB"]) == 0, capsys.readouterr().err
    assert main([*fit, "10MiB", "--write-h5ad"]) == 0, capsys.readouterr().err
    transform = ["transform", "out/model.safetensors", "cells.zarr", "--output", "x.h5ad", "--max-memory"]
    assert main([*transform, "500KiB"]) == 2
    assert not (tmp_path / "x.h5ad").exists()
    assert main([*transform, "10MiB"]) == 0, capsys.readouterr().err
    assert anndata.read_h5ad("x.h5ad").uns["beside"].shape == (10**5,)
