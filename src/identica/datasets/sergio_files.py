"""The input files of SERGIO: one of targets with their regulators, one of masters with their production rates."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from identica.arguments import check_real
from identica.datasets.gene_network import GeneNetwork
from identica.io.bounded import bounded_lines
from identica.io.budget import Budget
from identica.io.files import atomic_write, check_output_file

__all__ = ["read_sergio", "write_sergio"]

LONGEST = 2**22
"""Letters of a line: a gene with some hundred thousand regulators."""


def read_sergio(
    targets: str | os.PathLike[str], masters: str | os.PathLike[str], *, hill: float | None = None
) -> GeneNetwork:
    """Read a network from SERGIO's two input files.

    Parameters
    ----------
    targets : str or path
        Each row: a gene's number, the number k of its regulators, the k regulators, the k strengths, the k Hill
        coefficients; the last are left out where `hill` is given.
    masters : str or path
        Each row: a gene's number and its production rate in each bin.
    hill : float, optional
        One Hill coefficient for all edges.

    Returns
    -------
    GeneNetwork
        Genes are numbered from 0, as in the files.

    Raises
    ------
    ValueError
        If a row cannot be used; the line is given. If the network cannot be simulated, or a file is too large for the
        limit of the environment.
    """
    if hill is not None:
        check_real("hill", hill, above=0)
    for path in (targets, masters):
        if not Path(path).is_file():
            raise ValueError(f"{path} is no file: give one of SERGIO's, with commas between numbers")
    edges: list[tuple[int, int, float, float]] = []
    genes: set[int] = set()
    seen: set[int] = set()
    for line, row in _rows(Path(targets)):
        where = f"{targets}: line {line}"
        if len(row) < 2 or row[1] != int(row[1]) or not 1 <= row[1] <= len(row):
            raise ValueError(
                f"{where} does not say in its second field how many regulators follow: give a number from 1, and as "
                "many regulators, strengths and Hill coefficients"
            )
        k = int(row[1])
        expected = 2 + (2 if hill is not None else 3) * k
        if len(row) not in (expected, 2 + 3 * k):
            raise ValueError(f"{where} has {len(row)} fields where {expected} are expected for {k} regulator(s)")
        if int(row[0]) in seen:
            raise ValueError(f"{where} names gene {row[0]:g} a second time, give each target one row")
        seen.add(int(row[0]))
        target, regulators, strengths = _gene(row[0], where), row[2 : 2 + k], row[2 + k : 2 + 2 * k]
        hills = [hill] * k if hill is not None else row[2 + 2 * k :]
        genes |= {target, *(_gene(value, where) for value in regulators)}
        if any(value <= 0 for value in hills):
            raise ValueError(f"{where} has a Hill coefficient that is not positive")
        edges += [(int(r), target, s, h) for r, s, h in zip(regulators, strengths, hills, strict=True)]
    sources: list[int] = []
    rates: list[list[float]] = []
    for line, row in _rows(Path(masters)):
        where = f"{masters}: line {line}"
        if len(row) < 2 or (rates and len(row) != len(rates[0]) + 1):
            raise ValueError(f"{where} has {len(row)} fields: give a gene and its rate in each bin, as in every row")
        if min(row[1:]) < 0:
            raise ValueError(f"{where} has a negative production rate")
        sources.append(_gene(row[0], where))
        rates.append(row[1:])
    if not rates:
        raise ValueError(f"{masters} is empty, give at least one gene with its production rates")
    if len(set(sources)) < len(sources):
        raise ValueError(f"{masters} names a gene twice, give each master one row")
    genes |= set(sources)
    missing = next((gene for gene in range(len(genes)) if gene not in genes), None)
    if missing is not None:
        raise ValueError(f"{targets} and {masters} name gene {max(genes)} and not gene {missing}: number all from 0")
    columns = np.array(edges, dtype=np.float64).reshape(-1, 4)
    try:
        return GeneNetwork(
            n_genes=max(genes) + 1,
            regulator=columns[:, 0].astype(np.intp),
            target=columns[:, 1].astype(np.intp),
            strength=columns[:, 2],
            hill=columns[:, 3],
            masters=np.array(sources, dtype=np.intp),
            rates=np.array(rates, dtype=np.float64),
        )
    except ValueError as error:
        raise ValueError(f"{targets} and {masters}: {error}") from error


def write_sergio(network: GeneNetwork, targets: str | os.PathLike[str], masters: str | os.PathLike[str]) -> None:
    """Write a network as SERGIO's two input files.

    Parameters
    ----------
    network : GeneNetwork
        What to write.
    targets, masters : str or path
        Names of the files, as in :func:`read_sergio`.

    Raises
    ------
    ValueError
        If they are one file, or one of them cannot be written; neither is then.
    """
    if os.path.realpath(targets) == os.path.realpath(masters):
        raise ValueError(f"targets and masters are both {targets}: give two names")
    for path in (targets, masters):  # before either is written
        check_output_file(path)
    with atomic_write(targets, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        for gene in np.unique(network.target):
            edges = np.flatnonzero(network.target == gene)
            columns = (network.regulator[edges], network.strength[edges], network.hill[edges])
            writer.writerow([int(gene), len(edges), *(value for column in columns for value in column.tolist())])
    with atomic_write(masters, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        for gene, rates in zip(network.masters.tolist(), network.rates.tolist(), strict=True):
            writer.writerow([gene, *rates])


def _rows(path: Path) -> Iterator[tuple[int, list[float]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = bounded_lines(path, file, Budget.default(), most=LONGEST, kept=True)
            for line, fields in enumerate(_fields(path, lines), 1):
                while fields and not fields[-1].strip():
                    fields.pop()
                try:
                    numbers = [_number(field) for field in fields]
                except ValueError as error:
                    raise ValueError(f"{path}: line {line} holds something that is not a number: {error}") from error
                if not np.isfinite(numbers).all():
                    raise ValueError(f"{path}: line {line} holds a number that is not finite")
                if numbers:
                    yield line, numbers
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8, give a file with commas between numbers") from error


def _fields(path: Path, lines: Iterator[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise ValueError(f"{path} is no file with commas between numbers: {error}") from error


def _number(field: str) -> float:
    if "_" in field:  # which Python would leave out
        raise ValueError(f"could not convert string to float: {field!r}")
    return float(field)


def _gene(value: float, where: str) -> int:
    if value < 0 or value != int(value):
        raise ValueError(f"{where} has the gene {value:g}: genes are numbered 0, 1, 2, ...")
    return int(value)
