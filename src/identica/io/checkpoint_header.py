"""What the header of a checkpoint must hold, and the names of its tensors; known before PyTorch is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from identica.arguments import MOST_STARTS
from identica.io.errors import DataError
from identica.io.json_text import parse_json
from identica.io.schema import Flag, ListOf, MapOf, Maybe, Number, OneOf, Table, Text, Whole, fault_of
from identica.io.tensors import Declared, Opened, open_tensors

__all__ = ["CHECKPOINT_FORMAT", "DURATIONS", "HISTORY", "damage_of_checkpoint", "examine_checkpoint", "read_starts"]

CHECKPOINT_FORMAT = "identica-checkpoint-5"
STAGE = Text(100, shortest=1)
MOST_STAGES = 100
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
        "widened": Flag(),
    },
    {"partial": _PARTIAL},
)
_STARTS = MapOf(_SNAPSHOT, MOST_STARTS)
"""By the number of the start."""
_NUMBER = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)
_GROUPS = ("networks", "objective", "best", "optimiser")
_ENTRY = re.compile(r"\d{1,6}/\w+", re.ASCII)
_RESULT = "results/"


def damage_of_checkpoint(path: Path, reason: object) -> str:
    """Say that a checkpoint is damaged.

    Parameters
    ----------
    path : Path
        The file.
    reason : object
        What is wrong with it.

    Returns
    -------
    str
        For the user.
    """
    return f"{path} is damaged or no checkpoint ({reason}): delete it and start the fit anew without resuming"


def examine_checkpoint(path: Path) -> None:
    """Refuse a checkpoint that lies before what reads it is imported, which takes seconds.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DataError
        If it is damaged, no checkpoint, or not as a fit writes it.
    """
    with open_tensors(path, lambda reason: damage_of_checkpoint(path, reason)) as opened:
        read_starts(path, opened)


def read_starts(path: Path, opened: Opened) -> dict[str, dict[str, Any]]:
    """Return what the header of a checkpoint says of each start, after a check of all that it says and declares.

    Parameters
    ----------
    path : Path
        The file.
    opened : Opened
        The same.

    Returns
    -------
    dict of str to dict
        By the numbers of starts.

    Raises
    ------
    DataError
        If it is no checkpoint, or not as a fit writes it.
    """
    if opened.texts.get("format") != CHECKPOINT_FORMAT:
        raise DataError(f"{path} is no checkpoint of this version: delete it and start the fit anew without resuming")
    try:
        starts: dict[str, dict[str, Any]] = parse_json(opened.texts.get("state", ""), "its state", infinite=True)
    except DataError as error:
        raise DataError(damage_of_checkpoint(path, error)) from error
    fault = fault_of(starts, _STARTS, "state") or _names_fault(opened.declared, starts)
    if fault is not None:
        raise DataError(damage_of_checkpoint(path, fault))
    return starts


def _names_fault(declared: Mapping[str, Declared], headers: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say what is wrong with the names of a checkpoint's tensors, "<start>|<group>|<name>".

    Parameters
    ----------
    declared : mapping of str to Declared
        Of all tensors.
    headers : mapping
        Of the starts, by their numbers as text, without a fault by ``_STARTS``.

    Returns
    -------
    str or None
        The first fault.
    """
    for number, header in headers.items():
        if not _NUMBER.fullmatch(number):
            return f"state has the key {number[:40]!r}, and numbers of starts are needed"
        partial = header.get("partial")
        if partial is not None and (partial["name"] not in header["durations"] or not header["history"]):
            return f"state.{number} has a stage under way that its history or its durations do not know"
        if partial is not None and max(partial["best_epoch"], partial["good_epoch"]) > partial["epoch"]:
            return f"state.{number}.partial has a best epoch that is yet to come"
    with_networks = set()
    for name in declared:
        number, group, member = (*name.split("|", 2), "", "")[:3]
        header = headers.get(number, {})
        if number not in headers or not member:
            return f"it has the tensor {name[:80]!r}, which is of no start that its header has"
        known = group in (_GROUPS if "partial" in header else _GROUPS[:1])
        if not known and not (group.startswith(_RESULT) and group.removeprefix(_RESULT) in header["done"]):
            return f"it has the tensor {name[:80]!r}, which is of nothing that start {number} has"
        if group == "optimiser" and not _ENTRY.fullmatch(member):
            return f"it has the tensor {name[:80]!r}, which is of no parameter"
        if group == "networks":
            with_networks.add(number)
    without = [number for number in headers if number not in with_networks]
    return f"the networks of start {without[0]} are missing" if without else None
