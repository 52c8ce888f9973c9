"""Text files: header and row names are told apart from data, and faults are named by line and column."""

import numpy as np
import pandas as pd
import pytest

from identica.io import DataError, read_table


def read(tmp_path, text, ending=".csv", **options):
    path = tmp_path / f"data{ending}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, **options)


@pytest.mark.parametrize(
    ("text", "features", "rows", "values"),
    [
        ("1,2\n3,4\n", None, None, [[1, 2], [3, 4]]),
        ("1,2\n3,4", None, None, [[1, 2], [3, 4]]),
        ("1,2\r\n3,4\r\n\r\n\n", None, None, [[1, 2], [3, 4]]),
        ("\ufeff1,2\n3,4\n", None, None, [[1, 2], [3, 4]]),
        ("a,b\n1,2\n", ("a", "b"), None, [[1, 2]]),
        ("\ufeffa,b\n1,2\n", ("a", "b"), None, [[1, 2]]),
        ('"a, b","c\nd"\n 1 ,+2e0\n-.5,1E3\n', ("a, b", "c\nd"), None, [[1, 2], [-0.5, 1000]]),
        ("a,2\n1,2\n", ("a", "2"), None, [[1, 2]]),
        (",a,b\nx,1,2\ny,3,4\n", ("a", "b"), ("x", "y"), [[1, 2], [3, 4]]),
        (",0,1\n0,1,2\n1,3,4\n", ("0", "1"), ("0", "1"), [[1, 2], [3, 4]]),
        ("Unnamed: 0,a\n7,1\n007,3\n", ("a",), ("7", "007"), [[1], [3]]),
        ("0,1,2\n5,6,7\n", ("0", "1", "2"), None, [[5, 6, 7]]),
        ("0,1\n5,6\n", None, None, [[0, 1], [5, 6]]),
        ('"a" "b"\n"x" 1 2\n'.replace(" ", ","), ("a", "b"), ("x",), [[1, 2]]),
        ("a\n1\n2\n", ("a",), None, [[1], [2]]),
    ],
)
def test_header_and_row_names(tmp_path, text, features, rows, values):
    table = read(tmp_path, text)
    assert (table.feature_names, table.row_names) == (features, rows)
    np.testing.assert_array_equal(table.values, np.array(values, dtype=np.float64))
    assert table.values.dtype == np.float64


def test_tabs(tmp_path):
    table = read(tmp_path, "\ta\tb, c\nx\t1\t2\n", ".tsv")
    assert (table.feature_names, table.row_names) == (("a", "b, c"), ("x",))


@pytest.mark.parametrize("name", ["cell", "b"])
def test_index_column_anywhere(tmp_path, name):
    columns = ["a", "b"] if name == "cell" else ["a", "c"]
    table = read(tmp_path, f"{columns[0]},{name},{columns[1]}\n1,x,2\n3,y,4\n", index_column=name)
    assert (table.feature_names, table.row_names) == (tuple(columns), ("x", "y"))
    assert table.values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("index", [True, False])
def test_what_pandas_writes_comes_back_exactly(tmp_path, index):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(5, 3)) * 1e-7, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "data.csv", index=index)
    table = read_table(tmp_path / "data.csv")
    np.testing.assert_array_equal(table.values, frame.to_numpy())
    assert table.row_names == (("0", "1", "2", "3", "4") if index else None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 fields where 2 are expected"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 fields where 2 are expected"),
        ("a,b\n1,2,3\n4,5,6\n", "line 2 has 3 fields where 2 are expected"),
        ("1,2\n3,4\n5,\n", r"line 3, column 1 \(counted from 0\) is missing"),
        ("a,b\n1,2\n\n3,4\n", "line 3 is empty"),
        ("a\n1\n\n2\n", "line 3 is empty"),
        ("a,b\n1,NA\n", "line 2, column 'b' is missing"),
        ("a,b\n1,\n", "line 2, column 'b' is missing"),
        ("a,b\n1,x\n", r"column 'b' is not numeric \(line 2 holds 'x'\)"),
        ("cell,b\n1_2,3\n", "column 'cell' is not numeric .* choose it as the index column"),
        ("a,b\n1,True\n", "column 'b' is not numeric"),
        ("a,b\n1,0x10\n", "column 'b' is not numeric"),
        ('a,b\n"1,5",2\n', "column 'a' is not numeric"),
        ("s1,1\ns2,2\n", "column 's1' is not numeric"),
        ("a;b\n1;2\n", "seem separated by semicolons"),
        ("a\tb\n1\t2\n", "seem separated by tabs"),
        (
            "a,b\n1,2\n3,nan\n",
            r"the value at line 3, column 'b' is missing \(NaN\), and 1 such",
        ),
        ("1,2\n-inf,4\n", r"the value at line 2, column 0 \(counted from 0\) is infinite, and 1 such"),
        (f"1,2\n3,{'9' * 400}\n", r"the value at line 2, column 1 \(counted from 0\) is infinite, and 1 such"),
        ("a,a\n1,2\n", "the feature name 'a' occurs twice"),
        ("a,,c\n1,2,3\n", r"column 1 \(counted from 0\) has no name"),
        ("a,b\n", r"is empty: its shape is \(0, 2\)"),
        (",\nx,1\n", r"column 0 \(counted from 0\) has no name"),
        ("\n", "is empty, give a file with data"),
        ("", "is empty, give a file with data"),
        (b"a,b\n1,\xff\n", "is not text in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "is not a text file"),
        (b"PK\x03\x04\x00\x00", "is not a text file"),
        ("a,b\n1,2\n3,\x00\n", "is not a text file"),
        (f'a,b\n1,"{"2" * 200_000}\n', "line 2 cannot be read"),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "data.csv") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column 'cell', its first columns are 'a', 'b'"),
        ("1,2\n3,4\n", "has no header, so no column 'cell'"),
        ("cell\nx\n", r"is empty: its shape is \(1, 0\)"),
    ],
)
def test_faults_of_the_index_column(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, index_column="cell")
