"""How commands read the table that they are given."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import arg

from identica.cli.options import Name

if TYPE_CHECKING:
    from identica.cli.beside import BesideOptions
    from identica.estimators import ComponentAnalysis
    from identica.io import Table
    from identica.io.budget import Budget
    from identica.io.columns import Roles

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
        Layer of a .h5ad file or a .zarr directory; X by default, and with a model the layer that its fit has read, as
        run.json beside it says.
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
    genes : str
        Of a .h5ad file or a .zarr directory: all, or highly-variable, those marked in var["highly_variable"]; by
        default those where some are marked. A model reads its own genes.
    max_memory : str
        The most that the values of the table may take, such as 8GiB; half of the machine's memory by default.
    """

    layer: Name = None
    key: Name = None
    index_column: Name = None
    separator: Mark = None
    decimal: Mark = None
    missing: Annotated[str | None, arg(metavar="mean")] = None
    genes: Annotated[str | None, arg(metavar="all|highly-variable")] = None
    max_memory: Annotated[str | None, arg(metavar="SIZE")] = None

    def table(self, path: Path, *, auxiliary: str | None = None, beside: BesideOptions | None = None) -> Table:
        """Read a table to fit to.

        Parameters
        ----------
        path : Path
            The file, or "-" for standard input.
        auxiliary : str, optional
            See :func:`identica.io.read_table`.
        beside : BesideOptions, optional
            Columns of covariates and size factors.

        Returns
        -------
        Table
            Without missing values.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        table = self._read(path, self._roles(auxiliary, beside))
        return table if self.missing is None else table.filled()

    def examine(self, path: Path, *, auxiliary: str | None = None, beside: BesideOptions | None = None) -> None:
        """Refuse a file that lies before what fits it is imported, which takes seconds.

        Parameters
        ----------
        path : Path
            The file, or "-" for standard input.
        auxiliary : str, optional
            See :func:`identica.io.read_table`.
        beside : BesideOptions, optional
            Columns of covariates and size factors.

        Raises
        ------
        DataError
            If it does.
        """
        from identica.io.reading import examine_table

        roles = self._roles(auxiliary, beside)
        examine_table(path, layer=self.layer, key=self.key, roles=roles, budget=self.budget)

    def _roles(self, auxiliary: str | None, beside: BesideOptions | None) -> Roles:
        from identica.io.columns import Roles

        kinds = {} if beside is None else beside.kinds()
        depth = None if beside is None else beside.size_factor_key
        return Roles(self.index_column, auxiliary, kinds, depth)

    @property
    def budget(self) -> Budget:
        """The most memory that what is read may take."""
        from identica.io.budget import Budget, read_size

        return Budget.default() if self.max_memory is None else Budget(read_size(self.max_memory, "--max-memory"))

    def table_for(
        self, model: ComponentAnalysis, path: Path, fitted: Path, *, size_factor_key: str | None = None
    ) -> Table:
        """Read a table that has the features of a fitted model, put into their order, and what else the model needs.

        Parameters
        ----------
        model : ComponentAnalysis
            Fitted.
        path : Path
            The file, or "-" for standard input.
        fitted : Path
            Where the model is: the record of its fit beside it knows where depths came from.
        size_factor_key : str, optional
            Column of size factors, in place of the one that the record names.

        Returns
        -------
        Table
            Without missing values: those of the fit's means are put where one is.

        Raises
        ------
        DataError
            If it cannot be read, or its features are others.
        MissingColumnError
            If a column that the model needs is not there.
        """
        from identica.cli.beside import kinds_in_model
        from identica.cli.cells import holds_cells
        from identica.cli.depth import column_of_depths, with_depths_of_model
        from identica.cli.features import columns_apart, in_order_of
        from identica.cli.record import read_record
        from identica.io.columns import Roles
        from identica.io.errors import MissingColumnError

        record = read_record(fitted.parent / "run.json")
        depth = column_of_depths(model, record, told=size_factor_key, path=fitted)
        kinds = kinds_in_model(model)
        without = [name for name in columns_apart(model, record) if name not in (*kinds, depth)]
        names = tuple(getattr(model, "feature_names_in_", ())) if holds_cells(path) else ()
        roles = Roles(self.index_column, None, kinds, depth, without)
        layer = _layer_of(record) if self.layer is None and holds_cells(path) else self.layer
        reading = dataclasses.replace(self, layer=layer)
        try:
            table = in_order_of(model, reading._read(path, roles, names))
        except MissingColumnError as error:
            if error.name not in roles.needed:
                raise
            what = roles.needed[error.name]
            told = f", which {fitted} was fitted with as {what}: give it for these samples, too"
            raise MissingColumnError(path, error.name, told) from None
        table = table if self.missing is None else table.filled(model.mean_.ravel())
        return with_depths_of_model(model, record, table, layer=layer)

    def _read(self, path: Path, roles: Roles, names: tuple[str, ...] = ()) -> Table:
        from identica.cli.cells import holds_cells, read_cells
        from identica.io import DataError, read_table

        if self.missing not in (None, "mean"):
            raise ValueError(f"missing={self.missing} is not known: use mean, or leave it out")
        budget = self.budget
        given = {"key": self.key, "index_column": self.index_column, "separator": self.separator}
        given |= {"decimal": self.decimal}
        if holds_cells(path) and path.exists() and not any(given.values()):
            return read_cells(
                path,
                self.layer,
                roles,
                budget,
                genes=self.genes,
                names=names or None,
                missing=self.missing is not None,
            )
        if self.genes is not None:
            raise DataError(f"--genes {self.genes} is of use for .h5ad and .zarr, and {path} is neither: leave it out")
        return read_table(
            path,
            layer=self.layer,
            key=self.key,
            index_column=self.index_column,
            auxiliary=roles.auxiliary,
            covariates=roles.covariates,
            size_factors=roles.size_factors,
            without=roles.without,
            separator=None if self.separator is None else NAMED.get(self.separator, self.separator),
            decimal=self.decimal,
            missing=self.missing is not None,
            max_memory=budget.n_bytes if budget.was_given else None,
        )


def _layer_of(record: Mapping[str, Any] | None) -> str | None:
    """Return the layer that a fit has read."""
    data = (record or {}).get("data")
    layer = data.get("layer") if isinstance(data, dict) else None
    return layer if isinstance(layer, str) else None


Flat = Annotated[Reading, arg(name="")]
"""Whose fields are options of the command itself."""
