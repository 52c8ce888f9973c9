"""Make files that lie, give each to the command line, and report how it ends, in how long and with how much memory.

python benchmarks/lying_files.py --output identica-lies

Each file is small and would take much memory, show what is in another file, or never end. The exit status must be 2
with one line, and nothing written; the script ends with 1 where that is not so, or it took 3 s or 600 MB and more.
Memory is the largest of the process and those it starts. Run nothing beside it.
"""

import argparse
import functools
import gzip
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numcodecs
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import scipy.sparse as sp
import torch
from safetensors import safe_open

import identica
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir
from identica.training.checkpoint import checksum

VALUES = np.random.default_rng(0).random((60, 20)).astype(np.float32)
ENCODING = {"encoding-type": "array", "encoding-version": "0.2.0"}
LONGEST, MOST_MEMORY = 3.0, 600
"""Seconds and MB."""
FIT = ("fit", "{}", "-d", "2", "--output", "out")
TRANSFORM = ("transform", "{}", "data.csv", "--output", "z.npy")
RESUME = ("fit", "data.csv", "-d", "2", "--output", "kept", "--resume")
SIMULATE = ("simulate", "single-cell", "--regulon", "{}", "--output", "out")
CONFIG = ("fit", "data.csv", "-d", "2", "--config", "{}", "--output", "out")

