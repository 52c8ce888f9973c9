"""How commands read the table that they are given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import arg

from identica.cli.options import Name

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["Flat", "Reading"]

NAMED = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "bar": "|", "blank": " "}
"""What a shell does not easily give as it is."""
Mark = Annotated[str | None, arg(metavar="MARK")]


@final
@dataclass(frozen=True)
class Reading:
    """How to read a table.

    Parameters
    ----------
    layer : str
        Layer of a .h5ad file or a .zarr directory; X by default.
    key : str
        Array of a .npz file that holds several.
    index_column : str
        Column of text or a .parquet file that holds the names of the rows.
    separator : str
        Of the fields of text: comma, tab, semicolon, bar, blank, or the mark itself; found out by default.
    decimal : str
        Of numbers in text: "." or ","; found out by default.
    missing : str
        What to put where a value is missing: mean, that of its column, with a model that of the rows it was fitted to;
        by default a missing value is an error.
    """

    layer: Name = None
    key: Name = None
    index_column: Name = None
    separator: Mark = None
    decimal: Mark = None
    missing: Annotated[str | None, arg(metavar="mean")] = None

    def table(self, path: Path, *, auxiliary: str | None = None, without: str | None = None) -> Table:
        """Read a table to fit to.

        Parameters
        ----------
        path : Path
            The file, or "-" for standard input.
        auxiliary, without : str, optional
            See :func:`identica.io.read_table`.

        Returns
        -------
        Table
            Without missing values.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        table = self._read(path, auxiliary, without)
        return table if self.missing is None else table.filled()

    def table_for(self, model: ComponentAnalysis, path: Path) -> Table:
        """Read a table that has the features of a fitted model, put into their order.

        Parameters
        ----------
        model : ComponentAnalysis
            Fitted.
        path : Path
            The file, or "-" for standard input.

        Returns
        -------
        Table
            Without missing values: those of the fit's means are put where one is.

        Raises
        ------
        DataError
            If it cannot be read, or its features are others.
        """
        from identica.cli.features import column_apart, in_order_of

        table = in_order_of(model, self._read(path, None, column_apart(model)))
        return table if self.missing is None else table.filled(model.mean_.ravel())

    def _read(self, path: Path, auxiliary: str | None, without: str | None) -> Table:
        from identica.io import read_table

        if self.missing not in (None, "mean"):
            raise ValueError(f"missing={self.missing} is not known: use mean, or leave it out")
        return read_table(
            path,
            layer=self.layer,
            key=self.key,
            index_column=self.index_column,
            auxiliary=auxiliary,
            without=without,
            separator=None if self.separator is None else NAMED.get(self.separator, self.separator),
            decimal=self.decimal,
            missing=self.missing is not None,
        )


Flat = Annotated[Reading, arg(name="")]
"""Whose fields are options of the command itself."""
