"""Figures as files: the same bytes each time, and whole or not at all."""

import pytest

from identica import plotting


def test_a_figure_gives_the_same_file_each_time_with_its_text_and_no_date(tmp_path):
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        figure = plotting.r2_heatmap([[1.0, 0.5], [0.2, 0.9]]).figure
        plotting.write_svg(tmp_path / name / "r2.svg", figure)
        written.append((tmp_path / name / "r2.svg").read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"<?xml")
    assert b"<dc:date>" not in written[0]


def test_what_cannot_be_drawn_leaves_what_was_there(tmp_path):
    path = tmp_path / "r2.svg"
    path.write_text("before")
    figure = plotting.r2_heatmap([[1.0]]).figure
    figure.draw = None
    with pytest.raises(TypeError):
        plotting.write_svg(path, figure)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["r2.svg"]
