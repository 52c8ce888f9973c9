"""HDF5 files that point elsewhere, or whose structure lies: refused by name, and looked through in a process apart."""

import os
import re
import resource
import zlib
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from lying_cells import ENCODING, VALUES, refused

from identica.io import apart, read_table

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


def bomb(file, place):
    """Write 3 GB of zeros, of a few bytes."""
    made = file.create_dataset(place, (375_000_000,), "i8", chunks=(2_000_000,), compression="gzip")
    made[:2_000_000] = 0
    made.attrs.update(ENCODING)


def named(file, *columns):
    file["obs"].attrs["column-order"] = np.array(columns, dtype=h5py.string_dtype())


def by_another_name(file):
    bomb(file, "uns/bomb")
    file["obs/c"] = file["uns/bomb"]
    named(file, "c")


def by_a_name_of_the_file(file):
    bomb(file, "uns/bomb")
    named(file, "/uns/bomb")


def by_a_reference(file):
    bomb(file, "uns/bomb")
    file["obs"].attrs["encoding-version"] = "0.1.0"
    file["obs/c"] = np.zeros(60, "i1")
    file["obs/c"].attrs["categories"] = file["uns/bomb"].ref
    named(file, "c")


def together(file):
    for i in range(4):
        file.create_dataset(f"obs/c{i}", (7_000_000,), "i8").attrs.update(ENCODING)
    named(file, *(f"c{i}" for i in range(4)))


def long_name(file):
    texts = np.array(["n" * 2**21, *map(str, range(59))], dtype=object)
    made = file.create_dataset("obs/c", data=texts, dtype=h5py.string_dtype())
    made.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    named(file, "c")


def no_table(file):
    del file["obs"]
    group = file.create_group("obs")
    group.attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})
    for i in range(60):
        group.create_dataset(f"k{i}", data=1).attrs.update(
            {"encoding-type": "numeric-scalar", "encoding-version": "0.2.0"}
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (by_another_name, "'obs/c' is another name of a part of the file"),
        (by_a_name_of_the_file, "'obs' names '/uns/bomb' as a column, which is not in it"),
        (by_a_reference, "'obs/c' refers to '/uns/bomb', which is no part of it"),
        (together, "a set of names and columns that, as declared, takes"),
        (long_name, "'obs/c' has text of 2 MiB, and 1 MiB is the most of a name or a label"),
        (no_table, "obs and var are no tables"),
    ],
)
def test_parts_that_are_read_are_in_their_tables_and_small_together(cells, change, said):
    cells.create_dataset("X", data=VALUES).attrs.update(ENCODING)
    change(cells)
    cells.flush()
    refused(Path("cells.h5ad"), said)


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
    monkeypatch.setattr(apart, "PATIENCE", -0.5)
    refused(Path("cells.h5ad"), "to find out what is in it took longer than 1 s")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; print('ready', flush=True); os.abort()", "ends by signal SIGABRT"),
        (
            "import os; print('ready', flush=True); import signal; os.kill(os.getpid(), signal.SIGXCPU)",
            "took longer than 1 s",
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
