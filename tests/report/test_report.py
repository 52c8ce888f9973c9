"""The report is one file that says what was given, asks nothing of the network and runs nothing."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.decomposition import PCA

from identica.report import Fit, Report, render, write_report
from identica.report.svg import embed
from identica.trust import Verdict

HOSTILE = "<script>alert('$x')</script>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Collects a page's elements and text, and checks that each element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def report() -> Report:
    history = tuple(
        {
            "stage": stage,
            "step": step,
            "loss": -step,
            "reconstruction": 1 / step,
            "volume": -step if stage == "refine" else None,
        }
        for stage in ("reconstruct", "refine")
        for step in (1, 2, 3)
    )
    dica = Fit(
        method="DICA " + HOSTILE,
        seconds=12.345,
        scores={"r2_mean": 0.98, "mcc_pearson": 0.97},
        r2=np.array([[0.1, 0.97], [0.99, 0.2]]),
        reconstruction_error=0.015,
        linear_reconstruction_error=0.151,
        volume_efficiency=0.83,
        restart_agreement=0.991,
        restarts=(-0.2, -0.1, -0.4),
        verdict=Verdict("sound", 0.9, ()),
        durations={"reconstruct": 9.0, "align": 3.0},
        history=history,
        influence=np.array([[100.0, 0.0], [0.0, 2.0], [3.0, 1.0]]),
        warnings=("constant feature " + HOSTILE,),
    )
    pca = Fit(method="PCA", seconds=0.02, scores={"r2_mean": 0.61, "mcc_pearson": 0.7}, r2=np.eye(2))
    return Report(
        title="Cells " + HOSTILE,
        facts={"data": HOSTILE, "samples": 10000},
        fits=(pca, dica),
        feature_names=(HOSTILE, "b", "c"),
        feature_scale=np.array([50.0, 1.0, 0.0]),
    )


def test_is_one_file_and_no_more(report, tmp_path):
    write_report(tmp_path / "report.html", report)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(report)


def test_asks_nothing_of_the_network_and_runs_nothing(report):
    html = render(report)
    page = Page(html)
    assert "http:" not in html
    assert "https:" not in html
    assert "//" not in re.sub(r"[^\s]+", lambda word: word[0] if "//" in word[0] else "", html)
    assert "url(" not in re.sub(r"url\(#\w+\)", "", html)
    assert "@import" not in html
    for tag in ("script", "link", "img", "iframe", "object"):
        assert page.named(tag) == []
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "href") for name in attributes)


def test_what_the_user_named_stays_text(report):
    html = render(report)
    assert "<script" not in html
    page = Page(html)
    # heading and title, fact, method in its places, warning, feature name
    assert page.text.count(HOSTILE) >= 8
    assert f"constant feature {HOSTILE}" in page.text


def test_says_what_was_fitted_and_what_came_out(report):
    text = " ".join(Page(render(report)).text.split())
    for said in (
        "samples 10,000",
        "PCA 0.610 0.700",
        "The true components are known here, mean R² 0.980 over 2: they were found.",
    ):
        assert said in text
    (row,) = re.findall(r'<tr class="best">.*?</tr>', render(report), flags=re.DOTALL)
    assert re.findall(r"<td>(.*?)</td>", row) == [
        "0.980",
        "0.970",
        "1.50%",
        "15.10%",
        "0.830",
        "0.991",
        "12.3",
    ]


def test_shows_a_picture_of_everything_there_is_one_of(report):
    labels = [svg["aria-label"] for svg in Page(render(report)).named("svg")]
    dica = report.fits[1].method
    assert labels == [
        "R² of true against estimated components, PCA",
        f"R² of true against estimated components, {dica}",
        f"Influence of components on features, {dica}",
        f"{dica}, stage reconstruct: reconstruction",
        f"{dica}, stage refine: reconstruction",
        f"{dica}, stage refine: loss",
        f"{dica}, stage refine: volume",
    ]


def test_what_was_noted_once_is_said_and_not_drawn():
    records = (
        {"stage": "<b>", "step": 40, "loss": -0.25, "reconstruction": 0.123456, "volume": 2.0},
        *({"stage": "refine", "step": step, "reconstruction": 1 / step} for step in (1, 2)),
    )
    page = Page(render(Report("Cells", {}, (Fit("dica", 1.0, history=records),))))
    assert [svg["aria-label"] for svg in page.named("svg")] == ["dica, stage refine: reconstruction"]
    assert "<b>, noted once: reconstruction 0.1235, loss -0.25, volume 2." in page.text
    assert page.named("b") == []


def test_ids_differ_and_what_they_name_is_there(report):
    html = render(report)
    ids = [attributes["id"] for _, attributes in Page(html).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#(\w+)\)", html)) <= set(ids)


def test_is_the_same_each_time(report):
    assert render(report) == render(report)


def test_influences_are_compared_in_standard_deviations(report):
    text = Page(render(report)).text
    assert "in standard deviations of the feature" in text
    # The first feature moves most in its own unit, but less than the third by its scale of 50.
    assert re.findall(rf"^ +({re.escape(HOSTILE)}|b|c) $", text, flags=re.MULTILINE) == ["c", HOSTILE, "b"]


def test_says_how_heat_maps_are_ordered_and_over_how_many_a_mean_goes():
    few = Fit("few", 1.0, scores={"r2_mean": 0.32}, r2=np.array([[0.1], [0.96], [0.2]]), true_names=("x", "y", "<z>"))
    whole = Fit("whole", 1.0, r2=np.eye(3))
    html = render(Report("Cells", {}, (few, whole)))
    text = " ".join(Page(html).text.split())
    assert "Columns stand in the order of their match" in text
    assert "few: 1 fitted for 3 true ones. Its means go over all 3, 2 without an estimate and counted as 0." in text
    assert "whole: 3 fitted" not in text
    assert re.search(r"\bx\b.*\by\b.* <z> ", text)
    (verdict,) = re.findall(r"mean R².*?</li>", render(Report("Cells", {}, (few,))))
    assert verdict.startswith("mean R² 0.320 over 3, 2 without an estimate and counted as 0: some are still mixed")


def test_sections_without_contents_are_left_out():
    page = Page(render(Report("Cells", {"samples": 3}, (Fit("pca", 0.1),))))
    headings = re.findall(r"<h2>(.*?)</h2>", render(Report("Cells", {}, (Fit("pca", 0.1),))))
    assert headings == ["The fit", "Can single components be trusted?"]
    assert page.named("svg") == []


def test_follows_the_reader_into_the_dark(report):
    html = render(report)
    assert "prefers-color-scheme: dark" in html
    assert "currentColor" in html
    assert "#010203" not in html


def test_reads_a_fitted_estimator():
    pca = PCA(1).fit(np.eye(3))
    pca.influence_ = np.ones((3, 1))
    pca.restarts_ = np.array([1.0, 2.0])
    pca.restart_agreement_ = np.float32(0.5)
    pca.volume_efficiency_ = float("nan")
    fit = Fit.from_estimator("PCA", pca, seconds=1.0)
    pca.influence_[:] = 0
    assert (fit.restarts, fit.restart_agreement, fit.volume_efficiency) == ((1.0, 2.0), 0.5, None)
    np.testing.assert_array_equal(fit.influence, np.ones((3, 1)))


def test_a_report_of_nothing_is_refused():
    with pytest.raises(ValueError, match="a report needs at least one Fit, none was given"):
        Report("Cells", {}, ())


def test_a_figure_is_drawn_in_the_pages_letters():
    from identica import plotting

    svg = embed(lambda: plotting.influence([[1.0]], ["神经元"]), "cells")
    assert "神经元" in svg
