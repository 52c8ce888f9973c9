"""What a Zarr directory may consist of: files of its own, packed by known codecs, and no more than is read.

Metadata of Zarr name the codecs by which chunks are unpacked. Some of those that are registered run code (pickle) or
are somebody else's; those of numbers and text that AnnData writes are allowed. A chunk that is missing reads as the
fill value, so that a small directory can declare any shape.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from identica.io.budget import LARGE_CHUNK, TOGETHER, Budget, part_in_words, size_in_words
from identica.io.errors import DataError
from identica.io.json_text import read_json
from identica.io.zarr_chunks import check_chunk

__all__ = ["check_zarr"]

CODECS = frozenset(
    (
        *("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"),
        *("crc32", "crc32c", "adler32", "fletcher32"),
        *("bytes", "transpose", "shuffle", "vlen-utf8", "vlen-bytes"),
    )
)
"""Packing, checksums, and forms of numbers and text that are as long as these."""
PLACE, TEXT = 8, 56
"""Bytes that Python takes for the place of a text, and for the text itself at least."""
METADATA = (".zarray", ".zgroup", ".zattrs", ".zmetadata", "zarr.json")
LARGEST_METADATA = 2**24
MOST_FILES = 1_000_000


def check_zarr(store: Path, budget: Budget, whole: tuple[str, ...], matrices: tuple[str, ...]) -> None:
    """Refuse a directory that points out of itself, needs other codecs, or whose needed parts are too large.

    Parameters
    ----------
    store : Path
        The directory.
    budget : Budget
        The most memory that all needed parts may take together.
    whole : tuple of str
        Groups and arrays that are to be read as a whole, by their path in the directory.
    matrices : tuple of str
        Those of which parts may be read, dense or sparse.

    Raises
    ------
    DataError
        If it does.
    """
    arrays: dict[str, _Declared] = {}
    stored: dict[str, int] = {}
    for count, path in enumerate(_files(store)):
        if count >= MOST_FILES:
            raise DataError(f"{store} holds more than {MOST_FILES} files: write it anew with larger chunks")
        name = path.parent.relative_to(store).as_posix()
        if path.name not in METADATA:
            stored[name] = stored.get(name, 0) + path.stat().st_size
            continue
        content = _metadata(path, store)
        for codec in _codecs(content):
            if codec not in CODECS:
                raise DataError(
                    f"{store}: {name} is packed by the codec {codec[:40]!r}, and only those of numbers and text are "
                    "run: write it anew with AnnData.write_zarr"
                )
        if path.name == ".zarray" or content.get("node_type") == "array":
            arrays[name] = _declared(content, path, store)
    total = stored_in_all = texts = 0
    for name, array in sorted(arrays.items()):
        size = max(1, array.size)
        if _is_in(name, (*whole, *matrices)):
            _check_chunks(store, name, array)
        if _is_in(name, whole):
            # Chunks of the fill value alone are not written, so that nothing stored may be right where it is small.
            held = sum(n for place, n in stored.items() if place == name or place.startswith(f"{name}/"))
            budget.check_stored(store, array.shape, f"V{size}", held, part_in_words(name))
            total += math.prod(array.shape) * size
            budget.check_bytes(store, total, TOGETHER)
            texts += math.prod(array.shape) if array.is_text else 0
            stored_in_all += held
            budget.check_together(store, total + TEXT * texts, stored_in_all, TOGETHER)
            if _has_letters(array.content.get("dtype", array.content.get("data_type"))):
                raise DataError(
                    f"{store}: {name} holds text of a fixed length, of which NumPy does not check the letters: write "
                    "it anew with AnnData.write_zarr"
                )


def _is_in(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}/") for part in parts)


def _check_chunks(store: Path, name: str, array: _Declared) -> None:
    n_bytes = math.prod(array.chunks) * max(1, array.size)
    if n_bytes > max(LARGE_CHUNK, 2 * math.prod(array.shape) * max(1, array.size)):
        raise DataError(f"{store} is damaged: {name} has chunks of {size_in_words(n_bytes)}, and is smaller itself")
    for path in _files(store / name):
        if path.name not in METADATA:
            check_chunk(store, path, name, array.content, None if array.is_text else n_bytes)


def _files(store: Path) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        raise DataError(f"{store} cannot be read ({error.strerror}): {error.filename}") from error

    for folder, folders, files in os.walk(store, onerror=failed):
        for name in (*folders, *files):
            path = Path(folder) / name
            if path.is_symlink():
                raise DataError(
                    f"{store}: {path.relative_to(store)} is a symbolic link, and links out of the directory are not "
                    "followed: copy what it points to in its place"
                )
            if name in files and not path.is_file():
                raise DataError(f"{store}: {path.relative_to(store)} is no regular file, remove it")
        yield from (Path(folder) / name for name in files)


def _metadata(path: Path, store: Path) -> dict[str, Any]:
    name = path.relative_to(store)
    try:
        content = read_json(path, LARGEST_METADATA, infinite=True)
    except DataError as error:
        raise DataError(f"{store} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{store} is damaged: {name} is no JSON object")
    return content


def _codecs(content: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all codecs in the metadata of an array, or of all that a group repeats of its arrays."""
    if "zarr_consolidated_format" in content or "consolidated_metadata" in content:
        inner = content.get("metadata") or (content.get("consolidated_metadata") or {}).get("metadata") or {}
        for each in inner.values() if isinstance(inner, dict) else ():
            if isinstance(each, dict):
                yield from _codecs({key: value for key, value in each.items() if key != "consolidated_metadata"})
    for key in ("compressor", "filters", "codecs", "storage_transformers", "object_codec"):
        given = content.get(key)
        for codec in given if isinstance(given, list) else [given]:
            if isinstance(codec, dict):
                name = str(codec.get("name", codec.get("id", "")))
                if key == "storage_transformers" or name == "sharding_indexed":
                    yield from _codecs(codec.get("configuration") or {})
                    yield name if key == "storage_transformers" else "bytes"
                else:
                    yield name.removeprefix("numcodecs.")
            elif codec is not None:
                yield str(codec)


