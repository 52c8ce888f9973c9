"""A benchmark does every cell once, whatever happens on the way, and keeps what is finished."""

import csv
import json
import multiprocessing
import os
import sys
import time
from functools import partial

import numpy as np
import pytest
from benchmark_cases import Sleeper, broken, data, pca, plan_of_twelve
from joblib import parallel_config
from sklearn.decomposition import PCA

from identica.experiments.benchmark import (
    COLUMNS,
    BenchmarkPlan,
    Cell,
    MethodSpec,
    read_rows,
    run_benchmark,
)
from identica.experiments.benchmark.asked import Asked, read_asked
from identica.io import DataError

LINEAR = MethodSpec(pca)


def small_plan(*, seeds=(0, 1), n_samples=60, whiten=False, **methods):
    built = {"pca": MethodSpec(lambda dataset: PCA(dataset.n_components, whiten=whiten)), **methods}
    return BenchmarkPlan({"a": data(n_samples=n_samples)}, built, seeds)


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "cells").iterdir()}


def table(folder):
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------------------------ resume, files


def test_only_what_is_not_finished_runs_again(tmp_path):
    seen = []
    first = run_benchmark(small_plan(seeds=(0,)), tmp_path, on_cell=seen.append)
    before = stamps(tmp_path)
    (tmp_path / "cells" / ".a+pca+1.json.0123abcd.tmp").write_text("{")
    more = small_plan(sleeper=MethodSpec(lambda dataset: Sleeper()))
    rows = run_benchmark(more, tmp_path, on_cell=seen.append)
    after = stamps(tmp_path)
    assert {name: after[name] for name in before} == before
    assert sorted(after) == [f"a+{method}+{seed}.json" for method in ("pca", "sleeper") for seed in (0, 1)]
    assert len(seen) == 4
    assert first[0] in rows
    assert run_benchmark(more, tmp_path, on_cell=seen.append) == rows
    assert len(seen) == 4
    assert stamps(tmp_path) == after


def test_the_table_has_one_sorted_row_per_finished_cell(tmp_path):
    run_benchmark(small_plan(seeds=(10, 9), broken=MethodSpec(partial(broken, "a, b"))), tmp_path)
    returned = run_benchmark(small_plan(seeds=(2,)), tmp_path)
    rows = table(tmp_path)
    assert [(row["method"], int(row["seed"])) for row in rows] == [
        ("broken", 9),
        ("broken", 10),
        ("pca", 2),
        ("pca", 9),
        ("pca", 10),
    ]
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["error"] == "ArithmeticError: a, b"
    assert rows[0]["r2_mean"] == ""
    assert float(rows[2]["r2_mean"]) == returned[0]["r2_mean"]
    # Those of other plans are in the table alone.
    assert [row["seed"] for row in returned] == [2]
    assert len(read_rows(tmp_path)) == 5


def test_cells_of_another_specification_are_refused_or_run_again(tmp_path):
    run_benchmark(small_plan(), tmp_path)
    before = stamps(tmp_path)
    with pytest.raises(
        DataError, match=r"a\+pca\+0\.json and 1 more came from another specification of the data set 'a'"
    ):
        run_benchmark(small_plan(n_samples=50), tmp_path)
    with pytest.raises(
        DataError, match=r"of the method 'pca' than this plan's: give another directory, or run them again"
    ):
        run_benchmark(small_plan(whiten=True), tmp_path)
    assert stamps(tmp_path) == before
    # Those that the plan does not ask for are left as they are.
    other = BenchmarkPlan({"a": data(n_samples=50)}, {"other": LINEAR}, (0,))
    assert [row["n_samples"] for row in run_benchmark(other, tmp_path)] == [50]
    assert before.items() <= stamps(tmp_path).items()
    assert sorted(row["n_samples"] for row in table(tmp_path)) == ["50", "60", "60"]
    rows = run_benchmark(small_plan(n_samples=50), tmp_path, rerun=True)
    assert [row["n_samples"] for row in rows] == [50, 50]
    assert run_benchmark(small_plan(n_samples=50), tmp_path) == rows


