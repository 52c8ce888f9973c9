"""The page on the paper and its command: what it reads, says and runs again, without a fit of a network."""

import re
from dataclasses import replace

import benchmark_cases as cases
import pytest

from identica.cli import main
from identica.cli.paper import STUDIES as NAMED
from identica.experiments import SAMPLE_FAMILIES, finite_samples
from identica.experiments.benchmark import COLUMNS, BenchmarkPlan, Cell, MethodSpec
from identica.experiments.benchmark.asked import asked_of, write_asked
from identica.experiments.paper import CLAIMS, STUDIES, write_paper
from identica.experiments.paper.finite import FINITE
from identica.io import write_json


def page(folder):
    write_paper(folder)
    return (folder / "paper.md").read_text(encoding="utf-8")


def line_of(text, start):
    """The line of the first table that tells of a claim, by column."""
    table = [line for line in text.splitlines() if line.startswith("| ")]
    header = [cell.strip() for cell in table[0].strip("|").split("|")]
    (line,) = [line for line in table[2 : 2 + len(CLAIMS)] if line.startswith(f"| {start}")]
    return dict(zip(header, (cell.strip() for cell in line.strip("|").split("|")), strict=True))


def keep(folder, cell, fingerprint="0-0", **found):
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    row = {**dict.fromkeys(COLUMNS), "dataset": cell.dataset, "method": cell.method, "seed": cell.seed}
    row |= {"status": "ok", "fingerprint": fingerprint, "warnings": 0, "seconds": 1.0} | found
    write_json(folder / "cells" / f"{cell.name}.json", row)


# ------------------------------------------------------------------------------------------------------- the page


def test_every_claim_has_its_line(tmp_path):
    text = page(tmp_path)
    for claim in CLAIMS:
        line = line_of(text, claim.text)
        assert (line["in the paper"], line["the paper's number"]) == (claim.where, claim.stated)
        assert (line["ours"], line["verdict"]) == ("", "not run yet")
    assert text.count("Not run yet: `identica ") == len(STUDIES) + 1


def finite_rows(folder, families=SAMPLE_FAMILIES, missing=()):
    """Keep the results of a run of the study of finite samples, whose error is 3 / N."""
    plan = finite_samples(families=families, sizes=(250, 500, 1000, 2000), methods=("dica",), seeds=(0,))
    folder.mkdir()
    write_asked(folder, asked_of(plan, "identica reproduce finite-samples --seeds 1"))
    for cell in plan.cells:
        if cell.dataset not in missing:
            error = 3 / int(cell.dataset.partition("=")[2])
            keep(folder, cell, plan.fingerprints()[cell.dataset, cell.method], r2_mean=1 - error)


def test_the_study_of_finite_samples_is_read_where_its_command_left_it(tmp_path):
    finite_rows(tmp_path / "finite-samples")
    text = page(tmp_path)
    line = line_of(text, "The error falls")
    assert (line["ours"], line["verdict"]) == ("slowest slope -1.000, steepest slope -1.000", "reproduced")
    assert line["command"] == "`identica reproduce finite-samples --seeds 1`"
    assert "`identica reproduce finite-samples --seeds 1`: 16 of 16 fits." in text
    assert "| folded | dica | 0.012 | 0.006 | 0.003 |" in text


@pytest.mark.parametrize(
    ("given", "progress"),
    [
        ({"missing": ["folded/N=2000"]}, "15 of 16 fits"),
        # The claim is about all families, whatever the run was asked for.
        ({"families": ["linear", "folded"]}, "8 of 16 fits"),
    ],
)
def test_a_study_that_lacks_a_fit_or_a_family_has_no_verdict(tmp_path, given, progress):
    finite_rows(tmp_path / "finite-samples", **given)
    line = line_of(page(tmp_path), "The error falls")
    assert line["ours"] == f"slowest slope -1.000, steepest slope -1.000 ({progress})"
    assert line["verdict"] == "incomplete"


def test_fits_of_other_plans_have_no_part(tmp_path):
    finite_rows(tmp_path / "finite-samples")
    keep(tmp_path / "finite-samples", Cell("linear/N=64000", "dica", 0), r2_mean=0.0)
    keep(tmp_path / "finite-samples", Cell("linear/N=250", "dica", 1), r2_mean=0.0)
    assert line_of(page(tmp_path), "The error falls")["verdict"] == "reproduced"
    keep(tmp_path / "finite-samples", Cell("linear/N=250", "dica", 0), "another", r2_mean=0.0)
    assert line_of(page(tmp_path), "The error falls")["ours"].endswith("(15 of 16 fits)")


def test_without_a_plan_nobody_knows_what_is_missing(tmp_path):
    finite_rows(tmp_path / "finite-samples")
    (tmp_path / "finite-samples" / "plan.json").unlink()
    text = page(tmp_path)
    line = line_of(text, "The error falls")
    assert line["ours"] == "slowest slope -1.000, steepest slope -1.000 (16 fits of an unknown number)"
    assert line["verdict"] == "incomplete"
    assert f"`{FINITE.command}`: 16 fits of an unknown number. There is no plan.json: run the command again" in text


