"""Reading AnnData's .h5ad files and .zarr directories: names and columns at once, the matrix as it is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from identica.io.auxiliary import Auxiliary
from identica.io.beside import Beside
from identica.io.budget import Budget
from identica.io.columns import Roles, few
from identica.io.compressed import check_compressed, check_n_values, check_pointers
from identica.io.errors import DataError, MissingColumnError
from identica.io.stores import damage, open_store
from identica.io.table import Table, held_as

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cells",
    "elements",
    "is_old",
    "names_at",
    "open_cells",
    "read_anndata",
    "table_of",
]


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """What is needed of an AnnData that stays in its file, under AnnData's names.

    Parameters
    ----------
    X : matrix of shape (n_obs, n_vars)
        X, or the layer that was chosen; parts of it are read when they are sliced.
    obs, var : DataFrame
        Of observations and variables.
    layers : dict
        Empty.
    """

    X: _Matrix
    obs: pd.DataFrame
    var: pd.DataFrame
    layers: dict[str, Any] = field(default_factory=dict)

    @property
    def n_obs(self) -> int:
        """Number of observations."""
        return len(self.obs)

    @property
    def n_vars(self) -> int:
        """Number of variables."""
        return len(self.var)

    @property
    def obs_names(self) -> pd.Index[Any]:
        """Names of observations."""
        return self.obs.index.astype(str)

    @property
    def var_names(self) -> pd.Index[Any]:
        """Names of variables."""
        return self.var.index.astype(str)


@final
@dataclass(frozen=True, eq=False)
class _Matrix:
    """A matrix in a file, dense or sparse; what goes wrong when a part of it is read is said to be damage."""

    stored: Any
    path: Path
    is_sparse: bool

    @property
    def shape(self) -> tuple[int, int]:
        with damage(self.path):
            n_obs, n_vars = self.stored.shape
            return int(n_obs), int(n_vars)

    @property
    def dtype(self) -> np.dtype[Any]:
        # Parts of a sparse matrix are opened when they are asked for.
        with damage(self.path):
            kind: np.dtype[Any] = np.dtype(self.stored.dtype)
            return kind

    @property
    def format(self) -> str | None:
        return self.stored.format if self.is_sparse else None

    def check(self, budget: Budget, n_vars: int, dtype: DTypeLike) -> None:
        """Refuse what is too large as a dense matrix of some variables, or packed so far that it is a lie."""
        with damage(self.path):
            self._check(budget, n_vars, dtype)

    def _check(self, budget: Budget, n_vars: int, dtype: DTypeLike) -> None:
        article = "a part of a" if n_vars < self.shape[1] else "a"
        what = f"{article} {'sparse' if self.is_sparse else 'dense'} matrix"
        shape = (self.shape[0], n_vars)
        if hasattr(self.stored, "toarray") or isinstance(self.stored, np.ndarray):
            budget.check(self.path, shape, dtype, what)
            check_compressed(self.stored)
            return
        if not self.is_sparse:
            share = n_vars / max(1, self.shape[1])
            budget.check_stored(self.path, shape, dtype, math.ceil(share * _n_stored(self.stored)), what)
            return
        budget.check(self.path, shape, dtype, what)
        group = self.stored.group
        for name in ("data", "indices", "indptr"):
            part, of = group[name], f"the {name} of a sparse matrix"
            budget.check_stored(self.path, part.shape, part.dtype, _n_stored(part), of)
        check_pointers(np.asarray(group["indptr"][:]), math.prod(group["indices"].shape))
        n_values = math.prod(group["data"].shape)
        check_n_values(self.path, self.shape, n_values)
        budget.check_density(self.path, shape, dtype, n_values)

    def __getitem__(self, part: Any) -> Any:
        with damage(self.path):
            found = self.stored[part]
            if self.is_sparse:
                check_compressed(found)
            return found


@contextmanager
def open_cells(path: Path, layer: str | None, budget: Budget) -> Iterator[Cells]:
    """Open a .h5ad file or a .zarr directory.

    Parameters
    ----------
    path : Path
        The file or directory.
    layer : str or None
        Name of the layer to read from; None, or "X" where no layer has that name, means `X`.
    budget : Budget
        The most memory that names and columns may take.

    Yields
    ------
    Cells
        Of which only names and columns are in memory.

    Raises
    ------
    ImportError
        If anndata is not installed.
    DataError
        If it is neither, is damaged, or has no such matrix.
    """
    with ExitStack() as files:
        with damage(path):
            group = files.enter_context(open_store(path, budget, layer))
            read_elem, sparse_dataset = elements("read_elem", "sparse_dataset")
            if not {"obs", "var"} <= set(group):
                raise DataError(
                    f"{path} is damaged or not AnnData's (it has no tables obs and var), write it with "
                    f"AnnData.write_{path.suffix.lower()[1:]}"
                )
            stored = _chosen(group, layer, path)
            if is_old(group):
                import anndata

                whole = anndata.read_h5ad(path)
                obs, var = whole.obs, whole.var
                stored = whole.layers.get(layer, whole.X)
                matrix = _Matrix(stored, path, is_sparse=hasattr(stored, "toarray"))
            else:
                obs, var = read_elem(group["obs"]), read_elem(group["var"])
                is_sparse = hasattr(stored, "keys")
                matrix = _Matrix(sparse_dataset(stored) if is_sparse else stored, path, is_sparse)
            if not all(hasattr(table, "columns") and hasattr(table, "index") for table in (obs, var)):
                raise DataError(f"{path} is damaged or not AnnData's (obs and var are no tables): write it anew")
            if matrix.shape != (len(obs), len(var)):
                raise DataError(f"{path} is damaged: its matrix has the shape {matrix.shape}, and obs and var another")
        yield Cells(matrix, obs, var)


def is_old(group: Any) -> bool:
    """Tell whether a file was written before AnnData 0.7, which no part can be read of alone.

    Parameters
    ----------
    group : group of h5py or zarr
        That holds everything.

    Returns
    -------
    bool
        Whether its tables are single arrays.
    """
    return not hasattr(group["obs"], "keys")


def names_at(path: Path, place: str) -> tuple[str, ...] | None:
    """Return the names of what a part of a file holds, without reading it.

    Parameters
    ----------
    path : Path
        A .h5ad file or a .zarr directory.
    place : str
        The part, such as uns/dica.

    Returns
    -------
    tuple of str or None
        None where there is no such part, nothing where it is a single value.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    with damage(path), open_store(path, Budget.unlimited(), None) as group:
        if place not in group:
            return None
        part = group[place]
        return tuple(part.keys()) if hasattr(part, "keys") else ()


