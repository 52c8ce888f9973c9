"""Regulons are read as they are, what is odd is reported, and what is left after cleaning is a signed network."""

import gzip

import numpy as np
import pandas as pd
import pytest
from reference import shared

from identica.datasets import Regulon, make_regulon, read_regulon

ODD = [
    *[("A", "x", 1), ("A", "x", 1), ("A", "y", -1), ("A", "y", 1)],  # a duplicate, both signs
    *[("A", "A", 1), ("A", "B", 1), ("B", "A", -1)],  # a self-loop, a cycle
    *[("B", "x", 0), ("B", "z", -1), ("C", "z", 0)],  # unknown signs
]


def odd():
    return Regulon(*zip(*ODD, strict=True))


def test_reports_what_is_odd():
    report = odd().report()
    assert (report.n_edges, report.n_factors, report.n_genes, report.n_unsigned) == (10, 3, 5, 2)
    assert report.self_loops == ("A",)
    assert report.duplicates == (("A", "x"),)
    assert report.conflicts == (("A", "y"),)
    assert report.largest_cycle == 2
    assert str(report).startswith("10 edges from 3 factors to 5 genes: 2 without a sign, 1 self-loops, 1 duplicates")


def test_keeps_signed_single_edges_to_genes_that_are_no_factors():
    clean = odd().clean()
    assert list(zip(clean.sources, clean.targets, clean.weights, strict=True)) == [("A", "x", 1.0), ("B", "z", -1.0)]
    assert clean.report().largest_cycle == 0
    assert clean.matrix(["B", "A"], ["z", "x"]).tolist() == [[-1.0, 0.0], [0.0, 1.0]]


def test_largest_factors_come_first_and_ties_by_name():
    regulon = odd()
    assert regulon.factors == ("A", "B", "C")
    assert set(regulon.largest(2).sources) == {"A", "B"}
    with pytest.raises(ValueError, match="n_factors=4 is out of range: use from 1 to 3"):
        regulon.largest(4)
    with pytest.raises(ValueError, match="'D' is no factor of this regulon, it has A, B"):
        regulon.restrict(["A", "D"])


