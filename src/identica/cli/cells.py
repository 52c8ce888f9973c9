"""AnnData on the command line: which genes are read, how deep cells are, and files with the components in them."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table
    from identica.io.budget import Budget
    from identica.io.columns import Roles

__all__ = [
    "GENES",
    "check_cells_file",
    "check_place_in",
    "holds_cells",
    "key_of",
    "latents_of",
    "read_cells",
    "results_of",
    "totals_over_all_genes",
    "write_cells",
]

GENES = ("highly-variable", "all")
"""What may be said of the genes to read."""


def holds_cells(path: Path) -> bool:
    """Tell by its name whether a file is AnnData's.

    Parameters
    ----------
    path : Path
        The file or directory.

    Returns
    -------
    bool
        Whether it ends in .h5ad or .zarr.
    """
    from identica.io.stores import ANNDATA

    return path.suffix.lower() in ANNDATA


def read_cells(
    path: Path,
    layer: str | None,
    roles: Roles,
    budget: Budget,
    *,
    genes: str | None = None,
    names: Sequence[str] | None = None,
    missing: bool = False,
) -> Table:
    """Read some genes of a .h5ad file or a .zarr directory; of the others nothing is held.

    Parameters
    ----------
    path : Path
        The file or directory, which exists.
    layer : str or None
        Where the values are; None means X.
    roles : Roles
        Columns of obs that are asked for.
    budget : Budget
        The most memory that the dense values may take.
    genes : {"highly-variable", "all"}, optional
        Which genes; by default those marked in var["highly_variable"], as `identica.tl.dica` takes them, and all where
        there is no such column.
    names : sequence of str, optional
        The genes of a fitted model, which are read instead.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Table
        Genes in the order of the file.

    Raises
    ------
    DataError
        If the file cannot be used, is too large, or lacks genes.
    """
    from identica.io import DataError
    from identica.io.anndata import open_cells, table_of
    from identica.single_cell.expression import dense_expression, select_genes

    if genes not in (None, *GENES):
        raise DataError(f"--genes {genes} is not known: use {' or '.join(GENES)}, or leave it out")
    with open_cells(path, layer, budget) as cells:
        if names is None:
            try:
                chosen = select_genes(cells, None if genes is None else genes == "highly-variable")
            except ValueError as error:
                raise DataError(f"{path}: {_as_options(str(error))}") from error
        else:
            chosen = np.asarray(cells.var_names.isin(list(names)))
            lacking = sorted(set(names) - set(cells.var_names))
            if lacking:
                raise DataError(
                    f"{path} lacks {len(lacking)} of the {len(names)} genes that the model was fitted on, such as "
                    f"{lacking[0]!r}: give a file that has them, under the same names"
                )
        twice = cells.var_names[chosen & np.asarray(cells.var_names.duplicated(keep=False))]
        if len(twice):
            raise DataError(
                f"{path}: the gene name {str(twice[0])!r} occurs several times: call adata.var_names_make_unique() "
                "and write the file anew"
            )
        n_genes = int(chosen.sum())
        if names is None and n_genes < cells.n_vars:
            remedy = ": --genes all takes all" if genes is None else ""
            warnings.warn(
                f'{path}: {n_genes} of {cells.n_vars} genes are marked in var["highly_variable"], and they alone are '
                f"fitted{remedy}",
                UserWarning,
                stacklevel=2,
            )
        held = np.float64 if cells.X.dtype == np.float64 else np.float32
        cells.X.check(budget, n_genes, held)
        values = dense_expression(cells, None, chosen)
        return table_of(cells, values, list(cells.var_names[chosen]), path, roles, missing=missing)


def _as_options(sentence: str) -> str:
    """Name options in the place of arguments of `identica.tl.dica`."""
    for argument, option in (("True", "highly-variable"), ("False", "all")):
        sentence = sentence.replace(f"use_highly_variable={argument}", f"--genes {option}")
    return sentence


def totals_over_all_genes(path: Path, layer: str | None) -> tuple[NDArray[np.float64], int]:
    """Return the depth of cells as `identica.tl.dica` takes it: their totals over all genes.

    Parameters
    ----------
    path : Path
        A .h5ad file or a .zarr directory.
    layer : str or None
        Where the counts are; None means X.

    Returns
    -------
    totals : ndarray of shape (n_obs,)
        At least 1.
    n_genes : int
        How many genes there are.

    Raises
    ------
    ValueError
        If the values are no counts.
    """
    from identica.io.anndata import open_cells
    from identica.io.budget import Budget
    from identica.single_cell.covariates import size_factors

    with open_cells(path, layer, Budget.unlimited()) as cells:
        return size_factors(cells, None, None), cells.n_vars


def key_of(model: ComponentAnalysis) -> str:
    """Return the name under which a method's components are written.

    Parameters
    ----------
    model : ComponentAnalysis
        The method.

    Returns
    -------
    str
        "dica", or that of another method.
    """
    return model.method.replace("-", "_")


def results_of(
    model: ComponentAnalysis, table: Table, latents: NDArray[Any], *, layer: str | None, size_factor_key: str | None
) -> dict[str, Any]:
    """Return what `identica.tl.dica` writes into an AnnData, by its place there.

    Parameters
    ----------
    model : ComponentAnalysis
        Fitted to the table.
    table : Table
        Of a .h5ad file or a .zarr directory.
    latents : ndarray of shape (n_obs, n_components)
        Its components.
    layer : str or None
        From where it was read.
    size_factor_key : str or None
        The column of size factors, where there was one.

    Returns
    -------
    dict
        For :func:`write_cells`.
    """
    from anndata import AnnData

    from identica.io.anndata import open_cells
    from identica.io.budget import Budget
    from identica.single_cell.results import Fitted, write_results

    with open_cells(table.path, layer, Budget.unlimited()) as cells:
        genes = np.asarray(cells.var_names.isin(table.feature_names or ()))
        target = AnnData(obs=pd.DataFrame(index=cells.obs_names), var=pd.DataFrame(index=cells.var_names))
    key = key_of(model)
    fitted = Fitted(table.values, genes, table.beside.given(), size_factor_key)
    write_results(target, model, latents, fitted, key=key, layer=layer, normalize=False)
    return {
        f"obsm/X_{key}": target.obsm[f"X_{key}"],
        f"varm/{key}_influence": target.varm[f"{key}_influence"],
        f"var/{key}_scale": target.var[f"{key}_scale"].to_numpy(),
        f"uns/{key}": target.uns[key],
    }


def latents_of(model: ComponentAnalysis, latents: NDArray[Any]) -> dict[str, Any]:
    """Return what is written into cells that a model was not fitted to: their components alone.

    Influences and records that another fit has left under the same name are removed, since they are of others.

    Parameters
    ----------
    model : ComponentAnalysis
        The model.
    latents : ndarray of shape (n_obs, n_components)
        Their components.

    Returns
    -------
    dict
        For :func:`write_cells`.
    """
    key = key_of(model)
    stale = (f"varm/{key}_influence", f"var/{key}_scale", f"uns/{key}")
    return {f"obsm/X_{key}": np.asarray(latents), **dict.fromkeys(stale)}


def check_cells_file(output: Path, data: Path, budget: Budget) -> None:
    """Make sure, before any work, that cells can be written.

    Parameters
    ----------
    output : Path
        Where to.
    data : Path
        Where they come from.
    budget : Budget
        The most memory that all parts of a .zarr directory, which are copied, may take.

    Raises
    ------
    DataError
        If the data hold no cells or parts that are too large, or the output is a directory.
    """
    from identica.io import DataError
    from identica.io.stores import damage
    from identica.io.zarr_store import check_zarr

    if not holds_cells(data):
        raise DataError(
            f"output {output} is of cells, and {data} has none: give a .h5ad file or a .zarr directory, or an output "
            "ending in .npy, .csv, .tsv or .parquet"
        )
    if output.is_dir():
        raise DataError(f"output {output} is a directory, give the name of a file")
    if data.suffix.lower() == ".zarr" and data.is_dir():
        with damage(data):
            check_zarr(data, budget, tuple(part.name for part in data.iterdir() if part.is_dir()), ())


def check_place_in(data: Path, model: ComponentAnalysis, remedy: str) -> None:
    """Refuse, before any work, to replace what this library has not written, by the rule of `identica.tl.dica`.

    Parameters
    ----------
    data : Path
        A .h5ad file or a .zarr directory.
    model : ComponentAnalysis
        The method, whose name says where its components are written.
    remedy : str
        What else to do than to delete it, the end of a sentence.

    Raises
    ------
    DataError
        If uns holds something else under the method's name.
    """
    from identica.io import DataError
    from identica.io.anndata import names_at
    from identica.single_cell.results import check_place

    key = key_of(model)
    names = names_at(data, f"uns/{key}")
    try:
        check_place(None if names is None else dict.fromkeys(names), key, f"delete it before, or {remedy}")
    except ValueError as error:
        raise DataError(f"{data}: {error}") from error


def write_cells(data: Path, output: Path, results: Mapping[str, Any]) -> None:
    """Write a .h5ad file with all that is in another one and results beside it, whole or not at all.

    A .h5ad file is copied as it is, and only what is new is written into the copy.

    Parameters
    ----------
    data : Path
        A .h5ad file or a .zarr directory.
    output : Path
        The file.
    results : mapping of str to object
        Arrays and records by their place, such as obsm/X_dica; what is there already is replaced, and removed where the
        value is None.

    Raises
    ------
    DataError
        If a part of the data cannot be copied.
    OSError
        If the file cannot be written.
    """
    from identica.io import DataError, atomic_path

    with atomic_path(output) as temporary, warnings.catch_warnings():
        # About the versions of parts that are copied.
        warnings.simplefilter("ignore")
        try:
            _copy(data, temporary)
            _add(temporary, results)
        except OSError:
            raise
        except Exception as error:  # what libraries raise where a part cannot be copied or the disk is full
            message = " ".join(str(error).split())[:200]
            raise DataError(
                f"{output} cannot be written from {data} ({message}): read and write {data} anew"
            ) from error


def _copy(data: Path, output: Path) -> None:
    """Copy a file as it is, or what is no file in today's form into one."""
    import anndata
    import h5py

    from identica.io.anndata import is_old

    if data.suffix.lower() == ".zarr":
        anndata.read_zarr(data).write_h5ad(output)
        return
    with h5py.File(data, "r") as group:
        old = is_old(group)
    if old:
        anndata.read_h5ad(data).write_h5ad(output)
    else:
        shutil.copyfile(data, output)


def _add(path: Path, results: Mapping[str, Any]) -> None:
    import h5py

    from identica.io.anndata import elements

    read_elem, write_elem = elements("read_elem", "write_elem")
    with h5py.File(path, "r+") as group:
        for place, value in results.items():
            room, name = place.split("/")
            if value is None:
                _remove(group, room, name, read_elem, write_elem)
                continue
            if room == "var":
                write_elem(group, "var", read_elem(group["var"]).assign(**{name: value}))
                continue
            if room not in group:
                write_elem(group, room, {})
            write_elem(group[room], name, value)


def _remove(group: Any, room: str, name: str, read_elem: Any, write_elem: Any) -> None:
    if room == "var":
        write_elem(group, "var", read_elem(group["var"]).drop(columns=name, errors="ignore"))
    elif room in group and name in group[room]:
        del group[room][name]
