"""How much memory this machine has."""

from __future__ import annotations

import os

__all__ = ["memory_of_machine", "memory_shortage"]


def memory_of_machine() -> int | None:
    """Return how much memory this machine has.

    Returns
    -------
    int or None
        Bytes; None where the system does not say.

    Examples
    --------
    >>> memory_of_machine() is None or memory_of_machine() > 2**20
    True
    """
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def memory_shortage(n_bytes: float) -> str | None:
    """Tell whether an array is larger than the memory of this machine.

    Parameters
    ----------
    n_bytes : float
        Size of the array.

    Returns
    -------
    str or None
        Both sizes, as the end of a sentence that begins with the array; None where it is not larger, or where the
        system does not say.

    Examples
    --------
    >>> memory_shortage(8.0)
    """
    available = memory_of_machine()
    if available is None or n_bytes <= available:
        return None
    return f"{n_bytes / 2**30:.0f} GiB and this machine has {available / 2**30:.0f}"
