"""Every format gives the same table, and a file that cannot be one is refused with its reason."""

import io
import pickle
import sys
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from identica.io import ENDINGS, DataError, read_table, write_table

anndata = pytest.importorskip("anndata")

VALUES = np.random.default_rng(0).normal(size=(4, 3))
VALUES[VALUES < 0] = 0
FEATURES = ("a", "b", "c")
ROWS = ("w", "x", "y", "z")


def write_h5ad(path, X=None, layers=None, features=FEATURES):
    names = pd.DataFrame(index=list(ROWS)), pd.DataFrame(index=list(features))
    anndata.AnnData(X, obs=names[0], var=names[1], layers=layers).write_h5ad(path)


# ----------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("ending", [".npy", ".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [ROWS, None])
def test_what_is_written_comes_back_exactly(tmp_path, ending, dtype, rows):
    path = tmp_path / f"data{ending}"
    write_table(path, VALUES.astype(dtype), FEATURES, rows)
    table = read_table(path)
    np.testing.assert_array_equal(table.values.astype(dtype), VALUES.astype(dtype))
    if ending != ".npy":
        assert (table.feature_names, table.row_names) == (FEATURES, rows)
    if ending in (".npy", ".parquet"):
        assert table.values.dtype == dtype
    assert table.path == path
    assert table.shape == (4, 3)


@pytest.mark.parametrize("sparse", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_h5ad(tmp_path, sparse):
    write_h5ad(tmp_path / "data.h5ad", sparse(VALUES), {"counts": sparse(VALUES.astype(np.float32) + 1)})
    table = read_table(tmp_path / "data.h5ad")
    np.testing.assert_array_equal(table.values, VALUES)
    assert (table.feature_names, table.row_names) == (FEATURES, ROWS)
    layer = read_table(tmp_path / "data.h5ad", layer="counts")
    np.testing.assert_array_equal(layer.values, VALUES.astype(np.float32) + 1)
    assert layer.values.dtype == np.float32


def test_npz(tmp_path):
    np.savez(tmp_path / "one.npz", VALUES)
    np.savez_compressed(tmp_path / "two.npz", X=VALUES, y=np.arange(3))
    scipy.sparse.save_npz(tmp_path / "sparse.npz", scipy.sparse.csr_matrix(VALUES))
    for table in (
        read_table(tmp_path / "one.npz"),
        read_table(tmp_path / "two.npz", key="X"),
        read_table(tmp_path / "sparse.npz"),
    ):
        np.testing.assert_array_equal(table.values, VALUES)
        assert (table.feature_names, table.row_names) == (None, None)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("i1", "f8"),
        ("u8", "f8"),
        (">i4", "f8"),
        ("f2", "f4"),
        (">f4", "f4"),
        (">f8", "f8"),
        (np.longdouble, "f8"),
    ],
)
def test_types_and_memory_orders(tmp_path, dtype, expected):
    array = np.asfortranarray(np.arange(6).reshape(2, 3).astype(dtype))
    np.save(tmp_path / "data.npy", array)
    values = read_table(tmp_path / "data.npy").values
    assert values.dtype == np.dtype(expected)
    assert values.dtype.isnative
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, array)


def test_parquet_with_a_named_index_and_decimals(tmp_path):
    frame = pd.DataFrame({"cell": list("xyz"), "a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})
    frame.to_parquet(tmp_path / "column.parquet")
    frame.set_index("cell").to_parquet(tmp_path / "index.parquet")
    for table in (
        read_table(tmp_path / "column.parquet", index_column="cell"),
        read_table(tmp_path / "index.parquet"),
    ):
        assert (table.feature_names, table.row_names) == (("a", "b"), ("x", "y", "z"))
        assert table.values.tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]


def test_estimators_are_given_names_where_there_are_some(tmp_path):
    write_table(tmp_path / "data.csv", VALUES, FEATURES)
    write_table(tmp_path / "data.npy", VALUES, FEATURES)
    named = read_table(tmp_path / "data.csv")
    assert list(named.named().columns) == list(FEATURES)
    assert named.rows(np.array([2])).to_numpy().tolist() == VALUES[[2]].tolist()
    assert isinstance(read_table(tmp_path / "data.npy").named(), np.ndarray)


def test_the_ending_may_be_in_capitals(tmp_path):
    (tmp_path / "DATA.CSV").write_text("1,2\n")
    assert read_table(tmp_path / "DATA.CSV").shape == (1, 2)


# -------------------------------------------------------------------------------------------- what is refused


def refused(path, message, **options):
    with pytest.raises(DataError, match=message) as caught:
        read_table(path, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != ".zarr"])
