"""Reading NumPy's .npy and .npz files, never unpickling."""

import math
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.budget import Budget
from identica.io.compressed import check_compressed, check_kinds, check_n_values
from identica.io.errors import DataError
from identica.io.table import Table, held_as

__all__ = [
    "array_in",
    "check_member",
    "checked_array",
    "examine_npy",
    "examine_npz",
    "load_npy",
    "open_npz",
    "read_npy",
    "read_npz",
]

# What NumPy, SciPy and zipfile raise on a damaged file, a header that asks for more memory than there is and a member
# that is encrypted or packed in an unknown way included; each becomes a DataError that says so.
_DAMAGED = (ValueError, TypeError, KeyError, EOFError, SyntaxError, MemoryError, OverflowError, OSError,
            RuntimeError, zipfile.BadZipFile, zlib.error, tokenize.TokenError)  # fmt: skip

MOST_MEMBERS = 10_000
"""Of an archive of arrays."""


def load_npy(path: Path, budget: Budget | None = None) -> NDArray[Any]:
    """Read the array of a .npy file, of whatever shape and type.

    Parameters
    ----------
    path : Path
        The file.
    budget : Budget, optional
        The most memory that it may take; without it the file's own length is the limit.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    DataError
        If it is not a .npy file, is damaged, too large, or holds Python objects.
    """
    with _opened_npy(path, budget) as file:
        values = _checked_text(np.lib.format.read_array(file, allow_pickle=False))
        if file.read(1):
            raise DataError(f"{path} goes on after its array, write one array into it with numpy.save")
    return values