def elements(*names: str) -> tuple[Any, ...]:
    """Return functions of AnnData that read and write parts of a file, wherever its version has them.

    Parameters
    ----------
    *names : str
        Of the functions.

    Returns
    -------
    tuple of callable
        The functions.
    """
    try:
        from anndata import io as place
    except ImportError:  # before 0.11
        from anndata import experimental as place
    return tuple(getattr(place, name) for name in names)


def _n_stored(array: Any) -> int:
    """Return how many bytes an array of h5py or zarr takes in its file."""
    if hasattr(array, "id"):
        return int(array.id.get_storage_size())
    told = array.nbytes_stored
    return int(told() if callable(told) else told)


def _chosen(group: Any, layer: str | None, path: Path) -> Any:
    names = list(group["layers"]) if "layers" in group else []
    if layer == "X" and layer not in names:
        layer = None
    layers = ", ".join(names) or "none"
    if layer is not None:
        if layer not in names:
            raise DataError(f"{path} has no layer {layer!r}, its layers are: {layers}; without one X is read")
        return group["layers"][layer]
    if "X" not in group or group["X"].attrs.get("encoding-type") == "null":
        remedy = f"choose one of its layers: {layers}" if names else "and no layers: write the matrix into it first"
        raise DataError(f"{path} has no X, {remedy}")
    return group["X"]


def read_anndata(path: Path, layer: str | None, roles: Roles, budget: Budget, missing: bool = False) -> Table:
    """Read `X` or a layer of a .h5ad file or a .zarr directory, dense or sparse.

    Parameters
    ----------
    path : Path
        The file or directory.
    layer : str or None
        Name of the layer; None means `X`.
    roles : Roles
        Columns of `obs` that are asked for.
    budget : Budget
        The most memory that the dense values may take.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        Dense values with the names of observations and variables.

    Raises
    ------
    ImportError
        If anndata is not installed.
    DataError
        If it is neither, is damaged, has no such matrix or column, or the matrix is too large or cannot be used.
    """
    with open_cells(path, layer, budget) as cells:
        matrix = cells.X
        matrix.check(budget, cells.n_vars, held_as(matrix.dtype, 2))
        values = matrix[:, :]
        values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
        return table_of(cells, values, list(cells.var_names), path, roles, missing=missing)


def table_of(
    cells: Cells, values: NDArray[Any], names: Sequence[str], path: Path, roles: Roles, *, missing: bool = False
) -> Table:
    """Build a table of what was read of an AnnData.

    Parameters
    ----------
    cells : Cells
        Where it comes from.
    values : ndarray of shape (n_obs, n_features)
        Of all variables, or of some.
    names : sequence of str
        Of these.
    path : Path
        The file.
    roles : Roles
        Columns of `obs` that are asked for.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        With the columns.

    Raises
    ------
    DataError
        If something cannot be used.
    MissingColumnError
        If a column is not there.
    """
    columns = [str(name) for name in cells.obs.columns]
    for name in roles.needed:
        if name not in columns:
            there = f"whose first columns are {few(columns)}" if columns else "which has none"
            raise MissingColumnError(path, name, f" in obs, {there}: give one of obs")
    auxiliary = (
        None if roles.auxiliary is None else Auxiliary.checked(cells.obs[roles.auxiliary], path, roles.auxiliary)
    )
    known = {name: cells.obs[name].reset_index(drop=True) for name in roles.needed}
    beside = Beside.checked(
        known, roles, path, lambda i, name: f"cell {str(cells.obs_names[i])!r}, obs column {name!r}"
    )
    return Table.checked(values, path, names, list(cells.obs_names), auxiliary, beside, missing=missing)
