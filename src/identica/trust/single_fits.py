"""Further fits of the same data, to compare: carried out on one thread, and kept in a file each."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, final

import numpy as np
from joblib import delayed, parallel_config
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from torch import nn

from identica.io import DataError, atomic_write, remove_leftovers
from identica.io.arrays import array_in, check_member, open_npz
from identica.io.budget import Budget
from identica.io.json_text import parse_json
from identica.io.schema import Flag, ListOf, Number, Table, Text, Whole, fault_of
from identica.machine import one_thread, side_by_side
from identica.trust.samples import Samples
from identica.trust.signs_of_fit import DOUBTS

__all__ = ["N_HALVES", "PlannedFit", "SingleFit", "carry_out", "carry_out_all", "file_of", "read_fit"]

N_HALVES = 2
"""Parts of the rows that are fitted apart."""
WITHOUT_INFLUENCE = ("n_components", "random_state", "verbose", "device")
"""Parameters that do not tell the fits of one plan from another's; the first two are given for each fit."""
_ARRAYS = ("plain", "latents", "strength")
_LONGEST = Budget(2.0**25)
_PLAIN = (
    *("n_components", "kind", "number", "unexplained", "criterion", "seconds", "warnings", "duplicates"),
    "doubted",
)


@final
@dataclass(frozen=True, eq=False)
class PlannedFit:
    """One fit that is to be made.

    Parameters
    ----------
    n_components : int
        Number of components.
    kind : {"seed", "half"}
        On all training rows with a seed of its own, or on one half of them.
    number : int
        Which seed, or which half.
    rows : ndarray of int
        Rows to fit.
    seed : int
        Of the fit.
    """

    n_components: int
    kind: str
    number: int
    rows: NDArray[np.intp]
    seed: int


@final
@dataclass(frozen=True, eq=False)
class SingleFit:
    """What is kept of one fit.

    Parameters
    ----------
    n_components : int
        Number of components.
    kind : {"seed", "half"}
        On all training rows with a seed of its own, or on one half of them.
    number : int
        Which seed, or which half.
    unexplained : float
        Share of the variance of the rows compared that is left unexplained.
    criterion : float
        Of the fit.
    seconds : float
        How long it took.
    warnings : tuple of str
        What the fit warned of, each once.
    duplicates : tuple of (int, int)
        Pairs of components that are nearly functions of each other.
    doubted : bool
        Whether the fit's own verdict doubts its single components: starts, restarts or single points disagree.
    latents : ndarray of shape (n_compared, n_components)
        Components of the rows compared.
    strength : ndarray of shape (n_components,)
        How much each component moves the features.
    """

    n_components: int
    kind: str
    number: int
    unexplained: float
    criterion: float
    seconds: float
    warnings: tuple[str, ...]
    duplicates: tuple[tuple[int, int], ...]
    doubted: bool
    latents: NDArray[np.floating[Any]]
    strength: NDArray[np.floating[Any]]


def carry_out_all(
    estimator: BaseEstimator,
    samples: Samples,
    plan: Sequence[PlannedFit],
    compared: NDArray[np.intp],
    *,
    directory: Path | None = None,
    n_jobs: int | None = None,
) -> Iterator[SingleFit]:
    """Make all fits of a plan that a directory does not have.

    Parameters
    ----------
    estimator : estimator
        A clone is fitted each time.
    samples : Samples
        All rows.
    plan : sequence of PlannedFit
        In the order in which to begin.
    compared : ndarray of int
        Rows on which fits are compared.
    directory : Path, optional
        Where each fit is kept as soon as it is done.
    n_jobs : int, optional
        Fits side by side, each on one thread.

    Yields
    ------
    SingleFit
        Those that the directory has first.

    Raises
    ------
    ValueError
        If a level of a covariate is in none of the rows of a fit that is shown it.
    DataError
        If the directory holds fits of other data or with other settings, or a damaged one.
    ChildProcessError
        If a worker ended without a word.
    """
    for rows in {id(planned.rows): planned.rows for planned in plan}.values():
        samples.check_levels(rows, compared)
    prints = dict.fromkeys(plan, "") if directory is None else _fingerprints(estimator, samples, plan, compared)
    kept: list[SingleFit] = []
    tasks = []
    for planned in plan:
        if directory is not None:
            path = file_of(directory, planned)
            if path.exists():
                kept.append(read_fit(path, prints[planned], planned, len(compared)))
                continue
            remove_leftovers(path)
        tasks.append(delayed(carry_out)(estimator, samples, planned, compared, directory, prints[planned]))
    yield from chain(kept, side_by_side(tasks, n_jobs, "with a directory, finished fits are kept"))


