"""How much memory this machine has."""

from __future__ import annotations

import math
import os

__all__ = ["machine_memory"]


def machine_memory() -> float:
    """Return the memory of this machine.

    Returns
    -------
    float
        Bytes; infinity where the system does not say.
    """
    if not hasattr(os, "sysconf"):
        return math.inf
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
