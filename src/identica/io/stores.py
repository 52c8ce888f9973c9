"""Opening AnnData's .h5ad files and .zarr directories, after what they consist of was checked."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from identica.io.apart import examine_hdf5
from identica.io.budget import Budget
from identica.io.errors import DataError
from identica.io.zarr_store import check_zarr

__all__ = ["ANNDATA", "damage", "examine_store", "open_store"]

ANNDATA = (".h5ad", ".zarr")
"""Endings of what is read here."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"  # of every HDF5 file
WHOLE = ("obs", "var")
"""What is read as a whole, whichever matrix is asked for."""
_GROUPS = (".zgroup", "zarr.json")  # of every Zarr directory, by its version


@contextmanager
def open_store(path: Path, budget: Budget, layer: str | None) -> Iterator[Any]:
    """Open the group that holds everything.

    Parameters
    ----------
    path : Path
        The file or directory.
    budget : Budget
        The most memory that names and columns may take.
    layer : str or None
        Name of the layer to read from; None, or "X" where no layer has that name, means `X`.

    Yields
    ------
    group of h5py or zarr
        Of which obs and var as a whole, and parts of one matrix, may be read.

    Raises
    ------
    ImportError
        If anndata is not installed.
    DataError
        As :func:`examine_store` does.
    """
    examine_store(path, layer, budget)
    if path.suffix.lower() == ".zarr":
        import zarr

        # What the files themselves say was checked, and not what is repeated of them.
        yield zarr.open_group(str(path), mode="r", use_consolidated=False)
    else:
        import h5py

        with h5py.File(path, "r") as group:
            yield group


def examine_store(path: Path, layer: str | None, budget: Budget) -> None:
    """Refuse a file or directory that must not be opened, by what it consists of and declares.

    Parameters
    ----------
    path : Path
        The file or directory.
    layer : str or None
        Name of the layer to read from; None, or "X" where no layer has that name, means `X`.
    budget : Budget
        The most memory that names and columns may take.

    Raises
    ------
    ImportError
        If anndata is not installed.
    DataError
        If it is neither, is damaged, leads to other files, or holds something that is too large or packed too far.
    """
    kind = path.suffix.lower()[1:]
    if kind == "zarr":
        right = any((path / name).is_file() for name in _GROUPS)
    else:
        with path.open("rb") as file:
            right = file.read(len(_SIGNATURE)) == _SIGNATURE
    if not right:
        what = "directory" if kind == "zarr" else "file"
        raise DataError(f"{path} is not a .{kind} {what}, write it with AnnData.write_{kind}")
    if importlib.util.find_spec("anndata") is None:  # which brings h5py and zarr, and is not imported for a lie
        raise ImportError(f"reading {path} needs anndata, which is not installed: pip install 'identica[anndata]'")
    matrices = (*(("X",) if layer in (None, "X") else ()), *(() if layer is None else (f"layers/{layer}",)))
    check = check_zarr if kind == "zarr" else examine_hdf5
    with damage(path):
        check(path, budget, WHOLE, matrices)


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong in the block that the file is damaged.

    Parameters
    ----------
    path : Path
        The file or directory.

    Yields
    ------
    None
        For the length of the block.

    Raises
    ------
    DataError
        If anything else goes wrong.
    ImportError
        If a package is missing.
    """
    try:
        with warnings.catch_warnings():
            # They are about parts of the file that are not read here; what is read is checked.
            warnings.simplefilter("ignore")
            yield
    except (DataError, ImportError):
        raise
    except Exception as error:  # what a broken file raises depends on where it is broken
        message = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path} is damaged or not AnnData's ({message}), write it with AnnData.write_{path.suffix.lower()[1:]}"
        ) from error