def test_tables_of_decoupler_go_in_and_out():
    frame = odd().to_frame()
    assert list(frame.columns) == ["source", "target", "weight"]
    again = Regulon.from_frame(frame)
    pd.testing.assert_frame_equal(again.to_frame(), frame)
    assert Regulon.from_frame(frame[["source", "target"]]).weights.tolist() == [1.0] * 10
    with pytest.raises(ValueError, match="the table has no column 'target', it has source"):
        Regulon.from_frame(frame[["source"]])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "A\tx\tActivation\t1;2\nA\ty\tRepression\t3\nB\tx\tUnknown\t4\n"),
        ("t.tsv", "source\ttarget\tweight\nA\tx\t1\nA\ty\t-1\nB\tx\t0\n"),
        ("t.csv", "weight,source,target,more\n1,A,x,\n-1,A,y,\n0,B,x,\n"),
        ("t.tsv", "\n A\tx\tActivation \n\nA\ty \tRepression\n\t\nB\tx\tUnknown\n"),
        ("t.csv.gz", "source,target,weight\nA,x,1\nA,y,-1\nB,x,0\n"),
        ("t.tsv.gz", "A\tx\tActivation\t1;2\nA\ty\tRepression\t3\nB\tx\tUnknown\t4\n"),
    ],
)
def test_reads_both_kinds_of_file(tmp_path, name, text):
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    read = read_regulon(tmp_path / name)
    assert (read.sources.tolist(), read.targets.tolist()) == (["A", "A", "B"], ["x", "y", "x"])
    assert read.weights.tolist() == [1.0, -1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty, give a file with edges"),
        ("A\tx\tActivation\nA\ty\tSometimes\n", "line 2 is no row of TRRUST"),
        ("A\tx\n", "line 1 is no row of TRRUST"),
        ("source\ttarget\tweight\nA\tx\thigh\n", "the weight at line 2, 'high', is not a number"),
        ("source\ttarget\tweight\n\nA\tx\tinf\n", "the weight at line 3 is not finite"),
        ("source\ttarget\tmor\nA\tx\t-1\n", "has no column 'weight', it has source, target, mor: give that name"),
        ("source\ttarget\tweight\nA\tx\t\n", "the weight at line 2, '', is not a number"),
        ("source\ttarget\n\t\nA\t \n", "line 3 has an empty name"),
        ("source\ttarget\tweight\nA\tx\n", "line 2 has 2 fields where 3 are expected"),
        ("source\ttarget\tweight\nA\tx\t1_0\n", "the weight at line 2, '1_0', is not a number"),
        ("source\ttarget\tweight\n", "has a header and no edges"),
        ("source\ttarget\tweight\tweight\nA\tx\t1\t1\n", "has several columns of the name 'weight'"),
        ("A\tx\tActivation\nA\t" + "y" * 200_000, r"line 2 cannot be split into fields \(field larger than"),
        ("source\ttarget\nA\tx\nB\t" + "y" * 1001, "line 3 has a name longer than 1000 letters"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
    ],
)
def test_files_that_are_neither_are_refused(tmp_path, text, complaint):
    (tmp_path / "t.tsv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=complaint):
        read_regulon(tmp_path / "t.tsv")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("t.csv", "Source,Target,Weight\nA,x,1\n", "between commas, .*, it holds 'Source', 'Target', 'Weight': rename"),
        ("t.csv", "source;target;weight\nA;x;1\n", "between commas, .*, it holds 'source;target;weight': rename"),
        (
            "t.tsv",
            "source,target,weight\nA,x,1\n",
            "between tabs, .*, it holds 'source,target,weight': rename .* a .csv",
        ),
        ("t.tsv.gz", "tf\ttarget\tweight\nA\tx\t1\n", "between tabs, .*, it holds 'tf', 'target', 'weight': rename"),
    ],
)
def test_a_first_line_that_is_no_header_is_shown(tmp_path, name, text, found):
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    with pytest.raises(ValueError, match=f"no header with the names source and target, in lower case; {found}"):
        read_regulon(tmp_path / name)


@pytest.mark.parametrize(
    "lines",
    [
        ['A\tx\tActivation\t"1', "B\ty\tRepression\t2", "C\tz\tActivation\t3"],
        ['A\tx\tActivation\t"1', "B\ty\tRepression\t2", 'C\tz\tActivation\t3"', "D\tz\tActivation\t3"],
        ["source\ttarget\tweight\tnote", 'A\tx\t1\t"5 prime', "B\ty\t-1\tnone"],
    ],
)
def test_a_stray_quotation_mark_swallows_no_lines(tmp_path, lines):
    (tmp_path / "net.tsv").write_text("\n".join(lines) + "\n")
    with pytest.raises(
        ValueError, match=r"net\.tsv: line \d cannot be split into fields .*: close its quotation marks"
    ):
        read_regulon(tmp_path / "net.tsv")
    (tmp_path / "net.tsv").write_text('source\ttarget\tweight\n"A"\t"x, 5"\t1\n')
    assert read_regulon(tmp_path / "net.tsv").genes == ("x, 5",)


def test_weights_of_edges_that_occur_twice_are_added():
    regulon = Regulon(["A", "A", "A", "A"], ["x", "x", "y", "y"], [1, 1, 1, -1])
    assert regulon.matrix().tolist() == [[2.0], [0.0]]


@pytest.mark.parametrize("content", [b"A\tx\tActivation\n", gzip.compress(b"A\tx\tActivation\n" * 99, mtime=0)[:-12]])
def test_damaged_compression_is_refused(tmp_path, content):
    (tmp_path / "t.tsv.gz").write_bytes(content)
    with pytest.raises(ValueError, match="which may be compressed"):
        read_regulon(tmp_path / "t.tsv.gz")


