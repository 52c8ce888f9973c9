"""The experiment on sprites: images all the way, R² and DCI of all methods."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from identica import Convolutional, Dense, Training
from identica.cli import main
from identica.datasets import SPRITE_FACTORS, make_sprites
from identica.experiments import METHODS, reproduce, run, sprites
from identica.io import read_table
from identica.metrics import dci, mean_r2

pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = {"n_samples": 200, "n_test_samples": 100, "size": 8, "training": Training(max_steps=48)}


def test_the_configuration_is_complete_beforehand():
    network = Convolutional((4,), hidden=8)
    plan = sprites(seeds=range(2), shape="ellipse", network=network, **QUICK)
    assert list(plan.methods) == list(METHODS)
    assert plan.methods["dica"].network == network
    assert plan.methods["dica"].n_components == len(SPRITE_FACTORS)
    assert dict(plan.data) == {"size": 8, "shape": "ellipse"}
    with pytest.raises(ValueError, match="method 'tsne' is unknown"):
        sprites(methods=["tsne"])
    with pytest.raises(ValueError, match="shape='star'"):
        sprites(shape="star")


def test_each_part_of_dci_has_its_own_name():
    (outcome,) = run(sprites(methods=["pca"], seeds=[3], **QUICK))
    X, latents = make_sprites(300, size=8, random_state=3)
    rows = X.reshape(300, -1)
    expected = dci(latents[200:], PCA(5, random_state=3).fit(rows[:200]).transform(rows[200:]))
    for name in ("disentanglement", "completeness", "informativeness"):
        assert outcome.fit.scores[f"dci_{name}"] == pytest.approx(getattr(expected, name), abs=0.03)
    assert abs(expected.disentanglement - expected.completeness) > 0.1


def test_methods_of_tables_see_pixels_as_they_are():
    plan = sprites(methods=["pca"], seeds=[3], **QUICK)
    (outcome,) = run(plan)
    X, latents = make_sprites(300, size=8, random_state=3)
    rows = X.reshape(300, -1).astype(float)
    axes = np.linalg.svd(rows[:200] - rows[:200].mean(0), full_matrices=False)[2][:5]
    found = (rows[200:] - rows[:200].mean(0)) @ axes.T
    assert outcome.fit.scores["r2_mean"] == pytest.approx(mean_r2(latents[200:], found), abs=2e-3)
    assert outcome.fit.scores["dci_informativeness"] == pytest.approx(
        dci(latents[200:], found).informativeness, abs=0.02
    )
    assert outcome.n_features == 64
    assert outcome.fit.pictures is not None


def test_all_methods_end_on_one_page(tmp_path, capsys):
    network = Convolutional((4,), hidden=8)
    table = reproduce(sprites(seeds=range(2), network=network, **QUICK), tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["seed"]) for row in rows] == [(m, s) for s in "01" for m in METHODS]
    for row in rows:
        for name in ("dci_disentanglement", "dci_completeness", "r2_mean"):
            assert 0 <= float(row[name]) <= 1
    mine = [float(row["dci_completeness"]) for row in rows if row["method"] == "dica"]
    header, line = table.splitlines()[0].split(), next(x for x in table.splitlines() if x.startswith("dica "))
    assert line.split()[header.index("dci_completeness")] == f"{np.mean(mine):.3f}"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Position, size, angle and shade behind images" in page
    assert page.count('<div class="traversal">') == page.count('<img class="influence"') == 5 * len(METHODS)
    assert "disentangled" in page


def test_the_command_line_does_the_same(tmp_path, monkeypatch, capsys):
    plans = []
    monkeypatch.setattr("identica.experiments.reproduce", lambda plan, folder: plans.append(plan) or "done")
    words = ["--seeds", "2", "-n", "90", "--shape", "ellipse", "--correlation", "0.2", "--network", "convolutional"]
    words = ["reproduce", "sprites", *words, "--methods", "pca", "dica"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    (plan,) = plans
    assert (plan.n_samples, plan.seeds, list(plan.methods)) == (90, (0, 1), ["pca", "dica"])
    assert dict(plan.data) == {"shape": "ellipse", "size": 32, "correlation": 0.2, "softness": 2.0}
    assert plan.methods["dica"].network == Convolutional()
    assert main(["reproduce", "sprites", "--hidden", "9", "8", "--output", str(tmp_path / "out")]) == 0
    assert plans[1].methods["autoencoder"].network == Dense((9, 8))
    words = ["reproduce", "sprites", "--network", "convolutional", "--hidden", "9", "--output", str(tmp_path / "no")]
    assert main(words) == 2
    assert "--hidden gives widths of dense networks" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_sprites_are_simulated_into_files(tmp_path, capsys):
    words = ["simulate", "sprites", "-n", "30", "--size", "9", "--shape", "rectangle", "--seed", "4"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    X, latents = make_sprites(30, size=9, shape="rectangle", random_state=4)
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), X)
    table = read_table(tmp_path / "latents.csv")
    assert table.feature_names == SPRITE_FACTORS
    np.testing.assert_array_equal(table.values, latents)
    parameters = json.loads((tmp_path / "parameters.json").read_text())
    assert (parameters["what"], parameters["size"], parameters["seed"]) == ("sprites", 9, 4)
    with Image.open(tmp_path / "sprites.png") as picture:
        pixels = np.asarray(picture)[:: 64 // 9, :: 64 // 9]
    assert pixels.shape == (2 * 11 - 2, 12 * 11 - 2)
    np.testing.assert_array_equal(pixels[11:20, 11:20], np.rint(255 * X[13]))
    assert {path.name for path in tmp_path.iterdir()} == {"X.npy", "latents.csv", "sprites.png", "parameters.json"}
