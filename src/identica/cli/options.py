"""Types of arguments that several commands share."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

__all__ = ["File", "Name", "Number", "check_seed"]

File = Positional[Annotated[Path, arg(metavar="FILE")]]
Name = Annotated[str | None, arg(metavar="NAME")]
Number = Annotated[int | None, arg(metavar="N")]


def check_seed(seed: object) -> None:
    """Refuse what is no seed.

    Parameters
    ----------
    seed : object
        What was given.

    Raises
    ------
    ValueError
        If it is no integer from 0 to 2**32 - 1.
    """
    if type(seed) is not int or not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed!r} is not allowed, use an integer from 0 to 2**32 - 1")
