"""Types of arguments that several commands share."""

import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

__all__ = [
    "File",
    "Name",
    "Number",
    "a_line_per_fit",
    "check_jobs",
    "check_seed",
    "counted",
    "fits_are_kept",
    "retyped",
    "set_threads",
]

File = Positional[Annotated[Path, arg(metavar="FILE")]]
Name = Annotated[str | None, arg(metavar="NAME")]
Number = Annotated[int | None, arg(metavar="N")]


def most_at_once() -> int:
    """Return how many threads, or fits side by side, a machine is asked for at most.

    Returns
    -------
    int
        Four for each of its processors.
    """
    return 4 * (os.cpu_count() or 1)


def check_jobs(jobs: object) -> None:
    """Refuse what is no number of fits side by side.

    Parameters
    ----------
    jobs : object
        What was given.

    Raises
    ------
    ValueError
        If it is less than 1 or more than four for each processor.
    """
    from identica.arguments import check_integer

    check_integer("jobs", jobs, 1, most_at_once())


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


def counted(number: int, what: str) -> str:
    """Write a number of things, one of them in the singular.

    Parameters
    ----------
    number : int
        How many.
    what : str
        One of them.

    Returns
    -------
    str
        Both.

    Examples
    --------
    >>> counted(1, "cell"), counted(2, "cell")
    ('1 cell', '2 cells')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"


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
    most = most_at_once()
    if not 1 <= threads <= most:
        raise ValueError(f"threads={threads} is not possible here, use 1 to {most}")
    torch.set_num_threads(threads)


@contextmanager
def fits_are_kept(output: Path) -> Iterator[None]:
    """Say on Ctrl-C how to go on with a run that keeps each fit as soon as it is done.

    Parameters
    ----------
    output : Path
        Where it keeps them.

    Yields
    ------
    None

    Raises
    ------
    KeyboardInterrupt
        In place of one without words.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f": {output} keeps the fits that are done, run the same command again to go on"
        ) from None


@contextmanager
def a_line_per_fit(n_fits: int, line: Callable[[Any], str], *, n_done: int = 0) -> Iterator[Callable[[Any], None]]:
    """Give what says a line for each fit that is done, below which a terminal shows a bar.

    Parameters
    ----------
    n_fits : int
        How many there are in all.
    line : callable
        What to say of a fit.
    n_done : int, default=0
        How many were done before.

    Yields
    ------
    callable
        To be called with each fit.
    """
    from tqdm import tqdm

    shown = sys.stderr.isatty()
    with tqdm(total=n_fits, initial=n_done, unit="fit", file=sys.stderr, leave=False, disable=not shown) as bar:

        def tell(fit: Any) -> None:
            # Above the bar, and at once where there is none.
            bar.write(line(fit), file=sys.stdout)
            sys.stdout.flush()
            bar.update()

        yield tell


def retyped(words: Iterable[str], command: Any, names: Iterable[str]) -> str:
    """Return the line to type for some of a command's options, those left out that have their defaults.

    Parameters
    ----------
    words : iterable of str
        What the line begins with.
    command : dataclass
        As it was parsed.
    names : iterable of str
        Fields to tell. Files that are read are named without their folders, which differ from machine to machine;
        ``output`` is told as it was given, since the line must lead there again.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> from identica.cli.finite_samples import ReproduceFiniteSamples
    >>> retyped(["identica"], ReproduceFiniteSamples(sizes=(250, 500), seeds=2), ["seeds", "sizes", "max_steps"])
    'identica --seeds 2 --sizes 250 500'
    """
    line = list(words)
    defaults = {field.name: field.default for field in dataclasses.fields(command)}
    for name in names:
        value = getattr(command, name)
        if value != defaults[name]:
            line.append("--" + name.replace("_", "-"))
            given = value if isinstance(value, tuple) else (value,)
            line += [str(each) if name == "output" else _word(each) for each in given]
    return shlex.join(line)


def _word(value: Any) -> str:
    if isinstance(value, Path | str):
        return Path(value).name or str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
