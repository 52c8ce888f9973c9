"""identica check-sdi: of Jacobians in a file, of a model and data, and of what it cannot use."""

import json
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from cli_cases import write_small_csv
from influence_cases import k_sign
from matplotlib.figure import Figure

from identica import load
from identica.cli import main
from identica.trust.sdi import check_sdi


def test_jacobians_of_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("jacobians.npy", np.stack([k_sign(3, 1), k_sign(3, 1) * [1.0, 2.0, 3.0]]))
    assert main(["check-sdi", "jacobians.npy", "--output", "out"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("2 point(s), 6 features, 3 components.\nDiverse influence: part 1 holds at 2; part 2")
    assert "these components are the only best answer there" in shown.out
    assert "Local identifiability: at 2 of 2 point(s)." in shown.out
    assert "point 1 (" in shown.err
    record = json.loads((tmp_path / "out" / "sdi.json").read_text())
    assert shown.out.endswith(f"See {Path('out') / 'sdi.svg'}\n")
    assert sorted(path.name for path in Path("out").iterdir()) == ["sdi.json", "sdi.svg"]
    assert [point["condition_2"] for point in record["points"]] == ["holds", "holds"]
    assert (record["summary"]["n_points"], record["learned"], record["tol"]) == (2, False, 1e-4)


@pytest.mark.parametrize(
    ("d", "shown"),
    [
        (1, ["margin"]),
        (2, ["rows of point 0", "their polar"]),
        (3, ["rows of point 0", "their polar"]),
        (5, ["rows of point 0, 6 of 10 pairs of components", "component 4"]),
    ],
)
def test_the_picture_is_a_file_that_is_the_same_each_time(tmp_path, monkeypatch, d, shown):
    monkeypatch.chdir(tmp_path)
    np.save("jacobian.npy", k_sign(d, 1))
    pictures = []
    with mpl.rc_context({"svg.fonttype": "none"}):
        for output in ("first", "second"):
            assert main(["check-sdi", "jacobian.npy", "--output", output]) == 0
            pictures.append((tmp_path / output / "sdi.svg").read_text(encoding="utf-8"))
    assert pictures[0] == pictures[1]
    texts = [text for text in ElementTree.fromstring(pictures[0]).itertext() if text.strip()]
    assert all(text in texts for text in shown)


def test_a_picture_that_fails_leaves_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("jacobian.npy", k_sign(2, 1))

    def fail(self, file, **options):
        file.write(b"<svg")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fail)
    assert main(["check-sdi", "jacobian.npy", "--output", "out"]) == 2
    assert not Path("out", "sdi.svg").exists()
    assert not list(Path().rglob("*.tmp"))


def test_one_jacobian_that_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("jacobian.npy", k_sign(3, 2)[:5])
    assert main(["check-sdi", "jacobian.npy", "--output", "out", "--points", "3"]) == 0
    shown = capsys.readouterr().out
    assert (
        "1 point(s), 5 features, 3 components.\nDiverse influence: part 1 fails at 1; part 2 fails at 1; margin"
        in shown
    )
    assert "Nowhere do both parts hold" in shown
    assert "some small change of these components may have as large a volume" in shown


def test_a_model_and_data(small_model, tmp_path, capsys):
    data = write_small_csv(tmp_path / "data.csv")
    words = ["check-sdi", str(small_model.parent), str(data), "--points", "3", "--seed", "1"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("3 point(s), 6 features, 2 components.")
    assert "nothing of the truth" in shown
    record = json.loads((tmp_path / "out" / "sdi.json").read_text())
    assert record["learned"]
    # The same as in Python, feature by feature in the units of the fit.
    model = load(small_model)
    rows = np.sort(np.random.default_rng(1).permutation(60)[:3])
    table = np.genfromtxt(data, delimiter=",", skip_header=1)[rows, 1:]
    with pytest.warns(UserWarning, match="feature names"):
        jacobian = model.jacobian(table)[0] / model.scale_[:, None] * model.feature_units_[:, None]
    assert record["points"][0]["gamma"] == pytest.approx(list(check_sdi(jacobian).gamma), abs=1e-5)


@pytest.mark.parametrize(
    ("array", "words", "complaint"),
    [
        (np.ones((3, 2)), ["--points", "0"], "points=0 is out of range"),
        (np.ones((3, 2)), ["--tol", "1"], "tol=1 is out of range"),
        (np.ones((3, 2)), ["--time-limit", "0"], "time-limit=0 is out of range"),
        (np.ones((3, 2)), ["--jobs", "0"], "jobs=0 is out of range"),
        (np.ones((3, 2)), ["--seed", "-1"], "seed -1 is not allowed"),
        (np.ones((3, 2)), ["other.csv"], "holds Jacobians and needs no data: leave out other.csv"),
        (np.ones(3), [], "holds an array of shape (3,), give (n_features, n_components) or"),
        (np.ones((3, 2)) > 0, [], "holds bool, give real numbers"),
        (np.zeros((3, 2)), [], "jacobian.npy: column 0 of jacobian 0 is zero: that component acts on no feature"),
        (np.full((3, 2), np.nan), [], "jacobian.npy: jacobian 0 has the value nan in row 0, column 0"),
    ],
)
def test_what_cannot_be_checked(refused, array, words, complaint):
    np.save("jacobian.npy", array)
    refused(["check-sdi", "jacobian.npy", *words, "--output", "out"], complaint)


def test_a_directory_in_the_place_of_an_output_is_found_before_the_check(refused, tmp_path):
    np.save("jacobian.npy", k_sign(2, 1))
    (tmp_path / "out" / "sdi.json").mkdir(parents=True)
    refused(
        ["check-sdi", "jacobian.npy", "--output", "out"], "sdi.json is a directory and a file is to be written there"
    )


def test_a_component_that_a_model_has_and_does_not_use(refused, small_model, tmp_path, monkeypatch):
    from identica import estimators

    data = write_small_csv(tmp_path / "data.csv")

    def without_the_second(model, latents):
        return np.ones((len(latents), 6, 2)) * [1.0, 0.0]

    monkeypatch.setattr(estimators, "compared_jacobians", without_the_second)
    refused(
        ["check-sdi", str(small_model), str(data), "--points", "60", "--output", "out"],
        f"component 1 of {small_model} moves no feature at row 0 of {data}, and the condition needs each to move some",
    )


def test_files_that_cannot_be_read(refused, small_model, tmp_path):
    refused(["check-sdi", "missing.npy", "--output", "out"], "missing.npy is no file, give an existing one")
    refused(["check-sdi", str(small_model), "--output", "out"], "a model needs data: give a table after it")
    (tmp_path / "broken.npy").write_text("x")
    refused(["check-sdi", "broken.npy", "--output", "out"], "broken.npy is not a .npy file")
    write_small_csv(tmp_path / "other.csv", np.random.default_rng(0).normal(size=(5, 3)))
    refused(
        ["check-sdi", str(small_model), "other.csv", "--output", "out"], "lacks 3 of the model's features ('gene_3'"
    )
