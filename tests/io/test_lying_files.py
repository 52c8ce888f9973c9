"""Files of text and images that do not hold what they declare, or hold more than anybody has measured."""

import errno
import gzip
import os
import struct
import threading
import time
import tracemalloc
import warnings
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identica.cli.configuration import read_parameters
from identica.datasets import read_mnist, read_regulon, read_sergio
from identica.io import DataError, read_table
from identica.io.bounded import check_packing
from identica.io.budget import LARGE, Budget, _written
from identica.io.idx import read_idx

MIB = 2**20
ASKED = "is read only where it is asked for: give a limit by --max-memory or IDENTICA_MAX_MEMORY if this is right"


def idx_header(*shape, code=8):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def packed(path, head, part, n):
    """Write text whose end nobody waits for."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(n):
            file.write(part)
    return path


def refused_within(megabytes, read, path, words):
    """Check that a file is refused with these words, and what memory Python takes meanwhile."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < megabytes * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_an_image_file_that_declares_what_it_has_not(tmp_path, ending):
    path = tmp_path / f"x-idx3-ubyte{ending}"
    content = idx_header(2**16, 2**10, 2**6) + bytes(50)
    path.write_bytes(gzip.compress(content) if ending else content)
    words = "bytes, and the 4294967296 of an array" if ending else "has 50 bytes of data where its header, which says"
    refused_within(1, read_idx, path, words)


def test_an_image_file_that_goes_on_is_not_inflated_to_its_end(tmp_path):
    path = packed(tmp_path / "x-idx3-ubyte.gz", idx_header(10, 10, 10), bytes(MIB), 64)
    refused_within(4, read_idx, path, r"has more than 1000 bytes of data where its header, which says \(10, 10, 10\)")


def test_image_files_have_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(idx_header(10, 10, 10) + bytes(1000))
    words = r"shape \(10, 10, 10\), which as float32 takes 3.91 KiB, and 3.81 KiB is the most that is read"
    with pytest.raises(DataError, match=words):
        read_table(path, max_memory=3900)
    assert read_table(path, max_memory=4000).values.size == 1000
    np.save(tmp_path / "X.npy", np.ones((10, 2)))
    with pytest.raises(DataError, match=words):  # the file of an auxiliary variable, too
        read_table(tmp_path / "X.npy", auxiliary=str(path), max_memory=3900)
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "3900")
    with pytest.raises(DataError, match=words):
        read_idx(path)


