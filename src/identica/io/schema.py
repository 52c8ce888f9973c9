"""What plain values from a file must be: a schema names their keys, types and ranges, and one function checks them."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

__all__ = [
    "Anything",
    "Flag",
    "ListOf",
    "MapOf",
    "Maybe",
    "Number",
    "OneOf",
    "Schema",
    "Table",
    "Text",
    "Whole",
    "fault_of",
]

LARGEST = 2**63 - 1
_SHOWN = 40


class Schema(abc.ABC):
    """What a value must be."""

    @abc.abstractmethod
    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong with a value of a name; None if nothing is."""


def fault_of(value: Any, schema: Schema, name: str) -> str | None:
    """Say what is wrong with a value that came from a file.

    Parameters
    ----------
    value : Any
        Of plain JSON types.
    schema : Schema
        What it must be.
    name : str
        What it is called in the file.

    Returns
    -------
    str or None
        The first fault, with the name of the key; None where there is none.

    Examples
    --------
    >>> schema = Table({"epoch": Whole(0), "loss": Number()})
    >>> fault_of({"epoch": 3, "loss": 0.5}, schema, "record")
    >>> fault_of({"epoch": "three", "loss": 0.5}, schema, "record")
    "record.epoch is 'three', and a whole number of at least 0 is needed"
    >>> fault_of({"epoch": 3}, schema, "record")
    'record.loss is missing'
    """
    return schema.fault(name, value)


@final
@dataclass(frozen=True)
class Anything(Schema):
    """Whatever it is; nothing is done with it."""

    def fault(self, name: str, value: Any) -> str | None:
        """Find no fault; see :meth:`Schema.fault`."""
        return None


@final
@dataclass(frozen=True)
class Whole(Schema):
    """A whole number in a range.

    Parameters
    ----------
    least, most : int
        The range.
    """

    least: int = 0
    most: int = LARGEST

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
            return None
        bound = f"of at least {self.least}" if self.most == LARGEST else f"from {self.least} to {self.most}"
        return _unlike(name, value, f"a whole number {bound}")


@final
@dataclass(frozen=True)
class Number(Schema):
    """A number; it may be infinite or NaN where that is said.

    Parameters
    ----------
    least : float, default=-inf
        The least that it may be.
    finite : bool, default=False
        Whether it must be finite.
    """

    least: float = -math.inf
    finite: bool = False

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        plain = isinstance(value, float) or (
            isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
        )
        if plain and not value < self.least and (math.isfinite(value) or not self.finite):
            return None
        kind = "a finite number" if self.finite else "a number"
        return _unlike(name, value, kind if self.least == -math.inf else f"{kind} of at least {self.least:g}")


@final
@dataclass(frozen=True)
class Text(Schema):
    """A text.

    Parameters
    ----------
    longest : int, default=10000
        Characters.
    shortest : int, default=0
        The same.
    """

    longest: int = 10_000
    shortest: int = 0

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if isinstance(value, str) and self.shortest <= len(value) <= self.longest:
            return None
        return _unlike(name, value, f"a text of {self.shortest} to {self.longest} characters")


@final
@dataclass(frozen=True)
class Flag(Schema):
    """True or false."""

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        return None if isinstance(value, bool) else _unlike(name, value, "true or false")


@final
@dataclass(frozen=True)
class Maybe(Schema):
    """Null, or something.

    Parameters
    ----------
    of : Schema
        What.
    """

    of: Schema

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        return None if value is None else self.of.fault(name, value)


@final
@dataclass(frozen=True)
class OneOf(Schema):
    """Something of one of several kinds.

    Parameters
    ----------
    kinds : tuple of Schema
        Which.
    what : str
        The same in words.
    """

    kinds: tuple[Schema, ...]
    what: str

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if any(kind.fault(name, value) is None for kind in self.kinds):
            return None
        return _unlike(name, value, self.what)


@final
@dataclass(frozen=True)
class ListOf(Schema):
    """A list.

    Parameters
    ----------
    of : Schema
        What each of its values is.
    longest : int
        Values at most.
    shortest : int, default=0
        Values at least.
    """

    of: Schema
    longest: int
    shortest: int = 0

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if not isinstance(value, list):
            return _unlike(name, value, "a list")
        if not self.shortest <= len(value) <= self.longest:
            allowed = f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
            return f"{name} has {len(value)} values, and {allowed} are needed"
        faults = (self.of.fault(f"{name}[{i}]", each) for i, each in enumerate(value))
        return next((fault for fault in faults if fault is not None), None)


@final
@dataclass(frozen=True)
class Table(Schema):
    """A table of known keys.

    Parameters
    ----------
    required : mapping of str to Schema
        Keys that it must have, and what their values are.
    optional : mapping of str to Schema
        Keys that it may have.
    others : Schema, optional
        What the values of all other keys are; None where there must be none.
    """

    required: Mapping[str, Schema]
    optional: Mapping[str, Schema] = field(default_factory=dict)
    others: Schema | None = None

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if not isinstance(value, dict):
            return _unlike(name, value, "a table")
        for key in self.required:
            if key not in value:
                return f"{name}.{key} is missing"
        for key, each in value.items():
            schema = self.required.get(key) or self.optional.get(key) or self.others
            if schema is None:
                return f"{name} has the key {key[:_SHOWN]!r}, which is not known"
            if (found := schema.fault(f"{name}.{key[:_SHOWN]}", each)) is not None:
                return found
        return None


@final
@dataclass(frozen=True)
class MapOf(Schema):
    """A table of whatever keys.

    Parameters
    ----------
    of : Schema
        What each of its values is.
    most : int
        Keys at most.
    """

    of: Schema
    most: int

    def fault(self, name: str, value: Any) -> str | None:
        """Say what is wrong; see :meth:`Schema.fault`."""
        if isinstance(value, dict) and len(value) > self.most:
            return f"{name} has {len(value)} keys, and {self.most} are the most"
        return Table({}, others=self.of).fault(name, value)


def _unlike(name: str, value: Any, needed: str) -> str:
    if isinstance(value, dict | list):
        shown = "a table" if isinstance(value, dict) else "a list"
    elif value is None or isinstance(value, bool):
        shown = str(value)
    elif isinstance(value, str):
        shown = repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
    else:
        shown = repr(value) if isinstance(value, float) or abs(value) <= LARGEST else "a number beyond all range"
    return f"{name} is {shown}, and {needed} is needed"
