"""Locks in a benchmark's directory: one run at a time writes into it, and one process at a time computes a cell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from socket import gethostname

from identica.io import DataError

__all__ = ["cell_lock", "remove_free_locks", "run_lock"]

CAN_LOCK = find_spec("fcntl") is not None
"""Not on Windows: two processes may do a cell twice there, but each writes it whole."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Keep a second run out of a directory; the system lets go of the lock when a process ends, killed or not.

    Parameters
    ----------
    folder : Path
        The directory, which exists.

    Yields
    ------
    None
        For the length of the block.

    Raises
    ------
    DataError
        If another run has the lock.
    """
    with (folder / ".lock").open("a+", encoding="utf-8") as file:
        try:
            _lock(file.fileno(), wait=False)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read() or "another process"
            raise DataError(
                f"{folder} is written by another run ({owner}): wait for its end, or give another directory"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {gethostname()}")
        file.flush()
        yield


@contextmanager
def cell_lock(file: Path) -> Iterator[None]:
    """Wait until no other process computes a cell, then keep others from it.

    The lock of a run goes with its process. Workers of a run that was killed may live on and compute the cells that
    they were given; these locks are theirs.

    Parameters
    ----------
    file : Path
        Of the finished cell, in a folder that exists. The lock is a hidden file beside it, which goes at the end.

    Yields
    ------
    None
        For the length of the block.
    """
    if not CAN_LOCK:
        yield
        return
    path = file.with_name(f".{file.stem}.lock")
    while True:
        with path.open("a", encoding="utf-8") as held:
            _lock(held.fileno(), wait=True)
            # Who had the lock before has removed its file: by now a third process may lock another of this name.
            if not _is_at(held.fileno(), path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def remove_free_locks(folder: Path) -> None:
    """Remove the locks of cells whose process was killed between writing the cell and removing its lock.

    Parameters
    ----------
    folder : Path
        Of the cells. Locks that a process still holds stay.
    """
    if not CAN_LOCK:
        return
    for path in folder.glob(".*.lock"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("r+", encoding="utf-8") as held:
            _lock(held.fileno(), wait=False)
            if _is_at(held.fileno(), path):
                path.unlink()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int, *, wait: bool) -> None:
    if not CAN_LOCK:
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if isinstance(error, BlockingIOError):
            raise
        # Some network file systems have no locks.
