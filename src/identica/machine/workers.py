"""Tasks side by side in processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

__all__ = ["side_by_side"]


def side_by_side(tasks: Sequence[Any], n_jobs: int | None, kept: str) -> Iterator[Any]:
    """Carry out tasks and yield what each returns as soon as it is done, where joblib's backend hands out so.

    Parameters
    ----------
    tasks : sequence of joblib.delayed
        What to do.
    n_jobs : int or None
        How many side by side; what ``joblib.parallel_config`` says, or 1, if None.
    kept : str
        What is kept of tasks that are done, for the message of a worker that ended.

    Yields
    ------
    object
        What a task returned, in any order.

    Raises
    ------
    ChildProcessError
        If a worker ended without a word.

    Examples
    --------
    >>> from joblib import delayed
    >>> sorted(side_by_side([delayed(abs)(-2), delayed(abs)(1)], 1, "nothing is kept"))
    [1, 2]
    """
    from joblib import Parallel
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    return_as = "generator_unordered" if backend.supports_return_generator else "list"
    try:
        yield from Parallel(n_jobs, return_as=return_as)(tasks)
    except BrokenProcessPool as error:
        raise ChildProcessError(
            f"a worker ended without a word, as when memory runs out: run again with fewer jobs; {kept}"
        ) from error
