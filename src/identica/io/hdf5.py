"""What an HDF5 file may consist of: its own bytes, in the filters that HDF5 and h5py bring, and not more than is read.

HDF5 files can point to others: by external links, by virtual datasets, and by external storage, with which the bytes of
any file that can be read become data. Such a file is refused as a whole, whichever part of it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.budget import Budget, part_in_words, size_in_words
from identica.io.errors import DataError

if TYPE_CHECKING:
    import h5py

__all__ = ["check_hdf5"]

MOST_OBJECTS = 100_000
"""Groups and datasets of one file."""
_REFERENCES_OF_ANNDATA = ("categories",)
"""Attributes in which AnnData 0.6 and 0.7 kept a reference to a column's categories, in the same file."""
_PLACE = np.dtype([("length", "<u4"), ("address", "<u8"), ("number", "<u4")])
"""What stands in a file in the place of an element of variable length."""


def check_hdf5(file: h5py.File, path: Path, budget: Budget, needed: tuple[str, ...]) -> None:
    """Refuse a file that points to others, needs filters of others, or whose needed parts are too large.

    Parameters
    ----------
    file : h5py.File
        Open for reading.
    path : Path
        Its name, for messages.
    budget : Budget
        The most memory that all needed parts may take together.
    needed : tuple of str
        Groups and datasets that are to be read as a whole, by their path in the file.

    Raises
    ------
    DataError
        If it does.
    """
    import h5py

    total = 0
    for name, found in _walk(file, path):
        _check_attributes(found, name, path)
        if not isinstance(found, h5py.Dataset):
            continue
        _check_storage(found, name, path)
        if any(name == part or name.startswith(f"{part}/") for part in needed):
            budget.check_stored(path, found.shape or (), found.dtype, found.id.get_storage_size(), part_in_words(name))
            total += found.size * found.dtype.itemsize if found.shape else 0
            total += _length_of_text(found, name, path)
            budget.check_bytes(path, total, "a set of names and columns that, as declared,")


