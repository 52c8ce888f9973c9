"""HDF5 files are looked through in a process of its own, since the library that reads them can be led to any length.

What a file says of its own structure, such as how long an attribute is and where its parts are, is believed by HDF5: a
few false bytes make it take all memory, go round in a circle or crash. So a process that has limits of memory and time,
and that nobody needs afterwards, reads all of that first. Only a file that it comes through is opened where data are.
"""

from __future__ import annotations

import json
import math
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from identica.io.budget import Budget, size_in_words
from identica.io.errors import DataError
from identica.io.hdf5 import check_hdf5

__all__ = ["answer", "examine_hdf5"]

MEMORY, PER_BYTE = 2**29, 2
"""Bytes that the process may take beside those of the interpreter, and so many more for each byte of the file."""
TAKEN_BY_PYTHON = 2**26
"""Bytes of the interpreter and its libraries."""
SECONDS, BYTES_PER_SECOND = 1, 2**19
"""How long it may compute, and bytes of the file for each of which there is a second more."""
PATIENCE = 60
"""Seconds that it may wait besides, as for a disk or its turn, and where the system does not limit what it computes."""
_READY = "ready"
_CODE = "import sys; sys.path[:] = {path!r}; from identica.io.apart import answer; answer()"
_examined: dict[tuple[Any, ...], list[tuple[Budget, frozenset[str]]]] = {}


def examine_hdf5(path: Path, budget: Budget, whole: tuple[str, ...], matrices: tuple[str, ...]) -> None:
    """Refuse an HDF5 file that must not be opened, or whose needed parts are too large; each file is looked at once.

    Parameters
    ----------
    path : Path
        The file.
    budget : Budget
        The most memory that all parts that are read as a whole may take together.
    whole : tuple of str
        Groups and datasets that are to be read as a whole, by their path in the file.
    matrices : tuple of str
        Those of which parts may be read, dense or sparse.

    Raises
    ------
    DataError
        If it is damaged, leads to other files, is too large or packed too far.
    """
    told = path.stat()
    identity = (path.absolute(), told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
    needed = frozenset((*whole, *matrices))
    before = _examined.setdefault(identity, [])
    if any(needed <= parts and limit.allows_less(budget) for limit, parts in before):
        return
    request = {"path": str(path), "budget": [budget.n_bytes, budget.was_given], "whole": whole, "matrices": matrices}
    _ask(path, json.dumps(request), told.st_size)
    before.append((budget, needed))


def _ask(path: Path, request: str, size: int) -> None:
    """Let a process look at a file."""
    seconds = _seconds(size)
    too_long = f"{path} is damaged: to find out what is in it took longer than {seconds} s, write it anew"
    code = _CODE.format(path=sys.path)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        run = subprocess.run(
            [multiprocessing.spawn.get_executable(), "-c", code],
            input=request.encode(),
            capture_output=True,
            timeout=PATIENCE + seconds,
            env=os.environ | threads,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(too_long) from error
    if run.returncode == -getattr(signal, "SIGXCPU", 0):
        raise DataError(too_long)
    lines = run.stdout.decode("utf-8", "replace").splitlines()
    if not lines:
        reason = run.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"status {run.returncode}"]
        raise DataError(f"{path} cannot be looked through: a process of Python did not start ({reason[0][:200]})")
    if len(lines) == 1:
        raise DataError(
            f"{path} is damaged: a process that looks through it ends by {_end(run.returncode)}, write it anew"
        )
    refused = json.loads(lines[1])
    if refused is not None:
        raise DataError(refused)


def _seconds(size: int) -> int:
    return SECONDS + size // BYTES_PER_SECOND


def _end(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-status).name}"
    return f"signal {-status}"


def answer() -> None:
    """Look at the file that standard input names; this is what the process runs.

    A first line of its output says that Python has started, a second one what is wrong with the file, or null.
    """
    request = json.load(sys.stdin)
    path = Path(request["path"])
    import h5py  # noqa: F401  (before memory is limited)

    _say(_READY)
    _limit(path.stat().st_size)
    try:
        _look_through(path, Budget(*request["budget"]), tuple(request["whole"]), tuple(request["matrices"]))
    except DataError as error:
        _say(json.dumps(str(error)))
    else:
        _say(json.dumps(None))
    os._exit(0)  # HDF5 may not come to its end with what it has open of a broken file


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _look_through(path: Path, budget: Budget, whole: tuple[str, ...], matrices: tuple[str, ...]) -> None:
    import h5py

    try:
        # Who asks opens the file, too, and may have it open.
        with h5py.File(path, "r", locking=False) as file:
            # Of a file before AnnData 0.7, whose tables are single arrays, all is read.
            old = isinstance(file.get("obs"), h5py.Dataset)
            check_hdf5(file, path, budget, tuple(file) if old else whole, matrices)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(
            f"{path} is damaged: to find out what is in it takes more than {size_in_words(MEMORY)}, write it anew"
        ) from error
    except Exception as error:  # what a broken file raises depends on where it is broken
        message = " ".join(str(error).split())[:200]
        raise DataError(f"{path} is damaged or not AnnData's ({message}), write it anew") from error


def _limit(size: int) -> None:
    """Let this process take only so much more time and memory, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = math.ceil(time.process_time())
    for kind, limit in (
        (resource.RLIMIT_DATA, TAKEN_BY_PYTHON + MEMORY + PER_BYTE * size),
        (resource.RLIMIT_CPU, used + _seconds(size)),
    ):
        _, most = resource.getrlimit(kind)
        soft = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (soft, most))