def examine_npy(path: Path, budget: Budget) -> None:
    """Refuse a .npy file whose header declares more than it holds, or than the limit; nothing else is read.

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
    with _opened_npy(path, budget):
        pass


@contextmanager
def _opened_npy(path: Path, budget: Budget | None) -> Iterator[IO[bytes]]:
    """Open a .npy file whose header fits to its length and the limit; whatever goes wrong is said to be damage."""
    with path.open("rb") as file:
        start = file.read(6)
        if start != np.lib.format.MAGIC_PREFIX:
            pickled = ", but a Python pickle" if start[:1] == b"\x80" else ""
            raise DataError(f"{path} is not a .npy file{pickled}, write it with numpy.save")
        file.seek(0)
        try:
            shape, dtype = _header(file)
            begins = file.tell()
            if not dtype.hasobject and math.prod(shape) * dtype.itemsize > path.stat().st_size - begins:
                raise DataError(
                    f"{path} is damaged: its header says that it holds {dtype} of shape {shape}, and it ends before"
                )
            if budget is not None:
                budget.check(path, shape, held_as(dtype, len(shape)))
            file.seek(0)
            yield file
        except DataError:
            raise
        except _DAMAGED as error:
            raise DataError(_reason(path, error)) from error


def read_npy(path: Path, budget: Budget, missing: bool = False) -> Table:
    """Read a 2-D array of real numbers from a .npy file.

    Parameters
    ----------
    path : Path
        The file.
    budget : Budget
        The most memory that its values may take.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        The array, without names.

    Raises
    ------
    DataError
        If it is not a .npy file, is damaged, too large, holds Python objects, or is not a table of finite numbers.
    """
    return Table.checked(load_npy(path, budget), path, missing=missing)


def read_npz(path: Path, key: str | None, budget: Budget, missing: bool = False) -> Table:
    """Read one 2-D array, or a SciPy sparse matrix, from a .npz file.

    Parameters
    ----------
    path : Path
        The file.
    key : str or None
        Name of the array; may be left out where there is only one.
    budget : Budget
        The most memory that its values may take.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        The array, without names.

    Raises
    ------
    DataError
        If it is not a .npz file, is damaged, holds several arrays and no key was given, has no array of that name, or
        the array is too large or cannot be used.
    """
    with open_npz(path) as arrays:
        name = _declared(path, key, arrays, budget)
        values = _read_sparse(path) if name is None else array_in(arrays, name, path)
    return Table.checked(values, path, missing=missing)


def examine_npz(path: Path, key: str | None, budget: Budget) -> None:
    """Refuse a .npz file whose values must not be read, without reading any.

    Parameters
    ----------
    path : Path
        The file.
    key : str or None
        Name of the array.
    budget : Budget
        The most memory that its values may take.

    Raises
    ------
    DataError
        As :func:`read_npz` does, by what the file declares.
    """
    with open_npz(path) as arrays:
        _declared(path, key, arrays, budget)


def _declared(path: Path, key: str | None, arrays: Any, budget: Budget) -> str | None:
    """Return the name of the array to read, None where all are a sparse matrix, after what it declares was checked."""
    names = list(arrays.files)
    if key is None and {"format", "shape", "data"} <= set(names):
        kinds = {name: check_member(path, arrays, name, budget) for name in names}
        check_kinds(path, kinds)
        array_in(arrays, "format", path)  # whose letters are looked at, and not by SciPy
        shape, dtype = kinds["data"]
        held, n_values = held_as(dtype, len(shape)), math.prod(shape)
        sides = [int(side) for side in np.ravel(array_in(arrays, "shape", path))]
        budget.check(path, sides, held, "a sparse matrix")
        check_n_values(path, sides, n_values)
        budget.check_density(path, sides, held, n_values)
        return None
    if not names:
        raise DataError(f"{path} holds no array, write it with numpy.savez")
    if key is None and len(names) > 1:
        raise DataError(f"{path} holds the arrays {', '.join(names)}, choose one by its key")
    if key is not None and key not in names:
        raise DataError(f"{path} has no array {key!r}, it holds {', '.join(names)}")
    check_member(path, arrays, key or names[0], budget)
    return key or names[0]


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
        # NumPy leaves a file open that is no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            _check_members(path, arrays.zip.namelist())
            yield arrays
    except DataError:
        raise
    except _DAMAGED as error:
        raise DataError(_reason(path, error)) from error


def _check_members(path: Path, members: list[str]) -> None:
    """Refuse archives in which it is not clear which member a name means; NumPy takes the one without the ending."""
    if len(members) > MOST_MEMBERS:
        raise DataError(f"{path} has {len(members)} members, and {MOST_MEMBERS} are the most: write fewer")
    known = set(members)
    double = next((name for name in members if f"{name}.npy" in known), None)
    if double is not None or len(known) < len(members):
        told = "a member twice" if double is None else f"the members {double!r} and {double + '.npy'!r}"
        raise DataError(f"{path} is damaged: it has {told}, write it anew with numpy.savez")


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
    return _checked_text(values)


def checked_array(arrays: Any, name: str, path: Path, budget: Budget) -> NDArray[Any]:
    """Read one array of a .npz file after what it declares was checked.

    Parameters
    ----------
    arrays : NpzFile
        As :func:`open_npz` gives it.
    name : str
        Of one of its members.
    path : Path
        The file, for messages.
    budget : Budget
        The most memory that it may take.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    DataError
        If it is too large, not an array, or not what its header says.
    """
    check_member(path, arrays, name, budget)
    return array_in(arrays, name, path)


def _read_sparse(path: Path) -> NDArray[Any]:
    import scipy.sparse

    matrix = scipy.sparse.load_npz(path)
    check_compressed(matrix)
    return np.asarray(matrix.toarray())


def check_member(path: Path, arrays: Any, name: str, budget: Budget) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and type of a member of a .npz file, from its header alone.

    What the header declares must be what the archive says of the member's length, and not too large.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : NpzFile
        As :func:`open_npz` gives it.
    name : str
        Of one of its members.
    budget : Budget
        The most memory that it may take.

    Returns
    -------
    shape : tuple of int
        As declared.
    dtype : dtype
        As declared.

    Raises
    ------
    DataError
        If it is too large, or a lie.
    """
    member = f"{name}.npy"
    if member not in arrays.zip.namelist():
        raise DataError(f"{path} is not a .npz file: its member {name} is not an array")  # and is not inflated
    told = arrays.zip.getinfo(member)
    with arrays.zip.open(member) as file:
        shape, dtype = _header(file)
        begins = file.tell()
    budget.check_stored(path, shape, held_as(dtype, len(shape)), told.compress_size)
    if not dtype.hasobject and begins + math.prod(shape) * dtype.itemsize != told.file_size:
        raise DataError(
            f"{path} is damaged: the header of {name} says that it holds {dtype} of shape {shape}, and the archive "
            f"that it has {told.file_size} bytes"
        )
    return shape, dtype


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return what the header of a .npy file says, after which the array begins."""
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)[0]
    if version not in read:
        raise ValueError(f"version {version} of the format is not known")
    shape, _, dtype = read[version](file)
    if not dtype.itemsize:  # of which a file can declare any number
        raise ValueError(f"its type, {dtype.str}, has no bytes")
    return shape, dtype


def _checked_text(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array after its letters, which NumPy takes as they are, were looked at."""
    if values.dtype.kind == "U" and values.size:
        codes = np.ascontiguousarray(values).view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder))
        if codes.max() > sys.maxunicode:
            raise ValueError("its text has letters that do not exist")
    return values


def _reason(path: Path, error: BaseException) -> str:
    if "Object arrays" in str(error):
        return (
            f"{path} holds pickled Python objects, which are never loaded since they can run code; "
            "save plain numbers, for example numpy.save(path, array.astype(float))"
        )
    return f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}"