def test_missing_empty_and_directories(tmp_path, ending):
    path = tmp_path / f"data{ending}"
    refused(path, "does not exist")
    path.touch()
    refused(path, "is empty")
    path.unlink()
    path.mkdir()
    refused(path, "is a directory, give a file")


@pytest.mark.parametrize("name", ["data.xlsx", "data", "data.npy.gz", "data.gz", ".csv"])
def test_unknown_endings(tmp_path, name):
    (tmp_path / name).write_text("1,2\n")
    refused(tmp_path / name, r"unknown ending '.*', use one of \.npy, \.npz, \.csv, \.tsv, \.txt, \.parquet, \.h5ad")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet", ".h5ad"])
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x00" * 64])
def test_a_file_that_is_not_what_its_ending_says(tmp_path, ending, content):
    path = tmp_path / f"data{ending}"
    path.write_bytes(content)
    refused(path, rf"is not a {ending} file")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet", ".h5ad"])
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_file_that_was_cut_off(tmp_path, ending, kept):
    path = tmp_path / f"data{ending}"
    values = np.random.default_rng(0).normal(size=(40, 3))
    if ending == ".npz":
        np.savez(path, values)
    elif ending == ".h5ad":
        anndata.AnnData(values).write_h5ad(path)
    else:
        write_table(path, values, FEATURES)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, "is damaged")


def test_a_bit_that_was_flipped(tmp_path):
    np.savez(tmp_path / "data.npz", VALUES)
    content = bytearray((tmp_path / "data.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "data.npz").write_bytes(content)
    refused(tmp_path / "data.npz", "is damaged")


def test_a_sparse_matrix_with_an_index_out_of_range(tmp_path):
    matrix = scipy.sparse.csr_matrix(VALUES)
    matrix.indices[0] = 99
    scipy.sparse.save_npz(tmp_path / "data.npz", matrix)
    refused(tmp_path / "data.npz", "is damaged: .*indices must be")


def test_pickles_are_never_loaded(tmp_path):
    objects = np.array([[1, "x"]], dtype=object)
    np.save(tmp_path / "data.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "data.npz", objects)
    for ending in (".npy", ".npz"):
        refused(tmp_path / f"data{ending}", "pickled Python objects, which are never loaded")
    (tmp_path / "data.npy").write_bytes(pickle.dumps(VALUES))
    refused(tmp_path / "data.npy", "is not a .npy file, but a Python pickle")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 2), complex), "holds complex numbers"),
        (np.array([["1", "2"]]), "holds text"),
        (np.zeros((2, 2), "M8[s]"), "holds dates"),
        (np.zeros(2, [("a", "f8"), ("b", "f8")]), "holds a structured array with the fields a, b"),
        (np.ones(3), r"1 dimension of shape \(3,\), it must have 2, .*, reshape it to \(n_samples, 1\)"),
        (np.float64(3), r"0 dimensions of shape \(\)"),
        (
            np.ones((2, 2, 2, 2, 2)),
            r"5 dimensions of shape \(2, 2, 2, 2, 2\), it must have 2, .*, or 3 or 4 for images",
        ),
        (np.ones((0, 3)), r"is empty: its shape is \(0, 3\)"),
        (np.ones((3, 0)), r"is empty: its shape is \(3, 0\)"),
        (np.array([[1, np.nan], [np.inf, 0]]), "NaN .* at row 0, column 1, both counted from 0, and 1 such"),
        (np.array([[1, 2], [-np.inf, 0]]), "an infinite value at row 1, column 0"),
    ],
)
def test_arrays_that_are_no_table(tmp_path, array, message):
    np.save(tmp_path / "data.npy", array)
    refused(tmp_path / "data.npy", message)
    np.savez(tmp_path / "data.npz", X=array)
    refused(tmp_path / "data.npz", message)


