"""Changes of files for fuzz_readers.py: of bytes, numbers and words, inside archives and behind checksums."""

import gzip
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable

Change = Callable[[bytes, random.Random], bytes]
NUMBERS = (0, 1, -1, 2, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, -(2**63))
WORDS = (
    "0",
    "-1",
    "1e999",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    '""',
    "999999999999",
    "1" * 400,
    "[" * 300,
    '"' + "x" * 300,
)
_TOKEN = re.compile(rb'-?\d+(\.\d+)?|"[^"\\]*"|true|false|null')


def any_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change bytes, and whole numbers in either order, most of them near the beginning or the end."""
    content = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        n = len(content)
        if not n:
            return rng.randbytes(8)
        place = rng.choice((rng.randrange(n), rng.randrange(min(n, 256)), n - 1 - rng.randrange(min(n, 256))))
        match rng.randrange(6):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1 | 2:
                size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
                content[place : place + size] = (rng.choice(NUMBERS) % 256**size).to_bytes(size, order)
            case 3:
                del content[place : place + rng.randint(1, 32)]
            case 4:
                length, start = rng.randint(1, 64), rng.randrange(n)
                content[place:place] = content[start : start + length]
            case _:
                content[place : place + 1] = rng.randbytes(rng.randint(1, 4))
    return bytes(content)


def tokens(data: bytes, rng: random.Random) -> bytes:
    """Change a number, a word or a name of JSON, TOML or a table."""
    found = list(_TOKEN.finditer(data))
    if not found or rng.random() < 0.2:
        return any_bytes(data, rng)
    token = rng.choice(found)
    return data[: token.start()] + rng.choice(WORDS).encode() + data[token.end() :]


def inside_gzip(change: Change) -> Change:
    """Change what is packed."""
    return lambda data, rng: gzip.compress(change(gzip.decompress(data), rng), 1, mtime=0)


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """Change a member of an archive, or leave it out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    if rng.random() < 0.1:
        del members[name]
    elif members[name][:1] == b"{":
        members[name] = tokens(members[name], rng)
    else:
        members[name] = any_bytes(members[name], rng)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, content in members.items():
            archive.writestr(key, content)
    return changed.getvalue()


def inside_tensors(*signed: str) -> Change:
    """Return what changes the texts of a safetensors file, or its header, with the checksum that fits."""

    def change(data: bytes, rng: random.Random) -> bytes:
        import safetensors.torch

        from identica.training.checkpoint import checksum

        length = int.from_bytes(data[:8], "little")
        header, rest = data[8 : 8 + length], data[8 + length :]
        if rng.random() < 0.3:
            header = tokens(header, rng)
            return struct.pack("<Q", len(header)) + header + rest
        tensors = safetensors.torch.load(data)
        texts = json.loads(header)["__metadata__"]
        name = rng.choice(signed)
        texts[name] = tokens(texts[name].encode(), rng).decode("utf-8", "replace")
        texts["sha256"] = checksum(tensors, *(texts[each] for each in signed))
        return safetensors.torch.save(tensors, texts)

    return change


def either(*changes: Change) -> Change:
    """Make one of several changes, and plain ones where a file is no longer what they need."""

    def change(data: bytes, rng: random.Random) -> bytes:
        try:
            return rng.choice(changes)(data, rng)
        except Exception:  # noqa: BLE001  (of libraries, about a file that is damaged already)
            return any_bytes(data, rng)

    return change
