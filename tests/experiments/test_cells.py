"""The single-cell experiment: complete beforehand, told the network where that is right, written as it goes."""

import csv
import json
from dataclasses import replace
from importlib.machinery import ModuleSpec

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator

from identica import Training
from identica.cli import main
from identica.datasets import Regulon, TechnicalNoise, make_cells, make_regulon
from identica.experiments import CELL_METHODS, UnivariateLinearModel, reproduce, single_cell
from identica.experiments.baselines import is_installed
from identica.metrics import mean_r2

REGULON = make_regulon(30, 80, random_state=1)
QUICK = {"regulon": REGULON, "n_samples": 300, "n_test_samples": 150, "training": Training(max_steps=64)}


def test_decoupler_does_not_change_the_number_of_threads(monkeypatch):
    # Its numba does, after some orders of imports.
    decoupler = pytest.importorskip("decoupler")
    cells, given = make_cells(50, 3, regulon=REGULON, random_state=0), decoupler.mt.ulm
    monkeypatch.setattr(decoupler.mt, "ulm", lambda **words: torch.set_num_threads(2) or given(**words))
    torch.set_num_threads(1)
    UnivariateLinearModel(cells.regulon.to_frame(), cells.genes).fit(cells.X).transform(cells.X)
    assert torch.get_num_threads() == 1


def test_a_folder_that_was_left_of_decoupler_is_not_decoupler(monkeypatch):
    found = ModuleSpec("decoupler", None, is_package=True)
    monkeypatch.setattr("identica.experiments.baselines.find_spec", lambda _: found)
    assert not is_installed()
    found.origin = "decoupler/__init__.py"
    assert is_installed()
    monkeypatch.setattr("identica.experiments.baselines.find_spec", lambda _: None)
    assert not is_installed()


def test_the_configuration_is_complete_beforehand():
    plan = single_cell(4, seeds=range(2), hill=4.0, **QUICK)
    assert list(plan.methods) == list(CELL_METHODS)
    assert plan.data["hill"] == 4.0
    assert plan.data["regulon"].factors == REGULON.factors[:4]
    assert plan.methods["ulm"].genes == make_cells(5, 4, regulon=REGULON).genes
    with pytest.raises(ValueError, match=r"method 'tsne' is unknown: use pca, .*, ulm"):
        single_cell(4, methods=["tsne"])


def test_all_methods_over_seeds(tmp_path, capsys):
    pytest.importorskip("decoupler")
    table = reproduce(single_cell(3, seeds=range(2), **QUICK), tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["seed"]) for row in rows] == [(m, s) for s in "01" for m in CELL_METHODS]
    assert {row["experiment"] for row in rows} == {"single-cell"}
    scores = [float(row["r2_mean"]) for row in rows if row["method"] == "pca"]
    line = next(line for line in table.splitlines() if line.startswith("pca"))
    assert line.split()[1:4] == ["2", f"{np.mean(scores):.3f}", f"{min(scores):.3f}"]
    assert "| pca |" in (tmp_path / "summary.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        *("results.csv", "summary.md", "r2_heatmaps.png", "report.html")
    }
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    explored = [name for name in CELL_METHODS if f'data-method="{name}"' in page]
    assert explored == [name for name in CELL_METHODS if name not in ("pca", "fastica", "ulm")]
    assert sum(gene in page for gene in make_cells(5, 3, regulon=REGULON).genes) > 20


class Broken(BaseEstimator):
    """A method that fails."""

    def fit(self, X, y=None):
        raise RuntimeError("broken")


