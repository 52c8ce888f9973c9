"""The standard benchmark on the command line: what it passes on, says and writes, and how it goes on."""

import csv
import re
from functools import partial
from pathlib import Path

import benchmark_cases as cases
import pytest

from identica.cli import main
from identica.cli.benchmark import Benchmark
from identica.experiments import benchmark
from identica.experiments.benchmark import (
    BENCHMARK_DATASETS,
    BENCHMARK_METHODS,
    BenchmarkPlan,
    MethodSpec,
    standard_plan,
)

DATASETS = {"a": cases.data(note="a quick one"), "b": cases.data(cases.without_auxiliary, note="<another>")}
METHODS = {
    "pca": MethodSpec(cases.pca, note="axes of most <variance>"),
    "sleeper": MethodSpec(cases.sleeper),
    "broken": MethodSpec(partial(cases.broken, "no luck")),
    "told": MethodSpec(cases.sleeper, uses_auxiliary=True),
}


@pytest.fixture
def asked(monkeypatch):
    """Let the command run a quick plan, and note what it asks for."""
    calls = []

    def plan(*, datasets, methods, seeds, regulon, quick):
        assert regulon is None
        calls.append({"datasets": datasets, "methods": methods, "seeds": list(seeds), "quick": quick})
        chosen = {name: METHODS[name] for name in methods or METHODS}
        return BenchmarkPlan({name: DATASETS[name] for name in datasets or DATASETS}, chosen, tuple(seeds))

    monkeypatch.setattr(benchmark, "standard_plan", plan)
    return calls


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command into a folder; return its status and what it says."""

    def run(*words):
        capsys.readouterr()
        status = main(["benchmark", "--output", str(tmp_path / "out"), *words])
        return status, *capsys.readouterr()

    return run


def cells(folder):
    """When each finished cell was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "out" / "cells").glob("*.json")}


def test_the_whole_plan_is_asked_for(asked, run):
    assert run("--seeds", "1")[0] == 0
    assert run("--seeds", "2", "--datasets", "a", "--methods", "pca", "told", "--quick")[0] == 0
    # The second time, for the specifications of what earlier commands left, with the same options.
    assert asked == [
        {"datasets": None, "methods": None, "seeds": [0], "quick": False},
        {"datasets": None, "methods": None, "seeds": [0], "quick": False},
        {"datasets": ("a",), "methods": ("pca", "told"), "seeds": [0, 1], "quick": True},
        {"datasets": None, "methods": None, "seeds": [0, 1], "quick": True},
    ]


def test_five_seeds_are_the_default(asked, run):
    status, out, _ = run("--datasets", "a", "--methods", "pca")
    assert (status, asked[0]["seeds"]) == (0, [0, 1, 2, 3, 4])
    assert out.count("a, pca, seed ") == 5


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_each_cell_has_a_line_and_the_leaderboard_ends_all(asked, run, tmp_path, jobs):
    status, out, err = run("--seeds", "1", "--methods", "pca", "sleeper", "broken", "told", "--jobs", jobs)
    assert (status, err) == (0, "")
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        rows = {(row["dataset"], row["method"]): row for row in csv.DictReader(file)}
    assert len(rows) == 8
    said = sorted(line for line in out.splitlines() if ", seed 0: " in line)
    expected = []
    for (dataset, method), row in rows.items():
        end = {
            "ok": f"recovery {float(row['recovery'] or 0):.3f}, {float(row['seconds'] or 0):.1f} s",
            "failed": "failed: ArithmeticError: no luck",
            "not applicable": "not applicable",
        }[row["status"]]
        expected.append(f"{dataset}, {method}, seed 0: {end}")
    assert said == sorted(expected)
    assert rows["b", "told"]["status"] == "not applicable"
    text = (tmp_path / "out" / "leaderboard.md").read_text()
    assert text.startswith("| method | rank | a | b | failed | seconds |\n")
    assert text in out
    assert "2 of 8 fits failed: results.csv says why, --rerun runs them again" in out
    assert out.endswith(f"See {tmp_path / 'out' / 'leaderboard.html'}\n")


def test_the_page_has_notes_and_the_command(asked, run, tmp_path):
    assert run("--seeds", "1", "--datasets", "b", "--methods", "pca", "--quick")[0] == 0
    page = (tmp_path / "out" / "leaderboard.html").read_text()
    assert "&lt;another&gt;" in page
    assert "a quick one" not in page
    assert "axes of most &lt;variance&gt;" in page
    command = "identica benchmark --datasets b --methods pca --seeds 1 --score recovery --quick"
    assert command in re.sub(r"\s+", " ", page)