def _walk(file: h5py.File, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield all groups and datasets, each once, and refuse links that leave the file."""
    import h5py

    seen = set()
    left: list[tuple[str, Any]] = [("", file)]
    while left:
        name, group = left.pop()
        place = h5py.h5o.get_info(group.id)
        if (place.fileno, place.addr) in seen:
            continue
        seen.add((place.fileno, place.addr))
        if len(seen) > MOST_OBJECTS:
            raise DataError(f"{path} holds more than {MOST_OBJECTS} groups and datasets: write it anew with anndata")
        yield name, group
        if not isinstance(group, h5py.Group):
            continue
        for key in group:
            inner = f"{name}/{key}".lstrip("/")
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise DataError(
                    f"{path}: {inner!r} is a link into the file {link.filename!r}, and links into other files are not "
                    "followed: copy what it points to into this one"
                )
            if isinstance(link, h5py.SoftLink):
                raise DataError(
                    f"{path}: {inner!r} is a soft link to {link.path!r}, and such links are not followed: copy what it "
                    "points to in its place"
                )
            found = group[key]
            if isinstance(found, h5py.Group | h5py.Dataset):
                left.append((inner, found))


def _check_storage(dataset: h5py.Dataset, name: str, path: Path) -> None:
    import h5py

    if dataset.external:
        raise DataError(
            f"{path}: the values of {name!r} are stored in the file {dataset.external[0][0]!r}, and other files are "
            "not read: write them into this one"
        )
    if dataset.is_virtual:
        sources = dataset.virtual_sources()
        whose = f" of {sources[0].file_name!r}" if sources else ""
        raise DataError(
            f"{path}: {name!r} is a virtual dataset, made of parts{whose}, and other files are not read: write its "
            "values into this one"
        )
    if _holds_references(dataset.dtype):
        raise DataError(f"{path}: {name!r} holds references to objects, which are not followed: write values instead")
    plist = dataset.id.get_create_plist()
    known = {
        h5py.h5z.FILTER_DEFLATE,
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_SZIP,
        h5py.h5z.FILTER_NBIT,
        h5py.h5z.FILTER_SCALEOFFSET,
        h5py.h5z.FILTER_LZF,
    }
    for i in range(plist.get_nfilters()):
        code, _, _, text = plist.get_filter(i)
        if code not in known:
            said = text.decode("utf-8", "replace")[:40] if isinstance(text, bytes) else str(text)[:40]
            raise DataError(
                f"{path}: {name!r} is packed by filter {code} ({said or 'without a name'}), which is none of HDF5's "
                "own: write the file anew with compression gzip or lzf"
            )
    declared = math.prod(dataset.shape or (0,)) * dataset.dtype.itemsize
    if declared and not dataset.id.get_storage_size() and dataset.chunks is not None:
        raise DataError(
            f"{path} is damaged: it declares {name!r} of shape {tuple(dataset.shape)}, "
            f"{size_in_words(declared)}, and holds none of its values"
        )


def _check_attributes(found: Any, name: str, path: Path) -> None:
    for key in found.attrs:
        kind = found.attrs.get_id(key).dtype
        if key not in _REFERENCES_OF_ANNDATA and _holds_references(kind):
            raise DataError(
                f"{path}: attribute {key!r} of {name or '/'!r} holds references to objects, which are not followed: "
                "write values instead"
            )


def _holds_references(kind: np.dtype[Any]) -> bool:
    import h5py

    if h5py.check_ref_dtype(kind) is not None:
        return True
    inner = h5py.check_vlen_dtype(kind)
    if isinstance(inner, np.dtype):
        return _holds_references(inner)
    if kind.subdtype is not None:
        return _holds_references(kind.subdtype[0])
    return kind.names is not None and any(_holds_references(kind[name]) for name in kind.names)


def _length_of_text(dataset: h5py.Dataset, name: str, path: Path) -> int:
    """Return the bytes of all elements of variable length, from what is stored in their place, none of them being read.

    HDF5 makes room for as many bytes as an element says it has before it looks for them, and many elements can share
    the same long text.

    Returns
    -------
    int
        0 where elements have no length of their own.

    Raises
    ------
    DataError
        If an element is longer than the file.
    """
    import h5py

    if h5py.check_string_dtype(dataset.dtype) is None and h5py.check_vlen_dtype(dataset.dtype) is None:
        return 0
    kind = dataset.id.get_type()
    if not isinstance(kind, h5py.h5t.TypeVlenID) and not kind.is_variable_str():
        return 0
    places = _places(dataset, name, path)
    lengths = places["length"].astype(np.int64)
    if len(lengths) and lengths.max() > path.stat().st_size:
        raise DataError(
            f"{path} is damaged: {name!r} declares text of {size_in_words(int(lengths.max()))}, more than the file has"
        )
    return int(lengths.sum())


def _places(dataset: h5py.Dataset, name: str, path: Path) -> NDArray[Any]:
    """Return where elements of variable length are, as they are stored: a length, an address and a number in a heap.

    Returns
    -------
    ndarray
        One for each element.

    Raises
    ------
    DataError
        If they are stored in a way that nobody uses for text.
    """
    import h5py

    plist = dataset.id.get_create_plist()
    layout = plist.get_layout()
    if not dataset.size or not dataset.id.get_storage_size():
        return np.zeros(0, _PLACE)
    if layout == h5py.h5d.CONTIGUOUS:
        with path.open("rb") as file:
            file.seek(dataset.id.get_offset())
            return np.frombuffer(file.read(dataset.size * _PLACE.itemsize), _PLACE)
    if layout != h5py.h5d.CHUNKED:
        raise DataError(f"{path}: text of {name!r} is stored in an unusual place: write the file anew with anndata")
    # The same chunks, unpacked by the same filters, as plain bytes. Those that no filter made shorter are plain
    # already, and HDF5 does not remember this of a chunk that is written anew.
    all_left_out = 2 ** plist.get_nfilters() - 1
    found = []
    with h5py.File("places", "w", driver="core", backing_store=False) as memory:
        kind = h5py.h5t.py_create(np.dtype(f"V{_PLACE.itemsize}"))
        space = h5py.h5s.create_simple(dataset.shape)
        copy = h5py.h5d.create(memory.id, b"places", kind, space, _without_fill(plist))
        for number in range(dataset.id.get_num_chunks()):
            chunk = dataset.id.get_chunk_info(number)
            _, packed = dataset.id.read_direct_chunk(chunk.chunk_offset)
            if chunk.filter_mask == all_left_out:
                found.append(np.frombuffer(packed, _PLACE))
            else:
                copy.write_direct_chunk(chunk.chunk_offset, packed, chunk.filter_mask)
        found.append(np.frombuffer(memory["places"][...].tobytes(), _PLACE))
    return np.concatenate(found)


def _without_fill(plist: Any) -> Any:
    import h5py

    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk(plist.get_chunk())
    for i in range(plist.get_nfilters()):
        code, flags, values, _ = plist.get_filter(i)
        made.set_filter(code, flags, values)
    return made
