"""The time that a check has, and who is told how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

__all__ = ["Clock", "OnStep"]

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how many parts of it are done, and of how many."""


@final
class Clock:
    """Counts down, and passes on what is being done.

    Parameters
    ----------
    seconds : float
        Time that there is, from now on.
    on_step : callable, optional
        Called with what is being done, how many parts are done, and how many there are.
    """

    def __init__(self, seconds: float, on_step: OnStep | None = None) -> None:
        self._began = time.perf_counter()
        self._seconds = seconds
        self._on_step = on_step

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._seconds - self.spent)

    @property
    def over(self) -> bool:
        """Whether none are left."""
        return self.left <= 0

    def tell(self, what: str, done: int, of: int) -> None:
        """Say what is being done.

        Parameters
        ----------
        what : str
            Such as "sign vectors".
        done, of : int
            Parts that are done, and all parts.
        """
        if self._on_step is not None:
            self._on_step(what, done, of)