def test_an_archive_of_digits_is_checked_before_it_is_inflated(tmp_path, monkeypatch):
    path = tmp_path / "digits.npz"
    np.savez_compressed(path, x=np.zeros((400, 28, 28), np.uint8), y=np.zeros(400, np.uint8))
    assert len(read_mnist(path)) == 400
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "100KiB")
    with pytest.raises(DataError, match=r"shape \(400, 28, 28\), .* and 100 KiB is the most that is read"):
        read_mnist(path)
    monkeypatch.delenv("IDENTICA_MAX_MEMORY")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x", "y"):  # no .npy, which NumPy would give as bytes
            archive.writestr(name, bytes(20 * MIB))
    refused_within(10, read_mnist, path, "is not a .npz file: its member x is not an array")


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"", b"1," * (MIB // 2)),  # one line
        (b"a,b\n", b"1" * MIB),  # one field
        (b"a\n", b"0\n" * (MIB // 2)),  # many lines
        (b"a,b,c,d\n", b"0,0,0,0\n" * (MIB // 8)),
        (b"a,b\r", b"0,0\r" * (MIB // 4)),  # lines of other systems
        (b"a,b\n0,0\n", b"\r" * MIB),
    ],
)
def test_text_that_is_packed_further_than_any_data(tmp_path, head, part):
    path = packed(tmp_path / "x.csv.gz", head, part, 80)
    refused_within(8, read_table, path, rf"MiB of text in \d+ lines, or more, in .* KiB, and large text .* {ASKED}")
    if not part.startswith(b"\r"):  # lines without anything take no memory
        with pytest.raises(DataError, match=r"is the most that is read|the most that is read: give fewer"):
            read_table(path, max_memory=2000)  # who says a limit is taken at the word, and has it


@pytest.mark.parametrize("part", [b"0\n", b"0\r", b"," * 10, b"0;", b"0\t", b"0 "])
def test_lines_and_fields_count_as_what_they_take(tmp_path, part):
    # Of as many letters alone all is read.
    n = 5 * MIB // len(part)
    path = packed(tmp_path / "x.csv.gz", b"", part * n, 1)
    with path.open("rb") as file, pytest.raises(DataError, match="large text that is packed so far"):
        check_packing(path, file, Budget.default())
    path = packed(tmp_path / "x.csv.gz", b"", b"0" * len(part) * n, 1)
    with path.open("rb") as file:
        check_packing(path, file, Budget.default())


def test_packed_text_from_a_pipe_is_counted_as_it_comes(tmp_path):
    os.mkfifo(tmp_path / "x.csv.gz")

    def write():
        with suppress(BrokenPipeError):
            packed(tmp_path / "x.csv.gz", b"a,b\n", b"0,0\n" * (MIB // 4), 80)

    writer = threading.Thread(target=write)
    writer.start()
    refused_within(60, read_table, tmp_path / "x.csv.gz", f"large text that is packed so far {ASKED}")
    writer.join()


@pytest.mark.parametrize("filled", ["name", "zeros", "zeros between"])
def test_what_gzip_reads_byte_by_byte_has_an_end(tmp_path, filled):
    path, small = tmp_path / "x.csv.gz", gzip.compress(b"a,b\n0,0\n")
    zeros = bytes(10**6)
    named = small[:3] + b"\x08" + small[4:10] + b"n" * 10**6 + b"\0" + small[10:]
    path.write_bytes({"name": named, "zeros": small + zeros, "zeros between": small + zeros + small}[filled])
    with pytest.raises(DataError, match="it has a name, or zeros between its parts, of more than 65536 bytes"):
        read_table(path)
    path.write_bytes(small + bytes(1000) + gzip.compress(b"1,1\n"))  # as tapes fill files up
    assert read_table(path).shape == (2, 2)


def test_images_of_zeros_are_packed_too_far(tmp_path):
    side = int((LARGE / 4) ** 0.5) + 100
    path = tmp_path / "x-idx2-double.gz"
    path.write_bytes(gzip.compress(idx_header(side, side, code=14) + bytes(8 * side**2)))
    refused_within(3, read_table, path, f"and more than 250 times as much {ASKED}")


def test_a_file_of_holes_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        told = {"descr": "<f4", "fortran_order": False, "shape": (2**14, 2**12)}
        np.lib.format.write_array_header_1_0(file, told)
        file.truncate(file.tell() + 2**28)
    if _written(path, 2**20) > 2**20:
        pytest.skip("files have no holes here")
    refused_within(1, read_table, path, f"holds bytes that were never written, with which it takes .* {ASKED}")


def test_holes_that_are_a_part_of_a_file_are_read(tmp_path, monkeypatch):
    path = tmp_path / "x.npy"
    values = np.zeros((2**14, 2**10 + 1), np.float32)
    values[: 2**9] = 1
    np.save(path, values)
    with path.open("r+b") as file:  # a 32nd is there
        file.truncate(2**21)
        file.truncate(values.nbytes + 128)
    assert read_table(path).values[2**8, 5] == 1
    monkeypatch.setattr("os.lseek", no_holes)  # of a system that does not tell
    assert _written(path, 2**40) == path.stat().st_size


def no_holes(*_):
    raise OSError(errno.EINVAL, "Invalid argument")


def test_what_is_packed_as_far_and_small_is_read(tmp_path):
    assert read_table(packed(tmp_path / "x.csv.gz", b"a,b\n", b"0,0\n" * 1000, 9)).shape == (9000, 2)


@pytest.mark.parametrize(
    ("content", "megabytes", "words"),
    [
        (b"12," * 1_100_000, 20, f"a row of 1100001 fields, and more than 1048576 are {ASKED[3:]}"),
        (b"12" * 17 * MIB, 130, "a line longer than 32 MiB, the most that is read: if this is right, give a limit"),
    ],
)
def test_text_with_endless_rows(tmp_path, content, megabytes, words):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    refused_within(megabytes, read_table, path, words)


def test_a_row_that_goes_on_in_quotation_marks(tmp_path, monkeypatch):
    monkeypatch.setattr("identica.io.delimited.MOST_COLUMNS", 10_000)
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1,2\n"' + b'\n","' * 200_000)
    refused_within(6, read_table, path, "has a row of 10001 fields, and more than 10000 are read only where it is")


def test_a_row_in_quotation_marks_has_the_limit_of_a_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1,2\n"' + b'\n","' * 5000)
    with pytest.raises(DataError, match=r"holds a row longer than 9.77 KiB, the most that is read: close its quot"):
        read_table(path, max_memory=10_000)


def test_names_count_as_what_they_take(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(",a\n" + "".join(f"{'x' * 500}{i},1\n" for i in range(100)))
    with pytest.raises(DataError, match=r"whose text beside the numbers takes 19.[5-9] KiB, and 19.5 KiB is the most"):
        read_table(path, max_memory=20_000)
    assert read_table(path, max_memory=60_000).shape == (100, 1)


@pytest.mark.parametrize(
    ("part", "n", "words"),
    [
        (
            b"a\tb\n" * (MIB // 4),
            8,
            "MiB of text in .* lines, or more, in .* KiB, and large text that is packed so far",
        ),
        (b"a" * 2**19, 6, "a line longer than 1 MiB, the most that is read: break it up or leave it out"),
    ],
)
def test_a_network_that_is_packed(tmp_path, part, n, words):
    path = packed(tmp_path / "net.tsv.gz", b"source\ttarget\n", part, n)
    refused_within(12, read_regulon, path, words)


def test_all_names_of_a_network_are_as_long_as_the_longest(tmp_path):
    path, long = tmp_path / "net.tsv", "A" * 900
    path.write_text(f"{long}\t{long}\tUnknown\n" + "a\tb\tUnknown\n" * 10_000)
    refused_within(40, read_regulon, path, f"a network of 10001 edges with names of up to 900 letters, .* {ASKED}")


def test_a_header_of_many_columns_is_looked_at_once(tmp_path):
    header = "source\ttarget\tweight\t" + "\t".join(f"{i:x}" for i in range(150_000))
    (tmp_path / "net.tsv").write_text(f"{header}\nA\tB\t1\n")
    start = time.process_time()
    refused_within(80, read_regulon, tmp_path / "net.tsv", "line 2 has 3 fields where 150003 are expected")
    assert time.process_time() - start < 5
    (tmp_path / "net.tsv").write_text(f"{header}\t7\nA\tB\t1\n")
    refused_within(80, read_regulon, tmp_path / "net.tsv", "has several columns of the name '7': keep one of them")


@pytest.mark.parametrize("which", ["targets.csv", "masters.csv"])
def test_files_of_sergio_that_are_none(tmp_path, which):
    places = {name: tmp_path / name for name in ("targets.csv", "masters.csv")}
    places["targets.csv"].write_text("1,1,0,1.5,2\n")
    places["masters.csv"].write_text("0,1\n")
    assert read_sergio(*places.values()).n_genes == 2
    places[which].unlink()
    with pytest.raises(ValueError, match=f"{which} is no file: give one of SERGIO's"):
        read_sergio(*places.values())
    places[which].mkdir()
    with pytest.raises(ValueError, match=f"{which} is no file: give one of SERGIO's"):
        read_sergio(*places.values())


def test_networks_have_the_limit_of_the_environment(tmp_path, monkeypatch):
    (tmp_path / "net.tsv").write_text("source\ttarget\n" + "a\tb\n" * 100)
    (tmp_path / "targets.csv").write_text("".join(f"{i},1,0,1.5,2\n" for i in range(1, 100)))
    (tmp_path / "masters.csv").write_text("0,1\n")
    assert read_sergio(tmp_path / "targets.csv", tmp_path / "masters.csv").n_genes == 100
    monkeypatch.setenv("IDENTICA_MAX_MEMORY", "20KiB")
    words = "rows that go on after its first part, and together takes .* and 20 KiB is the most that is read"
    with pytest.raises(DataError, match=words):
        read_regulon(tmp_path / "net.tsv")
    with pytest.raises(DataError, match=words):
        read_sergio(tmp_path / "targets.csv", tmp_path / "masters.csv")


def test_a_network_of_sergio_on_one_line(tmp_path):
    path = tmp_path / "targets.csv"
    path.write_bytes(b"1," * 4 * MIB)
    refused_within(25, lambda path: read_sergio(path, path), path, "a line longer than 4 MiB, the most that is read")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a = 1\n" * 20_000, "is longer than 65536 bytes, the most that is read of such a file: give another"),
        (".".join("a" * 30_000) + " = 1", "has a line with more than 200 points, the most that is read: break it up"),
        ("a = " + "[" * 65 + "]" * 65, "is more than 64 lists or tables deep"),
        ("verbose = 0x" + "f" * 60_000, "has a whole number of more than 300 digits: give a smaller one"),
        ("a = [1, {b = 0x" + "f" * 400 + "}]", "has a whole number of more than 300 digits: give a smaller one"),
        ("a = " + "[" * 30_000, "has lists or tables within each other that go too deep: a few levels are needed"),
    ],
)
def test_a_configuration_without_an_end(tmp_path, content, words):
    path = tmp_path / "fit.toml"
    path.write_text(content)
    refused_within(10, lambda path: read_parameters(path, {}), path, words)


def test_a_configuration_in_json(tmp_path):
    path = tmp_path / "fit.json"
    path.write_text('{"n_components": 2, "verbose": ' + "1" * 301 + "}")
    refused_within(
        1, lambda path: read_parameters(path, {}), path, "a whole number has 301 digits, and 300 are the most"
    )
    path.write_bytes(b'\xef\xbb\xbf{"n_components": 2}')  # as Windows writes text
    assert read_parameters(path, {})["n_components"] == 2


# What follows makes files that are nearly right, so that most get past the first check.

NEARLY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SIDES = st.one_of(st.integers(0, 4), st.sampled_from([2**16, 2**31, 2**32 - 1]))


def works_or_says_why(read, *paths):
    """Read, and let pass only the error that is one sentence."""
    said = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(*paths)
        except ValueError as error:
            said = error
    if said is not None:
        assert type(said) in (DataError, ValueError)
        assert str(paths[0].parent) in str(said)
        assert "\n" not in str(said)


@NEARLY
@given(
    magic=st.sampled_from([b"\0\0", b"\0\0", b"\0\0", b"\0\1"]),
    code=st.sampled_from([8, 9, 11, 12, 13, 14, 10, 255]),
    shape=st.lists(SIDES, max_size=5),
    told=st.sampled_from([0, 0, 0, 1, -1]),
    more=st.sampled_from([0, 0, 1, -1, 100]),
    cut=st.sampled_from([None, None, None, 3, 7, -1, -9]),
    zipped=st.booleans(),
)
def test_nearly_image_files(tmp_path, magic, code, shape, told, more, cut, zipped):
    length = int(np.prod(shape, dtype=object)) * {11: 2, 12: 4, 13: 4, 14: 8}.get(code, 1)
    header = magic + bytes([code, max(0, len(shape) + told)]) + struct.pack(f">{len(shape)}I", *shape)
    content = header + b"\x7f" * max(0, min(length, 5000) + more)
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes((gzip.compress(content) if zipped else content)[:cut])
    works_or_says_why(read_idx, path)
    works_or_says_why(read_table, path)


FIELDS = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "1.5",
        "-1",
        "1e5",
        "1e999",
        "nan",
        "",
        " ",
        "a",
        "b",
        "A b",
        '"',
        '"a"',
        "1_0",
        "\u0661",
        "\0",
        "\r",
        "é",
    ]
)
HEADS = st.sampled_from([["source", "target", "weight"], ["source", "target"], ["a", "b"], ["", "a"], []])


def written(path, rows, separator, end, zipped, cut, broken):
    content = end.join(separator.join(row) for row in rows).encode() + end.encode()
    content = content + b"\xff" if broken else content
    path.write_bytes((gzip.compress(content) if zipped else content)[:cut])
    return path


TEXT = {
    "rows": st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=6),
    "separator": st.sampled_from([",", "\t", ";", " "]),
    "end": st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]),
    "zipped": st.booleans(),
    "cut": st.sampled_from([None, None, None, 12, -1, -9]),
    "broken": st.sampled_from([False, False, False, True]),
}


@NEARLY
@given(
    head=HEADS,
    width=st.integers(1, 3),
    ending=st.sampled_from([".csv", ".tsv", ".txt"]),
    text=st.fixed_dictionaries(TEXT),
)
def test_nearly_tables(tmp_path, head, width, ending, text):
    rows = [row[:width] for row in text.pop("rows")]
    path = written(tmp_path / f"x{ending}", [head, *rows] if head else rows, **text)
    works_or_says_why(read_table, path)
    works_or_says_why(lambda path: read_table(path, max_memory=16), path)


@NEARLY
@given(
    head=HEADS,
    rows=st.lists(
        st.tuples(FIELDS, FIELDS, st.sampled_from(["Activation", "Unknown", "1", "-0.5", "x", "inf"])), max_size=6
    ),
    text=st.fixed_dictionaries({**TEXT, "separator": st.sampled_from([",", "\t"])}),
)
def test_nearly_networks(tmp_path, head, rows, text):
    rows = [*rows, *text.pop("rows")[:1]]
    name = "net" + (".csv" if text["separator"] == "," else ".tsv") + ".gz" * text["zipped"]
    path = written(tmp_path / name, [head, *rows] if head else rows, **text)
    works_or_says_why(read_regulon, path)


NUMBERS = st.sampled_from(["0", "1", "2", "3", "1.5", "-1", "1e300", "1e999", "nan", "", "x", '"', "1_0"])


@st.composite
def targets_of_sergio(draw):
    """Rows whose second field mostly says how many fields follow."""
    rows = []
    for gene in range(1, draw(st.integers(1, 4))):
        k = draw(st.integers(1, 2))
        told = str(k) if draw(st.integers(0, 5)) else draw(NUMBERS)
        row = [str(gene), told, *(["0"] * k), *(["1.5"] * k), *(["2"] * k)]
        if draw(st.booleans()):
            row[draw(st.integers(0, len(row) - 1))] = draw(NUMBERS)
        rows.append(row)
    return rows


@NEARLY
@given(
    rows=targets_of_sergio(),
    masters=st.lists(st.lists(NUMBERS, min_size=1, max_size=3), max_size=2),
    right=st.booleans(),
    broken=st.sampled_from([False, False, True]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    hill=st.sampled_from([None, 2.0]),
)
def test_nearly_networks_of_sergio(tmp_path, rows, masters, right, broken, end, hill):
    targets = written(tmp_path / "targets.csv", rows, ",", end, False, None, broken)
    others = [["0", "1", "2"]] if right else masters
    works_or_says_why(
        lambda *paths: read_sergio(*paths, hill=hill),
        targets,
        written(tmp_path / "masters.csv", others, ",", end, False, None, False),
    )
