"""What a file declares is checked before it is inflated, by one limit for every kind of file."""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from identica.io import DataError, read_table
from identica.io.budget import Budget, read_size, size_in_words

LIMIT = 2000
ROWS, COLUMNS = 50, 8
VALUES = np.random.default_rng(0).integers(0, 9, (ROWS, COLUMNS)).astype(np.float64)


def write(path, values):
    """Write numbers in the form of a file's ending."""
    match "".join(path.suffixes):
        case ".npy":
            np.save(path, values)
        case ".npz":
            np.savez_compressed(path, values)
        case ".sparse.npz":
            scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(values * 0))
        case ".parquet":
            pd.DataFrame(values).add_prefix("f").to_parquet(path)
        case ".h5ad" | ".zarr":
            anndata = pytest.importorskip("anndata")
            data = anndata.AnnData(values)
            data.write_h5ad(path) if path.suffix == ".h5ad" else data.write_zarr(path)
        case ".sparse.h5ad":
            anndata = pytest.importorskip("anndata")
            anndata.AnnData(scipy.sparse.csr_matrix(values)).write_h5ad(path)
        case _:
            pd.DataFrame(values).to_csv(path, index=False, sep="," if ".csv" in path.name else "\t")


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data")
@pytest.mark.parametrize(
    "ending", [".npy", ".npz", ".sparse.npz", ".parquet", ".h5ad", ".sparse.h5ad", ".zarr", ".csv", ".tsv.gz"]
)
def test_every_kind_of_file_has_the_limit(tmp_path, ending, monkeypatch):
    path = tmp_path / f"data{ending}"
    write(path, VALUES)
    told = r"(array|matrix|part,) of shape \(\d+, 8\), which as float64 takes .* KiB, and 1.95 KiB is the most that is "
    with pytest.raises(DataError, match=told + "read: give fewer rows or features, or a higher limit by --max-memory"):
        read_table(path, max_memory=LIMIT)
    assert read_table(path, max_memory=ROWS * COLUMNS * 8).shape == (ROWS, COLUMNS)
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", str(LIMIT))
    with pytest.raises(DataError, match="is the most that is read"):
        read_table(path)


def test_a_header_is_believed_before_its_array_is_inflated(tmp_path):
    # 8 GiB of zeros in a few kilobytes.
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("X.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (2**20, 2**10)})
    with pytest.raises(
        DataError, match=r"shape \(1048576, 1024\), which as float64 takes 8 GiB, and 1 MiB is the most"
    ):
        read_table(path, max_memory=2**20)
    # A sparse matrix of as many zeros.
    scipy.sparse.save_npz(tmp_path / "sparse.npz", scipy.sparse.csr_matrix((2**20, 2**10)))
    with pytest.raises(DataError, match=r"a sparse matrix of shape \(1048576, 1024\), .* takes 8 GiB"):
        read_table(tmp_path / "sparse.npz", max_memory=2**26)


def test_a_line_without_an_end_is_not_read_to_it(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"1," * 2**20))
    with pytest.raises(DataError, match=r"holds a line longer than 1.95 KiB, the most that is read: give fewer"):
        read_table(path, max_memory=LIMIT)


def test_sizes_in_words():
    assert [read_size(text, "x") for text in ("12", "1.5k", "2 MiB", "3GB", "1T")] == [
        *(12, 1536, 2 * 2**20, 3 * 2**30, 2**40)
    ]
    assert [size_in_words(size) for size in (12, 1536, 3 * 2**30)] == ["12 bytes", "1.5 KiB", "3 GiB"]
    for text in ("", "0", "-1", "many", "3 bytes", "1e3", "nan", "inf"):
        with pytest.raises(DataError, match=r"x=.* is no size: give bytes, or a number with a unit"):
            read_size(text, "x")


def test_the_limit_is_half_of_the_memory_unless_told(monkeypatch):
    monkeypatch.delenv("IDENTICA_MAX_MEMORY", raising=False)
    monkeypatch.setattr("identica.io.budget.memory_of_machine", lambda: 1000)
    assert Budget.default() == Budget(500.0, was_given=False)
    monkeypatch.setattr("identica.io.budget.memory_of_machine", lambda: None)
    assert Budget.default().n_bytes == np.inf
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "1KiB")
    assert Budget.default() == Budget(1024.0)
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "much")
    with pytest.raises(DataError, match="IDENTICA_MAX_MEMORY=much is no size"):
        Budget.default()