def test_rerun_tries_failed_cells_again_and_leaves_the_others(tmp_path):
    plan = small_plan(seeds=(0,), broken=MethodSpec(partial(broken, "no luck")))
    run_benchmark(plan, tmp_path)
    before = stamps(tmp_path)
    run_benchmark(plan, tmp_path, rerun=True)
    changed = {name for name, stamp in stamps(tmp_path).items() if stamp != before[name]}
    assert changed == {"a+broken+0.json"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"dataset": "a", "method": "pca", "seed": 1}'])
def test_a_damaged_cell_is_named(tmp_path, content):
    run_benchmark(small_plan(seeds=(0,)), tmp_path)
    file = tmp_path / "cells" / "a+pca+0.json"
    file.write_text(content)
    with pytest.raises(DataError, match=r"a\+pca\+0\.json does not hold the finished cell of its name: remove"):
        run_benchmark(small_plan(seeds=(0,)), tmp_path)
    with pytest.raises(
        DataError, match=r"remove the file and run identica magic --seeds 1 again, with the same --output$"
    ):
        run_benchmark(small_plan(seeds=(0,)), tmp_path, command="identica magic --seeds 1")


@pytest.mark.parametrize(
    "changed",
    [
        {"fingerprint": None},
        {"recovery": 10**400},
        {"recovery": "much"},
        {"seconds": None},
        {"status": "weird"},
        {"status": ["ok"]},
        {"seed": "0"},
    ],
    ids=str,
)
def test_a_cell_whose_values_are_of_another_kind_is_named(tmp_path, changed):
    run_benchmark(small_plan(seeds=(0,)), tmp_path)
    file = tmp_path / "cells" / "a+pca+0.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    with pytest.raises(DataError, match=r"a\+pca\+0\.json does not hold the finished cell of its name: remove"):
        run_benchmark(small_plan(seeds=(0,)), tmp_path)


def test_what_the_last_run_was_asked_for_is_kept(tmp_path):
    assert read_asked(tmp_path) is None
    plan = small_plan(other=MethodSpec(lambda dataset: None), broken=MethodSpec(unbuildable))
    run_benchmark(plan, tmp_path, command="identica magic")
    asked = read_asked(tmp_path)
    fits = [("a", "pca"), ("a", "broken")]
    assert asked == Asked({fit: plan.fingerprints()[fit] for fit in fits}, (0, 1), "identica magic")
    assert len(asked) == 4
    assert [row["method"] for row in read_rows(tmp_path) if row in asked] == ["broken", "broken", "pca", "pca"]
    # A plan that is refused is not what the cells came from.
    with pytest.raises(DataError, match="another specification"):
        run_benchmark(small_plan(n_samples=50), tmp_path)
    assert read_asked(tmp_path) == asked
    run_benchmark(small_plan(seeds=(1,)), tmp_path)
    assert [row["seed"] for row in read_rows(tmp_path) if row in read_asked(tmp_path)] == [1]