def test_the_score_ranks(asked, run, tmp_path):
    words = ("--seeds", "1", "--methods", "pca", "sleeper")
    found = {}
    for score in ("recovery", "seconds"):
        status, out, _ = run(*words, "--score", score)
        assert status == 0
        found[score] = (tmp_path / "out" / "leaderboard.md").read_text()
        assert f"Ranks are of medians of {score}" in out
    # The sleeper takes its time.
    assert re.findall(r"^\| (pca|sleeper) \| ([\d.]+)", found["seconds"], re.MULTILINE) == [
        ("pca", "1.000"),
        ("sleeper", "2.000"),
    ]
    assert found["recovery"] != found["seconds"]


def test_seconds_are_said_once(asked, run):
    _, out, _ = run("--seeds", "1", "--datasets", "a", "--methods", "pca", "--score", "seconds")
    assert re.search(r"^a, pca, seed 0: \d+\.\d s$", out, re.MULTILINE)


# ---------------------------------------------------------------------------------------------------- going on


def test_what_is_done_is_not_done_again(asked, run, tmp_path):
    words = ("--seeds", "2", "--methods", "pca", "broken")
    assert run(*words)[0] == 0
    before, board = cells(tmp_path), (tmp_path / "out" / "leaderboard.md").read_text()
    status, out, _ = run(*words)
    assert status == 0
    assert out.startswith("8 of 8 fits are done already\n")
    assert ", seed " not in out
    assert cells(tmp_path) == before
    assert (tmp_path / "out" / "leaderboard.md").read_text() == board
    status, out, _ = run(*words[:-2], "pca", "broken", "sleeper")
    assert out.startswith("8 of 12 fits are done already\n")
    assert sorted(set(re.findall(r"^[ab], (\w+), seed", out, re.MULTILINE))) == ["sleeper"]
    assert before.items() <= cells(tmp_path).items()


def test_rerun_fits_again_what_failed(asked, run, tmp_path, monkeypatch):
    words = ("--seeds", "1", "--methods", "pca", "broken")
    assert run(*words)[0] == 0
    before = cells(tmp_path)
    status, out, _ = run(*words, "--rerun")
    assert status == 0
    assert out.startswith("2 of 4 fits are done already\n")
    assert out.count("failed: ArithmeticError: no luck") == 2
    after = cells(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"a+broken+0.json", "b+broken+0.json"}


def test_rerun_fits_again_what_another_version_gave(asked, run, monkeypatch):
    words = ("--seeds", "1", "--datasets", "a", "--methods", "pca")
    assert run(*words)[0] == 0
    monkeypatch.setitem(DATASETS, "a", cases.data(n_samples=50))
    status, _, err = run(*words)
    assert status == 2
    assert "came from another specification of the data set 'a'" in err
    assert err.count("\n") == 1
    status, out, _ = run(*words, "--rerun")
    assert status == 0
    assert "a, pca, seed 0: recovery" in out


def test_after_an_interrupt_the_same_command_goes_on(asked, run, tmp_path, monkeypatch):
    words = ("--seeds", "2", "--methods", "pca", "sleeper")
    fit, fits = cases.Sleeper.fit, []

    def interrupted(self, X, y=None):
        fits.append(1)
        if len(fits) == 2:
            raise KeyboardInterrupt
        return fit(self, X, y)

    with monkeypatch.context() as patched:
        patched.setattr(cases.Sleeper, "fit", interrupted)
        status, out, err = run(*words)
    assert status == 130
    assert err == (
        f"identica: interrupted: {tmp_path / 'out'} keeps the fits that are done, run the same command again to go on\n"
    )
    before = cells(tmp_path)
    assert sorted(before) == ["a+pca+0.json", "a+sleeper+0.json", "b+pca+0.json"]
    assert out.count(", seed ") == 3
    assert not (tmp_path / "out" / "leaderboard.md").exists()
    status, out, _ = run(*words)
    assert status == 0
    assert out.startswith("3 of 8 fits are done already\n")
    assert out.count(", seed ") == 5
    assert before.items() <= cells(tmp_path).items()


# ------------------------------------------------------------------------------------- parts in one directory


