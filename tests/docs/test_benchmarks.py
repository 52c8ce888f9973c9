"""The scripts behind the tables in the documentation run, here on little; small real data with the very defaults."""

import csv
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from reference import shared

import identica.jacobian
from identica.datasets import TechnicalNoise, make_cells

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(tmp_path, monkeypatch):
    """Run a script as its user does, and return the folder that it has written."""
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")

    def start(name, *words):
        monkeypatch.setattr(sys, "argv", [name, *map(str, words), "--threads", "1", "--output", str(tmp_path / "out")])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        return tmp_path / "out"

    return start


def records(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_step_cost(benchmark, monkeypatch):
    shapes = []
    exact = identica.jacobian.jacobian_and_gram
    monkeypatch.setattr(
        "identica.jacobian.jacobian_and_gram",
        lambda decoder, latents, **options: shapes.append(latents.shape) or exact(decoder, latents, **options),
    )
    out = benchmark("step_cost", "--sizes", "30,2,8,32", "--rounds", 2)
    assert shapes
    assert set(shapes) == {(32, 2)}  # "exact" is the library's own, on the whole batch
    rows = records(out / "step_cost.csv")
    assert rows[0]["variant"] == "plain"
    assert float(rows[0]["ratio"]) == 1
    assert all(float(row["ratio"]) > 0 for row in rows)
    assert "jacfwd" in (out / "step_cost.md").read_text()


def test_recovery(benchmark):
    out = benchmark("recovery", "--mixtures", "linear", "--methods", "pca", "polytopic", "--seeds", 2, "--samples", 400)
    rows = records(out / "results.csv")
    assert [(row["method"], row["seed"]) for row in rows] == [
        *[("pca", "0"), ("polytopic", "0"), ("pca", "1"), ("polytopic", "1")]
    ]
    assert "polytopic" in (out / "table.md").read_text()


def test_noise(benchmark):
    methods = ("pca", "polytopic", "supervised")
    words = ["--methods", *methods, "--components", 3, "--samples", 300]
    out = benchmark("noise", "--noise", "none", "counts", *words)
    rows = records(out / "results.csv")
    r2 = {(row["noise"], row["method"]): float(row["r2_mean"]) for row in rows}
    assert set(r2) == {(noise, method) for noise in ("none", "counts") for method in methods}
    assert r2["counts", "polytopic"] < r2["none", "polytopic"] - 0.01
    assert r2["none", "supervised"] > 0.95 > r2["counts", "supervised"]
    assert "| mild | counts |" in (out / "table.md").read_text()
    benchmark("noise", "--resume", "--noise", "counts", "outliers", *words)
    assert len(records(out / "results.csv")) == 9


def test_labels(benchmark):
    pytest.importorskip("anndata")
    words = ["--curves", "mild", "--components", 2, "--seeds", 1, "--samples", 300, "--steps", 300]
    (row,) = records(benchmark("labels", *words) / "results.csv")
    assert row["named_rightly"] == "2"
    assert row["named_wrongly"] == row["named_after_shuffling"] == "0"


def test_simulator(tmp_path, monkeypatch, capsys):
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")

    def start(*words):
        monkeypatch.setattr(sys, "argv", ["simulator", *map(str, words), "--output", str(tmp_path / "out")])
        runpy.run_path(str(FOLDER / "simulator.py"), run_name="__main__")

    with pytest.raises(SystemExit):
        start("--targets", tmp_path / "targets.txt")
    assert "--targets and --masters belong together" in capsys.readouterr().err
    start("--rounds", 1)
    (row,) = re.findall(r"^\| identica \| ([\d.]+) ", (tmp_path / "out" / "simulator.md").read_text(), re.MULTILINE)
    assert float(row) > 0
    start("--reference", shared("reference/sergio"))
    lines = (tmp_path / "out" / "agreement.md").read_text().splitlines()[2:]
    steps = [float(line.split("|")[3]) for line in lines if "largest difference" in line]
    assert len(steps) == 4
    assert max(steps) < 1e-12
    assert len(lines) == 7


def test_choose(tmp_path, monkeypatch):
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")
    words = ["--part", "tuning", "--data", "linear-4", "-d", 4, "--samples", 300, "--steps", 60, "--jobs", 1]
    monkeypatch.setattr(sys, "argv", ["choose", *map(str, words), "--output", str(tmp_path / "out")])
    runpy.run_path(str(FOLDER / "choose.py"), run_name="__main__")
    (row,) = records(tmp_path / "out" / "results.csv")
    assert (row["data"], row["d"], row["recommended"]) == ("linear-4", "4", "4")
    assert "| linear-4 |" in (tmp_path / "out" / "table.md").read_text()


def test_pooled_cells_are_nearer_to_the_truth():
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")
    script = runpy.run_path(str(FOLDER / "noise.py"))
    cells = make_cells(1500, 3, technical=TechnicalNoise(counts=True), random_state=0)
    clean = script["normalised"](cells.clean)
    pooled = script["Pooling"](3).fit(cells.X).transform(cells.X)
    near, far = (np.square(X - clean).mean() for X in (pooled, script["normalised"](cells.X)))
    assert near < 0.3 * far


def test_stabilised_counts_have_the_same_noise_in_every_gene():
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")
    script = runpy.run_path(str(FOLDER / "noise.py"))
    counts = np.random.default_rng(0).poisson([4.0, 12.0, 60.0], size=(50_000, 3))
    np.testing.assert_allclose(script["stabilised"](counts).var(axis=0), 1, atol=0.04)


def test_time_to_recovery(benchmark):
    out = benchmark(
        *["time_to_recovery", "--mixtures", "linear", "--samples", 400, "--steps", 64, "--cap", 2, "--target", 0.5]
    )
    rows = records(out / "time_to_recovery.csv")
    assert {row["contender"] for row in rows} >= {"staged", "joint"}
    assert "linear" in (out / "time_to_recovery.md").read_text()


@pytest.mark.slow
def test_small_real_data_are_rebuilt_no_worse_than_by_pca(benchmark):
    pytest.importorskip("anndata")
    out = benchmark("small_data", "--data", "pbmc68k_reduced", "digits", "--components", 10, "--seeds", 1)
    paths = sorted(out.glob("*/run.json"))
    assert len(paths) == 2
    for path in paths:
        shares = json.loads(path.read_text())["held_out_variance_unexplained"]
        digits = path.parent.name.startswith("digits")
        # One held-out digit has a pixel that hardly any other has; in standardised units it decides alone.
        for unit in ("own_units",) if digits else ("standardised_units", "own_units"):
            assert shares[unit]["model"] <= shares[unit]["pca"] * (1 + 1e-3), (path.parent.name, unit)
        if digits:
            assert shares["own_units"]["model"] < 0.9 * shares["own_units"]["pca"]


def test_sdi_times(benchmark):
    out = benchmark("sdi_times", "--sizes", "dense,2,100", "two-sparse,3,60")
    rows = records(out / "results.csv")
    assert [(row["rows"], row["d"], row["part_1"]) for row in rows] == [
        ("dense", "2", "holds"),
        ("two-sparse", "3", "holds"),
    ]
    assert "| two-sparse | 3 | 60 | holds |" in (out / "table.md").read_text()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_on_dask(benchmark, capsys):
    pytest.importorskip("distributed", reason="dask is no extra of this library: pip install 'dask[distributed]'")
    with pytest.raises(SystemExit) as ended:
        benchmark("on_dask")
    assert ended.value.code == 0
    assert "12 fits on dask, 12 in one process: the same rows" in capsys.readouterr().out