def carry_out(
    estimator: BaseEstimator,
    samples: Samples,
    planned: PlannedFit,
    compared: NDArray[np.intp],
    directory: Path | None = None,
    fingerprint: str = "",
) -> SingleFit:
    """Fit a clone of an estimator on one thread, and keep what is compared.

    Parameters
    ----------
    estimator : estimator
        Stays as it is.
    samples : Samples
        All rows.
    planned : PlannedFit
        What to fit.
    compared : ndarray of int
        Rows on which fits are compared.
    directory : Path, optional
        Where the file is written, whole.
    fingerprint : str
        Of all fits in the directory.

    Returns
    -------
    SingleFit
        The fit.
    """
    changes = {"n_components": planned.n_components, "random_state": planned.seed}
    model = clone(estimator).set_params(**changes)
    fitted, shown = samples.take(planned.rows), samples.take(compared)
    known = () if fitted.y is None else (fitted.y,)
    with (
        one_thread(),
        parallel_config(backend="sequential"),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        start = time.perf_counter()
        model.fit(fitted.X, *known, **fitted.beside)
        seconds = time.perf_counter() - start
        latents = model.transform(shown.X, **shown.beside)
        unexplained = 1.0 - float(model.score(shown.X, **shown.beside))
    fit = SingleFit(
        n_components=planned.n_components,
        kind=planned.kind,
        number=planned.number,
        unexplained=unexplained,
        criterion=float(model.criterion_),
        seconds=seconds,
        warnings=tuple(dict.fromkeys(str(warning.message) for warning in caught)),
        duplicates=tuple((int(i), int(j)) for i, j in model.duplicates_),
        doubted=any(sign.side == "against" for look in DOUBTS if (sign := look(model)) is not None),
        latents=np.asarray(latents),
        strength=np.asarray(model.component_strength_),
    )
    if directory is not None:
        _write(file_of(directory, planned), fit, fingerprint)
    return fit


def file_of(directory: Path, fit: PlannedFit | SingleFit) -> Path:
    """Return the file that keeps a fit."""
    return directory / f"{fit.n_components}-components-{fit.kind}-{fit.number}.npz"


def _write(path: Path, fit: SingleFit, fingerprint: str) -> None:
    plain = {name: getattr(fit, name) for name in _PLAIN} | {"fingerprint": fingerprint}
    with atomic_write(path) as file:
        np.savez(file, plain=np.array(json.dumps(plain)), latents=fit.latents, strength=fit.strength)


def read_fit(path: Path, fingerprint: str, planned: PlannedFit, n_compared: int) -> SingleFit:
    """Read a fit that was kept.

    Parameters
    ----------
    path : Path
        Its file.
    fingerprint : str
        What the fit must be of.
    planned : PlannedFit
        Which fit it must be.
    n_compared : int
        Rows on which fits are compared.

    Returns
    -------
    SingleFit
        The fit.

    Raises
    ------
    DataError
        If the file is damaged, or the fit is of other data or settings.
    """
    found: dict[str, Any] = {}
    try:
        with open_npz(path) as arrays:
            plain = _plain_of(path, arrays, planned.n_components)
            of_other = plain.pop("fingerprint") != fingerprint
            if not of_other:
                shapes = {"latents": (n_compared, planned.n_components), "strength": (planned.n_components,)}
                found = {name: _floats_of(path, arrays, name, shape) for name, shape in shapes.items()}
                if plain["kind"] != planned.kind or plain["number"] != planned.number:
                    raise DataError("it is another fit")
    except (OSError, DataError) as error:
        raise DataError(
            f"{path} does not hold the finished fit of its name: remove it and run again ({error})"
        ) from error
    if of_other:
        raise DataError(
            f"{path} is of a fit of other data or with other settings: give another directory, or remove "
            f"{path.parent} to fit all again"
        )
    plain |= {"warnings": tuple(plain["warnings"]), "duplicates": tuple(map(tuple, plain["duplicates"]))}
    return SingleFit(**plain, **found)


def _floats_of(path: Path, arrays: Any, name: str, wanted: tuple[int, ...]) -> NDArray[np.floating[Any]]:
    shape, dtype = check_member(path, arrays, name, Budget.default())
    if shape != wanted or dtype.kind != "f":
        raise DataError(f"{name} is {dtype} of shape {shape}, and floats of shape {wanted} are needed")
    values: NDArray[np.floating[Any]] = array_in(arrays, name, path)
    if not np.isfinite(values).all():
        raise DataError(f"{name} has values that are not finite")
    return values


def _plain_of(path: Path, arrays: Any, n_components: int) -> dict[str, Any]:
    """Return what a file keeps beside its arrays, checked."""
    if set(arrays.files) != set(_ARRAYS):
        raise DataError("it has other arrays")
    shape, dtype = check_member(path, arrays, "plain", _LONGEST)
    if shape != () or dtype.kind != "U":
        raise DataError("plain is no text")
    plain = parse_json(str(array_in(arrays, "plain", path)), "plain", infinite=True)
    if (fault := fault_of(plain, _kept(n_components), "plain")) is not None:
        raise DataError(fault)
    kept: dict[str, Any] = plain
    return kept


def _kept(n_components: int) -> Table:
    """Return what is kept of a fit beside its arrays."""
    component = Whole(0, n_components - 1)
    return Table(
        {
            "n_components": Whole(n_components, n_components),
            "kind": Text(10),
            "number": Whole(0),
            "unexplained": Number(),
            "criterion": Number(),
            "seconds": Number(0),
            "warnings": ListOf(Text(), 10_000),
            "duplicates": ListOf(ListOf(component, 2, 2), n_components**2),
            "doubted": Flag(),
            "fingerprint": Text(100),
        }
    )


def _fingerprints(
    estimator: BaseEstimator, samples: Samples, plan: Sequence[PlannedFit], compared: NDArray[np.intp]
) -> dict[PlannedFit, str]:
    """Return a digest of all that decides what comes of each fit."""
    shared = hashlib.sha256()
    settings = {
        name: repr(value) for name, value in estimator.get_params(deep=False).items() if name not in WITHOUT_INFLUENCE
    }
    shared.update(repr((type(estimator).__qualname__, sorted(settings.items()))).encode())
    for module in estimator.get_params(deep=False).values():
        if isinstance(module, nn.Module):  # a user's own, whose fits begin with its weights
            for tensor in module.state_dict().values():
                shared.update(tensor.detach().cpu().numpy().tobytes())
    samples.digest(shared)
    shared.update(compared.tobytes())
    prints = {}
    for planned in plan:
        own = shared.copy()
        own.update(f"{planned.n_components} {planned.seed}".encode())
        own.update(planned.rows.tobytes())
        prints[planned] = own.hexdigest()
    return prints
