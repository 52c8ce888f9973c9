"""What carries a benchmark out: the cells that are not finished, side by side, each kept as soon as it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from joblib import delayed

from identica.experiments.benchmark.asked import PLAN, asked_of, write_asked
from identica.experiments.benchmark.cells import CELLS, cell_of, read_rows, run_cell, stamp
from identica.experiments.benchmark.locks import remove_free_locks, run_lock
from identica.experiments.benchmark.plan import BenchmarkPlan, Cell
from identica.io import DataError, prepare_output_dir, remove_leftovers, write_records
from identica.machine import side_by_side

__all__ = ["run_benchmark"]

RESULTS = "results.csv"


def run_benchmark(
    plan: BenchmarkPlan,
    directory: str | os.PathLike[str],
    *,
    n_jobs: int | None = None,
    rerun: bool = False,
    on_cell: Callable[[dict[str, Any]], object] | None = None,
    command: str | None = None,
) -> list[dict[str, Any]]:
    """Run every cell of a plan that is not finished, and write results.csv.

    Each cell is written whole, as cells/<name>.json, as soon as it is done: a run that is killed at any moment goes on
    with the cells that it had not finished. Workers that outlive a killed run finish the cells that they were given,
    two each at most with joblib's own backend; the next run waits for these and takes what they gave. A method that
    fails is a row with the status "failed". results.csv is made of all finished cells in the directory, those of other
    plans included, whose `fingerprint` tells specifications apart. plan.json says what the last run was asked for, so
    that one that was stopped can be told from one that is complete.

    Each cell computes on one thread. A backend of joblib whose workers are threads runs cells one after the other at
    best: let each worker be a process with one thread.

    Parameters
    ----------
    plan : BenchmarkPlan
        What to do.
    directory : str or path
        Where to write; made where missing. One run at a time writes into it, where the system can lock files.
    n_jobs : int, optional
        Cells side by side, as in ``joblib.Parallel``; what ``joblib.parallel_config`` says, or 1, by default. The
        backend is that of ``joblib.parallel_config``.
    rerun : bool, default=False
        Whether to run again the finished cells that failed and those that another specification gave.
    on_cell : callable, optional
        Called with each new row as it comes, for those who wait; at the end of all, with backends of joblib that hand
        out nothing before.
    command : str, optional
        What was typed for this run, for plan.json and for messages that say what to run again.

    Returns
    -------
    list of dict
        The rows of the plan's cells, see ``COLUMNS``, in order of data set, method and seed.

    Raises
    ------
    DataError
        If another run writes into the directory, a finished cell is damaged, one of the plan is of another
        specification, or nothing can be written.
    ChildProcessError
        If a worker ended without a word, as when memory runs out.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.decomposition import PCA
    >>> from identica.datasets import make_mixture
    >>> from identica.experiments.benchmark import DatasetSpec, MethodSpec
    >>> linear = DatasetSpec(lambda n, seed: make_mixture(n, 20, 2, kind="linear", random_state=seed), 200, 100, 2)
    >>> plan = BenchmarkPlan({"linear": linear}, {"pca": MethodSpec(lambda data: PCA(data.n_components))}, (0, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = run_benchmark(plan, folder)
    ...     again = run_benchmark(plan, folder)
    >>> [(row["method"], row["seed"], row["status"]) for row in rows], again == rows
    ([('pca', 0, 'ok'), ('pca', 1, 'ok')], True)
    """
    folder = prepare_output_dir(directory)
    with run_lock(folder):
        prepare_output_dir(folder / CELLS)
        for name in (RESULTS, PLAN):
            remove_leftovers(folder / name)
        fingerprints = plan.fingerprints()
        # Before the rows are read: what workers of a killed run finish from here on is seen by its stamp.
        stamps = {cell: stamp(folder, cell) for cell in plan.cells}
        missing = _unfinished(plan, fingerprints, read_rows(folder, command), rerun, folder)
        # Not before: a plan that is refused is not what the cells came from.
        write_asked(folder, asked_of(plan, command))
        tasks = [
            delayed(run_cell)(
                cell,
                plan.datasets[cell.dataset],
                plan.methods[cell.method],
                fingerprints[cell.dataset, cell.method],
                folder,
                stamps[cell],
            )
            for cell in missing
        ]
        for row in side_by_side(tasks, n_jobs, "finished cells are kept"):
            if on_cell is not None:
                on_cell(row)
        remove_free_locks(folder / CELLS)
        rows = read_rows(folder, command)
        write_records(folder / RESULTS, rows)
    wanted = set(plan.cells)
    return [row for row in rows if cell_of(row) in wanted]


def _unfinished(
    plan: BenchmarkPlan,
    fingerprints: dict[tuple[str, str], str],
    finished: Sequence[dict[str, Any]],
    rerun: bool,
    folder: Path,
) -> list[Cell]:
    """Choose the cells to run; refuse finished ones of the plan that another specification gave."""
    rows = {cell_of(row): row for row in finished}
    differing = [
        cell
        for cell in plan.cells
        if cell in rows and rows[cell]["fingerprint"] != fingerprints[cell.dataset, cell.method]
    ]
    if differing and not rerun:
        cell = differing[0]
        # The digest of the data set comes first.
        of_data = [row.split("-")[0] for row in (rows[cell]["fingerprint"], fingerprints[cell.dataset, cell.method])]
        problem = f"the method {cell.method!r}" if of_data[0] == of_data[1] else f"the data set {cell.dataset!r}"
        others = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise DataError(
            f"the finished cell {folder / CELLS / cell.name}.json{others} came from another specification of {problem} "
            "than this plan's: give another directory, or run them again (rerun=True, or --rerun)"
        )
    return [
        cell
        for cell in plan.cells
        if cell not in rows or cell in differing or (rerun and rows[cell]["status"] == "failed")
    ]
