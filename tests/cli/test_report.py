"""The page of a finished fit, written by fit and written again with the truth."""

import json
import os
import re
import shutil

import numpy as np
import pytest
from cli_cases import QUICK, small_data, write_small_csv

from identica import load
from identica.cli import main
from identica.metrics import mean_r2

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished fit of a table whose features are named like tags."""
    folder = tmp_path_factory.mktemp("report")
    write_small_csv(folder / "data.csv")
    text = (folder / "data.csv").read_text().replace("gene_0", "<b>gene_0</b>", 1)
    (folder / "data.csv").write_text(text)
    (folder / "quick.json").write_text(QUICK)
    words = ["fit", str(folder / "data.csv"), "-d", "2", "--config", str(folder / "quick.json")]
    assert main([*words, "--output", str(folder / "out")]) == 0
    (folder / "data.csv").unlink()
    return folder


def payload(page):
    """What the sliders are given."""
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    return json.loads(found)


def test_fit_leaves_a_page_that_says_what_was_fitted(folder):
    page = (folder / "out" / "report.html").read_text()
    assert "<h1>2 components of data.csv</h1>" in page
    assert "<dt>samples fitted</dt><dd>54</dd>" in page
    assert "<dt>steps, at most</dt><dd>" in page
    assert "&lt;b&gt;gene_0&lt;/b&gt;" in page
    assert "<b>gene_0" not in page
    assert "Can single components be trusted?" in page
    assert "How well each true component was found" not in page


def test_its_sliders_start_at_the_samples_under_their_names(folder):
    given = payload((folder / "out" / "report.html").read_text())
    latents = np.load(folder / "out" / "latents.npy")
    assert given["anchor_names"] == [f"cell_{i}" for i in range(6)]
    np.testing.assert_allclose(given["anchors"], latents[:6])
    np.testing.assert_allclose(np.array(given["ranges"])[:, 1], np.quantile(latents, 0.99, axis=0))
    assert "<b>gene_0</b>" in given["features"]


def test_it_is_written_again_from_the_folder_alone(folder, tmp_path):
    before = (folder / "out" / "report.html").read_text()
    shutil.copytree(folder / "out", tmp_path / "copy")
    (tmp_path / "copy" / "report.html").unlink()
    assert main(["report", str(tmp_path / "copy")]) == 0
    assert payload((tmp_path / "copy" / "report.html").read_text())["layers"] == payload(before)["layers"]
    assert "<h1>2 components of data.csv</h1>" in (tmp_path / "copy" / "report.html").read_text()


def test_with_the_truth_it_shows_how_well_it_was_found(folder, tmp_path):
    shutil.copytree(folder / "out", tmp_path / "copy")
    true = np.random.default_rng(0).normal(size=(60, 2))  # the draw of small_data
    found = np.load(tmp_path / "copy" / "latents.npy")
    for truth, said in ((found, "they were found"), (true[::-1], "some are still mixed")):
        np.save(tmp_path / "true.npy", truth)
        assert main(["report", str(tmp_path / "copy"), "--truth", str(tmp_path / "true.npy")]) == 0
        page = (tmp_path / "copy" / "report.html").read_text()
        assert "How well each true component was found" in page
        assert f"<td>{mean_r2(truth, found):.3f}</td>" in page
        assert said in page
    np.savetxt(tmp_path / "true.csv", true, delimiter=",", header="position,<i>shade</i>", comments="")
    assert main(["report", str(tmp_path / "copy"), "--truth", str(tmp_path / "true.csv")]) == 0
    page = (tmp_path / "copy" / "report.html").read_text()
    assert re.findall(r">(position|&lt;i&gt;shade&lt;/i&gt;)</text>", page) == ["position", "&lt;i&gt;shade&lt;/i&gt;"]
    model = load(tmp_path / "copy" / "model.safetensors")
    assert f"{model.restart_agreement_:.3f}" in page


def test_what_is_no_finished_fit_is_refused(folder, tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "has no run.json that can be read: give the folder of a finished fit" in capsys.readouterr().err
    shutil.copytree(folder / "out", tmp_path / "copy")
    before = (tmp_path / "copy" / "report.html").read_bytes()
    np.save(tmp_path / "short.npy", small_data()[:7, :2])
    assert main(["report", str(tmp_path / "copy"), "--truth", str(tmp_path / "short.npy")]) == 2
    assert "has 60 rows and" in capsys.readouterr().err
    (tmp_path / "copy" / "latents.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    assert main(["report", str(tmp_path / "copy")]) == 2
    assert "has 3 columns and the model 2 components" in capsys.readouterr().err
    (tmp_path / "copy" / "run.json").write_text("{}")
    assert main(["report", str(tmp_path / "copy")]) == 2
    assert "run.json" in capsys.readouterr().err
    assert (tmp_path / "copy" / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"warnings": [1]}, "run.json is not as a fit writes it (run.json.warnings[0] is 1"),
        ({"warnings": "none"}, "run.json is not as a fit writes it"),
        ({"versions": 3}, "run.json is not as a fit writes it"),
        (
            {"data": {"path": "x", "n_features": 6, "n_samples": 61}},
            "latents.csv has 60 rows and run.json tells of 61: they are of different fits",
        ),
        ({"data": {"path": "x", "n_features": 6}}, "(run.json.data.n_samples is missing)"),
    ],
)
def test_a_record_that_lies_is_refused(folder, tmp_path, capsys, change, said):
    shutil.copytree(folder / "out", tmp_path / "copy")
    record = json.loads((tmp_path / "copy" / "run.json").read_text())
    (tmp_path / "copy" / "run.json").write_text(json.dumps(record | change))
    assert main(["report", str(tmp_path / "copy")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_pipe_in_the_place_of_a_record_is_not_waited_for(folder, tmp_path, capsys):
    shutil.copytree(folder / "out", tmp_path / "copy")
    (tmp_path / "copy" / "run.json").unlink()
    os.mkfifo(tmp_path / "copy" / "run.json")
    assert main(["report", str(tmp_path / "copy")]) == 2
    assert "has no run.json that can be read" in capsys.readouterr().err
    write_small_csv(tmp_path / "data.csv")
    words = ["transform", str(tmp_path / "copy" / "model.safetensors"), str(tmp_path / "data.csv")]
    assert main([*words, "--output", str(tmp_path / "z.npy")]) in (0, 2)