def test_a_rerun_that_was_stopped_has_no_part_in_what_another_specification_gave(tmp_path):
    run_benchmark(small_plan(), tmp_path)

    def stop(row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_benchmark(small_plan(whiten=True), tmp_path, rerun=True, on_cell=stop)
    asked = read_asked(tmp_path)
    assert len(asked) == 2
    assert [row["seed"] for row in read_rows(tmp_path) if row in asked] == [0]


def unbuildable(dataset):
    raise ArithmeticError("no luck")


@pytest.mark.parametrize("content", ["", "{}", '{"fits": [1], "seeds": [0], "command": null}'])
def test_a_damaged_plan_is_named(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(
        DataError,
        match=r"plan\.json does not say .*: remove the file and run the benchmark again, with the same --output$",
    ):
        read_asked(tmp_path)
    run_benchmark(small_plan(), tmp_path)  # which writes it anew
    assert read_asked(tmp_path) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_a_second_run_in_the_directory_is_refused(tmp_path):
    complaints = []

    def intrude(row):
        with pytest.raises(DataError, match=rf"written by another run \(process {os.getpid()} on .*wait for its end"):
            run_benchmark(small_plan(), tmp_path)
        complaints.append(row)

    run_benchmark(small_plan(), tmp_path, on_cell=intrude)
    assert len(complaints) == 2


# ------------------------------------------------------------------------------------------- several processes


@pytest.mark.slow
def test_workers_give_what_one_process_gives(tmp_path):
    plan = plan_of_twelve()
    alone = run_benchmark(plan, tmp_path / "one")
    side_by_side = run_benchmark(plan, tmp_path / "two", n_jobs=2)
    with parallel_config(backend="threading", n_jobs=2):
        again = run_benchmark(plan, tmp_path / "one")
    assert again == alone
    for row in (*alone, *side_by_side):
        del row["seconds"]
    assert side_by_side == alone
    assert len(alone) == 12


def test_backends_that_give_all_at_the_end_work_too(tmp_path):
    seen = []
    plan = BenchmarkPlan({"a": data()}, {"pca": LINEAR}, (0, 1))
    with parallel_config(backend="multiprocessing", n_jobs=1):
        run_benchmark(plan, tmp_path, on_cell=seen.append)
    assert [row["seed"] for row in seen] == [0, 1]


def forked(plan, folder):
    """Start a run in a process of its own, which has imported everything."""
    return multiprocessing.get_context("fork").Process(target=run_benchmark, args=(plan, folder))


def killed(process, cells, n_wanted):
    """Kill a run at some moment after so many cells are finished, and return these."""
    deadline = time.monotonic() + 300
    while len(list(cells.glob("*.json"))) < n_wanted and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(np.random.default_rng(n_wanted).uniform(0, 0.1))
    process.kill()
    process.join()
    contents = {path.name: path.read_bytes() for path in cells.glob("*.json")}
    assert n_wanted <= len(contents) < 12
    assert all(set(json.loads(content)) == set(COLUMNS) for content in contents.values())
    return contents


def check_resumed(folder, kept):
    """Go on to the end: every cell is there once, and those that were finished are as they were."""
    cells, new = folder / "cells", []
    rows = run_benchmark(plan_of_twelve(), folder, on_cell=new.append)
    names = sorted(f"{cell.name}.json" for cell in plan_of_twelve().cells)
    assert sorted(path.name for path in cells.iterdir()) == names
    assert {name: (cells / name).read_bytes() for name in kept} == kept
    assert len(new) <= 12 - len(kept)
    assert [f"{Cell(row['dataset'], row['method'], row['seed']).name}.json" for row in rows] == names
    assert [row["status"] for row in rows] == ["ok"] * 12
    assert len(table(folder)) == 12


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_killed_run_loses_no_finished_cell_and_does_none_twice(tmp_path):
    kept: dict[str, bytes] = {}
    for n_wanted in (0, 0, 1, 1, 2, 3, 4, 5, 6, 7):
        process = forked(plan_of_twelve(), tmp_path)
        process.start()
        finished = killed(process, tmp_path / "cells", n_wanted)
        assert {name: finished[name] for name in kept} == kept
        kept = finished
    assert not (tmp_path / "results.csv").exists()
    check_resumed(tmp_path, kept)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_worker_that_dies_is_told_in_one_sentence(tmp_path):
    plan = BenchmarkPlan({"a": data()}, {"deadly": MethodSpec(partial(broken, "kill")), "pca": LINEAR}, (0,))
    with pytest.raises(ChildProcessError, match=r"ended without a word.*run again with fewer jobs"):
        run_benchmark(plan, tmp_path, n_jobs=2)