def test_a_part_does_not_lose_the_leaderboard_of_the_whole(asked, run, tmp_path):
    assert run("--seeds", "2", "--methods", "pca", "sleeper")[0] == 0
    whole = (tmp_path / "out" / "leaderboard.md").read_text()
    status, out, _ = run("--seeds", "1", "--datasets", "a", "--methods", "pca")
    assert status == 0
    told = "Of the fits shown, 7 came from other commands in this directory.\n"
    text = (tmp_path / "out" / "leaderboard.md").read_text()
    assert text == f"{whole}\n{told}"
    assert text in out
    page = (tmp_path / "out" / "leaderboard.html").read_text()
    assert told.strip() in page
    assert "&lt;another&gt;" in page
    # A further method on one data set, from all seeds, stands beside the others.
    status, out, _ = run("--seeds", "2", "--datasets", "a", "--methods", "broken")
    assert "broken has fits on 1 of 2 data sets, where its average rank is 3.00 among the 3 methods." in out
    assert "2 of the 12 fits of all methods on all data sets and seeds here are missing." in out
    assert re.search(r"^\| broken \| – \| – \| not run \| 2 \|", out, re.MULTILINE)
    # Without all seeds it is left out.
    status, out, _ = run("--seeds", "1", "--datasets", "a", "--methods", "told")
    assert "1 finished fit (told) is left out" in out


def test_fits_of_another_specification_are_not_compared(asked, run, monkeypatch):
    assert run("--seeds", "1", "--methods", "pca", "sleeper")[0] == 0
    monkeypatch.setitem(DATASETS, "a", cases.data(n_samples=50))
    status, out, _ = run("--seeds", "1", "--datasets", "b", "--methods", "pca", "sleeper")
    assert status == 0
    assert "| method | rank | b | failed | seconds |" in out
    assert "2 fits of another specification of the data set or the method (a) are left out." in out


def test_where_nothing_is_shared_the_leaderboard_is_of_the_command(asked, run, tmp_path):
    plan = BenchmarkPlan({"a": DATASETS["a"]}, {"pca": METHODS["pca"]}, (7,))
    benchmark.run_benchmark(plan, tmp_path / "out")
    status, out, _ = run("--seeds", "1", "--datasets", "a", "--methods", "sleeper")
    assert status == 0
    assert re.search(r"^\| sleeper \| 1.000 \|", out, re.MULTILINE)
    assert "2 of the 4 fits of all methods on all data sets and seeds here are missing; 2 finished fits" in out


# --------------------------------------------------------------------------------------------------------- names


def test_names_are_listed_with_what_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["benchmark", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(BENCHMARK_DATASETS) + len(BENCHMARK_METHODS) + 2
    assert lines[0] == "data sets:"
    told = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in lines if line.startswith("  "))
    assert set(told) == set(BENCHMARK_DATASETS) | set(BENCHMARK_METHODS)
    assert told["linear"] == BENCHMARK_DATASETS["linear"].note
    assert told["dica"] == BENCHMARK_METHODS["dica"].note
    # Variants of a method are told apart.
    assert len(set(told.values())) == len(told)
    assert list(tmp_path.iterdir()) == []


def test_the_help_has_the_numbers_of_a_quick_run():
    data, method = (getattr(standard_plan(quick=True), name) for name in ("datasets", "methods"))
    n_samples = {spec.n_samples for spec in data.values()}
    n_steps = {spec.build.training.max_steps for spec in method.values()}
    assert f"Fit {n_samples.pop()} samples with {n_steps.pop()} steps" in Benchmark.__doc__
    assert not n_samples | n_steps


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--datasets", "magic"], "'magic' is unknown: use linear-independent, linear, "),
        (["--methods", "pca", "magic"], "'magic' is unknown: use pca, fastica, "),
        (["--datasets", "linear", "sparse", "linear"], "data set 'linear' is given twice: use each name once"),
        (["--methods", "pca", "pca"], "method 'pca' is given twice: use each name once"),
        (["--seeds", "0"], "seeds=0 is out of range: use at least 1"),
        (["--seeds", "few"], "--seeds: 'few' is not possible, give a whole number"),
        (["--jobs", "0"], "jobs=0 is out of range: use from 1 to "),
        (["--jobs", "-1"], "jobs=-1 is out of range: use from 1 to "),
        (["--jobs", "100000"], "jobs=100000 is out of range: use from 1 to "),
        (["--score", "beauty"], "score='beauty' is not known: use one of recovery, r2_mean, "),
        (["--datasets"], "no data set"),
        (["--methods"], "no method"),
        (["--output", "file"], "output file is not a directory"),
    ],
)
def test_what_cannot_be_asked_for(refused, words, complaint):
    Path("file").write_text("taken")
    refused(["benchmark", "--output", "out", *words], complaint)
