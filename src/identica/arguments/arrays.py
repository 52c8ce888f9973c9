"""Arrays and lists that a caller gives, told from what is neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_array", "check_list"]


def as_array(name: str, values: Any, wanted: str) -> NDArray[Any]:
    """Return values as an array of whatever shape and type.

    Parameters
    ----------
    name : str
        Of the argument.
    values : object
        What was given.
    wanted : str
        What is to be passed, such as "an array of shape (n_samples,)".

    Returns
    -------
    ndarray
        The values; of no axes only where they were an array before.

    Raises
    ------
    TypeError
        If they are no array and no list of numbers or lists.
    ValueError
        If lists within differ in length, or values are masked.

    Examples
    --------
    >>> as_array("weights", [[1, 2], [3, 4]], "a matrix").shape
    (2, 2)
    >>> as_array("weights", None, "a matrix")
    Traceback (most recent call last):
    ...
    TypeError: weights is None, not an array: pass a matrix
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with {int(np.ma.getmaskarray(values).sum())} masked value(s): fill them in, or "
            f"pass {wanted} without them"
        )
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} holds lists of different lengths: pass {wanted}") from error
    except (TypeError, RuntimeError) as error:  # such as a tensor that is on a GPU or has a gradient
        raise TypeError(f"{name} is {_kind(values)} that NumPy cannot read ({error}): pass {wanted}") from error
    # NumPy makes a single object of whatever it does not know, such as a generator or a sparse matrix.
    if array.ndim == 0 and getattr(values, "ndim", None) != 0:
        raise TypeError(f"{name} is {_kind(values)}, not an array: pass {wanted}")
    return array


def check_list(name: str, values: Any, wanted: str) -> list[Any]:
    """Return the items of a list, or of anything else that has items in an order of their own.

    Parameters
    ----------
    name : str
        Of the argument.
    values : object
        What was given.
    wanted : str
        What is to be passed, such as "one list per block".

    Returns
    -------
    list
        The items.

    Raises
    ------
    TypeError
        If there are none, or in text or a mapping, where it is not clear what they are.

    Examples
    --------
    >>> check_list("seeds", range(3), "a list of seeds")
    [0, 1, 2]
    """
    if isinstance(values, str | bytes | Mapping) or not np.iterable(values):
        raise TypeError(f"{name} is {_kind(values)}, not a list: pass {wanted}")
    return list(values)


def _kind(values: object) -> str:
    return "None" if values is None else f"of type {type(values).__name__}"
