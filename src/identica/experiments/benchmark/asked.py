"""What a run of a benchmark was asked for, kept beside what it has finished."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from identica.experiments.benchmark.plan import BenchmarkPlan, DatasetSpec, MethodSpec
from identica.io import DataError, write_json
from identica.io.json_text import read_json
from identica.io.schema import ListOf, Maybe, Table, Text, Whole, fault_of

__all__ = ["PLAN", "Asked", "asked_of", "read_asked", "write_asked"]

PLAN = "plan.json"
"""Name of the file, in the benchmark's directory."""
MOST_BYTES = 2**24
_ASKED = Table(
    {
        "command": Maybe(Text()),
        "seeds": ListOf(Whole(0), 100_000),
        "fits": ListOf(ListOf(Maybe(Text()), 3, 3), 100_000),
    }
)


@final
@dataclass(frozen=True)
class Asked:
    """The fits that a run was asked for.

    Parameters
    ----------
    fits : mapping of (str, str) to str or None
        By data set and method, the fingerprint of their specifications, or None for any; without those whose method is
        not for the data set.
    seeds : tuple of int
        Each is fitted once per seed.
    command : str or None
        What was typed for it, where it was typed.
    """

    fits: Mapping[tuple[str, str], str | None]
    seeds: tuple[int, ...]
    command: str | None = None

    def __len__(self) -> int:
        return len(self.fits) * len(self.seeds)

    def __contains__(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row is of one of the fits, and of its specification."""
        pair = (row["dataset"], row["method"])
        return row["seed"] in self.seeds and pair in self.fits and self.fits[pair] in (None, row["fingerprint"])


def asked_of(plan: BenchmarkPlan, command: str | None = None) -> Asked:
    """Say what a plan asks for.

    Parameters
    ----------
    plan : BenchmarkPlan
        The plan.
    command : str, optional
        What was typed for it.

    Returns
    -------
    Asked
        Its fits.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec
    >>> data = DatasetSpec(lambda n, seed: None, 200, 100, 2)
    >>> methods = {"pca": MethodSpec(lambda data: PCA(2)), "other": MethodSpec(lambda data: None)}
    >>> asked = asked_of(BenchmarkPlan({"a": data}, methods, (0, 1)))
    >>> list(asked.fits), len(asked)
    ([('a', 'pca')], 2)
    """
    fits = {
        (dataset, method): fingerprint
        for (dataset, method), fingerprint in plan.fingerprints().items()
        if _is_for(plan.methods[method], plan.datasets[dataset])
    }
    return Asked(fits, plan.seeds, command)


def _is_for(method: MethodSpec, data: DatasetSpec) -> bool:
    try:
        return method.build(data) is not None
    except Exception:  # noqa: BLE001  (whatever it raises, its fits are asked for and will fail)
        return True


def write_asked(directory: str | os.PathLike[str], asked: Asked) -> None:
    """Write plan.json.

    Parameters
    ----------
    directory : str or path
        The benchmark's.
    asked : Asked
        What to keep.
    """
    fits = [[dataset, method, fingerprint] for (dataset, method), fingerprint in asked.fits.items()]
    write_json(Path(directory) / PLAN, {"command": asked.command, "seeds": list(asked.seeds), "fits": fits})


def read_asked(directory: str | os.PathLike[str], command: str | None = None) -> Asked | None:
    """Read what the last run in a directory was asked for.

    Parameters
    ----------
    directory : str or path
        The benchmark's.
    command : str, optional
        What writes the file anew, for the message; "the benchmark" by default.

    Returns
    -------
    Asked or None
        None where there is no plan.json.

    Raises
    ------
    DataError
        If plan.json is damaged.
    """
    path = Path(directory) / PLAN
    if not path.is_file():
        return None
    try:
        content = read_json(path, MOST_BYTES)
    except DataError:
        content = None
    if fault_of(content, _ASKED, PLAN) is not None:
        again = command or "the benchmark"
        raise DataError(
            f"{path} does not say what a run was asked for: remove the file and run {again} again, with the same "
            "--output"
        )
    fits = {(str(dataset), str(method)): str(fingerprint) for dataset, method, fingerprint in content["fits"]}
    return Asked(fits, tuple(content["seeds"]), content["command"])
