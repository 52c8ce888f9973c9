"""The script of the counts writes cells, reads what other programs found in them, and keeps its rows."""

import csv
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def counts(tmp_path, monkeypatch):
    """Run the script on a few cells, and return its rows."""
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")

    def start(*words):
        given = ["--output", tmp_path / "out", "--data", "flat", "--cells", 300, *words]
        monkeypatch.setattr(sys, "argv", ["counts", *map(str, given)])
        runpy.run_path(str(FOLDER / "counts.py"), run_name="__main__")
        path = tmp_path / "out" / "results.csv"
        with path.open(newline="") as file:
            return {row["method"]: row for row in csv.DictReader(file)}

    return start


def test_latents_of_other_programs_are_scored_as_ours_are(counts, tmp_path, capsys):
    cells, latents = tmp_path / "cells", tmp_path / "latents"
    latents.mkdir()
    rows = counts("--methods", "supervised", "fastica-10")
    assert float(rows["supervised"]["r2"]) > float(rows["fastica-10"]["r2"]) > 0
    assert rows["fastica-10"]["components"] == "10"
    counts("--write", cells)
    with np.load(cells / "flat-0.npz") as data:
        assert data["train"].shape[0] == 300
        totals = data["test"].sum(axis=1)
    made = runpy.run_path(str(FOLDER / "counts.py"))["make_data"]("flat", None, 2300, 0)
    np.testing.assert_array_equal(totals, made[0][300:].sum(axis=1))
    np.savez(latents / "flat-0-drvi-10.npz", latents=made[1].latents[300:, ::-1], seconds=5.0)
    with pytest.raises(SystemExit):
        counts("--methods", "drvi-10")
    assert "give --rivals" in capsys.readouterr().err
    rows = counts("--methods", "drvi-10", "cnmf-32", "fastica-10", "--rivals", latents)
    assert set(rows) == {"supervised", "fastica-10", "drvi-10"}
    assert float(rows["drvi-10"]["r2"]) > 0.999
    assert float(rows["drvi-10"]["seconds"]) == 5
    assert capsys.readouterr().out.count("'method': 'fastica-10'") == 0
