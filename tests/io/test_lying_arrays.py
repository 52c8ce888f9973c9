"""Files of arrays that point elsewhere, or declare what they do not hold: refused by name, before anything is read."""

import json
import os
import re
import resource
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identica.io import DataError, apart, read_table
from identica.io.budget import LARGE, MOST_INFLATED

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.random((60, 20)).astype(np.float32)
ENCODING = {"encoding-type": "array", "encoding-version": "0.2.0"}

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data", "ignore::UserWarning:anndata")


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """A good file of cells, open to be changed, without its X."""
    monkeypatch.chdir(tmp_path)
    anndata.AnnData(VALUES).write_h5ad("good.h5ad")
    anndata.AnnData(VALUES).write_h5ad("cells.h5ad")
    with h5py.File("cells.h5ad", "r+") as file:
        del file["X"]
        yield file


def refused(path, *said, **options):
    """Read a file that must not be read, and see that the words are said."""
    with pytest.raises(DataError) as caught:
        read_table(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert all(each in message for each in said), message


def say_another_length(path, length, lie, times):
    """Change the length of elements of variable length where it stands before an address, which is not 0."""
    before = re.escape(length.to_bytes(4, "little")) + b"(?!\\0\\0\\0\\0)"
    content, changed = re.subn(before, lie.to_bytes(4, "little"), Path(path).read_bytes())
    assert changed == times
    Path(path).write_bytes(content)


def virtual(file):
    layout = h5py.VirtualLayout((60, 20), "f4")
    layout[:] = h5py.VirtualSource("good.h5ad", "X", (60, 20))
    file.create_virtual_dataset("X", layout).attrs.update(ENCODING)


def external(file):
    Path("secret.txt").write_bytes(VALUES.tobytes())
    file.create_dataset("X", (60, 20), "f4", external=[("secret.txt", 0, VALUES.nbytes)]).attrs.update(ENCODING)


def filtered(file):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((10, 10))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space, kind = h5py.h5s.create_simple((60, 20)), h5py.h5t.py_create(np.dtype("f4"))
    h5py.h5d.create(file.id, b"X", kind, space, plist)
    file["X"][:] = VALUES
    file["X"].attrs.update(ENCODING)


def linked(file):
    file["X"] = h5py.ExternalLink("good.h5ad", "X")


def soft(file):
    file.create_dataset("Y", data=VALUES).attrs.update(ENCODING)
    file["X"] = h5py.SoftLink("/Y")


def with_references(file):
    file.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    file["uns/compound"] = np.array([(file["X"].ref, 1)], dtype=[("to", h5py.ref_dtype), ("n", "i4")])


def with_a_region(file):
    file.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    file["obs"].attrs["part"] = file["X"].regionref[:2]


def only_declared(file):
    file.create_dataset("X", (60, 20), "f4", chunks=(10, 10)).attrs.update(ENCODING)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (external, "the values of 'X' are stored in the file 'secret.txt', and other files are not read"),
        (linked, "'X' is a link into the file 'good.h5ad', and links into other files are not followed"),
        (virtual, "'X' is a virtual dataset, made of parts of 'good.h5ad', and other files are not read"),
        (soft, "'X' is a soft link to '/Y', and such links are not followed"),
        (with_references, "'uns/compound' holds references to objects, which are not followed"),
        (with_a_region, "attribute 'part' of 'obs' holds references to objects"),
        (filtered, "'X' is packed by filter 32015"),
        (only_declared, "declares 'X' of shape (60, 20), 4.69 KiB, and holds none of its values"),
    ],
)
def test_what_leaves_the_file_is_refused(cells, change, said):
    change(cells)
    cells.flush()
    refused(Path("cells.h5ad"), said)


@pytest.mark.parametrize("place", ["obs", "uns", "layers"])
def test_a_link_is_refused_wherever_it_is(cells, place):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells[place]["there"] = h5py.ExternalLink("good.h5ad", "X")
    cells.flush()
    refused(Path("cells.h5ad"), f"'{place}/there' is a link into the file 'good.h5ad'")


