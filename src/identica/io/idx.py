"""Reading IDX files, plain or gzipped: the format in which MNIST and its kin are given."""

from __future__ import annotations

import gzip
import math
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.bounded import GZIP, MOST_DEFLATED, PART
from identica.io.budget import Budget
from identica.io.errors import DataError
from identica.io.table import held_as

__all__ = ["examine_idx", "is_idx", "read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 4
"""Of colour images; a header that says more is damaged."""
_NAME = re.compile(r"idx\d-[a-z]+(\.gz)?$")


def is_idx(path: str | os.PathLike[str]) -> bool:
    """Tell by its name whether a file is an IDX file, such as train-images-idx3-ubyte.gz.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    bool
        Whether it is named like one.
    """
    return _NAME.search(Path(path).name) is not None


def read_idx(path: str | os.PathLike[str], budget: Budget | None = None) -> NDArray[Any]:
    """Read an array from an IDX file, plain or gzipped.

    Its header is two bytes of zero, one for the type, one for the number of dimensions, and four for each of these;
    everything is big-endian. What the header declares is compared with the limit, and with the file, before memory is
    taken for it; of a gzipped file no more is inflated than it declares.

    Parameters
    ----------
    path : str or path
        The file.
    budget : Budget, optional
        The most memory that it may take; that of the environment by default.

    Returns
    -------
    ndarray
        In the machine's byte order.

    Raises
    ------
    DataError
        If the file is missing, damaged, cut off, too large, no IDX file or of more than four dimensions.
    """
    path = Path(path)
    with _opened(path) as (file, length, packed):
        dtype, shape = _declared(path, file, Budget.default() if budget is None else budget, length, packed=packed)
        return _values(path, file, dtype, shape)


def examine_idx(path: Path, budget: Budget) -> None:
    """Refuse an IDX file whose header does not fit to its length, or declares too much; nothing else is read.

    Parameters
    ----------
    path : Path
        The file.
    budget : Budget
        The most memory that it may take.

    Raises
    ------
    DataError
        If it does.
    """
    with _opened(path) as (file, length, packed):
        _declared(path, file, budget, length, packed=packed)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes] | gzip.GzipFile, int, bool]]:
    """Open a file, and tell its length and whether it is gzipped."""
    try:
        with path.open("rb") as plain:
            length = os.fstat(plain.fileno()).st_size
            packed = plain.read(len(GZIP)) == GZIP
            plain.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=plain) as file:
                    yield file, length, packed
            else:
                yield plain, length, packed
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist, give an IDX file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cannot be read ({error}), download it again") from error


def _declared(
    path: Path, file: IO[bytes] | gzip.GzipFile, budget: Budget, length: int, *, packed: bool
) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return type and shape, which the length of the file allows and the limit, too."""
    dtype, shape, start = _header(path, file)
    needed = math.prod(shape) * dtype.itemsize
    if not packed and length - start != needed:
        raise DataError(f"{path} has {length - start} bytes {_needs(shape, needed)}")
    if packed and needed > MOST_DEFLATED * length:
        raise DataError(
            f"{path} has {length} gzipped bytes, and the {needed} of an array of shape {shape}, which its header "
            "declares, cannot be in them: download it again"
        )
    budget.check_stored(path, shape, held_as(dtype, len(shape)), length)
    return dtype, shape


def _needs(shape: tuple[int, ...], needed: int) -> str:
    return f"of data where its header, which says {shape}, needs {needed}: download it again"


def _values(path: Path, file: IO[bytes] | gzip.GzipFile, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    needed = math.prod(shape) * dtype.itemsize
    values = np.empty(shape, dtype.newbyteorder("="))
    room = values.reshape(-1).view(np.uint8)
    done = 0
    while done < needed and (part := file.read(min(PART, needed - done))):
        room[done : done + len(part)] = np.frombuffer(part, np.uint8)
        done += len(part)
    if done < needed:
        raise DataError(f"{path} has {done} bytes {_needs(shape, needed)}")
    if file.read(1):  # which also compares the checksum of what is gzipped
        raise DataError(f"{path} has more than {needed} bytes {_needs(shape, needed)}")
    if dtype.newbyteorder("=") != dtype:
        values.byteswap(inplace=True)
    return values


def _header(path: Path, file: IO[bytes] | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return the type, the shape and where the array begins."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES:
        raise DataError(
            f"{path} is no IDX file: its first bytes are {head.hex(' ') or 'missing'}, where 00 00 and one of "
            f"{' '.join(f'{code:02x}' for code in _TYPES)} should be; download it again"
        )
    if not 1 <= head[3] <= MOST_DIMENSIONS:
        raise DataError(
            f"{path} says that it has {head[3]} dimensions, and 1 to {MOST_DIMENSIONS} are read: download it again"
        )
    sides = file.read(4 * head[3])
    if len(sides) < 4 * head[3]:
        raise DataError(f"{path} ends in the middle of its header, download it again")
    shape = tuple(int(side) for side in np.frombuffer(sides, ">u4"))
    if 0 in shape:
        raise DataError(f"{path} says that it has the shape {shape}, which holds nothing: download it again")
    return np.dtype(_TYPES[head[2]]), shape, 4 + len(sides)
