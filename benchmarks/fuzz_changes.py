"""Changes of files for fuzz_readers.py: of bytes and text, and of values behind headers, in archives and checksums.

Most changes of single bytes are found by the first check of a format. Those of values leave the form of a file as it
is, so that what says something else than it holds comes to the checks behind.
"""

import copy
import gzip
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

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
PIECES = (
    *(",", ";", "\t", " ", "\n", "\r", "\r\n", '"', '""', "'", "#", "-", "+", ".", "e", "1e400", "-inf", "nan", "NA"),
    *("\0", "\ufeff", "\u2028", "\u00e4", "\x85", "\x1a", "0x1p3", "1_000", "1,5", "'\u0661'", "9" * 400, "x" * 300),
    *("=1+1", "[", "]", "{", "}", "\\", "a=", "\n\n", "1" * 30),
)
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    *(10**400, 0.5, -0.5, 1e308, 5e-324, float("nan"), float("inf"), None, True, False),
    *("", "x", "x" * 300, "\n", "\0", "\u2028", "../x", "/etc/passwd", "__class__", "1", "NaN", "-0"),
    *([], {}, [[]], [0], [1, 2], [None], {"x": 1}, [[[[[[1]]]]]], ["x"] * 40, {"": {}}),
)
DTYPES = (
    *("<f4", ">f8", "<f2", "|b1", "|u1", "<i8", ">u2", "<c8", "<M8[ns]", "<m8[s]", "|S3", "<U2", "|V5", "|O", "<f16"),
    *("<U0", "|S0", "|V0", "<f3", "f", "int", "", "<U99999999", "<i8,<f4", "(2,)<f4"),
)
_TOKEN = re.compile(rb'-?\d+(\.\d+)?|"[^"\\]*"|true|false|null')


# --------------------------------------------------------------------------------------------------------- bytes, text


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