@final
@dataclass(frozen=True)
class _Declared:
    """What metadata say of an array: its shape, that of its chunks, and the bytes of an element."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    size: int
    is_text: bool
    content: dict[str, Any]


def _declared(content: dict[str, Any], path: Path, store: Path) -> _Declared:
    grid = content.get("chunk_grid")
    chunks = (grid.get("configuration") or {}).get("chunk_shape") if isinstance(grid, dict) else content.get("chunks")
    shapes = []
    for sides in (content.get("shape"), chunks):
        if not isinstance(sides, list) or not all(type(side) is int and side >= 0 for side in sides):
            raise DataError(f"{store} is damaged: {path.relative_to(store)} has no shape of whole numbers")
        shapes.append(tuple(sides))
    size = _size_of(content.get("dtype", content.get("data_type")))
    if size is None:
        raise DataError(f"{store} is damaged: {path.relative_to(store)} has no type of numbers or text that is known")
    return _Declared(shapes[0], shapes[1], size or PLACE, not size, content)


def _has_letters(kind: Any) -> bool:
    """Tell whether elements, or a field of them, are text in UTF-32, whose numbers become letters as they are."""
    if isinstance(kind, dict):
        return "fixed_length_utf32" in str(kind)
    dtype = _dtype(kind)
    return dtype is not None and _is_text(dtype)


def _is_text(dtype: np.dtype[Any]) -> bool:
    if dtype.subdtype is not None:
        return _is_text(dtype.base)
    return dtype.kind == "U" or any(_is_text(dtype[name]) for name in dtype.names or ())


def _dtype(kind: Any) -> np.dtype[Any] | None:
    """Return a type as version 2 writes it, None for what is not known."""
    if isinstance(kind, list):  # of fields
        kind = [tuple(field) for field in kind if isinstance(field, list)]
    try:
        found: np.dtype[Any] = np.dtype(kind)
        return found
    except (TypeError, ValueError):
        return None


def _size_of(kind: Any) -> int | None:
    """Return the bytes of an element of a type as version 2 or 3 writes it, 0 for text, None for what is not known."""
    if isinstance(kind, dict):  # of version 3, such as text of a fixed length
        told = kind.get("configuration")
        length = told.get("length_bytes", 8) if isinstance(told, dict) else 8
        return length if type(length) is int and length > 0 else None
    if kind in ("string", "|O", "variable_length_utf8", "variable_length_bytes", "bytes"):
        return 0
    dtype = _dtype(kind)
    return None if dtype is None else max(1, int(dtype.itemsize))
