"""Reading IDX files, plain or gzipped: the format in which MNIST and its kin are given."""

from __future__ import annotations

import gzip
import math
import os
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.io.errors import DataError

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


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an array from an IDX file, plain or gzipped.

    Its header is two bytes of zero, one for the type, one for the number of dimensions, and four for each of these;
    everything is big-endian.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    ndarray
        In the machine's byte order.

    Raises
    ------
    DataError
        If the file is missing, damaged, cut off, no IDX file or of more than four dimensions.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist, give an IDX file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cannot be read ({error}), download it again") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise DataError(
            f"{path} is no IDX file: its first bytes are {content[:4].hex(' ') or 'missing'}, where 00 00 and one of "
            f"{' '.join(f'{code:02x}' for code in _TYPES)} should be; download it again"
        )
    if not 1 <= content[3] <= MOST_DIMENSIONS:
        raise DataError(
            f"{path} says that it has {content[3]} dimensions, and 1 to {MOST_DIMENSIONS} are read: download it again"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path} ends in the middle of its header, download it again")
    shape = tuple(int(side) for side in np.frombuffer(content, ">u4", content[3], offset=4))
    if 0 in shape:
        raise DataError(f"{path} says that it has the shape {shape}, which holds nothing: download it again")
    dtype = np.dtype(_TYPES[content[2]])
    needed = math.prod(shape) * dtype.itemsize
    if len(content) - start != needed:
        raise DataError(
            f"{path} has {len(content) - start} bytes of data where its header, which says {shape}, needs {needed}: "
            "download it again"
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))