def test_what_anndata_writes_is_read(tmp_path):
    obs = pd.DataFrame({"kind": pd.Categorical(["a", "b"] * 30), "age": np.arange(60.0), "name": ["é" * 9] * 60})
    obs["kept"] = pd.array([True, None] * 30, dtype="boolean")
    whole = anndata.AnnData(VALUES, obs=obs.set_axis([f"cell {i}" for i in range(60)]), uns={"deep": {"er": ["text"]}})
    for packed in (None, "gzip", "lzf"):
        whole.write_h5ad(tmp_path / "cells.h5ad", compression=packed)
        table = read_table(tmp_path / "cells.h5ad", covariates={"kind": "label"})
        np.testing.assert_array_equal(table.values, VALUES)


def test_an_object_that_is_linked_in_a_circle_is_seen_once(cells):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells["uns/again"] = cells["/"]
    cells.flush()
    np.testing.assert_array_equal(read_table("cells.h5ad").values, VALUES)


def test_text_that_all_rows_share_is_counted_for_each(cells):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    del cells["obs/_index"]
    cells["obs"].create_dataset("_index", data=["x" * 10_000] * 60, dtype=h5py.string_dtype())
    cells["obs/_index"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    cells.flush()
    refused(Path("cells.h5ad"), "takes 587 KiB, and 293 KiB is the most that is read", max_memory=300_000)
    cells.close()
    say_another_length("cells.h5ad", 10_000, 2**32 - 2, times=60)
    refused(Path("cells.h5ad"), "'obs/_index' declares text of 4 GiB, more than the file has")


def most_memory():
    """Return the KiB that this process or one that it has started has taken."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def test_an_attribute_that_says_it_is_long_takes_no_memory_here(cells):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells["obs"].attrs["note"] = "z" * 7777
    cells.close()
    say_another_length("cells.h5ad", 7777, 2**32 - 2, times=1)
    before = most_memory()
    refused(Path("cells.h5ad"), "is damaged", "memory")
    assert most_memory() - before < 2**20


def test_a_process_that_does_not_end_is_ended(cells, monkeypatch):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells.close()
    monkeypatch.setattr(apart, "_CODE", "print('ready', flush=True)\nwhile True: pass")
    monkeypatch.setattr(apart, "PATIENCE", -4.5)
    refused(Path("cells.h5ad"), "to find out what is in it took longer than 5 s")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; print('ready', flush=True); os.abort()", "ends by signal SIGABRT"),
        (
            "import os; print('ready', flush=True); import signal; os.kill(os.getpid(), signal.SIGXCPU)",
            "took longer than 5 s",
        ),
        ("raise SystemExit('no Python')", "a process of Python did not start (no Python)"),
    ],
)
def test_a_process_that_falls_is_told(cells, monkeypatch, code, said):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells.close()
    monkeypatch.setattr(apart, "_CODE", code)
    refused(Path("cells.h5ad"), said)


def test_a_file_is_looked_through_once_and_again_when_it_has_changed(cells, monkeypatch):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    cells.close()
    for _ in range(2):
        read_table("cells.h5ad")
        monkeypatch.setattr(apart, "_CODE", "raise SystemExit('asked again')")
    os.utime("cells.h5ad", (0, 0))
    refused(Path("cells.h5ad"), "asked again")


@pytest.mark.parametrize("times", [1, 2])
def test_a_chunk_that_becomes_more_than_it_declares_is_refused(cells, times):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((60, 20))
    for _ in range(times):
        plist.set_deflate(9)
    space, kind = h5py.h5s.create_simple((60, 20)), h5py.h5t.py_create(VALUES.dtype)
    h5py.h5d.create(cells.id, b"X", kind, space, plist)
    cells["X"].attrs.update(ENCODING)
    cells["X"].id.write_direct_chunk((0, 0), zlib.compress(bytes(2**24), 9))
    cells.close()
    said = "a chunk of 'X', 15.9 KiB, holds more than the 4.69 KiB that it declares"
    refused(Path("cells.h5ad"), said if times == 1 else "'X' is packed by the same filter twice")


def test_a_large_chunk_is_unpacked_no_further_than_it_declares(cells):
    side = 600
    big = anndata.AnnData(np.random.default_rng(0).random((side, side)))
    big.write_h5ad("big.h5ad")
    with h5py.File("big.h5ad", "r+") as file:
        del file["X"]
        file.create_dataset("X", data=big.X, chunks=(side, side), compression="gzip").attrs.update(ENCODING)
    np.testing.assert_array_equal(read_table("big.h5ad").values, big.X)
    with h5py.File("big.h5ad", "r+") as file:
        file["X"].id.write_direct_chunk((0, 0), zlib.compress(bytes(2**29), 9))
    refused(Path("big.h5ad"), "a chunk of 'X', 510 KiB, holds more than the 2.75 MiB that it declares")


# ----------------------------------------------------------------------------------------- packed far, or only declared

SIDE = int(np.sqrt(LARGE / 4)) + 100
FAR = f"more than {MOST_INFLATED} times as much is read only where it is asked for: give a limit by --max-memory"


def zeros_npz(path, shape):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        left = 4 * int(np.prod(shape))
        while left > 0:
            left -= file.write(bytes(min(left, 2**22)))


def zeros_parquet(path, shape):
    column = pa.array(np.zeros(shape[0]))
    pq.write_table(pa.table({f"c{i}": column for i in range(shape[1])}), path, compression="zstd")


def huge_h5ad(path, **packing):
    names = [pd.DataFrame(index=[str(i) for i in range(SIDE)]) for _ in range(2)]
    anndata.AnnData(sp.csr_matrix((SIDE, SIDE), dtype=np.float32), *names).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", (SIDE, SIDE), "f4", chunks=(SIDE // 8, SIDE), **packing).attrs.update(ENCODING)
        if packing:
            for start in range(0, SIDE, SIDE // 8):
                rows = min(SIDE // 8, SIDE - start)
                file["X"][start : start + rows] = np.zeros((rows, SIDE), np.float32)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("zeros.npz", lambda path: zeros_npz(path, (SIDE, SIDE))),
        ("zeros.parquet", lambda path: zeros_parquet(path, (SIDE * SIDE // 40, 20))),
        ("zeros.h5ad", lambda path: huge_h5ad(path, compression="gzip")),
    ],
)
def test_what_is_packed_too_far_is_refused(tmp_path, name, write):
    write(tmp_path / name)
    assert (tmp_path / name).stat().st_size < LARGE / 50
    refused(tmp_path / name, "in memory", FAR)


def test_what_a_file_of_cells_only_declares_is_refused(tmp_path):
    huge_h5ad(tmp_path / "cells.h5ad")
    refused(tmp_path / "cells.h5ad", f"declares 'X' of shape ({SIDE}, {SIDE})", "and holds none of its values")


def test_a_limit_that_was_given_is_taken_at_the_word(tmp_path):
    zeros_npz(tmp_path / "zeros.npz", (SIDE, SIDE))
    refused(tmp_path / "zeros.npz", "and 1 KiB is the most that is read", max_memory=1024)
    assert read_table(tmp_path / "zeros.npz", max_memory=8 * LARGE).shape == (SIDE, SIDE)


def test_a_sparse_matrix_that_is_next_to_nothing_is_refused(tmp_path):
    path = tmp_path / "sparse.npz"
    small = sp.csr_matrix(np.eye(3))
    sp.save_npz(path, small)
    with np.load(path) as arrays:
        parts = dict(arrays)
    parts |= {"shape": np.array([SIDE, SIDE]), "indptr": np.minimum(np.arange(SIDE + 1), 3).astype(np.int32)}
    np.savez_compressed(path, **parts)
    refused(path, "with 3 values, which as a dense one takes", "less than one value in 2000")
    names = [pd.DataFrame(index=[str(i) for i in range(SIDE)]) for _ in range(2)]
    few = sp.csr_matrix((np.ones(3), ([0, 1, 2], [0, 1, 2])), shape=(SIDE, SIDE))
    anndata.AnnData(few, *names).write_h5ad(tmp_path / "sparse.h5ad")
    refused(tmp_path / "sparse.h5ad", "with 3 values, which as a dense one takes")


def test_the_archive_and_the_header_must_agree(tmp_path):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("x.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (60, 20)})
        file.write(VALUES.tobytes()[:-8])
    refused(path, "the header of x says that it holds float32 of shape (60, 20)", "has 4920 bytes")


# ----------------------------------------------------------------------------------------------------------------- Zarr


@pytest.fixture
def store(tmp_path):
    """A good Zarr directory."""
    anndata.AnnData(VALUES).write_zarr(tmp_path / "cells.zarr")
    return tmp_path / "cells.zarr"


def test_a_symbolic_link_in_a_store_is_refused(store, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (store / "uns" / "there").symlink_to(tmp_path / "secret")
    refused(store, "uns/there is a symbolic link, and links out of the directory are not followed")


def metadata_of(store, name):
    path = next(store / name / each for each in (".zarray", "zarr.json") if (store / name / each).exists())
    return path, json.loads(path.read_text())


@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle", "json2", "mine"])
def test_a_codec_that_could_run_code_is_refused(store, codec):
    path, content = metadata_of(store, "X")
    if path.name == ".zarray":
        content["filters"] = [{"id": codec}]
    else:
        content["codecs"].append({"name": codec, "configuration": {}})
    path.write_text(json.dumps(content))
    refused(store, "X is packed by the codec", codec.removeprefix("numcodecs."))


def test_metadata_that_are_repeated_are_not_believed(store):
    path, content = metadata_of(store, "X")
    if path.name == ".zarray":
        whole = {"zarr_consolidated_format": 1, "metadata": {"X/.zarray": {**content, "filters": [{"id": "pickle"}]}}}
        (store / ".zmetadata").write_text(json.dumps(whole))
        refused(store, "is packed by the codec 'pickle'")


@pytest.mark.parametrize("shape", [[10**9, 10**9], [-1, 20], "all", [True, 20], None])
def test_a_shape_that_is_a_lie_is_refused(store, shape):
    path, content = metadata_of(store, "var/_index")
    content["shape"] = shape
    path.write_text(json.dumps(content))
    refused(store)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"shape": ', "null"])
def test_metadata_that_are_none_are_refused(store, text):
    path, _ = metadata_of(store, "X")
    path.write_text(text)
    refused(store, "is damaged")


# ------------------------------------------------------------------------------------------------------------- anything


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Good files of every kind, by their ending."""
    folder = tmp_path_factory.mktemp("good")
    np.save(folder / "data.npy", VALUES)
    np.savez_compressed(folder / "data.npz", x=VALUES)
    sp.save_npz(folder / "sparse.npz", sp.csr_matrix(np.round(VALUES)))
    pd.DataFrame(VALUES, columns=[f"c{i}" for i in range(20)]).to_parquet(folder / "data.parquet")
    anndata.AnnData(sp.csr_matrix(np.round(VALUES))).write_h5ad(folder / "data.h5ad")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["data.npy", "data.npz", "sparse.npz", "data.parquet", "data.h5ad"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_any_bytes_changed_is_read_or_refused(good, tmp_path, name, data):
    content = bytearray(good[name])
    for _ in range(data.draw(st.integers(1, 4))):
        # Headers, shapes and offsets are at the ends of these formats.
        place = data.draw(
            st.integers(0, 200) | st.integers(len(content) - 200, len(content) - 1) | st.integers(0, len(content) - 1)
        )
        size = data.draw(st.sampled_from([1, 2, 4, 8]))
        value = data.draw(st.sampled_from([b"\x00", b"\xff", b"\x7f", b"\x01"]) | st.binary(min_size=1, max_size=1))
        content[place : place + size] = value * size
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path = tmp_path / name
    path.write_bytes(content)
    with suppress(DataError):
        read_table(path)
