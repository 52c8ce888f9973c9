"""How much memory one table may take: what a file says of its size is checked before anything is inflated."""

from __future__ import annotations

import errno
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import DTypeLike

from identica.io.errors import DataError
from identica.machine import memory_of_machine

__all__ = ["REMEDY", "VARIABLE", "Budget", "part_in_words", "read_size", "size_in_words"]

VARIABLE = "IDENTICA_MAX_MEMORY"
"""Of the environment: the limit where none is given."""
SHARE = 0.5
"""Of the machine's memory: the limit where the environment says none, either."""
REMEDY = f"give fewer rows or features, or a higher limit by --max-memory or {VARIABLE}"
LARGE = 2**26
"""Bytes up to which it does not matter how far they are packed."""
LARGE_CHUNK = 2**28
"""Bytes that a chunk may have whose array is smaller."""
MOST_INFLATED = 250
"""Times as large as in its file that anything large may become, where no limit was given: measured data are packed by
less, and a file of zeros by a thousand."""
TOGETHER = "a set of names and columns that, as declared,"
SPARSEST = 2000
"""Entries for each value of a large sparse matrix, where no limit was given."""
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?\s*", re.IGNORECASE)


@final
@dataclass(frozen=True)
class Budget:
    """The most memory that one table may take.

    Parameters
    ----------
    n_bytes : float
        How much; infinite where the system does not say what it has.
    was_given : bool, default=True
        Whether someone has said so, and is taken at the word however far a file is packed.

    Examples
    --------
    >>> Budget(80.0).check(Path("small.npy"), (5, 2), np.float64)
    >>> Budget(80.0).check(Path("large.npy"), (6, 2), np.float64)
    Traceback (most recent call last):
    identica.io.errors.DataError: large.npy holds an array of shape (6, 2), which as float64 takes 96 bytes, and ...
    """

    n_bytes: float
    was_given: bool = True

    @classmethod
    def default(cls) -> Budget:
        """Return that of the environment, or half of the machine's memory.

        Returns
        -------
        Budget
            Of this process.

        Raises
        ------
        DataError
            If the environment says something that is no size.
        """
        told = os.environ.get(VARIABLE)
        if told:
            return cls(read_size(told, VARIABLE))
        memory = memory_of_machine()
        return cls(math.inf if memory is None else SHARE * memory, was_given=False)

    @classmethod
    def unlimited(cls) -> Budget:
        """Return none, for what was checked before.

        Returns
        -------
        Budget
            That allows all.
        """
        return cls(math.inf)

    def check(self, path: Path, shape: Sequence[int], dtype: DTypeLike, what: str = "an array") -> None:
        """Refuse an array that is larger, by what its file declares.

        Parameters
        ----------
        path : Path
            The file.
        shape : sequence of int
            As declared; plain integers, so that no product overflows.
        dtype : dtype
            As which it is to be held.
        what : str, default="an array"
            What has the shape.

        Raises
        ------
        DataError
            If it is.
        """
        sides = tuple(int(side) for side in shape)
        held = np.dtype(dtype)
        kind = "" if held.kind in "OV" else f" as {held}"  # of text, or bytes of a kind that is not known
        self.check_bytes(path, _in_memory(shape, dtype), f"{what} of shape {sides}, which{kind}")

    def check_stored(
        self, path: Path, shape: Sequence[int], dtype: DTypeLike, n_stored: int, what: str = "an array"
    ) -> None:
        """Refuse an array that is larger, or packed so far that it cannot be measured data.

        Parameters
        ----------
        path : Path
            The file.
        shape : sequence of int
            As declared; plain integers, so that no product overflows.
        dtype : dtype
            As which it is to be held.
        n_stored : int
            Bytes that it takes in the file.
        what : str, default="an array"
            What has the shape.

        Raises
        ------
        DataError
            If it is.
        """
        self.check(path, shape, dtype, what)
        self.check_packing(path, shape, dtype, n_stored, what)

    def check_packing(
        self, path: Path, shape: Sequence[int], dtype: DTypeLike, n_stored: int, what: str = "an array"
    ) -> None:
        """Refuse an array that is packed so far that it cannot be measured data, however large it may be otherwise.

        Parameters
        ----------
        path : Path
            The file.
        shape : sequence of int
            As declared; plain integers, so that no product overflows.
        dtype : dtype
            As which it is to be held.
        n_stored : int
            Bytes that it takes in the file.
        what : str, default="an array"
            What has the shape.

        Raises
        ------
        DataError
            If it is.
        """
        told = f"{what} of shape {tuple(shape)}, which"
        self.check_together(path, _in_memory(shape, dtype), n_stored, told)

    def check_together(self, path: Path, n_bytes: int, n_stored: int, what: str) -> None:
        """Refuse parts that are small each, and large and packed too far together.

        Parameters
        ----------
        path : Path
            The file.
        n_bytes : int
            What they take in memory.
        n_stored : int
            Bytes that they take in the file.
        what : str
            What the file holds, as the middle of a sentence.

        Raises
        ------
        DataError
            If they are.
        """
        if not self.was_given and n_bytes > LARGE and n_bytes > MOST_INFLATED * n_stored:
            raise DataError(
                f"{path} holds {what} takes {size_in_words(n_stored)} in the file and {size_in_words(n_bytes)} in "
                f"memory, and more than {MOST_INFLATED} times as much is read only where it is asked for: give a limit "
                f"by --max-memory or {VARIABLE} if this is right"
            )

    def check_holes(self, path: Path) -> None:
        """Refuse a large file that takes next to nothing of the disk: what was never written reads as zeros.

        Parameters
        ----------
        path : Path
            A regular file.

        Raises
        ------
        DataError
            If it is one, and no limit was given.
        """
        size = path.stat().st_size
        if not self.was_given and size > LARGE:
            enough = size // MOST_INFLATED + 1
            self.check_together(path, size, _written(path, enough), "bytes that were never written, with which it")

    def allows_less(self, other: Budget) -> bool:
        """Tell whether what this one lets pass passes another one, too.

        Parameters
        ----------
        other : Budget
            The other.

        Returns
        -------
        bool
            Whether its limit is not lower, and it asks no more.

        Examples
        --------
        >>> Budget(80.0, was_given=False).allows_less(Budget.unlimited())
        True
        """
        return self.n_bytes <= other.n_bytes and (other.was_given or not self.was_given)

    def check_density(self, path: Path, shape: Sequence[int], dtype: DTypeLike, n_values: int) -> None:
        """Refuse a sparse matrix that would be large and is almost nothing.

        Parameters
        ----------
        path : Path
            The file.
        shape : sequence of int
            As declared; plain integers.
        dtype : dtype
            As which it is to be held.
        n_values : int
            Values that are stored.

        Raises
        ------
        DataError
            If it is.
        """
        n_bytes = _in_memory(shape, dtype)
        if not self.was_given and n_bytes > LARGE and n_bytes > SPARSEST * n_values * np.dtype(dtype).itemsize:
            raise DataError(
                f"{path} holds a sparse matrix of shape {tuple(shape)} with {n_values} values, which as a dense one "
                f"takes {size_in_words(n_bytes)}, and less than one value in {SPARSEST} is read only where it is asked "
                f"for: give a limit by --max-memory or {VARIABLE} if this is right"
            )

    def check_bytes(self, path: Path, n_bytes: int, what: str) -> None:
        """Refuse what takes more.

        Parameters
        ----------
        path : Path
            The file.
        n_bytes : int
            What it takes.
        what : str
            What the file holds, as the middle of a sentence.

        Raises
        ------
        DataError
            If it does.
        """
        if n_bytes > self.n_bytes:
            limit = size_in_words(self.n_bytes)
            raise DataError(
                f"{path} holds {what} takes {size_in_words(n_bytes)}, and {limit} is the most that is read: {REMEDY}"
            )


