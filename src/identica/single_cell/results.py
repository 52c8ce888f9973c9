"""What a fit leaves in an AnnData: components, influences, scales, a record and the programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from identica.single_cell.components import describe_components
from identica.single_cell.enrichment import write_programs

if TYPE_CHECKING:
    from anndata import AnnData

    from identica.estimators import ComponentAnalysis

__all__ = ["Fitted", "check_place", "mean_jacobian", "write_results"]

POINTS = 1024
"""Cells at which the Jacobian is averaged."""


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """What a method was fitted to.

    Parameters
    ----------
    values : ndarray of shape (n_obs, n_used)
        Of the genes used.
    genes : ndarray of bool of shape (n_vars,)
        Which genes these are.
    known : mapping
        Covariates and size factors of the cells, by name.
    size_factor_key : str, optional
        Column of obs with the size factors; totals without it.
    """

    values: NDArray[np.floating[Any]]
    genes: NDArray[np.bool_]
    known: Mapping[str, Any] = field(default_factory=dict)
    size_factor_key: str | None = None

    @property
    def depth(self) -> str:
        """Where the depths of counts come from; "none" where there are no counts."""
        return "none" if "size_factors" not in self.known else self.size_factor_key or "total"

    @property
    def covariates(self) -> list[str]:
        """Names of the covariates."""
        given = self.known.get("covariates")
        return [] if given is None else [str(name) for name in given.columns]


def check_place(written: object, key: str, remedy: str) -> None:
    """Refuse to replace what this library has not written.

    Parameters
    ----------
    written : object
        What uns holds under the name; None where it holds nothing.
    key : str
        The name.
    remedy : str
        What to do, the end of a sentence.

    Raises
    ------
    ValueError
        If it is no record of a fit.
    """
    if written is not None and not (isinstance(written, Mapping) and "params" in written):
        raise ValueError(f"uns[{key!r}] holds something else: {remedy}")


def write_results(
    target: AnnData,
    method: ComponentAnalysis,
    latents: NDArray[np.floating[Any]],
    fitted: Fitted,
    *,
    key: str,
    layer: str | None,
    normalize: bool,
) -> None:
    """Write what :func:`identica.tl.dica` documents.

    Parameters
    ----------
    target : AnnData
        Where to.
    method : fitted estimator
        Of this library.
    latents : ndarray of shape (n_obs, n_components)
        The components of the cells.
    fitted : Fitted
        The cells that it was fitted to.
    key : str
        Names what is written.
    layer : str or None
        From where the values are.
    normalize : bool
        Whether they were normalised.
    """
    influence, scale = mean_jacobian(method, fitted.values, fitted.known), np.asarray(method.scale_)
    record = _record(method, layer=layer, normalize=normalize, n_genes=int(fitted.genes.sum()))
    record["params"] |= {"covariates": fitted.covariates, "size_factors": fitted.depth}
    record["components"] = describe_components(method, latents, influence / np.where(scale > 0, scale, 1.0)[:, None])
    target.obsm[f"X_{key}"] = np.asarray(latents)
    target.varm[f"{key}_influence"] = _spread(influence, fitted.genes)
    target.var[f"{key}_scale"] = _spread(scale, fitted.genes)
    target.uns[key] = record
    write_programs(target, key)


def _spread(values: NDArray[np.floating[Any]], genes: NDArray[np.bool_]) -> NDArray[np.floating[Any]]:
    """Put what belongs to some genes among zeros for the others."""
    result = np.zeros((len(genes), *values.shape[1:]), dtype=values.dtype)
    result[genes] = values
    return result


def mean_jacobian(
    method: ComponentAnalysis, values: NDArray[np.floating[Any]], known: Mapping[str, Any] | None = None
) -> NDArray[np.floating[Any]]:
    """Return the mean of dx/ds_j over cells spread evenly through the data.

    Parameters
    ----------
    method : fitted estimator
        Fitted.
    values : ndarray of shape (n_obs, n_genes)
        What it was fitted on.
    known : mapping, optional
        Covariates and size factors of the same cells, by name.

    Returns
    -------
    ndarray of shape (n_genes, n_components)
        In units of each gene per standard deviation of the component.
    """
    frame = pd.DataFrame(values, columns=method.feature_names_in_, copy=False)
    chosen = np.linspace(0, len(values) - 1, min(POINTS, len(values))).astype(int)
    parts = np.array_split(chosen, max(1, len(chosen) // 64))
    total = sum(method.jacobian(frame.iloc[part], **_rows(known or {}, part)).sum(axis=0) for part in parts)
    return np.asarray(total / len(chosen))


def _rows(known: Mapping[str, Any], rows: NDArray[np.intp]) -> dict[str, Any]:
    return {name: value.iloc[rows] if isinstance(value, pd.DataFrame) else value[rows] for name, value in known.items()}


def _record(method: ComponentAnalysis, *, layer: str | None, normalize: bool, n_genes: int) -> dict[str, Any]:
    """Say what was done and how well it went, in values that AnnData can write."""
    parameters = {
        "n_components": int(method.n_components),
        "solver": method._solver().kind,
        "criterion": method._criterion().kind,
        "likelihood": method.likelihood,
        "random_state": int(method.random_state) if isinstance(method.random_state, Integral) else "None",
        "normalize": normalize,
        "n_genes": n_genes,
        "layer": "X" if layer is None else layer,
    }
    figures = {
        "criterion": method.criterion_,
        "volume_efficiency": method.volume_efficiency_,
        "reconstruction_error": method.reconstruction_error_,
        "linear_reconstruction_error": method.linear_reconstruction_error_,
    }
    texts = {}
    if hasattr(method, "restart_agreement_"):
        figures["restart_agreement"] = method.restart_agreement_
    if method.start_agreement_ is not None:
        figures["start_agreement"] = method.start_agreement_
    texts["verdict"] = method.verdict_.level
    return {"params": parameters, **{name: float(value) for name, value in figures.items()}, **texts}