# ----------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command on a study of mixtures that is two quick methods on two small tables."""
    methods = {"pca": MethodSpec(cases.pca), "sleeper": MethodSpec(cases.sleeper)}
    plan = BenchmarkPlan({"a": cases.data(), "b": cases.data(n_samples=50)}, methods, (0,))
    monkeypatch.setitem(STUDIES, "mixtures", replace(STUDIES["mixtures"], plan=lambda settings, folder: plan))

    def of(*words):
        status = main(["reproduce", "paper", "--only", "mixtures", "--output", str(tmp_path / "out"), *words])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return of


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "mixtures" / "cells").iterdir()}


def test_the_command_of_a_line_is_what_was_typed(run, tmp_path):
    status, out, err = run("--seeds", "2", "--max-steps", "2000", "--regulon", str(write_regulon(tmp_path)))
    assert (status, err.count(", seed 0: ok\n")) == (0, 4)
    assert out == f"See {tmp_path / 'out' / 'paper.md'}\n"
    text = (tmp_path / "out" / "paper.md").read_text(encoding="utf-8")
    # What another study is told has no part in it, nor has the output, which is the default's in all commands.
    assert "`identica reproduce paper --only mixtures --seeds 2 --max-steps 2000`: 4 of 4 fits." in text
    assert run("--page-only")[0] == 0
    assert (tmp_path / "out" / "paper.md").read_text(encoding="utf-8") == text


def write_regulon(folder):
    path = folder / "network.csv"
    path.write_text("source,target,weight\nA,B,1\n")
    return path


def test_rerun_fits_again_what_failed_and_leaves_the_others(run, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(cases.Sleeper, "fit", lambda self, X, y=None: 1 / 0)
        assert run()[0] == 0
    before = stamps(tmp_path / "out")
    text = (tmp_path / "out" / "paper.md").read_text(encoding="utf-8")
    assert "2 of 4 fits, 2 failed. results.csv says why fits failed, --rerun runs them again." in text
    assert run()[0] == 0
    assert stamps(tmp_path / "out") == before
    assert run("--rerun")[0] == 0
    after = stamps(tmp_path / "out")
    assert {name for name in after if after[name] != before[name]} == {"a+sleeper+0.json", "b+sleeper+0.json"}
    assert "4 of 4 fits." in (tmp_path / "out" / "paper.md").read_text(encoding="utf-8")


def test_after_an_interrupt_the_same_command_goes_on(run, tmp_path, monkeypatch):
    def interrupted(self, X, y=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cases.Sleeper, "fit", interrupted)
        status, _, err = run()
    assert status == 130
    kept = tmp_path / "out"
    assert err.endswith(f"interrupted: {kept} keeps the fits that are done, run the same command again to go on\n")
    assert list(stamps(kept)) == ["a+pca+0.json"]
    assert "1 of 4 fits." in page(kept)
    assert run()[0] == 0
    assert "4 of 4 fits." in page(kept)


@pytest.mark.parametrize("page_only", [(), ("--page-only",)])
def test_a_damaged_cell_names_the_command_that_fits_it_again(run, tmp_path, page_only):
    assert run("--seeds", "3")[0] == 0
    (tmp_path / "out" / "mixtures" / "cells" / "a+pca+0.json").write_text("{}")
    status, _, err = run("--seeds", "3", *page_only)
    assert status == 2
    command = "identica reproduce paper --only mixtures --seeds 3"
    assert err.endswith(f"remove the file and run {command} again, with the same --output\n")


def test_help_names_the_studies(capsys):
    assert main(["reproduce", "paper", "--help"]) == 0
    told = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    assert "--only {order,digits,mixtures} ... Studies to run, of order, digits and mixtures; all" in told
    assert tuple(NAMED) == tuple(STUDIES)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--seeds", "0"], "--seeds 0 is not possible, use at least 1"),
        (["--jobs", "-1"], "jobs=-1 is out of range: use from 1 to"),
        (["-n", "5"], "--n-samples 5 is not possible, use at least 20"),
        (["--only"], "--only names none: name some of order, digits, mixtures, or leave it out for all"),
        (["--only", "order", "magic"], "--only magic is no study: name some of order, digits, mixtures, or leave it"),
        (["--page-only", "--rerun"], "--page-only runs nothing, and --rerun runs fits again: leave one of them out"),
        (["--cross-talk", "0", "0"], "--cross-talk 0 0: give one or more different strengths"),
        (["--cross-talk", "-1"], "--cross-talk -1: give one or more different strengths, each a number of at least 0"),
        (["--cross-talk", "nan"], "--cross-talk nan: give one or more different strengths"),
        (["--regulon", "missing.tsv"], "missing.tsv"),
        (["--data", "missing"], "missing is no folder"),
    ],
)
def test_bad_input_is_one_line(words, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "paper", "--output", "out", *words]) == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()
