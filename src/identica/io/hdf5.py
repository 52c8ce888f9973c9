"""What an HDF5 file may consist of: its own bytes, in the filters that HDF5 and h5py bring, and not more than is read.

HDF5 files can point to others: by external links, by virtual datasets, and by external storage, with which the bytes of
any file that can be read become data. Such a file is refused as a whole, whichever part of it is asked for.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from identica.io.budget import LARGE_CHUNK, TOGETHER, Budget, part_in_words, size_in_words
from identica.io.compressed import check_pointers
from identica.io.errors import DataError

if TYPE_CHECKING:
    import h5py

__all__ = ["check_hdf5"]

MOST_OBJECTS = 100_000
"""Groups and datasets of one file."""
INFLATES_FAR = LARGE_CHUNK // 1032
"""Bytes of a deflated chunk that could become large; what h5py and AnnData write by default are chunks of less."""
OVERHEAD = 1024
"""Bytes by which a chunk may be longer than twice its size in memory, where text, for example, takes half as much."""
POINTERS_AT_ONCE = 2**27
"""Bytes of the pointers of a sparse matrix up to which they are read here, and not only where the matrix is."""
LONGEST_TEXT = 2**20
"""Bytes of one name or label."""
TEXT_AT_ONCE, ELEMENT = 2**26, 64
"""Bytes of text that are read at once, and bytes that Python takes for an element beside its letters."""
_REFERENCES_OF_ANNDATA = ("categories",)
"""Attributes in which AnnData 0.6 and 0.7 kept a reference to a column's categories, in the same file."""
_PLACE = np.dtype([("length", "<u4"), ("address", "<u8"), ("number", "<u4")])
"""What stands in a file in the place of an element of variable length."""


def check_hdf5(file: h5py.File, path: Path, budget: Budget, whole: tuple[str, ...], matrices: tuple[str, ...]) -> None:
    """Refuse a file that points to others, needs filters of others, or whose needed parts are too large or packed lies.

    Attributes of all objects and the text of needed parts are read once: they may ask for any memory or time, so that
    this is for a process that has limits, see :func:`identica.io.apart.examine_hdf5`.

    Parameters
    ----------
    file : h5py.File
        Open for reading.
    path : Path
        Its name, for messages.
    budget : Budget
        The most memory that all parts that are read as a whole may take together.
    whole : tuple of str
        Groups and datasets that are to be read as a whole, by their path in the file.
    matrices : tuple of str
        Those of which parts may be read, dense or sparse.

    Raises
    ------
    DataError
        If it does.
    """
    import h5py

    total = stored = letters = 0
    needed, pointed = set(), list[tuple[str, Any]]()
    for name, found in _walk(file, path, (*whole, *matrices)):
        references = _check_attributes(found, name, path)
        if _is_in(name, whole):
            needed.add(_place_of(found))
            pointed += [(name, file[reference]) for reference in references]
            _check_keys(found, name, path)
        if not isinstance(found, h5py.Dataset):
            continue
        _check_storage(found, name, path)
        if _is_in(name, whole):
            _check_chunks(found, name, path)
            held = found.id.get_storage_size()
            budget.check_stored(path, found.shape or (), found.dtype, held, part_in_words(name))
            total += found.size * found.dtype.itemsize if found.shape else 0
            lengths = _lengths_of_text(found, name, path)
            letters, stored = letters + int(lengths.sum()), stored + held
            budget.check_bytes(path, total + letters, TOGETHER)
            budget.check_together(path, total + letters, stored + min(letters, path.stat().st_size), TOGETHER)
            _read_text(found, lengths)
        elif _is_in(name, matrices):
            _check_matrix(found, name, path, budget, is_sparse=name not in matrices)
    for name, found in pointed:
        if _place_of(found) not in needed:
            raise DataError(f"{path}: {name!r} refers to {found.name!r}, which is no part of it: write values instead")


def _is_in(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}/") for part in parts)


def _check_matrix(dataset: h5py.Dataset, name: str, path: Path, budget: Budget, *, is_sparse: bool) -> None:
    if dataset.dtype.kind not in "biuf":
        raise DataError(f"{path}: {name!r} holds {dataset.dtype}, and a matrix of real numbers is needed")
    _check_chunks(dataset, name, path)
    # How much of it is read, and so how large it is, is known later.
    what = f"the {name.rpartition('/')[2]} of a sparse matrix" if is_sparse else "a dense matrix"
    budget.check_packing(path, dataset.shape or (), dataset.dtype, dataset.id.get_storage_size(), what)
    if is_sparse and name.endswith("/indptr") and dataset.nbytes <= POINTERS_AT_ONCE and "indices" in dataset.parent:
        try:
            check_pointers(dataset[()], math.prod(dataset.parent["indices"].shape))
        except ValueError as error:
            raise DataError(f"{path} is damaged: {error}") from error


def _place_of(found: Any) -> tuple[int, int]:
    """Return where an object is, whatever its names are."""
    import h5py

    place = h5py.h5o.get_info(found.id)
    return place.fileno, place.addr


def _check_keys(group: Any, name: str, path: Path) -> None:
    """Refuse a table whose columns are not in it: HDF5 takes a name that begins with a stroke for one of the file."""
    named = [group.attrs[key] for key in ("column-order", "_index") if key in group.attrs]
    for key in np.concatenate([np.ravel(each).astype(str) for each in named]) if named else ():
        if key.startswith("/") or "." in key.split("/"):
            raise DataError(f"{path}: {name!r} names {key[:40]!r} as a column, which is not in it: write it anew")


