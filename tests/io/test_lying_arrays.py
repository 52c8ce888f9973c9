"""Files of arrays that declare what they do not hold, or are packed too far: refused before anything is read."""

import io
import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress

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
from lying_cells import ENCODING, VALUES, refused

from identica.io import DataError, read_table
from identica.io.budget import LARGE, MOST_INFLATED, Budget
from identica.io.reading import examine_table

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data", "ignore::UserWarning:anndata")


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


WRONG_POINTERS = {
    "decrease, and end at 0": [0, 1, 5, -(2**31) + 24, 0],
    "decrease by more than their type can tell": [0, 2 * 10**9, -2 * 10**9, 1, 5],
    "go beyond the indices": [0, 1, 2, 3, 50],
    "begin below 0": [-4, 1, 2, 3, 5],
}


@pytest.mark.parametrize("pointers", WRONG_POINTERS.values(), ids=list(WRONG_POINTERS))
@pytest.mark.parametrize("ending", ["npz", "h5ad", "zarr"])
def test_pointers_of_a_sparse_matrix_that_are_wrong_do_not_end_python(tmp_path, pointers, ending):
    matrix = sp.csr_matrix(np.array([[0, 1, 0], [2, 0, 3], [0, 0, 4], [5, 0, 0]], dtype=np.float32))
    matrix.indptr = matrix.indptr.astype(np.int32)
    path = tmp_path / f"x.{ending}"
    wrong = np.array(pointers, np.int32)
    if ending == "npz":
        sp.save_npz(path, matrix)
        np.testing.assert_array_equal(read_table(path).values, matrix.toarray())
        with np.load(path) as kept:
            arrays = dict(kept)
        np.savez(path, **arrays | {"indptr": wrong})
    elif ending == "h5ad":
        anndata.AnnData(matrix).write_h5ad(path)
        np.testing.assert_array_equal(read_table(path).values, matrix.toarray())
        with h5py.File(path, "r+") as file:
            file["X/indptr"][:] = wrong
    else:
        zarr = pytest.importorskip("zarr")
        anndata.AnnData(matrix).write_zarr(path)
        np.testing.assert_array_equal(read_table(path).values, matrix.toarray())
        zarr.open(path, mode="r+")["X/indptr"][:] = wrong
    code = (
        "import sys\nfrom identica.io import read_table\n"
        "try: read_table(sys.argv[1])\nexcept ValueError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)
    assert run.stdout.startswith(f"{path} is damaged")
    assert "the pointers of a sparse matrix decrease, or go beyond its indices" in run.stdout or ending == "npz"


def test_a_column_of_parquet_that_lies_of_missing_values_does_not_end_python(tmp_path):
    pq.write_table(pa.table({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 4.0]}), tmp_path / "data.parquet")
    content = (tmp_path / "data.parquet").read_bytes()
    optional, required = b"\x15\x0a\x25\x02\x18\x01a", b"\x15\x0a\x25\x00\x18\x01a"  # of the schema, and then the name
    assert content.count(optional) == 1
    (tmp_path / "data.parquet").write_bytes(content.replace(optional, required))
    code = (
        "from identica.io import read_table\ntry: read_table('data.parquet')\nexcept ValueError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)
    assert run.stdout.startswith("data.parquet is damaged")


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


def test_names_of_arrays_with_control_characters_stay_in_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in ("a\nb", "c\r\x1b[31m"):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.eye(3))
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "x.npz")
    assert str(caught.value).endswith(r"holds the arrays a\nb, c\r\x1b[31m, choose one by its key")


def npy_bytes(values):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(values))
    return file.getvalue()


def test_the_member_that_is_looked_at_is_the_one_that_is_read(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", npy_bytes(np.eye(9)))
        archive.writestr("x.npy", npy_bytes(VALUES))
    for key in (None, "x"):
        refused(path, "it has the members 'x' and 'x.npy'", key=key)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy_bytes(np.eye(9)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy_bytes(VALUES))
    refused(path, "it has a member twice")
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(10_001):
            archive.writestr(f"{i}.npy", b"")
    refused(path, "x.npz has 10001 members, and 10000 are the most")


def test_a_sparse_matrix_has_no_more_values_than_entries(tmp_path):
    sp.save_npz(tmp_path / "x.npz", sp.csr_matrix(VALUES[:1]))
    with np.load(tmp_path / "x.npz") as kept:
        arrays = dict(kept)
    many = 200_000
    arrays |= {"data": np.zeros(many), "indices": np.zeros(many, int), "indptr": np.array([0, many])}
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    refused(tmp_path / "x.npz", "its sparse matrix of shape (1, 20) has 200000 values for 20 entries")


def bytes_of_header(descr, shape, content=b""):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + content


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        # SciPy makes eight bytes of each element, of which there are as many as the header likes.
        ("col", bytes_of_header("|S0", (2**40,)), "its type, |S0, has no bytes"),
        ("data", bytes_of_header("<U0", (2**40,)), "its type, <U0, has no bytes"),
        ("col", npy_bytes(np.zeros(20)), "the col of its sparse matrix holds float64, no whole numbers"),
        ("row", npy_bytes(np.array(["1"] * 20)), "the row of its sparse matrix holds <U1, no whole numbers"),
        ("shape", npy_bytes(np.array([4.0, 5.0])), "the shape of its sparse matrix holds float64, no whole numbers"),
        ("format", npy_bytes(np.array(3)), "the format of its sparse matrix is no text but int64"),
        ("format", npy_bytes(np.array([b"coo"])), "the format of its sparse matrix is no text but |S3 of (1,)"),
        ("format", bytes_of_header("<U3", (), b"\xff" * 12), "its text has letters that do not exist"),
        ("format", bytes_of_header(">U3", (), b"\x00\xff\x00\x00" * 3), "its text has letters that do not exist"),
    ],
)
def test_parts_of_a_sparse_matrix_are_of_the_types_that_scipy_writes(tmp_path, name, wrong, words):
    sp.save_npz(tmp_path / "x.npz", sp.coo_matrix(VALUES[:1]))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for each, content in (members | {f"{name}.npy": wrong}).items():
            archive.writestr(each, content)
    refused(tmp_path / "x.npz", words)


