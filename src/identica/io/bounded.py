"""Text from files that nobody vouches for: how far it is packed, and how long its lines are, is checked as it comes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TextIO

from identica.io.budget import LARGE, REMEDY, VARIABLE, Budget, size_in_words
from identica.io.errors import DataError

__all__ = [
    "GZIP",
    "LARGE_TEXT",
    "LONGEST",
    "MOST_DEFLATED",
    "PART",
    "ROW",
    "Inflated",
    "bounded_lines",
    "check_packing",
    "examine_text",
    "longest",
]

GZIP = b"\x1f\x8b"
"""The first bytes of what is gzipped."""
MOST_DEFLATED = 1032
"""Times as large as in its file that anything deflated can become."""
PART = 2**20
"""Bytes that are inflated at once."""
LARGE_TEXT = LARGE // 4
"""Bytes of text up to which it does not matter how far it is packed: two letters become a number of eight bytes."""
MOST_PACKED = 100
"""Times as large as in its file that large text may become, where no limit was given: the fastest gzip packs zeros by
two hundred, and counts of which one in twenty is not zero by twenty."""
LINE, FIELD = 32, 16
"""Letters that take as long to read as a line, and a field, does beside its own."""
MOST_SINGLE = 2**16
"""Bytes that may be read one by one without a larger piece between them."""
LONGEST = 2**25
"""Letters of a line, where no limit was given: a million numbers, each written in full."""
CHARACTER, ROW = 20, 300
"""Bytes that a letter and a line at most take, as fields that are Python's strings or numbers."""


class Inflated(io.RawIOBase):
    """What gzipped text becomes, read once from its beginning, of which no more comes than anybody has measured.

    Parameters
    ----------
    path : Path
        The file, for the message.
    packed : file
        From its beginning; it is read, and stays open.
    budget : Budget
        Where a limit was given nothing is refused here: what is read looks at it.
    large : int, default=LARGE_TEXT
        Bytes up to which all is well, each line being as good as LINE more of them, and each field as FIELD.

    Examples
    --------
    >>> packed = io.BytesIO(gzip.compress(b"1,2"))
    >>> Inflated(Path("small.csv.gz"), packed, Budget(1e9, was_given=False)).readall()
    b'1,2'
    """

    def __init__(self, path: Path, packed: IO[bytes], budget: Budget, large: int = LARGE_TEXT) -> None:
        super().__init__()
        self._path, self._budget, self._large = path, budget, large
        self._packed = _Packed(path, packed)
        self._file = gzip.GzipFile(fileobj=self._packed)  # type: ignore[call-overload]
        self._length = self._n_lines = self._n_fields = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes.

        Parameters
        ----------
        buffer : writable bytes
            Where to.

        Returns
        -------
        int
            How many.

        Raises
        ------
        DataError
            If there are more than LARGE_TEXT, lines and fields counted with them, and more than MOST_PACKED times as
            many as in the file; or the file is filled up with bytes that say nothing.
        """
        part = self._file.read(len(buffer))
        buffer[: len(part)] = part
        if not self._budget.was_given:
            self._count(part)
        return len(part)

    def _count(self, part: bytes) -> None:
        self._length += len(part)
        self._n_lines += part.count(b"\n") + part.count(b"\r")
        self._n_fields += sum(map(part.count, (b",", b";", b"\t", b" ")))
        effort = self._length + LINE * self._n_lines + FIELD * self._n_fields
        if effort > self._large and self._length > MOST_PACKED * self._packed.n_bytes:
            raise DataError(
                f"{self._path} holds {size_in_words(self._length)} of text in {self._n_lines} lines, or more, in "
                f"{size_in_words(self._packed.n_bytes)}, and large text that is packed so far is read only where it is "
                f"asked for: give a limit by --max-memory or {VARIABLE} if this is right"
            )


class _Packed:
    """A file that counts what is read of it; names and zeros, which gzip reads one by one, have an end."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self.n_bytes = self._single = 0

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self.n_bytes += len(found)
        self._single = self._single + 1 if size == 1 else 0
        if self._single > MOST_SINGLE:
            raise DataError(
                f"{self._path} is damaged: it has a name, or zeros between its parts, of more than {MOST_SINGLE} "
                "bytes, compress it again"
            )
        return found


def check_packing(path: Path, packed: IO[bytes], budget: Budget, large: int = LARGE_TEXT) -> None:
    """Refuse gzipped text that becomes so large that nobody has measured it, before any of it is kept.

    It is inflated once for this, in parts, which takes a small share of the time that reading its numbers does.

    Parameters
    ----------
    path : Path
        The file, for the message.
    packed : file
        From its beginning; it is read, and has to be put back or opened anew.
    budget : Budget
        Where a limit was given nothing is refused: what is read looks at it.
    large : int, default=LARGE_TEXT
        As :class:`Inflated` takes it.

    Raises
    ------
    DataError
        As :class:`Inflated` does.

    Examples
    --------
    >>> check_packing(Path("small.csv.gz"), io.BytesIO(gzip.compress(bytes(5000))), Budget(1e9, was_given=False))
    """
    if not budget.was_given:
        inflated = Inflated(path, packed, budget, large)
        while inflated.read(PART):
            pass


def examine_text(path: Path, budget: Budget) -> None:
    """Refuse text that is packed too far; nothing else is looked at.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    budget : Budget
        The most memory that its values may take.

    Raises
    ------
    DataError
        If it is.
    """
    with path.open("rb") as plain:
        if plain.read(2) == GZIP:
            plain.seek(0)
            try:
                check_packing(path, plain, budget)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DataError(f"{path} is damaged: {error}, compress it again") from error


def longest(budget: Budget) -> float:
    """Return how long a line may be.

    Parameters
    ----------
    budget : Budget
        The most memory.

    Returns
    -------
    float
        Letters.

    Examples
    --------
    >>> longest(Budget(500.0)), longest(Budget(1e12, was_given=False)) == LONGEST
    (500.0, True)
    """
    return budget.n_bytes if budget.was_given else min(budget.n_bytes, LONGEST)


def bounded_lines(
    path: Path, file: TextIO, budget: Budget, *, most: float | None = None, kept: bool = False
) -> Iterator[str]:
    """Yield the lines of a text, none of which is longer than the limit: packed text may hold one of any length.

    Parameters
    ----------
    path : Path
        The file, for messages.
    file : file of text
        Which is read.
    budget : Budget
        The most memory.
    most : float, optional
        Letters that a line may have; what :func:`longest` says by default.
    kept : bool, default=False
        Whether all fields are kept as they are, and have to be within the limit.

    Yields
    ------
    str
        A line with its end.

    Raises
    ------
    DataError
        If a line is longer, or all of them take more memory.
    """
    limit = longest(budget) if most is None else min(most, longest(budget))
    remedy = REMEDY if limit == budget.n_bytes else f"if this is right, give a limit by --max-memory or {VARIABLE}"
    if most is not None and limit == most:
        remedy = "break it up or leave it out"
    step = int(min(limit, 2**62)) + 1
    needed = 0
    while line := file.readline(step):
        if len(line) > limit:
            raise DataError(f"{path} holds a line longer than {size_in_words(limit)}, the most that is read: {remedy}")
        if kept:
            needed += ROW + CHARACTER * len(line)
            budget.check_bytes(path, needed, "rows that go on after its first part, and together")
        yield line
