"""What the header of a checkpoint, and the history of a fit, must be."""

from __future__ import annotations

from identica.io.schema import ListOf, MapOf, Maybe, Number, OneOf, Table, Text, Whole

__all__ = ["DURATIONS", "HISTORY", "SNAPSHOTS"]

STAGE = Text(100, shortest=1)
MOST_STAGES = 100
MOST_STARTS = 10_000
_TERM = OneOf((Maybe(Number()), STAGE), "a number")
_RECORD = Table(
    {
        "start": Whole(0),
        "stage": STAGE,
        "epoch": Whole(0),
        "step": Whole(1),
        "seconds": Number(0, finite=True),
        "loss": Number(),
        "validation_reconstruction": Number(),
    },
    others=_TERM,
)
HISTORY = ListOf(_RECORD, 2**19)
"""One record per stage and epoch."""
DURATIONS = MapOf(Number(0, finite=True), MOST_STAGES)
_PARTIAL = Table(
    {
        "name": STAGE,
        "epoch": Whole(0),
        "best_loss": Number(),
        "best_epoch": Whole(-1),
        "good_epoch": Whole(-1),
    }
)
_SNAPSHOT = Table(
    {
        "fingerprint": Text(100),
        "seed": Whole(0, 2**32 - 1),
        "done": ListOf(STAGE, MOST_STAGES),
        "history": HISTORY,
        "durations": DURATIONS,
    },
    {"partial": _PARTIAL},
)
SNAPSHOTS = MapOf(_SNAPSHOT, MOST_STARTS)
"""By the number of the start."""
