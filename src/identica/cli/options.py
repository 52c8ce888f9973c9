"""Types of arguments that several commands share."""

import os
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

__all__ = ["File", "Name", "Number", "check_seed", "set_threads"]

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


def set_threads(threads: int | None) -> None:
    """Let PyTorch compute with a number of threads.

    Parameters
    ----------
    threads : int or None
        How many; None leaves it to PyTorch.

    Raises
    ------
    ValueError
        If there are not so many here.
    """
    import torch

    if threads is None:
        return
    most = 4 * (os.cpu_count() or 1)
    if not 1 <= threads <= most:
        raise ValueError(f"threads={threads} is not possible here, use 1 to {most}")
    torch.set_num_threads(threads)