MEASURE = """
import os, sys
command = sys.argv[1:]
_, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""
"""A process of its own, since what a process starts is said to have taken what that itself has."""

Make = Callable[[Path], object]
LIES: dict[str, tuple[str, tuple[str, ...], Make]] = {}
"""By what is told of the file: its name, the command, and what makes it."""


def lie(name: str, what: str, words: tuple[str, ...] = FIT) -> Callable[[Make], Make]:
    """Name what a function makes."""

    def keep(make: Make) -> Make:
        ending = "".join(Path(name).suffixes) if "idx" not in name else "-idx3-ubyte.gz"
        LIES[f"`{ending}`, {what}"] = (name, words, make)
        return make

    return keep


# ------------------------------------------------------------------------------------------------------- HDF5 and Zarr


def in_cells(change: Callable[[h5py.File], object]) -> Make:
    """Return what makes a .h5ad file of small cells whose X is changed."""

    @functools.wraps(change)
    def make(path: Path) -> None:
        anndata.AnnData(VALUES).write_h5ad(path.with_name("good.h5ad"))
        anndata.AnnData(VALUES).write_h5ad(path)
        with h5py.File(path, "r+") as file:
            del file["X"]
            change(file)

    return make


@lie("a.h5ad", "X in external storage")
@in_cells
def _external(file: h5py.File) -> None:
    secret = Path(file.filename).with_name("secret.txt")
    secret.write_bytes(VALUES.tobytes())
    file.create_dataset("X", (60, 20), "f4", external=[("secret.txt", 0, VALUES.nbytes)]).attrs.update(ENCODING)


@lie("b.h5ad", "X a link into another file")
@in_cells
def _linked(file: h5py.File) -> None:
    file["X"] = h5py.ExternalLink("good.h5ad", "X")


@lie("c.h5ad", "X a virtual dataset")
@in_cells
def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((60, 20), "f4")
    layout[:] = h5py.VirtualSource("good.h5ad", "X", (60, 20))
    file.create_virtual_dataset("X", layout).attrs.update(ENCODING)


@lie("d.h5ad", "X a soft link")
@in_cells
def _soft(file: h5py.File) -> None:
    file.create_dataset("Y", data=VALUES).attrs.update(ENCODING)
    file["X"] = h5py.SoftLink("/Y")


@lie("e.h5ad", "a dataset of references")
@in_cells
def _references(file: h5py.File) -> None:
    file.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    file["uns/compound"] = np.array([(file["X"].ref, 1)], dtype=[("to", h5py.ref_dtype), ("n", "i4")])


@lie("f.h5ad", "X packed by a filter of others")
@in_cells
def _filtered(file: h5py.File) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10, 10))
    plan.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    kind = h5py.h5t.py_create(np.dtype("f4"))
    h5py.h5d.create(file.id, b"X", kind, h5py.h5s.create_simple((60, 20)), plan)
    file["X"][:] = VALUES
    file["X"].attrs.update(ENCODING)


def huge_cells(path: Path, *, zeros: bool) -> None:
    """Write a file with an X of 3 GiB, of zeros or only declared."""
    side, part = 28_000, 2_000
    names = [pd.DataFrame(index=[str(i) for i in range(side)]) for _ in range(2)]
    anndata.AnnData(sp.eye_array(side, dtype=np.float32, format="csr"), *names).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["X"]
        told = {"compression": "gzip"} if zeros else {}
        made = file.create_dataset("X", (side, side), "f4", chunks=(part, side), **told)
        made.attrs.update(ENCODING)
        for start in range(0, side if zeros else 0, part):
            made[start : start + part] = np.zeros((part, side), np.float32)


lie("g.h5ad", "X of 2.9 GiB only declared")(functools.partial(huge_cells, zeros=False))
lie("h.h5ad", "X of 2.9 GiB of zeros, gzip")(functools.partial(huge_cells, zeros=True))


@lie("i.h5ad", "an attribute that says it has 4 GiB")
def _long_attribute(path: Path) -> None:
    anndata.AnnData(VALUES).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["uns"].attrs["note"] = "x" * 12_345
    content = path.read_bytes()
    before = (12_345).to_bytes(4, "little")
    places = [i for i in range(len(content) - 8) if content[i : i + 4] == before and content[i + 4 : i + 8] != bytes(4)]
    for place in places:
        content = content[:place] + (2**32 - 16).to_bytes(4, "little") + content[place + 4 :]
    path.write_bytes(content)


@lie("j.h5ad", "pointers of a sparse X that decrease")
def _pointers(path: Path) -> None:
    anndata.AnnData(sp.csr_matrix(np.round(VALUES))).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["X/indptr"][1:] = 0
        file["X/indptr"][30] = 2**30


def zarr_cells(path: Path, array: str, told: dict[str, Any], chunks: dict[str, bytes]) -> None:
    """Write a directory of small cells with one array replaced."""
    anndata.AnnData(VALUES).write_zarr(path)
    place = path / array
    attributes = json.loads((place / ".zattrs").read_text())
    shutil.rmtree(place)
    place.mkdir()
    (path / ".zmetadata").unlink(missing_ok=True)
    common = {"zarr_format": 2, "fill_value": 0, "order": "C", "filters": None, "compressor": None}
    (place / ".zarray").write_text(json.dumps({**common, **told}))
    (place / ".zattrs").write_text(json.dumps(attributes))
    for name, chunk in chunks.items():
        (place / name).write_bytes(chunk)


@lie("a.zarr", "X of 1 GiB of zeros, zlib")
def _zarr_zeros(path: Path) -> None:
    packer = numcodecs.Zlib(9)
    told = {"shape": [60, 20], "chunks": [60, 20], "dtype": "<f4", "compressor": packer.get_config()}
    zarr_cells(path, "X", told, {"0.0": bytes(packer.encode(bytes(2**30)))})


@lie("b.zarr", "names that say they are 2^30")
def _zarr_names(path: Path) -> None:
    text = numcodecs.VLenUTF8().encode(np.array([f"n{i}" for i in range(60)], dtype=object))
    told = {"shape": [60], "chunks": [60], "dtype": "|O", "fill_value": "", "filters": [{"id": "vlen-utf8"}]}
    zarr_cells(path, "obs/_index", told, {"0": struct.pack("<I", 2**30) + bytes(text)[4:]})


@lie("c.zarr", "X a symbolic link")
def _zarr_link(path: Path) -> None:
    anndata.AnnData(VALUES).write_zarr(path)
    (path / "X").rename(path.with_name("elsewhere"))
    (path / "X").symlink_to(path.with_name("elsewhere").resolve())


# ------------------------------------------------------------------------------------------------------ arrays and text


@lie("a.npz", "2.8 GiB of zeros")
def _npz_zeros(path: Path) -> None:
    shape = (375_000, 2_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w", force_zip64=True) as x:
        np.lib.format.write_array_header_1_0(x, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for _ in range(shape[0] // 1_000):
            x.write(bytes(4 * 1_000 * shape[1]))


@lie("b.npz", "sparse, 200,000 x 10,000,000")
def _npz_sparse(path: Path) -> None:
    sp.save_npz(path, sp.coo_matrix((np.ones(2), (np.arange(2), np.arange(2))), shape=(200_000, 10_000_000)))


def sparse_npz(path: Path, member: str, descr: str, shape: tuple[int, ...], content: bytes) -> None:
    """Write a sparse matrix one of whose parts is another one."""
    sp.save_npz(path, sp.coo_matrix(VALUES))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, kept in members.items():
            with archive.open(name, "w") as file:
                if name == member:
                    told = {"descr": descr, "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(file, told)
                file.write(content if name == member else kept)


lie("c.npz", "sparse, 2^40 indices of no bytes")(
    functools.partial(sparse_npz, member="col.npy", descr="|S0", shape=(2**40,), content=b"")
)
lie("d.npz", "sparse, a format of letters that do not exist")(
    functools.partial(sparse_npz, member="format.npy", descr=">U3", shape=(), content=b"\x00\xff\x00\x00" * 3)
)


@lie("a.npy", "3.7 TiB only declared")
def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)})


@lie("b.npy", "3 GiB of holes")
def _npy_holes(path: Path) -> None:
    shape = (3 * 2**14, 2**14)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + 4 * shape[0] * shape[1])


@lie("a.parquet", "0.8 GiB in runs of one number")
def _parquet(path: Path) -> None:
    column = pa.array(np.zeros(4_000_000))
    pq.write_table(pa.table({f"c{i}": column for i in range(25)}), path, compression="zstd")


@lie("b.parquet", "row names of 2 GB, as bytes")
def _parquet_names(path: Path) -> None:
    table = pa.table({"a": np.arange(2_000.0), "b": np.arange(2_000.0), "i": pa.array([b"n" * 10**6] * 2_000)})
    told = json.dumps({"index_columns": ["i"], "columns": []})
    pq.write_table(table.replace_schema_metadata({"pandas": told}), path, compression="zstd")


@lie("a.csv.gz", "2 GiB of one line")
def _csv(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(2**11):
            file.write(b"1," * 2**19)


@lie("b.csv.gz", "60 MiB of ends of lines")
def _csv_lines(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" + b"\r" * (60 * 2**20)))


@lie("c.csv.gz", "60 MB of empty fields")
def _csv_fields(path: Path) -> None:
    path.write_bytes(gzip.compress((b"," * 99_999 + b"\n") * 600))


@lie("d.csv.gz", "a name of 30 MB in the header of gzip")
def _csv_name(path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n2,3\n")
    path.write_bytes(packed[:3] + b"\x08" + packed[4:10] + b"n" * 30_000_000 + b"\0" + packed[10:])


@lie("a-idx3-ubyte.gz", "an array of 93 GiB")
def _idx(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 10**7, 100, 100) + bytes(10**6)))


@lie("a.tsv", "regulon, a line of 200 MB", SIMULATE)
def _regulon(path: Path) -> None:
    path.write_bytes(b"source\ttarget\tweight\n" + b"a" * 200_000_000 + b"\tb\t1\n")


@lie("b.tsv", "regulon, 200,000 edges and one long name", SIMULATE)
def _regulon_name(path: Path) -> None:
    path.write_text(f"{'A' * 1000}\t{'B' * 1000}\tUnknown\n" + "a\tb\tUnknown\n" * 200_000)


@lie("c.tsv", "regulon, a header of 150,000 columns", SIMULATE)
def _regulon_header(path: Path) -> None:
    path.write_text("source\ttarget\tweight\t" + "\t".join(f"{i:x}" for i in range(150_000)) + "\nA\tB\t1\n")


@lie("a.json", "parameters, 100,000 lists deep", CONFIG)
def _parameters(path: Path) -> None:
    path.write_text("[" * 100_000)


# ------------------------------------------------------------------------------------------------- models, checkpoints


def changed(source: Path, path: Path, text: str, change: Callable[[dict[str, Any]], object], *signed: str) -> None:
    """Write a safetensors file with one of its texts changed and a checksum that is right."""
    with safe_open(source, framework="pt") as file:
        texts, tensors = dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    texts[text] = json.dumps(change(json.loads(texts[text])))
    texts["sha256"] = checksum(tensors, *(texts[name] for name in signed))
    safetensors.torch.save_file(tensors, path, texts)


def deep() -> list[object]:
    """Return 900 lists in each other."""
    value: list[object] = []
    for _ in range(900):
        value = [value]
    return value


def in_model(text: str, change: Callable[[dict[str, Any]], object]) -> Make:
    """Return what makes a model with one of its texts changed."""
    return lambda path: changed(path.with_name("good.safetensors"), path, text, change, "configuration", "attributes")


def wide(values: dict[str, Any]) -> object:
    """Ask for hidden layers of 30,000."""
    return {**values, "network": {**values["network"], "hidden": [30_000, 30_000]}}


def less(key: str) -> Callable[[dict[str, Any]], object]:
    """Leave a key out."""
    return lambda values: {name: value for name, value in values.items() if name != key}


lie("a.safetensors", "model, hidden layers of 30,000", TRANSFORM)(in_model("configuration", wide))
lie("b.safetensors", "model, JSON 900 lists deep", TRANSFORM)(in_model("attributes", lambda _: deep()))
lie("c.safetensors", "model, an attribute missing", TRANSFORM)(in_model("attributes", less("rank_")))
lie("d.safetensors", "model, a parameter missing", TRANSFORM)(in_model("configuration", less("training")))


@lie("kept/checkpoint.safetensors", "checkpoint, JSON 900 lists deep", RESUME)
def _checkpoint(path: Path) -> None:
    path.parent.mkdir()
    changed(path.parent.with_name("going.safetensors"), path, "state", lambda _: deep(), "state")


# ------------------------------------------------------------------------------------------------------------- running


def prepare(folder: Path) -> None:
    """Write what is honest: a table, a model and a checkpoint."""
    pd.DataFrame(VALUES, columns=[f"c{i}" for i in range(20)]).to_csv(folder / "data.csv", index=False)
    training = identica.Training(max_steps=20, checkpoint_seconds=0)
    model = identica.DICA(2, n_init=1, network=identica.Dense((8,)), training=training, random_state=0)
    model.fit(VALUES, checkpoint=folder / "going.safetensors").save(folder / "good.safetensors")


def measured(folder: Path, name: str, words: tuple[str, ...]) -> dict[str, Any]:
    """Give one file to the command line."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    command = [sys.executable, "-m", "identica", *(word.format(name) for word in words)]
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - start
    status, kilobytes = map(int, run.stdout.splitlines()[-1].split())
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    quiet = run.stdout.count("\n") == run.stderr.count("\n") == 1 and after == before
    path, told = folder / name, run.stderr.strip().removeprefix("identica: error: ")
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    size, megabytes = sum(each.stat().st_size for each in files), kilobytes / 1024
    return {
        "size": f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB",
        "answer": told.replace("|", "\\|"),
        "seconds": round(seconds, 1),
        "MB": round(megabytes),
        "right": status == 2 and quiet and seconds < LONGEST and megabytes < MOST_MEMORY,
    }


def main() -> int:
    """Measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("identica-lies"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    output, rows = prepare_output_dir(given.output), []
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        for what, (name, words, make) in LIES.items():
            make(Path(place) / name)
            rows.append({"file": what, **measured(Path(place), name, words)})
            print(rows[-1], flush=True)
    table = markdown_table(rows, list(rows[0]))
    with atomic_write(output / "lies.md") as file:
        file.write(table.encode())
    print(table)
    return int(not all(row["right"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
