"""Writers: numbers survive, JSON is strict, and what cannot be written is said before."""

import json
from pathlib import Path

import numpy as np
import pytest

from identica.io import (
    DataError,
    check_table_file,
    read_table,
    write_csv,
    write_json,
    write_npy,
    write_records,
    write_table,
)


def test_csv_with_and_without_row_names(tmp_path):
    values = np.array([[0.1, 1e-300]], dtype=np.float64)
    write_csv(tmp_path / "a.csv", values, ["x", "y, z"], ["it's, a"])
    assert (tmp_path / "a.csv").read_text() == ',x,"y, z"\n"it\'s, a",0.1,1e-300\n'
    write_csv(tmp_path / "b.csv", values.astype(np.float32), ["x", "y"], delimiter="\t")
    assert (tmp_path / "b.csv").read_text() == "x\ty\n0.1\t0.0\n"


def test_names_that_a_spreadsheet_takes_for_formulas(tmp_path):
    values = np.array([[-1.5, 2.0]] * 7)
    rows = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "\rx", "-1.5e3"]
    write_csv(tmp_path / "plain.csv", values, ["=a", "b"], rows)
    assert read_table(tmp_path / "plain.csv").feature_names == ("=a", "b")
    for ending in ("csv", "tsv"):
        path = tmp_path / f"quoted.{ending}"
        write_table(path, values, ["=a", "b"], rows, quote_formulas=True)
        table = read_table(path)
        assert table.feature_names == ("'=a", "b")
        assert table.row_names == (*(f"'{name}" for name in rows[:-1]), "-1.5e3")
        np.testing.assert_array_equal(table.values, values)
    write_table(tmp_path / "x.parquet", values, ["=a", "b"], rows, quote_formulas=True)
    assert read_table(tmp_path / "x.parquet").feature_names == ("=a", "b")


def test_row_names_must_be_as_many_as_rows(tmp_path):
    with pytest.raises(ValueError, match="argument 2"):
        write_csv(tmp_path / "a.csv", np.ones((2, 1)), ["x"], ["only"])
    assert list(tmp_path.iterdir()) == []


def test_records_with_different_keys(tmp_path):
    write_records(tmp_path / "a.csv", [{"stage": "one", "loss": 1}, {"stage": "two", "volume": None, "loss": 0.5}])
    assert (tmp_path / "a.csv").read_text() == "stage,loss,volume\none,1,\ntwo,0.5,\n"


def test_json_is_strict(tmp_path):
    content = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": float("nan"),
        "d": (np.inf, None),
        "e": Path("x"),
        "f": "é",
    }
    write_json(tmp_path / "a.json", content)
    expected = {"a": 0.5, "b": [0, 1], "c": None, "d": [None, None], "e": "x", "f": "é"}
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == expected


def test_objects_are_never_pickled(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_npy(tmp_path / "a.npy", np.array([{}], dtype=object))
    assert list(tmp_path.iterdir()) == []


def test_names_that_cannot_be_written(tmp_path):
    for function in (check_table_file, lambda path: write_table(path, np.ones((1, 1)), ["x"])):
        with pytest.raises(DataError, match=r"unknown ending '\.txt', use one of \.npy, \.csv, \.tsv, \.parquet"):
            function(tmp_path / "a.txt")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(DataError, match="is a directory"):
        check_table_file(tmp_path / "b.csv")
