"""Checks of single arguments, with one sentence for each fault."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Integral, Real

from numpy.random import RandomState

__all__ = ["MOST_STARTS", "check_choice", "check_correlation", "check_integer", "check_real", "local_random"]

MOST_STARTS = 10_000
"""Of networks, of an alignment or of a linear solver: each of them is kept, and a fit with more would never end."""


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Make sure that a value is one of the names allowed.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}={value!r} is not known: use one of {', '.join(allowed)}")


def check_integer(name: str, value: object, at_least: int, at_most: int | None = None) -> int:
    """Return a value as an integer in a range.

    Returns
    -------
    int
        The value.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is out of range.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is not an integer: pass a whole number")
    number = int(value)
    if number < at_least or (at_most is not None and number > at_most):
        allowed = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        raise ValueError(f"{name}={number} is out of range: use {allowed}")
    return number


def check_real(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return a value as a finite number in a range.

    Returns
    -------
    float
        The value.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is not finite or out of range.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is not a number: pass a real number")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond all floats
        number = math.inf
    bounds = {
        "at least": (at_least, operator.ge),
        "more than": (above, operator.gt),
        "less than": (below, operator.lt),
        "at most": (at_most, operator.le),
    }
    given = [(words, limit, holds) for words, (limit, holds) in bounds.items() if limit is not None]
    if not (math.isfinite(number) and all(holds(number, limit) for _, limit, holds in given)):
        allowed = " and ".join(f"{words} {limit:g}" for words, limit, _ in given)
        raise ValueError(f"{name}={number:g} is out of range: use a finite value{allowed and ' of '}{allowed}")
    return number


def check_correlation(correlation: object, n_components: int) -> float:
    """Return a correlation of each two of so many variables, which no more than that can have.

    Returns
    -------
    float
        The value, between -1 / (n_components - 1) and 1, both excluded.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is out of range.
    """
    lowest = -1.0 / (n_components - 1) if n_components > 1 else -1.0
    return check_real("correlation", correlation, above=lowest, below=1.0)


def local_random(random_state: int | RandomState | None) -> RandomState:
    """Return a generator that is not NumPy's global one: None means a fresh one.

    Returns
    -------
    RandomState
        The generator that was given, or one seeded by the number.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If the number is out of range.
    """
    if random_state is None:
        return RandomState()
    if isinstance(random_state, RandomState):
        return random_state
    if not isinstance(random_state, Integral) or isinstance(random_state, bool):
        raise TypeError(
            f"random_state is of type {type(random_state).__name__}: pass a whole number, a numpy.random.RandomState, "
            "or None for a fresh one"
        )
    return RandomState(check_integer("random_state", random_state, 0, 2**32 - 1))