def _walk(file: h5py.File, path: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield all groups and datasets, each once, and refuse links that leave the file, or lead into needed parts."""
    import h5py

    seen = set()
    left: list[tuple[str, Any]] = [("", file)]
    while left:
        name, group = left.pop()
        place = _place_of(group)
        if place in seen:
            if _is_in(name, needed):
                raise DataError(f"{path}: {name!r} is another name of a part of the file, write it anew with anndata")
            continue
        seen.add(place)
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


def _check_chunks(dataset: h5py.Dataset, name: str, path: Path) -> None:
    """Refuse chunks that unpack to more than is declared, which HDF5 compares when it has unpacked all."""
    import h5py

    if dataset.chunks is None:
        return
    plist = dataset.id.get_create_plist()
    codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    size = math.prod(dataset.chunks) * dataset.id.get_type().get_size()
    if size > max(LARGE_CHUNK, 2 * math.prod(dataset.shape) * dataset.id.get_type().get_size()):
        raise DataError(f"{path} is damaged: {name!r} has chunks of {size_in_words(size)}, and is smaller itself")
    if len(set(codes)) < len(codes):
        raise DataError(f"{path}: {name!r} is packed by the same filter twice: write the file anew with gzip or lzf")
    most = 2 * size + OVERHEAD
    position = codes.index(h5py.h5z.FILTER_DEFLATE) if h5py.h5z.FILTER_DEFLATE in codes else None
    doubtful = []

    def look(chunk: Any) -> bool | None:
        if chunk.size > most:
            doubtful.append(chunk)
            return True  # which ends it
        if position is not None and not chunk.filter_mask >> position & 1 and chunk.size > INFLATES_FAR:
            doubtful.append(chunk)
        return None

    dataset.id.chunk_iter(look)
    for chunk in doubtful:
        if chunk.size > most or _is_longer(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], most):
            raise DataError(
                f"{path} is damaged: a chunk of {name!r}, {size_in_words(chunk.size)}, holds more than the "
                f"{size_in_words(size)} that it declares"
            )


def _is_longer(packed: bytes, most: int) -> bool:
    """Tell whether deflated bytes become more, without keeping them."""
    stream, n_bytes = zlib.decompressobj(), 0
    while packed and n_bytes <= most:
        n_bytes += len(stream.decompress(packed, 2**20))
        packed = stream.unconsumed_tail
    return n_bytes > most


def _check_attributes(found: Any, name: str, path: Path) -> list[Any]:
    """Read all attributes, and return references to categories, which alone may be there."""
    import h5py

    references = []
    for key in found.attrs:
        kind = found.attrs.get_id(key).dtype
        if _holds_references(kind):
            if key in _REFERENCES_OF_ANNDATA and kind == h5py.ref_dtype:
                references.append(found.attrs[key])
                continue
            raise DataError(
                f"{path}: attribute {key!r} of {name or '/'!r} holds references to objects, which are not followed: "
                "write values instead"
            )
        with suppress(TypeError, ValueError):  # of a type that h5py has no value for, which does no harm
            found.attrs[key]
    return references


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


def _lengths_of_text(dataset: h5py.Dataset, name: str, path: Path) -> NDArray[np.int64]:
    """Return the bytes of all elements of variable length, from what is stored in their place, none of them being read.

    HDF5 makes room for as many bytes as an element says it has before it looks for them, and many elements can share
    the same long text.

    Returns
    -------
    ndarray of int64
        Empty where elements have no length of their own.

    Raises
    ------
    DataError
        If an element is longer than the file.
    """
    import h5py

    none = np.zeros(0, np.int64)
    if h5py.check_string_dtype(dataset.dtype) is None and h5py.check_vlen_dtype(dataset.dtype) is None:
        return none
    kind = dataset.id.get_type()
    if not isinstance(kind, h5py.h5t.TypeVlenID) and not kind.is_variable_str():
        return none
    lengths = _places(dataset, name, path)["length"].astype(np.int64)
    if isinstance(kind, h5py.h5t.TypeVlenID):
        lengths *= kind.get_super().get_size()
    if len(lengths) and lengths.max() > path.stat().st_size:
        raise DataError(
            f"{path} is damaged: {name!r} declares text of {size_in_words(int(lengths.max()))}, more than the file has"
        )
    if len(lengths) and lengths.max() > LONGEST_TEXT:
        raise DataError(
            f"{path}: {name!r} has text of {size_in_words(int(lengths.max()))}, and {size_in_words(LONGEST_TEXT)} is "
            "the most of a name or a label: shorten it"
        )
    return lengths


def _read_text(dataset: h5py.Dataset, lengths: NDArray[np.int64]) -> None:
    """Read text once, in parts, since where it says that it is may lead into a circle, or nowhere."""
    if not len(lengths):
        return
    if not dataset.shape:
        dataset[()]
        return
    step = max(1, TEXT_AT_ONCE // (ELEMENT + int(lengths.max())) // math.prod(dataset.shape[1:]))
    for start in range(0, dataset.shape[0], step):
        dataset[start : start + step]


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
        chunks: list[Any] = []
        dataset.id.chunk_iter(chunks.append)
        for chunk in chunks:
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
