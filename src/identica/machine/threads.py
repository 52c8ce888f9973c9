"""Numbers of threads: one for all libraries, and PyTorch's kept where another library would change it.

PyTorch takes a second to import, which what asks only for memory has no use for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread", "threads_kept"]


@contextmanager
def threads_kept() -> Iterator[None]:
    """Give PyTorch back the number of threads that it had.

    Code that numba has compiled starts as many as there are cores, and sets the number of an OpenMP that is PyTorch's,
    too, where that was loaded before. Two processes that were told to use one thread each then fight for cores and
    take several times as long.

    Yields
    ------
    None
        For the length of the block.

    Examples
    --------
    >>> import torch
    >>> before = torch.get_num_threads()
    >>> with threads_kept():
    ...     torch.set_num_threads(before + 1)
    >>> torch.get_num_threads() == before
    True
    """
    import torch

    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch, BLAS and OpenMP compute with one thread, for work that is done side by side in several processes.

    Yields
    ------
    None
        For the length of the block.

    Examples
    --------
    >>> import torch
    >>> before = torch.get_num_threads()
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    import torch
    from threadpoolctl import threadpool_limits

    with threads_kept(), threadpool_limits(1):
        torch.set_num_threads(1)
        yield