def _in_memory(shape: Sequence[int], dtype: DTypeLike) -> int:
    """Return the bytes of an array, by plain integers, whose product does not overflow."""
    return math.prod(int(side) for side in shape) * np.dtype(dtype).itemsize


def part_in_words(name: str) -> str:
    """Say what a part of an AnnData is.

    Parameters
    ----------
    name : str
        Its path in the file.

    Returns
    -------
    str
        A column, the names of rows of a table, or the part by its path.

    Examples
    --------
    >>> part_in_words("var/_index"), part_in_words("obs/donor/codes"), part_in_words("uns/dica")
    ('the names in var', "the column 'donor' of obs", "the part 'uns/dica'")
    """
    room, _, inner = name.partition("/")
    column = inner.split("/")[0]
    if room not in ("obs", "var") or not column:
        return f"the part {name!r}"
    return f"the names in {room}" if column in ("_index", "index") else f"the column {column!r} of {room}"


def size_in_words(n_bytes: float) -> str:
    """Write a number of bytes in a unit that suits it.

    Parameters
    ----------
    n_bytes : float
        How many.

    Returns
    -------
    str
        Number and unit.

    Examples
    --------
    >>> size_in_words(96), size_in_words(3 * 2**29), size_in_words(1020 * 2**20)
    ('96 bytes', '1.5 GiB', '1020 MiB')
    """
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if n_bytes >= 1024**power:
            number = n_bytes / 1024**power
            return f"{number:.0f} {unit}" if 999.5 <= number < 10_000 else f"{number:.3g} {unit}"
    return f"{n_bytes:.0f} bytes"


def _written(path: Path, enough: int) -> int:
    """Count the bytes of a file that are no holes, until there are enough."""
    # Blocks on the disk would not do: some systems count them only seconds after a file is written.
    size = path.stat().st_size
    if not hasattr(os, "SEEK_HOLE"):  # on Windows
        return size
    with path.open("rb") as file:
        found = place = 0
        while found < enough:
            try:
                begin = os.lseek(file.fileno(), place, os.SEEK_DATA)
                place = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            except OSError as error:
                return found if error.errno == errno.ENXIO else size  # no data are left, or it cannot be said
            found += place - begin
    return found


def read_size(text: str, name: str) -> float:
    """Read a size as it is given in words.

    Parameters
    ----------
    text : str
        A number with or without a unit.
    name : str
        Of the option, for the message.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    DataError
        If it is none, or 0.

    Examples
    --------
    >>> read_size("2GiB", "--max-memory") == 2**31, read_size("500", "--max-memory")
    (True, 500.0)
    """
    found = _SIZE.fullmatch(text)
    size = 0.0 if found is None else float(found[1]) * 1024.0 ** _UNITS[found[2].lower()]
    if size <= 0:
        raise DataError(f"{name}={text} is no size: give bytes, or a number with a unit, such as 500MiB or 8GiB")
    return size