@pytest.mark.parametrize("missing", [None, np.nan, ""])
def test_edges_without_a_name_are_refused(missing):
    with pytest.raises(ValueError, match="edge 1 has no source: give its name, or leave the edge out"):
        Regulon(["A", missing], ["x", "y"], [1, 1])
    with pytest.raises(ValueError, match="edge 0 has no target"):
        Regulon(["A", "B"], [missing, "y"], [1, 1])


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="give one of each for every edge"):
        Regulon(["A"], ["x", "y"], [1, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.rename(columns={"weight": "mor"}), "has no column 'weight', it has source, target, mor"),
        (lambda frame: frame.assign(source=[None, "A"]), "a row without a source or a target"),
        (lambda frame: frame.assign(weight="strong"), "the weight of edge 0, 'strong', is not a number: give one"),
        (lambda frame: pd.concat([frame, frame[["source"]]], axis=1), "has several columns of the name 'source'"),
    ],
)
def test_tables_that_cannot_be_regulons_are_refused(change, words):
    frame = pd.DataFrame({"source": ["A", "B"], "target": ["x", "y"], "weight": [1, -1]})
    with pytest.raises(ValueError, match=words):
        Regulon.from_frame(change(frame))
    assert Regulon.from_frame(frame[["source", "target"]]).weights.tolist() == [1, 1]


def test_what_is_no_table_is_refused():
    with pytest.raises(TypeError, match="frame is a dict: give a DataFrame with source, target and weight"):
        Regulon.from_frame({"source": ["A"], "target": ["x"], "weight": [1]})


def test_small_random_networks():
    for n_factors in (1, 2, 3):
        assert len(make_regulon(n_factors, 10, random_state=0).factors) == n_factors


def test_random_networks_look_like_trrust():
    regulon = make_regulon(random_state=0)
    assert (len(regulon.factors), len(regulon.genes)) == (553, 1418)
    assert regulon.report().duplicates == ()
    assert len(regulon.clean()) == len(regulon)
    targets = np.sort(np.unique(regulon.sources, return_counts=True)[1])[::-1]
    regulators = np.unique(regulon.targets, return_counts=True)[1]
    # TRRUST, human, cleaned: 3,619 edges; medians 2 and 1, 95th percentiles 23 and 7, largest 190.
    assert 3000 < len(regulon) < 4300
    assert np.median(targets) in (2, 3)
    assert 15 < np.percentile(targets, 95) < 40
    assert targets[0] > 80
    assert np.median(regulators) in (1, 2)
    assert 5 < np.percentile(regulators, 95) < 10
    assert 0.6 < (regulon.weights > 0).mean() < 0.72


def test_a_seed_fixes_a_random_network():
    first, second = (make_regulon(20, 60, random_state=3).to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(make_regulon(20, 60, random_state=4).to_frame())


@pytest.mark.parametrize(
    ("species", "report", "clean"),
    [("human", (9396, 795, 2492, 24, 12, 207, 288), (3619, 553, 1418)), ("mouse", None, None)],
)
def test_counts_of_trrust(species, report, clean):
    regulon = read_regulon(shared(f"data/trrust/trrust_rawdata.{species}.tsv"))
    found = regulon.report()
    if report is not None:
        assert report == (
            *(found.n_edges, found.n_factors, found.n_genes),
            *(len(found.self_loops), len(found.duplicates), len(found.conflicts), found.largest_cycle),
        )
        network = regulon.clean()
        assert (len(network), len(network.factors), len(network.genes)) == clean
    rest = regulon.clean().report()
    assert (rest.n_unsigned, rest.self_loops, rest.duplicates, rest.conflicts, rest.largest_cycle) == (0, (), (), (), 0)


def test_a_name_of_zeros_is_an_empty_one(tmp_path):
    (tmp_path / "net.tsv").write_bytes(b"A\tB\tActivation\nA\t\0\tActivation\n")
    with pytest.raises(ValueError, match=r"net\.tsv: line 2 has an empty name"):
        read_regulon(tmp_path / "net.tsv")