def test_a_header_that_promises_more_than_there_is(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10**6)})
    (tmp_path / "data.npy").write_bytes(header.getvalue() + b"\x00" * 80)
    refused(tmp_path / "data.npy", "is damaged")


def test_keys_of_npz(tmp_path):
    np.savez(tmp_path / "two.npz", X=VALUES, y=VALUES)
    refused(tmp_path / "two.npz", "holds the arrays X, y, choose one by its key")
    refused(tmp_path / "two.npz", "has no array 'z', it holds X, y", key="z")
    np.savez(tmp_path / "none.npz")
    refused(tmp_path / "none.npz", "holds no array")
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("note.txt", "hello")
    refused(tmp_path / "text.npz", "its member note.txt is not an array")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["x", "y"], "column 'b' is not numeric"),
        (pd.Categorical(["x", "y"]), "column 'b' is not numeric"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "column 'b' is not numeric"),
        (
            pd.array([1, None], dtype="Int64"),
            r"NaN \(a missing value\) at row 1, column 1 \('b'\), .* and 1 such in all",
        ),
        ([1.0, np.inf], r"an infinite value at row 1, column 1 \('b'\)"),
    ],
)
def test_columns_of_parquet(tmp_path, column, message):
    pd.DataFrame({"a": [1.0, 2.0], "b": column}).to_parquet(tmp_path / "data.parquet")
    refused(tmp_path / "data.parquet", message)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([True, False], [1, 0]),
        (pd.Categorical([2.5, 1.0]), [2.5, 1]),
        (pd.Categorical([3, 1]), [3, 1]),
        (pd.array([True, False], dtype="boolean"), [1, 0]),
        ([2**63 - 1, -(2**63)], [2.0**63, -(2.0**63)]),
    ],
)
def test_columns_of_parquet_that_hold_numbers_in_another_form(tmp_path, column, expected):
    pd.DataFrame({"a": [1.0, 2.0], "b": column}).to_parquet(tmp_path / "data.parquet")
    assert read_table(tmp_path / "data.parquet").values.tolist() == [[1, expected[0]], [2, expected[1]]]


def test_arrays_of_truth_values_are_one_and_zero(tmp_path):
    np.save(tmp_path / "data.npy", VALUES.mean() < VALUES)
    np.testing.assert_array_equal(read_table(tmp_path / "data.npy").values, VALUES.mean() < VALUES)


def test_index_column_of_parquet(tmp_path):
    write_table(tmp_path / "data.parquet", VALUES, FEATURES)
    refused(tmp_path / "data.parquet", "has no column 'cell', its first columns are a, b, c", index_column="cell")


old_zarr = pytest.mark.filterwarnings("ignore:Writing zarr v2 data")


def test_parquet_of_many_columns_is_read_in_time_proportional_to_them(tmp_path):
    pd.DataFrame(np.eye(4, 12_000)).rename(columns=str).to_parquet(tmp_path / "wide.parquet")
    start = time.process_time()
    assert read_table(tmp_path / "wide.parquet").shape == (4, 12_000)
    assert time.process_time() - start < 15


