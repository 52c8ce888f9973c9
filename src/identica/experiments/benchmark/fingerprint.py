"""A digest of a specification: functions, estimators and their parameters, arrays."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import sys
from collections.abc import Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import pandas as pd

from identica.estimators import ComponentAnalysis

__all__ = ["digest"]

NO_PART = frozenset({"verbose", "n_jobs", "random_state"})
"""Parameters of estimators that change no outcome, or that each cell sets."""
_PLAIN_REPR: Any = object.__repr__
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def digest(value: object) -> str:
    """Return 12 letters that tell one specification from another, the same in every process.

    A function that can be imported counts by its name, not by what it does; any other, such as a lambda, by its code,
    its defaults and what it closes over, but not by the global variables that it reads. Code differs between versions
    of Python.

    Parameters
    ----------
    value : object
        Numbers, text, arrays, containers, dataclasses, functions, estimators; anything else counts by its repr, or by
        its attributes where it has no repr of its own.

    Returns
    -------
    str
        Hexadecimal digits.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> digest(PCA(2)) == digest(PCA(2)), digest(PCA(2)) == digest(PCA(3))
    (True, False)
    """
    return hashlib.sha256(repr(_described(value, ())).encode()).hexdigest()[:12]


def _described(value: Any, within: tuple[int, ...]) -> Any:
    """Describe in nested tuples of text, whose repr is the same in every process."""
    if id(value) in within:
        return ("again", within.index(id(value)))
    inner = (*within, id(value))
    match value:
        case np.generic():
            return repr(value.item())
        case None | bool() | int() | float() | str() | bytes():
            return repr(value)
        case np.ndarray() if value.dtype != object:
            content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return ("array", str(value.dtype), value.shape, content)
        case np.ndarray():
            return ("array", value.shape, _described(value.ravel().tolist(), inner))
        case pd.DataFrame():
            return ("frame", _described(value.to_dict("split"), inner))
        case Mapping():
            pairs = [(_described(key, inner), _described(value[key], inner)) for key in value]
            return ("mapping", *sorted(pairs, key=repr))
        case set() | frozenset():
            return ("set", *sorted(map(repr, (_described(item, inner) for item in value))))
        case list() | tuple():
            return ("sequence", *(_described(item, inner) for item in value))
        case functools.partial():
            return ("partial", *(_described(part, inner) for part in (value.func, value.args, value.keywords)))
        case MethodType():
            return ("method", _described(value.__self__, inner), value.__name__)
        case FunctionType():
            return _described_function(value, inner)
        case CodeType():
            return ("code", value.co_code.hex(), value.co_names, _described(value.co_consts, inner))
        case type():
            return _full_name(value)
    return (_full_name(type(value)), _described_parts(value, inner))


def _described_function(function: FunctionType, inner: tuple[int, ...]) -> Any:
    found: Any = None if function.__module__ == "__main__" else sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    name = _full_name(function)
    if found is function:
        return name
    closed_over = [cell.cell_contents for cell in function.__closure__ or ()]
    parts = (function.__code__, function.__defaults__, function.__kwdefaults__, closed_over)
    return (name, *(_described(part, inner) for part in parts))


def _described_parts(value: Any, inner: tuple[int, ...]) -> Any:
    if hasattr(value, "get_params"):
        parameters = value.get_params(deep=False)
        if isinstance(value, ComponentAnalysis) and parameters.get("training") is not None:
            parameters["training"] = value._training  # what it leaves to the method is part of the outcome
        return _described({key: item for key, item in parameters.items() if key not in NO_PART}, inner)
    if dataclasses.is_dataclass(value):
        return _described({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, inner)
    if type(value).__repr__ is _PLAIN_REPR and hasattr(value, "__dict__"):
        return _described(vars(value), inner)
    return _ADDRESS.sub("", repr(value))


def _full_name(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"
