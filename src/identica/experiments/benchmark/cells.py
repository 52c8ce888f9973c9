"""One cell of a benchmark carried out, and the files that keep what came of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from identica.experiments.benchmark.locks import cell_lock
from identica.experiments.benchmark.plan import Cell, DatasetSpec, MethodSpec
from identica.experiments.comparison import seeded
from identica.experiments.runner import timed_fit
from identica.io import DataError, remove_leftovers, write_json
from identica.io.json_text import read_json
from identica.machine import one_thread
from identica.metrics import block_r2, disentanglement_scores, score_components

__all__ = ["CELLS", "COLUMNS", "LOWER_IS_BETTER", "SCORES", "cell_of", "read_rows", "run_cell", "stamp"]

MOST_BYTES = 2**24
CELLS = "cells"
"""Folder of the files, in the benchmark's directory."""
PACKAGES = ("identica", "numpy", "scikit-learn", "scipy", "torch")
SCORES = (
    "recovery",
    *("r2_mean", "mcc_pearson", "mcc_spearman"),
    *("dci_disentanglement", "dci_completeness", "dci_informativeness"),
    *("infomec_modularity", "infomec_compactness", "infomec_explicitness"),
    *("reconstruction_error", "start_agreement", "seconds"),
)
"""What methods can be ranked by; recovery is the mean R^2 of components, or of blocks where data have some."""
LOWER_IS_BETTER = ("reconstruction_error", "seconds")
"""Those of ``SCORES`` of which less is better."""
STATUSES = ("ok", "failed", "not applicable")
"""What can have come of a cell."""
_GIVEN = ("n_samples", "n_test_samples", "n_components")
COLUMNS = (
    *("dataset", "method", "seed", "status", "error", "seconds"),
    *(name for name in SCORES if name != "seconds"),
    *("verdict", "warnings", *_GIVEN, "fingerprint"),
    *("python", *PACKAGES),
)
"""Keys of every row, in the order of the columns of results.csv; the last are versions."""