@old_zarr
@pytest.mark.parametrize("matrix", [VALUES, scipy.sparse.csr_matrix(VALUES)], ids=["dense", "sparse"])
def test_zarr(tmp_path, matrix):
    data = anndata.AnnData(matrix, obs=pd.DataFrame({"batch": list("ppqq")}, index=list("wxyz")))
    data.var_names = list(FEATURES)
    data.layers["doubled"] = 2 * matrix
    path = tmp_path / "data.zarr"
    data.write_zarr(path)
    table = read_table(path, auxiliary="batch")
    np.testing.assert_array_equal(table.values, VALUES)
    assert (table.feature_names, table.row_names) == (FEATURES, tuple("wxyz"))
    assert table.auxiliary.values.tolist() == list("ppqq")
    np.testing.assert_array_equal(read_table(path, layer="doubled").values, 2 * VALUES)
    refused(path, "has no layer 'spliced', its layers are: doubled", layer="spliced")


@old_zarr
def test_zarr_that_is_broken(tmp_path):
    path = tmp_path / "data.zarr"
    refused(path, "does not exist")
    path.mkdir()
    refused(path, "is not a .zarr directory, write it with AnnData.write_zarr")
    path.rmdir()
    path.write_text("1,2")
    refused(path, "is not a .zarr directory, write it with AnnData.write_zarr")
    path.unlink()
    anndata.AnnData(VALUES).write_zarr(path)
    for part in (path / "X").rglob("*"):
        if part.is_file() and part.name not in (".zarray", ".zattrs", "zarr.json"):
            part.write_bytes(b"x")
    refused(path, "is damaged or not AnnData's")


def test_matrices_of_h5ad(tmp_path):
    path = tmp_path / "data.h5ad"
    write_h5ad(path, None, {"counts": VALUES})
    refused(path, "has no X, choose one of its layers: counts")
    refused(path, "has no layer 'spliced', its layers are: counts", layer="spliced")
    write_h5ad(path, None)
    refused(path, "has no X, and no layers: write the matrix into it first")
    holed = VALUES.copy()
    holed[1, 1] = np.nan
    write_h5ad(path, holed)
    refused(path, r"NaN .* at row 1, column 1 \('b'\)")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.pop("obs"), "is damaged or not AnnData's .it has no tables obs and var."),
        (lambda file: file["X"].pop("indices"), "is damaged or not AnnData's"),
        (
            lambda file: file["X"].attrs.__setitem__("shape", (4, 7)),
            r"its matrix has the shape \(4, 7\), and obs and var",
        ),
        (lambda file: file["X"]["indices"].__setitem__(0, 99), "is damaged or not AnnData's"),
    ],
)
def test_h5ad_whose_parts_do_not_belong_together(tmp_path, spoil, message):
    import h5py

    path = tmp_path / "data.h5ad"
    write_h5ad(path, scipy.sparse.csr_matrix(VALUES))
    with h5py.File(path, "r+") as file:
        spoil(file)
    refused(path, message)


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_features_that_share_a_name(tmp_path):
    write_h5ad(tmp_path / "data.h5ad", VALUES, features=("a", "b", "a"))
    refused(tmp_path / "data.h5ad", "the feature name 'a' occurs twice")


def test_a_sparse_matrix_that_would_not_fit(tmp_path, monkeypatch):
    write_h5ad(tmp_path / "data.h5ad", scipy.sparse.csr_matrix(VALUES))
    monkeypatch.setattr("os.sysconf", lambda name: 1)
    refused(tmp_path / "data.h5ad", r"of shape \(3,\), .* 0 bytes is the most .* give fewer rows or features")


def test_h5ad_without_anndata(tmp_path, monkeypatch):
    write_h5ad(tmp_path / "data.h5ad", VALUES)
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(ImportError, match=r"pip install 'identica\[anndata\]'"):
        read_table(tmp_path / "data.h5ad")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "counts"}, "layer='counts' is for .h5ad, .zarr files, leave it out for .csv files"),
        ({"key": "X"}, "key='X' is for .npz files"),
    ],
)
def test_options_of_other_formats(tmp_path, options, message):
    (tmp_path / "data.csv").write_text("1,2\n")
    refused(tmp_path / "data.csv", message, **options)