def letters(data: bytes, rng: random.Random) -> bytes:
    """Change text that stays text: put signs in, leave letters out, repeat, change or leave out a field or a line."""
    text = data.decode("utf-8", "replace")
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(text) + 1)
        match rng.randrange(5):
            case 0:
                text = text[:place] + rng.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + rng.choice(PIECES) + text[place + 1 :]
            case 2:
                text = text[:place] + text[place + rng.randint(1, 4) :]
            case 3:
                lines = text.split("\n")
                line = rng.randrange(len(lines))
                lines[line : line + 1] = rng.choice(([], [lines[line]] * 2, [""], [rng.choice(lines)]))
                text = "\n".join(lines)
            case _:
                fields = re.split(r"([,;\t\n])", text)
                fields[2 * rng.randrange((len(fields) + 1) // 2)] = rng.choice(PIECES)
                text = "".join(fields)
    return text.encode()


# -------------------------------------------------------------------------------------------------------------- values


def other_value(tree: Any, rng: random.Random) -> Any:
    """Return JSON in which one value, at any depth, is another one, is left out or has another name."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("", "x", "name", "0"))] = holder.pop(key)
        case 2:
            source, other = rng.choice(places)
            holder[key] = copy.deepcopy(source[other])
        case 3 if isinstance(holder[key], int | float):
            holder[key] = rng.choice((-holder[key], holder[key] + 1, holder[key] * 2, str(holder[key]), [holder[key]]))
        case _:
            holder[key] = copy.deepcopy(rng.choice(VALUES))
    return tree


def _places(tree: Any) -> Any:
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def json_values(data: bytes, rng: random.Random) -> bytes:
    """Change a value of JSON that stays JSON."""
    return json.dumps(other_value(json.loads(data), rng)).encode()


def toml_values(data: bytes, rng: random.Random) -> bytes:
    """Change a value of TOML that stays TOML."""
    import tomllib

    tree = other_value(tomllib.loads(data.decode()), rng)
    if not isinstance(tree, dict):
        return data
    return "".join(f"{json.dumps(key)} = {_in_toml(value)}\n" for key, value in tree.items()).encode()


def _in_toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {_in_toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_in_toml, value)) + "]"
        case None:
            return "1979-05-27T07:32:00Z"  # what JSON has not, in place of what TOML has not
        case _:
            return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


def array(data: bytes, rng: random.Random) -> bytes:
    """Change the header of a .npy file, which stays a header, and the bytes behind it."""
    found = np.load(io.BytesIO(data))
    told = {"descr": found.dtype.str, "fortran_order": rng.random() < 0.3, "shape": tuple(found.shape)}
    content = found.tobytes()
    match rng.randrange(6):
        case 0:
            told["descr"] = rng.choice((*DTYPES, [("a", "<f4")], [("a", "|O"), ("b", "<i2", (2, 2))], None, 3))
        case 1:
            sides = [rng.choice((side, *NUMBERS, True, 1.5)) for side in found.shape]
            told["shape"] = tuple(sides + [rng.choice(NUMBERS)] * rng.randrange(2))
        case 2:
            dtype = np.dtype(rng.choice(DTYPES[:13]))
            shape = tuple(rng.choice((0, 1, 2, 7)) for _ in range(rng.randrange(5)))
            told |= {"descr": dtype.str, "shape": shape}
            content = rng.randbytes(dtype.itemsize * int(np.prod(shape, dtype=int)))
        case 3:
            told[rng.choice(("x", "shape", "descr"))] = rng.choice(VALUES)
        case 4:
            content = any_bytes(content, rng)
        case _:
            content = np.resize(np.array(rng.choices(NUMBERS, k=8), float), found.shape).astype(found.dtype).tobytes()
    version = rng.choice((1, 1, 1, 2, 3))
    header = repr(told).encode("utf-8", "replace") + b" " * rng.randrange(16) + b"\n"
    return (
        b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + content
    )


# ---------------------------------------------------------------------------------------------------------- containers


def inside_gzip(change: Change) -> Change:
    """Change what is packed."""
    return lambda data, rng: gzip.compress(change(gzip.decompress(data), rng), 1, mtime=0)


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """Change a member of an archive, its name, or leave it out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    change = json_values if members[name][:1] == b"{" else array if members[name][:6] == b"\x93NUMPY" else any_bytes
    match rng.randrange(10):
        case 0:
            del members[name]
        case 1:
            members[rng.choice((*members, "x", "../x.npy", "a\nb.npy", "x.npy/"))] = members.pop(name)
        case 2:
            members[name] = any_bytes(members[name], rng)
        case _:
            members[name] = either(change)(members[name], rng)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
        for key, content in members.items():
            archive.writestr(key, content)
    return changed.getvalue()


def inside_tensors(*signed: str) -> Change:
    """Return what changes texts, tensors or the header of a safetensors file, with the checksum that fits."""

    def change(data: bytes, rng: random.Random) -> bytes:
        import safetensors.torch

        from identica.training.checkpoint import checksum

        length = int.from_bytes(data[:8], "little")
        header, rest = data[8 : 8 + length], data[8 + length :]
        if rng.random() < 0.2:
            header = rng.choice((tokens, json_values))(header, rng)
            return struct.pack("<Q", len(header)) + header + rest
        tensors = safetensors.torch.load(data)
        texts = json.loads(header)["__metadata__"]
        if rng.random() < 0.25:
            _change_tensor(tensors, rng)
        else:
            name = rng.choice(signed)
            texts[name] = rng.choice((json_values, json_values, tokens))(texts[name].encode(), rng).decode(
                "utf-8", "replace"
            )
        texts["sha256"] = checksum(tensors, *(texts[each] for each in signed))
        return safetensors.torch.save(tensors, texts)

    return change


def _change_tensor(tensors: dict[str, Any], rng: random.Random) -> None:
    import torch

    name = rng.choice(list(tensors))
    tensor = tensors[name]
    match rng.randrange(6):
        case 0:
            del tensors[name]
        case 1:
            tensors[name + rng.choice(("x", ".", "\n", ".0"))] = tensors.pop(name)
        case 2:
            kinds = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
            tensors[name] = tensor.to(rng.choice(kinds))
        case 3:
            tensors[name] = torch.zeros([rng.choice((0, 1, 2, 5, 8)) for _ in range(rng.randrange(4))])
        case _:
            changed = tensor.clone().flatten()
            if len(changed):
                value = rng.choice((float("nan"), float("inf"), -1.0, 0.0, 1e30, 1e-40))
                whole = not changed.is_floating_point()
                changed[rng.randrange(len(changed))] = rng.choice((-1, 0, 127)) if whole else value
            tensors[name] = changed.reshape(tensor.shape)


def inside_hdf5(data: bytes, rng: random.Random) -> bytes:
    """Change an attribute, an array or a name inside an HDF5 file, which stays one."""
    import h5py

    changed = io.BytesIO(data)
    with h5py.File(changed, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(rng.randint(1, 2)):
            name = rng.choice([each for each in names if each in file] or ["/"])
            found = file[name]
            match rng.randrange(8):
                case 0 | 1 | 2 if len(found.attrs):
                    key = rng.choice(list(found.attrs))
                    value = rng.choice((*_FOR_HDF5, *(each.attrs.get(key, 0) for each in file.values()), None))
                    if value is None:
                        del found.attrs[key]
                    else:
                        found.attrs[key] = value
                case 3:
                    del file[name]
                case 4:
                    place, _, last = name.rpartition("/")
                    other = rng.choice(("x", "_index", "codes", "X", "data", "", last[::-1]))
                    file.move(name, f"{place}/{other}")
                case 5:
                    source = rng.choice(names)
                    if source in file:
                        del file[name]
                        file[name] = rng.choice((file.get(source, 0), h5py.SoftLink(f"/{source}")))
                case _ if isinstance(found, h5py.Dataset):
                    attributes = dict(found.attrs)
                    content = _other_array(found[()], rng)
                    del file[name]
                    packed = (
                        {"compression": "gzip", "chunks": True} if np.size(content) > 1 and np.ndim(content) else {}
                    )
                    made = file.create_dataset(name, data=content, **(packed if rng.random() < 0.5 else {}))
                    for key, value in attributes.items():
                        made.attrs[key] = value
                case _:
                    found.attrs[rng.choice(("encoding-type", "shape", "x", "_index"))] = rng.choice(_FOR_HDF5)
    return changed.getvalue()


_FOR_HDF5: tuple[Any, ...] = (
    *(0, -1, 2**40, 1.5, float("nan"), True, "", "x", "array", "dataframe", "categorical", "csr_matrix", "csc_matrix"),
    *("string-array", "nullable-integer", "dict", "0.1.0", "0.2.0", "9.9", np.array([2**40, 2**40]), np.array([-1, 4])),
    *(
        np.array([12, 4]),
        np.array([], float),
        np.array(["a", "b"], object),
        np.bytes_(b"\xff\xfe"),
        np.array([[1], [2]]),
    ),
)


def _other_array(found: Any, rng: random.Random) -> Any:
    """Return an array of another type, shape or content."""
    found = np.asarray(found)
    if found.dtype.kind == "O":
        words = ["", "a", "\0b", "a\nb", "x" * 300, "\u00e4", "c1", "nan"]
        return np.array(rng.choices(words, k=rng.choice((found.size, 1, 3))), object)
    match rng.randrange(4):
        case 0:
            return np.resize(found, tuple(rng.choice((0, 1, 3, 12, 13)) for _ in range(rng.randrange(4))))
        case 1:
            kinds = ("f8", "i8", "u1", "?", "c8", "S3", "f2", "i2")
            with np.errstate(all="ignore"):
                return found.astype(rng.choice(kinds))
        case 2:
            return np.array(rng.choices(NUMBERS, k=max(1, found.size)), float)[: found.size].reshape(found.shape)
        case _:
            flat = found.ravel().copy()
            if flat.size:
                with np.errstate(all="ignore"):
                    flat[rng.randrange(flat.size)] = np.array(rng.choice((0, 1, -1, 99, 2**31 - 1))).astype(flat.dtype)
            return flat.reshape(found.shape)


def parquet_table(data: bytes, rng: random.Random) -> bytes:
    """Change the columns, types or metadata of a Parquet file, which stays one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    n = len(table)
    made = (
        lambda: pa.array([None] * n),
        lambda: pa.array([rng.choice((None, 1.5, float("nan"), float("inf"))) for _ in range(n)]),
        lambda: pa.array([rng.choice(("a", "", None, "1.5", "x" * 300)) for _ in range(n)]),
        lambda: pa.array([rng.choice(("a", "b", None)) for _ in range(n)]).dictionary_encode(),
        lambda: pa.array([[1, 2]] * n),
        lambda: pa.array([{"x": 1, "y": [None]}] * n),
        lambda: pa.array([rng.choice((2**63 - 1, -(2**63), None)) for _ in range(n)]),
        lambda: pa.array([rng.choice((b"\xff", None)) for _ in range(n)]),
        lambda: pa.array([0] * n, pa.timestamp(rng.choice(("s", "ns")), rng.choice((None, "UTC")))),
        lambda: pa.array([1] * n, pa.decimal128(5, 2)),
        lambda: pa.array([1.0] * n, pa.float16()),
        lambda: pa.array([True, None] * (n // 2) + [None] * (n % 2)),
        lambda: pa.array([1] * n, pa.duration("ms")),
        lambda: pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    )
    for _ in range(rng.randint(1, 2)):
        match rng.randrange(6):
            case 0 | 1:
                name = rng.choice((*table.column_names, "", "e", "__index_level_0__", "x\ny", "x" * 300, "\0"))
                table = table.append_column(name, rng.choice(made)())
            case 2 if table.num_columns:
                place = rng.randrange(table.num_columns)
                table = table.set_column(place, table.column_names[place], rng.choice(made)())
            case 3 if table.num_columns:
                table = table.remove_column(rng.randrange(table.num_columns))
            case 4:
                table = table.slice(0, rng.choice((0, 1, 2)))
                n = len(table)
            case _:
                told = json.loads((table.schema.metadata or {}).get(b"pandas", b'{"columns": []}'))
                table = table.replace_schema_metadata({"pandas": json.dumps(other_value(told, rng))})
    written = io.BytesIO()
    pq.write_table(table, written, compression=rng.choice(("snappy", "gzip", "zstd", "none")), row_group_size=5)
    return written.getvalue()


def either(*changes: Change) -> Change:
    """Make one of several changes, and plain ones where a file is no longer what they need."""

    def change(data: bytes, rng: random.Random) -> bytes:
        try:
            return rng.choice(changes)(data, rng)
        except Exception:  # noqa: BLE001  (of libraries, about a file that is damaged already)
            return any_bytes(data, rng)

    return change
