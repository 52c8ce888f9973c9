"""Reading NumPy's .npy and .npz files, never unpickling."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.io.errors import DataError
from identica.io.table import Table

__all__ = ["array_in", "load_npy", "open_npz", "read_npy", "read_npz"]

# What NumPy, SciPy and zipfile raise on a damaged file, a header that asks for more memory than there is and a member
# that is encrypted or packed in an unknown way included; each becomes a DataError that says so.
_DAMAGED = (ValueError, TypeError, KeyError, EOFError, SyntaxError, MemoryError, OverflowError, OSError,
            RuntimeError, zipfile.BadZipFile, zlib.error)  # fmt: skip


def load_npy(path: Path) -> NDArray[Any]:
    """Read the array of a .npy file, of whatever shape and type.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    DataError
        If it is not a .npy file, is damaged, or holds Python objects.
    """
    with path.open("rb") as file:
        start = file.read(6)
        if start != np.lib.format.MAGIC_PREFIX:
            pickled = ", but a Python pickle" if start[:1] == b"\x80" else ""
            raise DataError(f"{path} is not a .npy file{pickled}, write it with numpy.save")
        file.seek(0)
        try:
            values: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        except _DAMAGED as error:
            raise DataError(_reason(path, error)) from error
        if file.read(1):
            raise DataError(f"{path} goes on after its array, write one array into it with numpy.save")
    return values


def read_npy(path: Path, missing: bool = False) -> Table:
    """Read a 2-D array of real numbers from a .npy file.

    Parameters
    ----------
    path : Path
        The file.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        The array, without names.

    Raises
    ------
    DataError
        If it is not a .npy file, is damaged, holds Python objects, or is not a table of finite numbers.
    """
    return Table.checked(load_npy(path), path, missing=missing)


def read_npz(path: Path, key: str | None, missing: bool = False) -> Table:
    """Read one 2-D array, or a SciPy sparse matrix, from a .npz file.

    Parameters
    ----------
    path : Path
        The file.
    key : str or None
        Name of the array; may be left out where there is only one.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        The array, without names.

    Raises
    ------
    DataError
        If it is not a .npz file, is damaged, holds several arrays and no key was given, has no array of that
        name, or the array cannot be used.
    """
    with open_npz(path) as arrays:
        names = list(arrays.files)
        if key is None and {"format", "shape", "data"} <= set(names):
            return Table.checked(_read_sparse(path), path, missing=missing)
        if not names:
            raise DataError(f"{path} holds no array, write it with numpy.savez")
        if key is None and len(names) > 1:
            raise DataError(f"{path} holds the arrays {', '.join(names)}, choose one by its key")
        if key is not None and key not in names:
            raise DataError(f"{path} has no array {key!r}, it holds {', '.join(names)}")
        values = array_in(arrays, key or names[0], path)
    return Table.checked(values, path, missing=missing)


@contextmanager
def open_npz(path: Path) -> Iterator[Any]:
    """Open a .npz file; whatever goes wrong while its arrays are read is said to be damage.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    NpzFile
        Its arrays by name, for :func:`array_in`.

    Raises
    ------
    DataError
        If it is not a .npz file, is damaged, or holds Python objects.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not a .npz file or is damaged, write it with numpy.savez")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(_reason(path, error)) from error


def array_in(arrays: Any, name: str, path: Path) -> NDArray[Any]:
    """Read one array of a .npz file.

    Parameters
    ----------
    arrays : NpzFile
        As :func:`open_npz` gives it.
    name : str
        Of one of its members.
    path : Path
        The file, for messages.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    DataError
        If the member is not an array.
    """
    values = arrays[name]
    if not isinstance(values, np.ndarray):  # a member that is not .npy comes as bytes
        raise DataError(f"{path} is not a .npz file: its member {name} is not an array")
    return values


def _read_sparse(path: Path) -> NDArray[Any]:
    import scipy.sparse

    return np.asarray(scipy.sparse.load_npz(path).toarray())


def _reason(path: Path, error: BaseException) -> str:
    if "Object arrays" in str(error):
        return (
            f"{path} holds pickled Python objects, which are never loaded since they can run code; "
            "save plain numbers, for example numpy.save(path, array.astype(float))"
        )
    return f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}"
