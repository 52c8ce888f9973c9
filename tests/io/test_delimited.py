"""Text files: header and row names are told apart from data, and faults are named by line and column."""

import gzip
import io
import sys
import warnings
from types import SimpleNamespace

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
        (
            "a,b\n1,NA\n3,\n",
            "line 2, column 'b' is missing, and 2 such are there in all; .* let --missing mean fill them",
        ),
        ("a,b\n1,\n", "line 2, column 'b' is missing"),
        ("a,b\n1,x\n", r"column 'b' is not numeric \(line 2 holds 'x'\)"),
        ("cell,b\n1_2,3\n", "column 'cell' is not numeric .* choose it as the index column"),
        ("a,b\n1,True\n2,3.5\n", "column 'b' holds a truth value at line 2 and the number 3.5 at line 3"),
        ("a,b\n1,yes\n", "column 'b' is not numeric"),
        ("a,b\n1,0x10\n", "column 'b' is not numeric"),
        ('a,b\n"1,5",2\n', "column 'a' is not numeric"),
        ("s1,1\ns2,2\n", "column 's1' is not numeric"),
        ("a,b\n1,2\n3,4;5\n" + "1,2\n" * 60, "column 'b' holds '4;5' at line 3 and fields are separated by commas"),
        (
            "a,b\n1,2\n3,nan\n",
            r"the value at line 3, column 'b' is missing, and 1 such",
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


FRAME = pd.DataFrame({"a": [1.5, -2.0, 3e-7], "b": [10.0, 20.25, 3e5]}, index=["x", "y", "z"])
R_TABLE = '"a" "b"\n"1" 1.5 10\n"2" -2 20.25\n"3" 3e-07 3e+05\n'


def quietly(path, **options):
    """Read without a word about how the file is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_table(path, **options)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|", " "])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"])
def test_what_pandas_writes_is_read_however_it_is_separated(tmp_path, ending, separator, decimal):
    if decimal == separator:
        pytest.skip("pandas quotes such numbers")
    path = tmp_path / f"data{ending}"
    FRAME.to_csv(path, sep=separator, decimal=decimal)
    usual = "," if ending.startswith(".csv") else "\t"
    if (separator, decimal) == (usual, "."):
        table = quietly(path)
    else:
        with pytest.warns(UserWarning, match=r"fields are separated by \w+.* and decimals by (points|commas)"):
            table = read_table(path)
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())
    assert (table.feature_names, table.row_names) == (("a", "b"), ("x", "y", "z"))
    told = quietly(path, separator=separator, decimal=decimal)
    np.testing.assert_array_equal(told.values, FRAME.to_numpy())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (R_TABLE, ("1", "2", "3")),
        (
            R_TABLE.replace('"', "").replace("1 1.5", "s1 1.5").replace("2 -2", "s2 -2").replace("3 3e", "s3 3e"),
            ("s1", "s2", "s3"),
        ),
    ],
    ids=["write.table", "write.table(quote=FALSE)"],
)
def test_what_r_writes(tmp_path, text, rows):
    path = tmp_path / "data.txt"
    path.write_text(text)
    with pytest.warns(UserWarning, match="data.txt: fields are separated by blanks and decimals by points"):
        table = read_table(path)
    assert (table.feature_names, table.row_names) == (("a", "b"), rows)
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())


R_FORMS = {
    "write.csv": ("data.csv", '"","a","b","on"\n"s 1",1.5,10,TRUE\n"s,2",-2,{},FALSE\n'),
    "write.csv(row.names=FALSE)": ("data.csv", '"a","b","on"\n1.5,10,TRUE\n-2,{},FALSE\n'),
    "write.csv, gzfile": ("data.csv.gz", '"","a","b","on"\n"s 1",1.5,10,TRUE\n"s,2",-2,{},FALSE\n'),
    "write.csv2": ("data.csv", '"";"a";"b";"on"\n"s 1";1,5;10;TRUE\n"s,2";-2;{};FALSE\n'),
    "write.table": ("data.txt", '"a" "b" "on"\n"s 1" 1.5 10 TRUE\n"s,2" -2 {} FALSE\n'),
    'write.table(sep="\\t")': ("data.tsv", '"a"\t"b"\t"on"\n"s 1"\t1.5\t10\tTRUE\n"s,2"\t-2\t{}\tFALSE\n'),
    'write.table(sep="\\t", col.names=NA)': (
        *("data.tsv", '""\t"a"\t"b"\t"on"\n"s 1"\t1.5\t10\tTRUE\n"s,2"\t-2\t{}\tFALSE\n'),
    ),
    'write.table(sep=",")': ("data.csv", '"a","b","on"\n"s 1",1.5,10,TRUE\n"s,2",-2,{},FALSE\n'),
}


@pytest.mark.filterwarnings("ignore:.*fields are separated by")
@pytest.mark.parametrize("form", R_FORMS)
def test_every_form_of_rs_tables_whole_and_with_what_is_missing(tmp_path, form):
    name, text = R_FORMS[form]

    def write(value):
        content = text.format(value).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    write("20")
    table = read_table(tmp_path / name)
    assert table.feature_names == ("a", "b", "on")
    assert table.row_names == (None if "row.names=FALSE" in form else ("s 1", "s,2"))
    assert table.values.tolist() == [[1.5, 10, 1], [-2, 20, 0]]
    write("NA")
    with pytest.raises(DataError, match=r"line 3, column 'b' is missing, and 1 such .*let --missing mean fill them"):
        read_table(tmp_path / name)
    with pytest.warns(UserWarning, match="were filled by the mean"):
        assert read_table(tmp_path / name, missing=True).filled().values.tolist() == [[1.5, 10, 1], [-2, 10, 0]]
    write("x")
    with pytest.raises(DataError, match=r"column 'b' is not numeric \(line 3 holds 'x'\)"):
        read_table(tmp_path / name)


def test_rs_write_csv2(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('"";"a";"b"\n"x";1,5;10\n"y";-2;20,25\n')
    with pytest.warns(UserWarning, match="fields are separated by semicolons and decimals by commas"):
        table = read_table(path)
    assert (table.feature_names, table.row_names) == (("a", "b"), ("x", "y"))
    assert table.values.tolist() == [[1.5, 10], [-2, 20.25]]


@pytest.mark.parametrize(
    "text",
    [
        "name,b\nx;1,2\ny;2,3\n",
        "name,b\ncell 1,2\ncell 2,3\n",
        "a,b\n1,2\n",
        "a\n1\n2\n",
        "a,b\nx,y\n",
        '"a;b","c;d"\n1,2\n',
    ],
)
def test_the_usual_way_is_left_only_for_one_that_reads_more_numbers(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read_table(path, index_column="name" if text.startswith("name") else None)
        except DataError as error:
            assert "column 'a' is not numeric" in str(error)  # noqa: PT017


@pytest.mark.parametrize("blanks", [" ", "   "])
def test_blanks_are_any_number_of_them(tmp_path, blanks):
    path = tmp_path / "data.txt"
    path.write_text(f"  1{blanks}2  \n3 {blanks}4\n")
    with pytest.warns(UserWarning, match="separated by blanks"):
        assert read_table(path).values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": "x"}, "separator='x' is not known: give that of commas"),
        ({"decimal": ";"}, "decimal=';' is not known: give '.' or ','"),
        ({"separator": ",", "decimal": ","}, "separator and decimal are both ',': give two that differ"),
        ({"separator": ";"}, "column '1,5' is not numeric|is empty"),
    ],
)
def test_what_cannot_be_told(tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, "1,5\n", **options)


def test_truth_values_are_one_and_zero(tmp_path):
    table = read(tmp_path, "a,b\nTRUE,1\nFalse,2\n0,3\n")
    assert table.values.tolist() == [[1, 1], [0, 2], [0, 3]]


def piped(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(monkeypatch, pack):
    piped(monkeypatch, pack(b"a\tb\n1\t2\n3\t4\n"))
    table = quietly("-")
    assert (table.feature_names, table.values.tolist()) == (("a", "b"), [[1, 2], [3, 4]])
    assert not sys.stdin.buffer.closed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^standard input is empty, give a file with data"),
        (b"\x89HDF\r\n\0", "standard input is not a text file, give a table in UTF-8"),
        (b"a\tb\n1\t2\n3\n", "standard input: line 3 has 1 fields where 2 are expected"),
        (gzip.compress(b"a\tb\n1\t2\n", mtime=0)[:-9], "standard input is damaged: .*, compress it again"),
    ],
)
def test_standard_input_that_is_no_table(monkeypatch, content, message):
    piped(monkeypatch, content)
    with pytest.raises(DataError, match=message):
        read_table("-")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda packed: packed[:-9], "data.csv.gz is damaged: .*, compress it again"),
        (lambda packed: packed[:20] + b"zzzz" + packed[24:], "data.csv.gz is damaged: .*, compress it again"),
        (lambda packed: packed[:2] + b"x" + packed[3:], "data.csv.gz is damaged: .*, compress it again"),
        (lambda packed: gzip.compress(b"a\0b"), "data.csv.gz is not a text file"),
        (lambda packed: gzip.compress(b"a,b\n1,\xff\n"), "data.csv.gz is not text in UTF-8"),
        (lambda packed: gzip.compress(b""), "data.csv.gz is empty, give a file with data"),
        (lambda packed: gzip.compress(b"a,b\n1,x\n"), r"column 'b' is not numeric \(line 2 holds 'x'\)"),
    ],
)
def test_gzipped_text_that_is_broken(tmp_path, spoil, message):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(spoil(gzip.compress(b"a,b\n" + b"1,2\n3,4\n" * 50, mtime=0)))
    with pytest.raises(DataError, match=message):
        read_table(path)


@pytest.mark.parametrize(
    ("ending", "text"),
    [(".csv.gz", b"a,b\n1,2\n"), (".csv", gzip.compress(b"a,b\n1,2\n", mtime=0))],
    ids=["plain", "packed"],
)
def test_what_is_packed_is_told_by_its_first_bytes(tmp_path, ending, text):
    assert read(tmp_path, text, ending).values.tolist() == [[1, 2]]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".npy"])
def test_missing_values_are_counted_or_filled(tmp_path, ending):
    frame = pd.DataFrame({"a": [1.0, np.nan, 5.0], "b": [np.nan, 2.0, np.nan]})
    path = tmp_path / f"data{ending}"
    if ending == ".npy":
        np.save(path, frame.to_numpy())
    else:
        frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"missing.*, and 3 such .*let --missing mean fill them"):
        read_table(path)
    table = read_table(path, missing=True)
    with pytest.warns(
        UserWarning, match=r"3 missing value\(s\) in 2 of 2 columns .* most of them \(2 of 3 rows\) in column 1"
    ):
        assert table.filled().values.tolist() == [[1, 2], [3, 2], [5, 2]]
    with pytest.warns(UserWarning, match="filled by the mean"):
        assert table.filled(np.array([7.0, 8.0])).values.tolist() == [[1, 8], [7, 2], [5, 8]]
    with pytest.raises(DataError, match=r"column 0.* has no value at all, drop it"):
        read(tmp_path, "a,b\n,1\nNA,2\n", missing=True).filled()
    with pytest.raises(DataError, match="is infinite, and 1 such"):
        read(tmp_path, "a,b\n,1\ninf,2\n", missing=True)
    assert read(tmp_path, "a,b\n3,1\n1,2\n", missing=True).filled().values.tolist() == [[3, 1], [1, 2]]
