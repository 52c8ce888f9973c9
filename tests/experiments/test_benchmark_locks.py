"""Workers that outlive a killed run: what they finish is taken, and nothing is computed twice."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from benchmark_cases import PATHS, data, noted_plan, sleeper
from sklearn.decomposition import PCA

from identica.experiments.benchmark import BenchmarkPlan, MethodSpec, read_rows, run_benchmark
from identica.experiments.benchmark.cells import run_cell
from identica.experiments.benchmark.locks import cell_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks there")

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
THREADS = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
TIMES = (0.05, 0.15)


def lines(log):
    """Return what was noted: the process, then what tells the cell."""
    return [line.split(" ", 1) for line in log.read_text().splitlines()] if log.exists() else []


def check_done_once(log, folder, n_seeds, seconds):
    wanted = sorted(f"{n} {time} {seed}" for n, time, seed in product((60, 50), seconds, range(n_seeds)))
    assert sorted(cell for _, cell in lines(log)) == wanted
    assert len(list((folder / "cells").glob("*.json"))) == len(wanted)
    assert len((folder / "results.csv").read_text().splitlines()) == 1 + len(wanted)


def stray(plan, folder, cells, delay):
    """Compute cells as the worker of a run that was killed does."""
    time.sleep(delay)
    fingerprints = plan.fingerprints()
    for cell in cells:
        fingerprint = fingerprints[cell.dataset, cell.method]
        run_cell(cell, plan.datasets[cell.dataset], plan.methods[cell.method], fingerprint, folder)


@FORKS
@THREADS
def test_what_ten_stray_workers_compute_is_waited_for(tmp_path):
    folder, log, random = tmp_path / "out", tmp_path / "log", np.random.default_rng(0)
    plan = noted_plan(log, 3, TIMES)
    (folder / "cells").mkdir(parents=True)
    strays = []
    for _ in range(10):
        own = [plan.cells[i] for i in random.permutation(12)[:2]]
        process = multiprocessing.get_context("fork").Process(
            target=stray, args=(plan, folder, own, random.uniform(0, 1))
        )
        process.start()
        strays.append(process)
    rows = run_benchmark(plan, folder)
    for process in strays:
        process.join()
    assert [process.exitcode for process in strays] == [0] * 10
    assert [row["status"] for row in rows] == ["ok"] * 12
    check_done_once(log, folder, 3, TIMES)
    # The locks go with those who held them.
    assert not list((folder / "cells").glob(".*"))


@FORKS
@THREADS
def test_of_many_processes_at_one_cell_one_computes_it(tmp_path):
    folder, log = tmp_path / "out", tmp_path / "log"
    plan = noted_plan(log, 1, TIMES[:1])
    (folder / "cells").mkdir(parents=True)
    strays = [
        multiprocessing.get_context("fork").Process(target=stray, args=(plan, folder, plan.cells[:1], 0.0))
        for _ in range(12)
    ]
    for process in strays:
        process.start()
    for process in strays:
        process.join()
    assert [process.exitcode for process in strays] == [0] * 12
    assert len(lines(log)) == 1


def holding(file, then):
    """Hold the lock of a cell until a run waits for it; then do something and let go."""
    held = threading.Event()

    def hold():
        with cell_lock(file):
            held.set()
            time.sleep(0.5)
            then()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    return thread


def test_a_cell_whose_owner_gives_nothing_is_computed(tmp_path):
    folder, log = tmp_path / "out", tmp_path / "log"
    plan = noted_plan(log, 1, TIMES[:1])
    file = folder / "cells" / f"{plan.cells[0].name}.json"
    file.parent.mkdir(parents=True)
    before = []
    thread = holding(file, lambda: before.extend(lines(log)))
    run_benchmark(plan, folder)
    thread.join()
    assert before == []
    check_done_once(log, folder, 1, TIMES[:1])


def test_a_failed_cell_that_another_process_ran_again_is_not_run_a_third_time(tmp_path):
    plan = BenchmarkPlan({"a": data()}, {"sleeper": MethodSpec(sleeper)}, (0,))
    (row,) = run_benchmark(plan, tmp_path)
    file = tmp_path / "cells" / "a+sleeper+0.json"
    content = file.read_text()
    file.write_text(json.dumps(row | {"status": "failed", "error": "no luck"}))
    thread = holding(file, lambda: file.write_text(content))
    assert run_benchmark(plan, tmp_path, rerun=True) == [row]
    thread.join()
    assert file.read_text() == content


@pytest.mark.parametrize("same", [True, False])
def test_what_is_finished_meanwhile_is_taken_if_it_is_of_the_same_specification(tmp_path, same):
    plan = BenchmarkPlan({"a": data()}, {"sleeper": MethodSpec(sleeper)}, (0, 1))
    run_benchmark(plan, tmp_path / "before")
    name = "a+sleeper+1.json"
    row = json.loads((tmp_path / "before" / "cells" / name).read_text())
    content = json.dumps(row if same else row | {"fingerprint": "old-old"})
    file = tmp_path / "after" / "cells" / name
    told = []

    def meanwhile(row):
        told.append(row["seed"])
        if len(told) == 1:
            file.write_text(content)

    run_benchmark(plan, tmp_path / "after", on_cell=meanwhile)
    assert told == [0, 1]
    assert (file.read_text() == content) == same
    assert {row["fingerprint"] for row in read_rows(tmp_path / "after")} == {row["fingerprint"]}


@pytest.fixture
def started():
    """Start runs that have two workers in processes of their own; end what is left of them after the test."""
    runs = []
    yield lambda *arguments: runs.append(with_workers(*arguments)) or runs[-1]
    for process in runs:
        # Workers that have outlived their run wait for more some minutes.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def with_workers(folder, log, n_seeds, seconds):
    code = (
        "from benchmark_cases import noted_plan\n"
        "from identica.experiments.benchmark import run_benchmark\n"
        f"run_benchmark(noted_plan({str(log)!r}, {n_seeds}, {seconds}), {str(folder)!r}, n_jobs=2)"
    )
    return subprocess.Popen([sys.executable, "-c", code], env=PATHS, start_new_session=True)


@pytest.mark.slow
def test_runs_with_workers_killed_at_random_moments_lose_nothing_and_compute_nothing_twice(tmp_path, started):
    folder, log, seconds, n_seeds = tmp_path / "out", tmp_path / "log", (0.1, 0.3), 24
    kept: dict[str, bytes] = {}
    runs = []
    for i in range(10):
        process = started(folder, log, n_seeds, seconds)
        runs.append(str(process.pid))
        deadline = time.monotonic() + 300
        while runs[-1] not in {parent for parent, _ in lines(log)} and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(np.random.default_rng(i).uniform(0, 0.5))
        process.kill()
        process.wait()
        finished = {path.name: path.read_bytes() for path in (folder / "cells").glob("*.json")}
        assert len(finished) < 4 * n_seeds
        assert {name: finished[name] for name in kept} == kept
        kept = finished
    # At once, while workers of the last run still compute.
    run_benchmark(noted_plan(log, n_seeds, seconds), folder)
    assert {name: (folder / "cells" / name).read_bytes() for name in kept} == kept
    check_done_once(log, folder, n_seeds, seconds)
    assert set(runs) <= {parent for parent, _ in lines(log)}


def test_a_lock_that_a_killed_process_left_goes_and_one_that_is_held_stays(tmp_path):
    plan = BenchmarkPlan({"a": data()}, {"pca": MethodSpec(lambda dataset: PCA(dataset.n_components))}, (0,))
    run_benchmark(plan, tmp_path)
    cells = tmp_path / "cells"
    (cells / ".a+pca+0.lock").touch()
    with cell_lock(cells / "held+pca+0.json"):
        run_benchmark(plan, tmp_path)
        assert [path.name for path in cells.glob(".*")] == [".held+pca+0.lock"]
    assert [path.name for path in cells.iterdir()] == ["a+pca+0.json"]
