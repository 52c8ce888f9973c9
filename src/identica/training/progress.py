"""How far a fit is: a bar on a terminal, a plain line now and then elsewhere, nothing when not asked."""

from __future__ import annotations

import sys
import time
from typing import Any, final

from tqdm import tqdm

__all__ = ["Progress"]


@final
class Progress:
    """Shows stage, epoch, loss terms and the time left of one start of a fit, on standard error.

    Parameters
    ----------
    verbose : int
        0 for silence.
    label : str
        What is being fitted.
    seconds : float, default=5.0
        Least time between two lines where standard error is no terminal.
    """

    def __init__(self, verbose: int, label: str, seconds: float = 5.0) -> None:
        self.verbose = verbose
        self.label = label
        self._seconds = seconds
        self._bar: tqdm[Any] | None = None
        self._stage, self._total, self._first = "", 0, 0
        self._started = self._said = 0.0

    def begin(self, stage: str, n_epochs: int, first: int = 0) -> None:
        """Start a stage, or go on with one that was paused.

        Parameters
        ----------
        stage : str
            Its name.
        n_epochs : int
            How many epochs it lasts at most.
        first : int, default=0
            Epoch at which it starts, if it goes on from an earlier run.
        """
        self._stage, self._total, self._first = stage, n_epochs, first
        self._started = self._said = time.monotonic()
        if not self.verbose:
            return
        if sys.stderr.isatty():
            name = f"{self.label}: {stage}"
            self._bar = tqdm(total=n_epochs, initial=first, desc=name, unit="epoch", file=sys.stderr, leave=False)
        elif first == 0:
            self._say("begins")

    def advance(self, record: dict[str, Any]) -> None:
        """Note that an epoch is over.

        Parameters
        ----------
        record : dict
            The epoch's record of the history.
        """
        if not self.verbose:
            return
        keys = [key for key in record if key not in {"start", "stage", "epoch", "step", "seconds"}]
        terms = ", ".join(f"{key} {record[key]:.4g}" for key in keys)
        if self._bar is not None:
            self._bar.set_postfix_str(terms, refresh=False)
            self._bar.update()
        elif time.monotonic() - self._said >= self._seconds:
            done = record["epoch"] + 1
            pace = (time.monotonic() - self._started) / (done - self._first)
            left = pace * (self._total - done)
            self._say(f"epoch {done}/{self._total}, {terms}, at most {left:.0f} s left")

    def pause(self) -> None:
        """Leave a stage that may go on later, without a word."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._stage = ""

    def end(self) -> None:
        """End the stage."""
        if self._bar is None and self.verbose and self._stage:
            self._say(f"ended after {time.monotonic() - self._started:.1f} s")
        self.pause()

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        sys.stderr.write(f"{self.label}: {self._stage} {text}\n")
        sys.stderr.flush()