def test_a_method_that_fails_costs_none_that_came_before(tmp_path):
    plan = single_cell(2, methods=["pca"], seeds=range(2), **QUICK)
    plan = replace(plan, methods={"pca": plan.methods["pca"], "broken": Broken()})
    with pytest.raises(RuntimeError, match="broken"):
        reproduce(plan, tmp_path)
    with (tmp_path / "results.partial.csv").open(newline="") as file:
        assert [(row["method"], row["seed"]) for row in csv.DictReader(file)] == [("pca", "0")]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_that_fails_leaves_the_results_of_an_earlier_one_whole(tmp_path):
    plan = single_cell(2, methods=["pca", "fastica"], seeds=range(2), **QUICK)
    reproduce(plan, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RuntimeError, match="broken"):
        reproduce(replace(plan, methods={"pca": plan.methods["pca"], "broken": Broken()}), tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.pop("results.partial.csv")
    assert after == before
    generator = plan.generator

    def second_is_interrupted(*arguments, random_state, **words):
        if random_state == 1:
            raise KeyboardInterrupt
        return generator(*arguments, random_state=random_state, **words)

    with pytest.raises(KeyboardInterrupt):
        reproduce(replace(plan, generator=second_is_interrupted, data={**plan.data, "hill": 3.0}), tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.pop("results.partial.csv").count(b"\n") == 3
    assert after == before
    reproduce(plan, tmp_path)
    assert set(before) == {path.name for path in tmp_path.iterdir()}


def test_a_factor_that_acts_on_every_gene_is_nothing_for_the_supervised_model():
    pytest.importorskip("decoupler")
    rows = [(a, b, 1.0) for a in "AB" for b in "xyz"] + [("C", "x", 1.0)]
    regulon = Regulon.from_frame(pd.DataFrame(rows, columns=["source", "target", "weight"]))
    with pytest.raises(ValueError, match="'A' acts on all of them"):
        single_cell(3, regulon=regulon, methods=["ulm"])
    assert "ulm" not in single_cell(3, regulon=regulon).methods
    cells = make_cells(50, 3, regulon=REGULON, random_state=0)
    model = UnivariateLinearModel(cells.regulon.to_frame(), cells.genes)
    with pytest.raises(ValueError, match="no gene's expression varies"):
        model.fit(np.zeros((50, len(cells.genes))))


def test_the_supervised_model_is_decoupler_s():
    pytest.importorskip("decoupler")
    cells = make_cells(400, 3, regulon=REGULON, random_state=0)
    model = UnivariateLinearModel(cells.regulon.to_frame(), cells.genes).fit(cells.X)
    found = model.transform(cells.X)
    # A t value of the slope of standardised expression on the weights, by hand.
    factor = sorted(cells.factors)[1]
    weights = cells.regulon.matrix([factor], cells.genes)[:, 0]
    cell = ((cells.X - cells.X.mean(0)) / cells.X.std(0))[7]
    r = np.corrcoef(weights, cell)[0, 1]
    assert found[7, 1] == pytest.approx(r * np.sqrt((len(cell) - 2) / (1 - r * r)), rel=1e-4)
    assert mean_r2(cells.latents, found) > 0.5


def test_options_of_the_command_reach_the_simulation(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr("identica.experiments.single_cell", lambda d, **words: given.append({"d": d, **words}))
    monkeypatch.setattr("identica.experiments.reproduce", lambda plan, folder: "")
    options = {
        "correlation": 0.1, "fold": 9.0, "cross_talk": 0.3, "hill": 3.0, "half_responses": "edge", "noise": "sp",
        "noise_strength": 0.7,
    }  # fmt: skip
    words = [str(part) for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    words += ["--outliers", "0.1", "--library-size", "6", "--dropout", "50", "--counts", "-d", "3", "--types", "4"]
    words += ["--preset", "clean", "--within-types", "0", "--batches", "2", "--batch-shift", "1", "--doublets", "0.1"]
    assert main(["reproduce", "single-cell", *words, "--output", str(tmp_path)]) == 0
    (found,) = given
    assert {name: found[name] for name in options} == options
    assert found["d"] == 3
    tissue = {"preset": "clean", "n_types": 4, "within_types": 0, "n_batches": 2, "batch_shift": 1, "doublets": 0.1}
    assert {name: found[name] for name in tissue} == tissue
    assert found["technical"] == TechnicalNoise(outlier_share=0.1, library_mean=6, dropout_percentile=50, counts=True)


def test_a_network_is_cleaned_before_the_largest_factors_are_taken():
    rows = [("BIG", target, 0.0) for target in "abcdefgh"] + [(tf, target, 1.0) for tf in "XY" for target in "abcd"]
    frame = pd.DataFrame([*rows, ("X", "e", -1.0)], columns=["source", "target", "weight"])
    assert Regulon.from_frame(frame).largest(1).factors == ("BIG",)
    plan = single_cell(2, regulon=Regulon.from_frame(frame), methods=["pca"])
    assert plan.data["regulon"].factors == ("X", "Y")


def test_the_command_reproduces_with_a_network_of_one_s_own(tmp_path, capsys):
    frame = REGULON.to_frame()
    frame.to_csv(tmp_path / "net.tsv", sep="\t", index=False)
    words = ["reproduce", "single-cell", "-d", "3", "-n", "200", "--regulon", str(tmp_path / "net.tsv"), "--counts"]
    words += ["--methods", "pca", "polytopic", "--seeds", "2", "--output", str(tmp_path / "out")]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "polytopic" in shown.out
    assert pd.read_csv(tmp_path / "out" / "results.csv")["n_features"].nunique() == 1
    assert main([*words[:-1], str(tmp_path / "new"), "--seeds", "0"]) == 2
    assert "seeds=0 is not possible" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_the_command_compares_mixtures(tmp_path):
    words = ["reproduce", "mixture", "--family", "linear", "-n", "200", "--methods", "pca"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    assert len(pd.read_csv(tmp_path / "results.csv")) == 1


def test_the_command_simulates_cells(tmp_path):
    anndata = pytest.importorskip("anndata")
    words = ["simulate", "single-cell", "-d", "3", "-n", "40", "--n-bins", "2", "--noise", "dpd", "--dropout", "50"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    names = {"X.npy", "X.csv", "latents.csv", "obs.csv", "regulon.tsv", "cells.h5ad", "parameters.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(read.X, np.load(tmp_path / "X.npy"))
    assert (read.X == 0).mean() > 0.3
    assert list(pd.read_csv(tmp_path / "regulon.tsv", sep="\t")) == ["source", "target", "weight"]


def test_the_command_writes_types_batches_and_doublets(tmp_path):
    anndata = pytest.importorskip("anndata")
    words = [
        "simulate",
        "single-cell",
        "-d",
        "2",
        "-n",
        "40",
        "--preset",
        "10x",
        "--types",
        "3",
        "--within-types",
        "0.2",
    ]
    words += ["--batches", "4", "--batch-shift", "0.7", "--doublets", "0.25"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    settings = {"n_types": 3, "within_types": 0.2, "n_batches": 4, "batch_shift": 0.7, "doublets": 0.25}
    cells = make_cells(40, 2, preset="10x", random_state=0, **settings)
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), cells.X)
    obs = anndata.read_h5ad(tmp_path / "cells.h5ad").obs
    assert obs["cell_type"].tolist() == [f"type_{b}" for b in cells.bins]
    assert obs["batch"].tolist() == [f"batch_{b}" for b in cells.batches]
    assert obs["doublet"].tolist() == cells.doublets.tolist()
    assert (obs["cell_type"].nunique(), obs["batch"].nunique(), obs["doublet"].sum()) == (3, 4, 10)
    read = pd.read_csv(tmp_path / "obs.csv", index_col="cell")
    pd.testing.assert_frame_equal(read, obs, check_dtype=False, check_categorical=False, check_names=False)
    assert list(read.index) == list(pd.read_csv(tmp_path / "X.csv", index_col=0).index)
    recorded = json.loads((tmp_path / "parameters.json").read_text())
    shown = {"preset": "10x", "types": 3, "within_types": 0.2, "batches": 4, "batch_shift": 0.7, "doublets": 0.25}
    assert {name: recorded[name] for name in shown} == shown
    # Cells of one kind, which need nothing said of them: no table of other cells is left beside them.
    assert main(["simulate", "single-cell", "-d", "2", "-n", "9", "--output", str(tmp_path)]) == 0
    assert pd.read_csv(tmp_path / "obs.csv").to_dict("list") == {"cell": [f"cell_{i}" for i in range(9)]}


def test_the_command_passes_its_settings_on(tmp_path):
    words = ["--fold", "9", "--hill", "3", "--cross-talk", "0.1", "--half-responses", "edge", "--correlation", "0.2"]
    assert main(["simulate", "single-cell", "-d", "2", "-n", "20", "--output", str(tmp_path), *words]) == 0
    settings = {"fold": 9.0, "hill": 3.0, "cross_talk": 0.1, "half_responses": "edge", "correlation": 0.2}
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), make_cells(20, 2, random_state=0, **settings).X)


def test_a_single_factor_is_told_without_the_supervised_model():
    assert "ulm" not in single_cell(1, regulon=REGULON).methods
    with pytest.raises(ValueError, match="the method ulm needs genes that a factor does not act on"):
        single_cell(1, regulon=REGULON, methods=["ulm"])


def test_a_tool_that_is_missing_is_left_out_unless_it_is_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("identica.experiments.baselines.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"the method ulm needs decoupler.*or choose other methods"):
        single_cell(2, methods=["pca", "ulm"])
    with pytest.warns(UserWarning, match="the method ulm is left out, since decoupler is not installed: pip install"):
        assert list(single_cell(2).methods) == [name for name in CELL_METHODS if name != "ulm"]
    assert list(single_cell(2, methods=["pca"]).methods) == ["pca"]
    monkeypatch.setattr("identica.experiments.cells.METHODS", ("pca",))
    monkeypatch.setattr("identica.experiments.cells.CELL_METHODS", ("pca", "ulm"))
    words = ["reproduce", "single-cell", "-d", "2", "-n", "30", "--output", str(tmp_path)]
    assert main(words) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "ulm" in line]
    assert len(said) == 1
    assert said[0].startswith("identica: warning: the method ulm is left out")


def test_the_network_that_is_read_is_not_written_over(tmp_path, capsys):
    network = tmp_path / "results.csv"
    network.write_text("source,target,weight\nA,x,1\nA,y,-1\n")
    words = ["reproduce", "single-cell", "-d", "1", "--methods", "pca", "--regulon", str(network)]
    assert main([*words, "--output", str(tmp_path)]) == 2
    assert "that is read and would be lost" in capsys.readouterr().err
    assert network.read_text().startswith("source,target,weight")