def run_cell(
    cell: Cell,
    dataset: DatasetSpec,
    method: MethodSpec,
    fingerprint: str,
    directory: str | os.PathLike[str],
    seen: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Fit one method to one data set on one thread, score it on new samples, and write the row to the cell's file.

    One process at a time does so, where the system can lock files. A row that another one has written meanwhile, such
    as a worker of a run that was killed, is returned as it is.

    Parameters
    ----------
    cell : Cell
        Which one.
    dataset : DatasetSpec
        Its data set.
    method : MethodSpec
        Its method.
    fingerprint : str
        Of both specifications, see :meth:`BenchmarkPlan.fingerprints`.
    directory : str or path
        The benchmark's; its folder of cells exists.
    seen : (int, int), optional
        The :func:`stamp` of the cell's file when it was decided that the cell is to be run.

    Returns
    -------
    dict
        With the keys ``COLUMNS``, those without a value None. The status is "ok", "failed" (then `error` holds type and
        message of what was raised) or "not applicable".
    """
    file = _file(directory, cell)
    with cell_lock(file):
        now = stamp(directory, cell)
        if now is not None and now != seen and (found := _read(file, "the benchmark"))["fingerprint"] == fingerprint:
            return found
        # Nobody else is writing: these are of processes that were killed.
        remove_leftovers(file)
        row = _row(cell, dataset, method, fingerprint)
        write_json(file, row)
    return row


def stamp(directory: str | os.PathLike[str], cell: Cell) -> tuple[int, int] | None:
    """Tell one version of a cell's file from any other; None where there is none."""
    try:
        found = _file(directory, cell).stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino


def _row(cell: Cell, dataset: DatasetSpec, method: MethodSpec, fingerprint: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        **dict.fromkeys(COLUMNS),
        **asdict(cell),
        **{name: getattr(dataset, name) for name in _GIVEN},
        "fingerprint": fingerprint,
        "python": python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
    try:
        # Not even the workers of a cluster, which estimators and metrics would else share out their own work to.
        with one_thread(), parallel_config(backend="sequential"):
            row |= _outcome(cell, dataset, method)
    except Exception as error:  # noqa: BLE001  (whatever a method raises is what came of it)
        row |= {"status": "failed", "error": _one_line(error)}
    return row


def _outcome(cell: Cell, dataset: DatasetSpec, method: MethodSpec) -> dict[str, Any]:
    unfitted = method.build(dataset)
    if unfitted is None:
        return {"status": "not applicable"}
    n_samples = dataset.n_samples
    data = dataset.generate(n_samples + dataset.n_test_samples, cell.seed)
    if len(data.X) != n_samples + dataset.n_test_samples:
        raise ValueError(
            f"generate() returned {len(data.X)} samples where {n_samples + dataset.n_test_samples} were asked for: "
            "return as many as its first argument says"
        )
    auxiliary = None
    if method.uses_auxiliary:
        auxiliary = getattr(data, "auxiliary", None)
        if auxiliary is None:
            return {"status": "not applicable"}
        auxiliary = auxiliary[:n_samples]
    estimator = seeded(unfitted, cell.seed)
    seconds, caught = timed_fit(estimator, data.X[:n_samples], auxiliary)
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    measure = dataset.measure
    return {
        "status": "ok",
        "seconds": seconds,
        **(
            _component_scores(last, dataset.blocks, data.latents[n_samples:], estimator.transform(data.X[n_samples:]))
            if measure is None
            else measure(cell, estimator, data, n_samples)
        ),
        "reconstruction_error": _number(last, "reconstruction_error_"),
        "start_agreement": _number(last, "start_agreement_"),
        "verdict": getattr(getattr(last, "verdict_", None), "level", None),
        "warnings": len(caught),
    }


def _component_scores(
    fitted: Any, blocks: tuple[tuple[int, ...], ...] | None, true: NDArray[Any], found: NDArray[Any]
) -> dict[str, float]:
    scores, _ = score_components(true, found)
    recovery = scores["r2_mean"]
    if blocks is not None:
        size = getattr(fitted, "block_size", 1)
        own = [range(i, i + size) for i in range(0, found.shape[1], size)] if size > 1 else None
        recovery = block_r2(true, found, blocks, own).mean
    return {"recovery": recovery, **scores, **disentanglement_scores(true, found)}


def _number(estimator: Any, name: str) -> float | None:
    value = getattr(estimator, name, None)
    return None if value is None else float(value)


def _one_line(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    # What UTF-8 cannot write must not lose the row.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_rows(directory: str | os.PathLike[str], command: str | None = None) -> list[dict[str, Any]]:
    """Read the rows of all cells that a benchmark has finished so far, in order of data set, method and seed.

    Parameters
    ----------
    directory : str or path
        The benchmark's.
    command : str, optional
        What fits a cell again whose file was removed, for the message; "the benchmark" by default.

    Returns
    -------
    list of dict
        With the keys ``COLUMNS``, and those that the data set's own ``measure`` gave.

    Raises
    ------
    DataError
        If a file is damaged, or has not the name of its cell.
    """
    rows = [_read(path, command or "the benchmark") for path in (Path(directory) / CELLS).glob("*.json")]
    return sorted(rows, key=lambda row: (row["dataset"], row["method"], row["seed"]))


def cell_of(row: Mapping[str, Any]) -> Cell:
    """Return the cell that a row came from."""
    return Cell(row["dataset"], row["method"], row["seed"])


def _file(directory: str | os.PathLike[str], cell: Cell) -> Path:
    return Path(directory) / CELLS / f"{cell.name}.json"


def _read(path: Path, command: str) -> dict[str, Any]:
    try:
        row = read_json(path, MOST_BYTES)
        sound = path.stem == cell_of(row).name and set(COLUMNS) <= set(row) and _has_types(row)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        sound = False
    if not sound:
        raise DataError(
            f"{path} does not hold the finished cell of its name: remove the file and run {command} again, with the "
            "same --output"
        )
    return {**{name: row[name] for name in COLUMNS}, **row}


def _has_types(row: Mapping[str, Any]) -> bool:
    """Tell whether a row holds what it is read for: a seed, a known status, a fingerprint and numbers."""
    numbers = [row[name] for name in SCORES if row[name] is not None]
    told = isinstance(row["seed"], int) and isinstance(row["fingerprint"], str) and row["status"] in STATUSES
    timed = row["status"] != "ok" or row["seconds"] is not None
    return told and timed and all(isinstance(value, int | float) and float(value) == value for value in numbers)
