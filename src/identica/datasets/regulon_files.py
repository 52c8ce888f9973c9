"""Reading regulons: the files of TRRUST, and tables with the columns source, target and weight."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from identica.datasets.regulons import COLUMNS, Regulon

__all__ = ["read_regulon"]

_MODES = {"Activation": 1.0, "Repression": -1.0, "Unknown": 0.0}


def read_regulon(path: str | os.PathLike[str]) -> Regulon:
    """Read a file of TRRUST v2, or a table with the columns source, target and weight as decoupler writes it.

    Parameters
    ----------
    path : str or path
        A .tsv or .csv file. Without a header it is taken as TRRUST's: factor, target, mode and, optionally, sources
        of the knowledge.

    Returns
    -------
    Regulon
        All rows as they are; :meth:`Regulon.clean` makes a network of them.

    Raises
    ------
    ValueError
        If the file is neither; the line is given.

    References
    ----------
    H. Han et al., "TRRUST v2: an expanded reference database of human and mouse transcriptional regulatory
    interactions", Nucleic Acids Research 46, 2018.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter="," if path.suffix.lower() == ".csv" else "\t") if row]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8, give a .tsv or .csv file") from error
    if not rows:
        raise ValueError(f"{path} is empty, give a file with edges")
    header = [name.strip() for name in rows[0]]
    if {"source", "target"} <= set(header):
        return _read_table(path, header, rows[1:])
    return _read_trrust(path, rows)


def _read_table(path: Path, header: list[str], rows: list[list[str]]) -> Regulon:
    places = {name: header.index(name) for name in COLUMNS if name in header}
    weights = []
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise ValueError(f"{path}: line {line} has {len(row)} fields where {len(header)} are expected")
        text = row[places["weight"]] if "weight" in places else "1"
        try:
            weights.append(float(text))
        except ValueError as error:
            raise ValueError(f"{path}: the weight at line {line}, {text!r}, is not a number") from error
    return Regulon(
        [row[places["source"]].strip() for row in rows], [row[places["target"]].strip() for row in rows], weights
    )


def _read_trrust(path: Path, rows: list[list[str]]) -> Regulon:
    for line, row in enumerate(rows, 1):
        if len(row) not in (3, 4) or row[2] not in _MODES:
            raise ValueError(
                f"{path}: line {line} is no row of TRRUST (factor, target, one of {', '.join(_MODES)}), and the first "
                "line does not name the columns source and target"
            )
    return Regulon([row[0] for row in rows], [row[1] for row in rows], [_MODES[row[2]] for row in rows])
