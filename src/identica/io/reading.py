"""Reading a table from a file, told by the file's ending."""

import os
from dataclasses import replace
from pathlib import Path

from identica.io.auxiliary import read_auxiliary
from identica.io.columns import Roles
from identica.io.errors import DataError
from identica.io.idx import is_idx, read_idx
from identica.io.table import Table

__all__ = ["ENDINGS", "read_table"]

ENDINGS = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".h5ad")
TABLES = (".csv", ".tsv", ".parquet")
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
    without: str | None = None,
) -> Table:
    r"""Read a table of finite real numbers from a file.

    Parameters
    ----------
    path : str or path
        A .npy, .npz, .csv, .tsv, .parquet or .h5ad file, or an IDX file such as MNIST's. In text files the header is
        optional (a first row of numbers alone is data) and a first column without a name, as pandas writes it, holds
        the names of the rows.
    layer : str, optional
        Layer of a .h5ad file; without it `X` is read.
    key : str, optional
        Name of the array in a .npz file; needed where it holds several.
    index_column : str, optional
        Column of a .csv, .tsv or .parquet file that holds the names of the rows.
    auxiliary : str, optional
        What holds an auxiliary variable, one value for each row: a column of a .csv, .tsv or .parquet file, which then
        is no feature; a column of `obs` of a .h5ad file; for arrays and images, a .npy or IDX file of its own. Text,
        whole numbers and categories are labels, real numbers are continuous.
    without : str, optional
        Column of a .csv, .tsv or .parquet file that is no feature and is left out, where there is one.

    Returns
    -------
    Table
        Values and names.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged, not what its ending says, or holds anything but one table of
        finite real numbers; or if an option does not belong to its kind.
    ImportError
        If anndata, which .h5ad files need, is not installed.

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
    ending = IDX if is_idx(path) else path.suffix.lower()
    if path.is_dir():
        raise DataError(f"{path} is a directory, give a file")
    if ending not in (*ENDINGS, IDX):
        raise DataError(f"{path} has the unknown ending {ending!r}, use one of {', '.join(ENDINGS)} or an IDX file")
    _check_option("layer", layer, ending, (".h5ad",))
    _check_option("key", key, ending, (".npz",))
    _check_option("index_column", index_column, ending, TABLES)
    table = _read(path, ending, layer, key, Roles(index_column, auxiliary, without))
    if auxiliary is None or ending in (*TABLES, ".h5ad"):
        return table
    return replace(table, auxiliary=read_auxiliary(Path(auxiliary), len(table.values), path))


def _read(path: Path, ending: str, layer: str | None, key: str | None, roles: Roles) -> Table:
    try:
        _check_file(path)
        # Each reader imports what it alone needs.
        match ending:
            case ".npy":
                from identica.io.arrays import read_npy

                return read_npy(path)
            case ".npz":
                from identica.io.arrays import read_npz

                return read_npz(path, key)
            case _ if ending == IDX:
                return Table.checked(read_idx(path), path)
            case ".parquet":
                from identica.io.parquet import read_parquet

                return read_parquet(path, roles)
            case ".h5ad":
                from identica.io.anndata import read_h5ad

                return read_h5ad(path, layer, roles.auxiliary)
            case _:
                from identica.io.delimited import read_delimited

                return read_delimited(path, "," if ending == ".csv" else "\t", roles)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _check_option(name: str, value: str | None, ending: str, allowed: tuple[str, ...]) -> None:
    if value is not None and ending not in allowed:
        raise DataError(f"{name}={value!r} is for {', '.join(allowed)} files, leave it out for {ending} files")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path} does not exist, give an existing file")
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"{path} is empty, give a file with data")