def test_the_format_of_a_sparse_matrix_may_be_text_of_python_2(tmp_path):
    sp.save_npz(tmp_path / "x.npz", sp.coo_matrix(VALUES))
    with np.load(tmp_path / "x.npz") as kept:
        arrays = dict(kept) | {"format": np.array("coo"), "shape": kept["shape"].astype(np.int32)}
    np.savez(tmp_path / "x.npz", **arrays)
    np.testing.assert_allclose(read_table(tmp_path / "x.npz").values, VALUES, rtol=1e-6)


def test_an_array_of_a_type_without_bytes_is_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(bytes_of_header("|S0", (2**40, 4)))
    refused(tmp_path / "x.npy", "its type, |S0, has no bytes")


def test_names_in_parquet_that_are_short_there_and_long_in_memory(tmp_path):
    names = pa.DictionaryArray.from_arrays(np.zeros(600, "i4"), ["n" * 10**6]).cast(pa.string())
    table = pa.table({"a": np.random.default_rng(0).random(600), "b": np.arange(600.0), "i": names})
    told = {"index_columns": ["i"], "columns": []}
    table = table.replace_schema_metadata({"pandas": json.dumps(told)})
    options = {"use_dictionary": ["i"], "dictionary_pagesize_limit": 10**9, "compression": "zstd"}
    pq.write_table(table, tmp_path / "x.parquet", **options)
    refused(tmp_path / "x.parquet", "a set of names and columns that, as declared, takes", "572 MiB in memory")
    assert read_table(tmp_path / "x.parquet", max_memory=2**31).shape == (600, 2)
    table = table.drop_columns("i").replace_schema_metadata({"pandas": "[" * (2**24 + 1)})
    pq.write_table(table, tmp_path / "x.parquet")
    refused(tmp_path / "x.parquet", "has metadata of pandas of more than 16777216 bytes")
    pq.write_table(pa.table({"n" * 70_000: [1.0, 2.0]}), tmp_path / "x.parquet")
    refused(tmp_path / "x.parquet", "has a column whose name is longer than 65536 letters")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (pa.array([b"n" * 10**6] * 300), "binary"),
        (pa.array([b"n" * 10**6] * 300, pa.binary(10**6)), "fixed_size_binary[1000000]"),
        (pa.array([[0] * 10**4] * 300, pa.list_(pa.int8())), "list<element: int8>"),
        (pa.array([{"x": 1}] * 300), "struct<x: int64>"),
    ],
    ids=["binary", "fixed", "list", "struct"],
)
def test_names_in_parquet_are_of_types_whose_length_is_known(tmp_path, names, kind):
    table = pa.table({"a": np.arange(300.0), "b": np.arange(300.0), "i": names})
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd")
    for options in ({"index_column": "i"}, {"covariates": {"i": "categorical"}}):
        refused(tmp_path / "x.parquet", f"column 'i' holds values of type {kind}: write text, numbers", **options)


@pytest.mark.parametrize(
    "names",
    [
        pa.array(["u", "v"]),
        pa.array(["u", "v"]).dictionary_encode(),
        pa.array([10, 2]),
        pa.array([0, 86_400], pa.timestamp("s")),
    ],
)
def test_names_in_parquet_may_be_text_categories_and_numbers(tmp_path, names):
    pq.write_table(pa.table({"a": [1.0, 2.0], "i": names}), tmp_path / "x.parquet")
    found = read_table(tmp_path / "x.parquet", index_column="i")
    assert found.row_names == tuple(map(str, names.to_pylist()))


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.parquet", "x.h5ad", "x-idx3-ubyte"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    refused(tmp_path / name, "is no regular file")
    with pytest.raises(DataError, match="is no regular file"):
        examine_table(tmp_path / name, budget=Budget.default())


def test_messages_have_an_end():
    told = str(DataError(f"x.npz holds the arrays {'n' * 10**6}, choose one by its key"))
    assert len(told) < 3000
    assert told.startswith("x.npz holds the arrays nnn")
    assert told.endswith("n, choose one by its key")
