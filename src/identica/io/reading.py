"""Reading a table from a file, told by the file's ending."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from identica.io.auxiliary import read_auxiliary
from identica.io.bounded import examine_text
from identica.io.budget import Budget
from identica.io.columns import Roles
from identica.io.delimited import STANDARD_INPUT, read_delimited
from identica.io.dialect import SEPARATORS, Dialect
from identica.io.errors import DataError, MissingColumnError
from identica.io.idx import examine_idx, is_idx, read_idx
from identica.io.stores import ANNDATA, examine_store
from identica.io.table import Table

__all__ = ["ENDINGS", "examine_table", "read_table"]

Result = TypeVar("Result")

USUAL = {".csv": Dialect(","), ".tsv": Dialect("\t"), ".txt": Dialect("\t")}
"""How text is written, by ending; any of them may end in .gz, too."""
ENDINGS = (".npy", ".npz", *USUAL, ".parquet", *ANNDATA)
TABLES = (*USUAL, ".parquet")
"""Those whose columns have names and may be other things than features."""
IDX = ".idx"
"""Stands for the endings of IDX files, such as -idx3-ubyte.gz."""


def read_table(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    key: str | None = None,
    index_column: str | None = None,
    auxiliary: str | None = None,
    covariates: Mapping[str, str] | None = None,
    size_factors: str | None = None,
    without: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    missing: bool = False,
    max_memory: float | None = None,
) -> Table:
    r"""Read a table of finite real numbers from a file.

    Parameters
    ----------
    path : str or path
        A .npy, .npz, .csv, .tsv, .txt, .parquet or .h5ad file, a .zarr directory of AnnData's, or an IDX file such as
        MNIST's; text may be gzipped, and "-" is text from standard input. In text the header is optional (a first row
        of numbers alone is data), a first column without a name, as pandas writes it, holds the names of the rows, and
        so does one for which the header has no field, as R writes it. Truth values are 1 and 0.
    layer : str, optional
        Layer of a .h5ad file or a .zarr directory; without it `X` is read.
    key : str, optional
        Name of the array in a .npz file; needed where it holds several.
    index_column : str, optional
        Column of text or a .parquet file that holds the names of the rows.
    auxiliary : str, optional
        What holds an auxiliary variable, one value for each row: a column of text or a .parquet file, which then
        is no feature; a column of `obs` of AnnData; for arrays and images, a .npy or IDX file of its own. Text,
        whole numbers and categories are labels, real numbers are continuous.
    covariates : mapping of str to {"any", "label", "number"}, optional
        Columns of text or a .parquet file, which then are no features, or of `obs` of AnnData, that hold covariates,
        and what they are: "any" takes text, whole numbers, truth values and categories for labels and real numbers for
        what they are. They are in ``beside`` of the table.
    size_factors : str, optional
        Such a column with the depth of each sample.
    without : sequence of str
        Columns of text or a .parquet file that are no features and are left out, where there are such.
    separator : {",", "\t", ";", "|", " "}, optional
        Between the fields of text, a blank being any number of them; found out where it is not given, and said where it
        is not the usual one.
    decimal : {".", ","}, optional
        Before the fraction of numbers in text; the same.
    missing : bool, default=False
        Whether values may be missing; they are NaN then, for :meth:`Table.filled`, and an error otherwise.
    max_memory : float, optional
        The most bytes that the values may take: what a file declares is checked before it is inflated. Otherwise what
        the variable IDENTICA_MAX_MEMORY of the environment says, or half of the machine's memory.

    Returns
    -------
    Table
        Values and names.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged, too large, not what its ending says, or holds anything but one table
        of finite real numbers; or if an option does not belong to its kind.
    MissingColumnError
        If a column that is asked for is not there.
    ImportError
        If anndata, which .h5ad files and .zarr directories need, is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "data.csv"
    ...     _ = path.write_text("a,b\n1,2\n3,4\n")
    ...     table = read_table(path)
    >>> table.feature_names, table.values.tolist()
    (('a', 'b'), [[1.0, 2.0], [3.0, 4.0]])
    """
    path = Path(path)
    ending = _checked_ending(path)
    _check_option("layer", layer, ending, ANNDATA)
    _check_option("key", key, ending, (".npz",))
    _check_option("index_column", index_column, ending, TABLES)
    _check_option("separator", separator, ending, tuple(USUAL))
    _check_option("decimal", decimal, ending, tuple(USUAL))
    _check_dialect(separator, decimal)
    roles = Roles(index_column, auxiliary, covariates or {}, size_factors, without)
    for column in (*roles.covariates, *(() if size_factors is None else (size_factors,))):
        if ending not in (*TABLES, *ANNDATA):
            remedy = f", since {ending} files have none: put its values into a table, or give them to fit in Python"
            raise MissingColumnError(path, column, remedy)
    budget = Budget.default() if max_memory is None else Budget(max_memory)
    if ending in USUAL:
        told: dict[str, Any] = {"separator": separator, "decimal": decimal, "missing": missing}
        table = _safely(path, budget, lambda: read_delimited(path, USUAL[ending], roles, budget, **told))
    else:
        table = _safely(path, budget, lambda: _read(path, ending, layer, key, roles, budget, missing))
    if auxiliary is None or ending in (*TABLES, *ANNDATA):
        return table
    return replace(table, auxiliary=read_auxiliary(Path(auxiliary), len(table.values), path, budget))


def examine_table(
    path: Path, *, layer: str | None = None, key: str | None = None, roles: Roles | None = None, budget: Budget
) -> None:
    """Refuse at once, as far as that takes no time, a file that :func:`read_table` would refuse.

    What reads and fits a table takes seconds to import; a lie can be told before. What cannot be told so is left to
    whoever reads the file.

    Parameters
    ----------
    path : Path
        The file.
    layer : str, optional
        Layer of a .h5ad file or a .zarr directory.
    key : str, optional
        Name of the array in a .npz file.
    roles : Roles, optional
        Columns that are no features.
    budget : Budget
        The most memory that the values may take.

    Raises
    ------
    DataError
        If what it declares is a lie, leads to other files, is too large or packed too far.
    ImportError
        If anndata, which .h5ad files and .zarr directories need, is not installed.
    """
    ending = _checked_ending(path)
    _safely(path, budget, lambda: _examine(path, ending, layer, key, roles or Roles(), budget))


def _examine(path: Path, ending: str, layer: str | None, key: str | None, roles: Roles, budget: Budget) -> None:
    if ending in ANNDATA:
        examine_store(path, layer, budget)
    elif not path.is_file():  # standard input or a pipe of text
        return
    elif ending == ".npy":
        from identica.io.arrays import examine_npy

        examine_npy(path, budget)
    elif ending == ".npz":
        from identica.io.arrays import examine_npz

        examine_npz(path, key, budget)
    elif ending == IDX:
        examine_idx(path, budget)
    elif ending in USUAL:
        examine_text(path, budget)
    elif ending == ".parquet":
        from identica.io.parquet import examine_parquet

        examine_parquet(path, roles, budget)


def _checked_ending(path: Path) -> str:
    ending = _ending(path)
    if path.is_dir() and ending != ".zarr":
        raise DataError(f"{path} is a directory, give a file")
    if ending not in (*ENDINGS, IDX):
        raise DataError(
            f"{path} has the unknown ending {ending!r}, use one of {', '.join(ENDINGS)}, .gz after one of text, or an "
            "IDX file"
        )
    return ending


def _ending(path: Path) -> str:
    """Return the ending that tells the kind of a file, without .gz."""
    if path == STANDARD_INPUT:
        return ".txt"
    if is_idx(path):
        return IDX
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower() if name == path or name.suffix.lower() in USUAL else path.suffix.lower()


def _safely(path: Path, budget: Budget, read: Callable[[], Result]) -> Result:
    try:
        _check_file(path, budget)
        return read()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _read(
    path: Path, ending: str, layer: str | None, key: str | None, roles: Roles, budget: Budget, missing: bool
) -> Table:
    # Each reader imports what it alone needs.
    match ending:
        case ".npy":
            from identica.io.arrays import read_npy

            return read_npy(path, budget, missing)
        case ".npz":
            from identica.io.arrays import read_npz

            return read_npz(path, key, budget, missing)
        case ".parquet":
            from identica.io.parquet import read_parquet

            return read_parquet(path, roles, budget, missing)
        case _ if ending in ANNDATA:
            from identica.io.anndata import read_anndata

            return read_anndata(path, layer, roles, budget, missing)
        case _:
            return Table.checked(read_idx(path, budget), path, missing=missing)


def _check_dialect(separator: str | None, decimal: str | None) -> None:
    if separator is not None and separator not in SEPARATORS:
        known = ", ".join(f"{name} ({mark!r})" for mark, name in SEPARATORS.items())
        raise DataError(f"separator={separator!r} is not known: give that of {known}")
    if decimal not in (None, ".", ","):
        raise DataError(f"decimal={decimal!r} is not known: give '.' or ','")
    if decimal is not None and decimal == separator:
        raise DataError(f"separator and decimal are both {decimal!r}: give two that differ")


def _check_option(name: str, value: str | None, ending: str, allowed: tuple[str, ...]) -> None:
    if value is not None and ending not in allowed:
        raise DataError(f"{name}={value!r} is for {', '.join(allowed)} files, leave it out for {ending} files")


def _check_file(path: Path, budget: Budget) -> None:
    if path == STANDARD_INPUT:
        return
    if not path.exists():
        raise DataError(f"{path} does not exist, give an existing file")
    if not (path.is_file() or path.is_dir() or _ending(path) in USUAL):
        raise DataError(
            f"{path} is no regular file, and {_ending(path)} files are not read as they come: save it first"
        )
    if path.is_file():
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty, give a file with data")
        budget.check_holes(path)
