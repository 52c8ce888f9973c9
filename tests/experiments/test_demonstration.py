"""The demo leaves a table, a picture and a page, which agree with each other."""

import csv

import pytest
from PIL import Image

from identica.experiments import METHODS, demo
from identica.io import DataError

LINEAR = ["pca", "fastica", "polytopic"]


def test_writes_table_picture_and_page(tmp_path, capsys):
    rows = demo(tmp_path / "out", seed=1, methods=LINEAR)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "r2_heatmaps.png",
        "report.html",
        "results.csv",
    ]
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert written == [{name: str(value) for name, value in row.items()} for row in rows]
    assert [row["method"] for row in rows] == LINEAR
    assert {row["seed"] for row in rows} == {1}
    with Image.open(tmp_path / "out" / "r2_heatmaps.png") as picture:
        assert picture.width > 3 * 300
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    shown = capsys.readouterr()
    for row in rows:
        assert f"{row['r2_mean']:.3f}" in page
        assert f"{row['r2_mean']:.3f}" in shown.out
    assert shown.out.count("r2_mean") == 1


def test_says_nothing_when_asked_to(tmp_path, capsys):
    demo(tmp_path, methods=["pca"], verbose=0)
    assert capsys.readouterr() == ("", "")


def test_finds_out_first_whether_it_may_write(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match="taken is not a directory"):
        demo(tmp_path / "taken", methods=list(METHODS))


@pytest.mark.slow
def test_shows_what_a_linear_method_misses(tmp_path):
    linear, dica = demo(tmp_path, methods=["polytopic", "dica"], verbose=0)
    assert dica["r2_mean"] > 0.95 > linear["r2_mean"] + 0.1
