"""How far the chunks of a Zarr array unpack: found from what is written before them, or by unpacking to nowhere.

The codecs that unpack a chunk make room for whatever it says, or go on to its end, however much that is. Zarr compares
the result with what the array declares when all is done.
"""

from __future__ import annotations

import bz2
import lzma
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from identica.io.budget import LARGE_CHUNK, size_in_words
from identica.io.errors import DataError

__all__ = ["PACKING", "check_chunk", "names_of_codecs"]

PACKING = frozenset(("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"))
"""Codecs that make fewer bytes of many."""
SMALL, SMALL_TEXT = LARGE_CHUNK // 8, LARGE_CHUNK
"""Bytes that any chunk may become: several are unpacked side by side. Text says nowhere how long it is."""
_TEXTS = (["vlen-utf8"], ["vlen-bytes"])
"""What codecs of text begin with."""
PART = 2**20
BLOCK_OF_ZSTD = 2**17
"""Bytes that a block of Zstandard can become, if it is not the same byte again and again."""
_ZSTD, _SKIPPED = 0xFD2FB528, 0x184D2A50


def names_of_codecs(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return codecs of an array in the order in which they pack, with their configurations.

    Parameters
    ----------
    content : dict
        Metadata of the array, of version 2 or 3, or the configuration of shards.

    Returns
    -------
    list of (str, dict)
        Those that are written in the usual form.

    Examples
    --------
    >>> names_of_codecs({"filters": None, "compressor": {"id": "blosc", "cname": "lz4"}})
    [('blosc', {})]
    """
    given = [*(content.get("filters") or ()), content.get("compressor"), *(content.get("codecs") or ())]
    found = []
    for codec in given:
        if isinstance(codec, dict):
            name = str(codec.get("name", codec.get("id", ""))).removeprefix("numcodecs.")
            told = codec.get("configuration")
            found.append((name, told if isinstance(told, dict) else {}))
    return found


def check_chunk(store: Path, path: Path, name: str, content: dict[str, Any], size: int | None) -> None:
    """Refuse a chunk that unpacks to more than the array declares.

    Parameters
    ----------
    store : Path
        The directory, for the message.
    path : Path
        The chunk, or a shard of many.
    name : str
        Of the array.
    content : dict
        Its metadata.
    size : int or None
        Bytes of the chunk as declared; None for text.

    Raises
    ------
    DataError
        If it does, or is packed in a way that cannot be looked at.
    """
    codecs = names_of_codecs(content)
    shards = [told for codec, told in codecs if codec == "sharding_indexed"]
    packed = path.read_bytes()
    parts: Iterator[bytes] = iter((packed,))
    if shards:
        told = shards[0]
        parts = _in_shard(packed, content, told)
        codecs = names_of_codecs(told)
        index = [words for codec, words in names_of_codecs({"codecs": told.get("index_codecs")}) if codec == "bytes"]
        if any(codec == "sharding_indexed" for codec, _ in codecs) or any(w.get("endian") == "big" for w in index):
            raise DataError(f"{store}: {name} is in shards of an unknown form, write it anew with AnnData.write_zarr")
    packing = [codec for codec, _ in codecs if codec in PACKING]
    if len(packing) > 1:
        raise DataError(f"{store}: {name} is packed several times, write it anew with AnnData.write_zarr")
    most = SMALL_TEXT if size is None else max(2 * size, SMALL)
    names = [codec for codec, _ in codecs]
    texts = math.prod(_chunk_shape(shards[0] if shards else content)) if names[:1] in _TEXTS else None
    if texts is not None and set(names[1:]) - {*packing, "crc32c"}:
        raise DataError(f"{store}: {name} is text that is packed in an unknown way, write it anew")
    for part in parts if packing or texts is not None else ():
        try:
            longer = bool(packing) and _EXCEEDS[packing[0]](part, most)
            n_texts = 0 if texts is None or longer else _n_texts(part, packing, checked="crc32c" in names)
        except (struct.error, ValueError, RuntimeError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            kind = packing[0] if packing else names[0]
            raise DataError(f"{store} is damaged: {path.relative_to(store)} is no chunk of {kind}") from error
        if longer:
            raise DataError(
                f"{store} is damaged: {path.relative_to(store)}, {size_in_words(len(part))}, unpacks to more than the "
                f"{size_in_words(most)} that a chunk of {name} may have"
            )
        if texts is not None and n_texts > texts:
            raise DataError(
                f"{store} is damaged: {path.relative_to(store)} says that it has {n_texts} texts, and a chunk of "
                f"{name} has {texts}"
            )


def _chunk_shape(content: dict[str, Any]) -> list[int]:
    """Return the shape of the chunks of an array, or of those in a shard."""
    grid = (content.get("chunk_grid") or {}).get("configuration") or {}
    shape: list[int] = content.get("chunk_shape") or grid.get("chunk_shape") or content.get("chunks") or []
    return shape


def _n_texts(packed: bytes, packing: list[str], *, checked: bool) -> int:
    """Return how many texts a chunk says that it has, for which room is made at once: its first number."""
    plain = packed[: len(packed) - 4 * checked]
    if packing:
        import numcodecs

        plain = numcodecs.get_codec({"id": packing[0]}).decode(plain)
    return int(struct.unpack_from("<I", plain)[0])


def _in_shard(packed: bytes, content: dict[str, Any], told: dict[str, Any]) -> Iterator[bytes]:
    """Yield the chunks of a shard, as its index names them."""
    sides = zip(_chunk_shape(content), _chunk_shape(told), strict=True)
    n_chunks = math.prod(outer // max(1, inner) for outer, inner in sides)
    checked = any(codec == "crc32c" for codec, _ in names_of_codecs({"codecs": told.get("index_codecs")}))
    length = 16 * n_chunks + 4 * checked
    if length > len(packed):
        return
    start = 0 if told.get("index_location") == "start" else len(packed) - length
    for offset, n_bytes in struct.iter_unpack("<QQ", packed[start : start + 16 * n_chunks]):
        if offset < len(packed):  # else there is none
            yield packed[offset : offset + n_bytes]


def _told_at(place: int) -> Callable[[bytes, int], bool]:
    """Return what compares the number of bytes that stands before a chunk, which is where unpacking ends."""
    return lambda packed, most: len(packed) >= place + 4 and struct.unpack_from("<I", packed, place)[0] > most


def _unpacked(make: Callable[[], Any], times: int | None) -> Callable[[bytes, int], bool]:
    """Return what unpacks to nowhere, until there is more than may be; less packed than times is not looked at."""

    def exceeds(packed: bytes, most: int) -> bool:
        if times is not None and len(packed) * times <= most:
            return False
        n_bytes = 0
        while packed and n_bytes <= most:
            stream = make()
            while not stream.eof and n_bytes <= most:
                part = stream.decompress(packed, PART)
                packed = getattr(stream, "unconsumed_tail", b"")
                n_bytes += len(part)
                if not part and not packed:
                    return n_bytes > most
            packed = stream.unused_data
        return n_bytes > most

    return exceeds


def _zstd_exceeds(packed: bytes, most: int) -> bool:
    """Add up what the blocks of all frames can become, from what is written before them."""
    place = total = 0
    while place + 8 <= len(packed) and total <= most:
        (magic,) = struct.unpack_from("<I", packed, place)
        if magic & 0xFFFFFFF0 == _SKIPPED:
            place += 8 + int(struct.unpack_from("<I", packed, place + 4)[0])
            continue
        if magic != _ZSTD:
            break
        told = packed[place + 4]
        single, has_checksum = told >> 5 & 1, told >> 2 & 1
        place += 5 + (not single) + (0, 1, 2, 4)[told & 3]
        length = (single, 2, 4, 8)[told >> 6]
        declared = int.from_bytes(packed[place : place + length], "little") + (256 if length == 2 else 0)
        place += length
        blocks, last = 0, False
        while not last and place + 3 <= len(packed):
            head = int.from_bytes(packed[place : place + 3], "little")
            last, kind, n_bytes = bool(head & 1), head >> 1 & 3, head >> 3
            blocks += n_bytes if kind < 2 else BLOCK_OF_ZSTD
            place += 3 + (1 if kind == 1 else n_bytes)
        # Room is made for what is declared, and without that for what comes.
        total += declared if length else blocks
        place += 4 * has_checksum
    return total > most


_EXCEEDS: dict[str, Callable[[bytes, int], bool]] = {
    "blosc": _told_at(4),
    "lz4": _told_at(0),
    "zstd": _zstd_exceeds,
    "gzip": _unpacked(lambda: zlib.decompressobj(wbits=47), 1032),
    "zlib": _unpacked(lambda: zlib.decompressobj(wbits=47), 1032),
    "bz2": _unpacked(bz2.BZ2Decompressor, None),
    "lzma": _unpacked(lzma.LZMADecompressor, None),
}
