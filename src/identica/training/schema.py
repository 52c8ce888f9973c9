"""What a checkpoint must hold: its header by a schema, its tensors by names and by those of the fit that goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from identica.io import DataError
from identica.io.schema import Flag, ListOf, MapOf, Maybe, Number, OneOf, Table, Text, Whole
from identica.io.tensors import Declared
from identica.training.plan import MOST_STARTS

__all__ = ["DURATIONS", "HISTORY", "SNAPSHOTS", "TRAINED", "check_like", "check_result", "names_fault"]

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
SNAPSHOTS = MapOf(_SNAPSHOT, MOST_STARTS)
"""By the number of the start."""
_NUMBER = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)
_GROUPS = ("networks", "objective", "best", "optimiser")
_ENTRY = re.compile(r"\d{1,6}/\w+", re.ASCII)
_RESULT = "results/"
TRAINED: dict[str, tuple[int, ...]] = {"best_step": (), "undone": (), "loss": (), "early": ()}
"""What a stage that was trained gives, by name and shape."""


def names_fault(declared: Mapping[str, Declared], headers: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say what is wrong with the names of a checkpoint's tensors, "<start>|<group>|<name>".

    Parameters
    ----------
    declared : mapping of str to Declared
        Of all tensors.
    headers : mapping
        Of the starts, by their numbers as text, without a fault by ``SNAPSHOTS``.

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


def check_like(what: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Make sure that tensors of a checkpoint are like those of the fit that goes on from it.

    Parameters
    ----------
    what : str
        Whose they are, for the message.
    found, wanted : mapping of str to Tensor
        By name.

    Raises
    ------
    DataError
        If names, shapes or types differ, or a number is not finite.
    """
    for name, tensor in wanted.items():
        if name not in found:
            raise DataError(_unlike(what, f"{name} is missing"))
        if found[name].shape != tensor.shape or found[name].dtype != tensor.dtype:
            given, needed = (f"{each.dtype} of shape {tuple(each.shape)}" for each in (found[name], tensor))
            raise DataError(_unlike(what, f"{name} is {given}, and {needed} is needed"))
        if not bool(found[name].isfinite().all()):
            raise DataError(_unlike(what, f"{name} has values that are not finite"))
    others = [name for name in found if name not in wanted]
    if others:
        raise DataError(_unlike(what, f"{others[0][:80]} is not known"))


def check_result(stage: str, found: Mapping[str, Tensor] | None, gives: Mapping[str, tuple[int, ...]]) -> None:
    """Make sure that a checkpoint has of a stage what that stage gives.

    Parameters
    ----------
    stage : str
        Its name.
    found : mapping of str to Tensor or None
        What the checkpoint has.
    gives : mapping of str to tuple of int
        Shapes by name.

    Raises
    ------
    DataError
        If names or shapes differ, or they hold no real numbers.
    """
    what = f"the stage {stage}"
    for name, shape in gives.items():
        if found is None or name not in found:
            raise DataError(_unlike(what, f"{name} is missing"))
        if found[name].shape != shape or found[name].is_complex():
            raise DataError(_unlike(what, f"{name} has the shape {tuple(found[name].shape)}, and {shape} is needed"))
    others = [name for name in found or () if name not in gives]
    if others:
        raise DataError(_unlike(what, f"{others[0][:80]} is not known"))


def _unlike(what: str, fault: str) -> str:
    return (
        f"the checkpoint does not fit to this fit, of {what} {fault}: delete it and start the fit anew without resuming"
    )
