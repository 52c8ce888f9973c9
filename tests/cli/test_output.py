"""Standard output that is closed, and names in text that a spreadsheet would take for formulas."""

import os
import subprocess
import sys

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
