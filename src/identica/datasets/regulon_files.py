"""Reading regulons: the files of TRRUST, and tables with the columns source, target and weight."""

from __future__ import annotations

import csv
import gzip
import math
import os
import zlib
from collections import Counter
from pathlib import Path

from identica.datasets.regulons import COLUMNS, Regulon
from identica.io.bounded import bounded_lines, check_packing
from identica.io.budget import Budget
from identica.io.columns import shortened

__all__ = ["read_regulon"]

Row = tuple[int, list[str]]
Edge = tuple[int, str, str, float]

LARGE_NETWORK = 2**22
"""Bytes of text up to which it does not matter how far a network is packed: an edge takes many times its text."""
LONGEST_NAME = 1000
"""Letters of the name of a gene; all names take as much as the longest."""
LONGEST = 2**20
"""Letters of a line."""
_MODES = {"Activation": 1.0, "Repression": -1.0, "Unknown": 0.0}


def read_regulon(path: str | os.PathLike[str]) -> Regulon:
    """Read a file of TRRUST v2, or a table with the columns source, target and weight as decoupler writes it.

    Parameters
    ----------
    path : str or path
        A .tsv or .csv file, or either as .gz. Without a header it is taken as TRRUST's: factor, target, mode and,
        optionally, sources of the knowledge. Of a table with source and target alone all edges activate.

    Returns
    -------
    Regulon
        All rows as they are; :meth:`Regulon.clean` makes a network of them.

    Raises
    ------
    ValueError
        If the file is neither, has no edges, or is too large for the limit of the environment; the line is given.

    References
    ----------
    H. Han et al., "TRRUST v2: an expanded reference database of human and mouse transcriptional regulatory
    interactions", Nucleic Acids Research 46, 2018.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is no file: give an existing .tsv or .csv file with edges, such as TRRUST's")
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path} is empty, give a file with edges")
    header = rows[0][1]
    if {"source", "target"} <= set(header) and len(rows) == 1:
        raise ValueError(f"{path} has a header and no edges: give a file with edges")
    edges = _table_edges(path, rows) if {"source", "target"} <= set(header) else _trrust_edges(path, rows)
    for line, source, target, weight in edges:
        if not (source.rstrip("\0") and target.rstrip("\0")):  # arrays of text keep no zeros at its end
            raise ValueError(f"{path}: line {line} has an empty name: give both a factor and a target")
        if max(len(source), len(target)) > LONGEST_NAME:
            raise ValueError(f"{path}: line {line} has a name longer than {LONGEST_NAME} letters: give names of genes")
        if not math.isfinite(weight):
            raise ValueError(f"{path}: the weight at line {line} is not finite: give a number")
    longest = [max(len(name) for name in names) for names in ([edge[1] for edge in edges], [edge[2] for edge in edges])]
    n_bytes = 4 * sum(longest) * len(edges)  # of arrays of text, in which each name takes as much as the longest
    budget = Budget.default()
    what = f"a network of {len(edges)} edges with names of up to {max(longest)} letters, which"
    budget.check_bytes(path, n_bytes, what)
    budget.check_together(path, n_bytes, path.stat().st_size, what)
    return Regulon(
        [source for _, source, _, _ in edges],
        [target for _, _, target, _ in edges],
        [weight for _, _, _, weight in edges],
    )


def _rows(path: Path) -> list[Row]:
    """Return the lines that hold anything, each with its number and its fields without spaces around them."""
    separator = _separator(path)
    packed = path.suffix.lower() == ".gz"
    budget = Budget.default()
    try:
        if packed:
            with path.open("rb") as plain:
                check_packing(path, plain, budget, LARGE_NETWORK)
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            lines = bounded_lines(path, file, budget, most=LONGEST, kept=True)
            reader = csv.reader(lines, delimiter=separator, strict=True)
            numbered = []
            for row in reader:
                if any("\n" in field or "\r" in field for field in row):
                    raise csv.Error(f"a field goes on from the line before: {row[-1][:20]!r}")
                numbered.append((reader.line_num, [field.strip() for field in row]))
    except csv.Error as error:
        raise ValueError(
            f"{path}: line {reader.line_num} cannot be split into fields ({error}): close its quotation marks, if it "
            "has any"
        ) from error
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is not text in UTF-8, give a .tsv or .csv file, which may be compressed as .gz"
        ) from error
    return [(line, row) for line, row in numbered if any(row)]


def _separator(path: Path) -> str:
    ending = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    return "," if ending.lower() == ".csv" else "\t"


def _table_edges(path: Path, rows: list[Row]) -> list[Edge]:
    header = rows[0][1]
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise ValueError(f"{path} has several columns of the name {shortened(twice[0])!r}: keep one of them")
    if "weight" not in header and len(header) > 2:
        raise ValueError(
            f"{path} has no column 'weight', it has {', '.join(header[:6])}: give that name to the one with the sign, "
            "or leave only source and target if all edges activate"
        )
    places = {name: header.index(name) for name in COLUMNS if name in header}
    edges = []
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise ValueError(f"{path}: line {line} has {len(row)} fields where {len(header)} are expected")
        text = row[places["weight"]] if "weight" in places else "1"
        try:
            weight = float(text.replace("_", "?"))  # Python reads 1_0 as ten, which nobody means in a table
        except ValueError as error:
            raise ValueError(f"{path}: the weight at line {line}, {text!r}, is not a number: give one") from error
        edges.append((line, row[places["source"]], row[places["target"]], weight))
    return edges


def _trrust_edges(path: Path, rows: list[Row]) -> list[Edge]:
    for line, row in rows:
        if len(row) in (3, 4) and row[2] in _MODES:
            continue
        wanted = f"no row of TRRUST (factor, target, one of {', '.join(_MODES)})"
        if line != rows[0][0]:
            raise ValueError(f"{path}: line {line} is {wanted}: give it that form, or leave it out")
        separator = "commas" if _separator(path) == "," else "tabs"
        raise ValueError(
            f"{path}: line {line} is {wanted} and no header with the names source and target, in lower case; between "
            f"{separator}, which the ending asks for, it holds {', '.join(map(repr, row))[:100]}: rename the columns, "
            "or give a .csv file with commas or a .tsv file with tabs"
        )
    return [(line, row[0], row[1], _MODES[row[2]]) for line, row in rows]
