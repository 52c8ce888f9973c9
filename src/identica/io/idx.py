"""Reading IDX files, plain or gzipped: the format in which MNIST and its kin are given."""

from __future__ import annotations

import gzip
import math
import os
import re
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.bounded import GZIP, MOST_DEFLATED, PART
from identica.io.budget import Budget
from identica.io.errors import DataError
from identica.io.table import held_as

__all__ = ["is_idx", "read_idx"]

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
    budget = Budget.default() if budget is None else budget
    try:
        with path.open("rb") as plain:
            length = os.fstat(plain.fileno()).st_size
            packed = plain.read(len(GZIP)) == GZIP
            plain.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=plain) as file:
                    return _read(path, file, budget, length, packed=True)
            return _read(path, plain, budget, length, packed=False)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist, give an IDX file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cannot be read ({error}), download it again") from error


def _read(path: Path, file: IO[bytes] | gzip.GzipFile, budget: Budget, length: int, *, packed: bool) -> NDArray[Any]:
    dtype, shape, start = _header(path, file)
    needed = math.prod(shape) * dtype.itemsize
    told = f"of data where its header, which says {shape}, needs {needed}: download it again"
    if not packed and length - start != needed:
        raise DataError(f"{path} has {length - start} bytes {told}")
    if packed and needed > MOST_DEFLATED * length:
        raise DataError(
            f"{path} has {length} gzipped bytes, and the {needed} of an array of shape {shape}, which its header "
            "declares, cannot be in them: download it again"
        )
    budget.check_stored(path, shape, held_as(dtype, len(shape)), length)
    values = np.empty(shape, dtype.newbyteorder("="))
    room = values.reshape(-1).view(np.uint8)
    done = 0
    while done < needed and (part := file.read(min(PART, needed - done))):
        room[done : done + len(part)] = np.frombuffer(part, np.uint8)
        done += len(part)
    if done < needed:
        raise DataError(f"{path} has {done} bytes {told}")
    if file.read(1):  # which also compares the checksum of what is gzipped
        raise DataError(f"{path} has more than {needed} bytes {told}")
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
