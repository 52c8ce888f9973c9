"""Reading AnnData's .h5ad files and .zarr directories."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identica.io.auxiliary import Auxiliary
from identica.io.columns import few
from identica.io.errors import DataError
from identica.io.table import Table
from identica.machine import memory_shortage

__all__ = ["read_anndata"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"  # of every HDF5 file
_GROUPS = (".zgroup", "zarr.json")  # of every Zarr directory, by its version


def read_anndata(path: Path, layer: str | None, auxiliary: str | None = None, missing: bool = False) -> Table:
    """Read `X` or a layer of a .h5ad file or a .zarr directory, dense or sparse.

    Parameters
    ----------
    path : Path
        The file or directory.
    layer : str or None
        Name of the layer; None means `X`.
    auxiliary : str, optional
        Column of `obs` that holds an auxiliary variable.
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
        If it is neither, is damaged, has no such matrix, or the matrix cannot be used.
    """
    kind = "zarr" if path.suffix.lower() == ".zarr" else "h5ad"
    if kind == "zarr":
        right = any((path / name).is_file() for name in _GROUPS)
    else:
        with path.open("rb") as file:
            right = file.read(len(_SIGNATURE)) == _SIGNATURE
    if not right:
        what = "directory" if kind == "zarr" else "file"
        raise DataError(f"{path} is not a .{kind} {what}, write it with AnnData.write_{kind}")
    try:
        import anndata
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs anndata, which is not installed: pip install 'identica[anndata]'"
        ) from error
    try:
        with warnings.catch_warnings():
            # They are about parts of the file that are not read here; what is read is checked below.
            warnings.simplefilter("ignore")
            data = anndata.read_zarr(path) if kind == "zarr" else anndata.read_h5ad(path)
    except Exception as error:  # what a broken file raises depends on where it is broken
        message = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path} is damaged or not AnnData's ({message}), write it with AnnData.write_{kind}"
        ) from error
    layers = ", ".join(data.layers.keys()) or "none"
    if layer is not None and layer not in data.layers:
        raise DataError(f"{path} has no layer {layer!r}, its layers are: {layers}; without one X is read")
    matrix = data.X if layer is None else data.layers[layer]
    if matrix is None:
        remedy = (
            f"choose one of its layers: {layers}" if data.layers else "and no layers: write the matrix into it first"
        )
        raise DataError(f"{path} has no X, {remedy}")
    known = None if auxiliary is None else _in_obs(data.obs, auxiliary, path)
    return Table.checked(_dense(matrix, path), path, list(data.var_names), list(data.obs_names), known, missing=missing)


def _in_obs(obs: Any, column: str, path: Path) -> Auxiliary:
    if column not in obs.columns:
        there = (
            f"whose first columns are {few([str(name) for name in obs.columns])}"
            if len(obs.columns)
            else "which has none"
        )
        raise DataError(f"{path} has no column {column!r} in obs, {there}: give one of obs")
    return Auxiliary.checked(obs[column], path, column)


def _dense(matrix: Any, path: Path) -> NDArray[Any]:
    if not hasattr(matrix, "toarray"):
        return np.asarray(matrix)
    if shortage := memory_shortage(matrix.shape[0] * matrix.shape[1] * matrix.dtype.itemsize):
        raise DataError(
            f"{path} holds a sparse matrix of shape {matrix.shape}, which when dense takes {shortage}: choose fewer "
            "features, for example highly variable genes"
        )
    return np.asarray(matrix.toarray())
