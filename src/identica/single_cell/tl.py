"""Tools that write what they find into an AnnData: the components, and the transcription factors that they are."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from identica.arguments import check_choice, check_integer
from identica.estimators import DICA
from identica.estimators.parameters import LIKELIHOODS
from identica.preparation import check_counts, fit_covariates, n_directions
from identica.single_cell.covariates import CovariateKeys, size_factors
from identica.single_cell.expression import (
    cell_totals,
    check_anndata,
    check_writable,
    dense_expression,
    looks_like_counts,
    negatives_in_words,
    normalise_counts,
    select_genes,
)
from identica.single_cell.naming import label_components
from identica.single_cell.results import Fitted, check_place, write_results

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["N_COMPONENTS", "OF_COUNTS", "default_number", "dica", "label_components"]

N_COMPONENTS = 12
"""Where no number is given, at most: two above ten, since superfluous ones are marked and missing ones not found."""
LARGEST_LOGARITHM = 20.0
"""Of expression: that to base 2 of a million."""
OF_COUNTS = "poisson"
"""The likelihood of raw counts where none is chosen."""


def dica(
    adata: AnnData,
    n_components: int | None = None,
    *,
    layer: str | None = None,
    likelihood: str | None = None,
    size_factor_key: str | None = None,
    batch_key: str | None = None,
    categorical_covariate_keys: Sequence[str] | None = None,
    continuous_covariate_keys: Sequence[str] | None = None,
    use_highly_variable: bool | None = None,
    normalize: bool | None = None,
    key_added: str = "dica",
    random_state: int | RandomState | None = 0,
    copy: bool = False,
    **parameters: Any,
) -> AnnData | None:
    """Find components of expression by DICA.

    Parameters
    ----------
    adata : AnnData
        Cells by genes, raw counts or expression on a logarithmic scale; dense, sparse or backed.
    n_components : int, optional
        Number of components, better a few too many than too few: those that are empty or duplicates of others are
        marked. By default 12, or the number of genes, or of counts that of the directions which stand out from their
        noise (:func:`identica.preparation.n_directions`), where these are fewer. :func:`identica.trust.choose` looks
        for the number that other cells confirm, by many fits.
    layer : str, optional
        Layer to use; X by default.
    likelihood : {"negative-binomial", "poisson", "residuals", "gaussian"}, optional
        How expression follows the components, see :class:`identica.DICA`. By default raw counts are recognised and
        have "poisson", and everything else "gaussian".
    size_factor_key : str, optional
        Column of obs with the size factor of each cell; for counts the total over all genes by default, whichever of
        them are used.
    batch_key : str, optional
        Column of obs with the batch of each cell, whose effect on each gene is taken out.
    categorical_covariate_keys, continuous_covariate_keys : sequence of str, optional
        Columns of obs with further labels, or numbers, whose effects are taken out.
    use_highly_variable : bool, optional
        Whether to use only the genes marked in var["highly_variable"]; by default where there is such a column.
    normalize : bool, optional
        True brings every cell to the median total over all genes and takes ln(1 + x) of a copy, instead of a likelihood
        of counts; False uses values as they are, whatever they look like.
    key_added : str, default="dica"
        Names what is written.
    random_state : int, RandomState or None, default=0
        Seed or generator; None draws a new one each time.
    copy : bool, default=False
        Whether to write into a copy and return that.
    **parameters
        Of :class:`identica.DICA`.

    Returns
    -------
    AnnData or None
        The copy, if asked for. Written are obsm["X_dica"] (n_obs, n_components), varm["dica_influence"] (n_vars,
        n_components), the mean of dx/ds_j over cells in the units of the values fitted (0 for genes not used),
        var["dica_scale"], the genes' standard deviations, for counts those of their own noise at the mean depth (also
        0), and uns["dica"]: parameters and figures;
        "components", a table of them (see :func:`identica.get.components`); "net" and "gene_sets", the genes that
        follow each most (see :func:`identica.get.net` and :func:`identica.get.gene_sets`).

    Raises
    ------
    TypeError
        If `adata` is no AnnData, or `normalize` or `use_highly_variable` is of the wrong type.
    ValueError
        If `key_added` is no name. If a copy or a part of a backed file is asked for. If counts are needed and values
        are logarithms, or any, also of genes not used, is negative or not finite. If a column of obs is not there or
        cannot be used, genes share a name, or the values cannot be fitted. Nothing is written then.

    Examples
    --------
    >>> from identica import Training, tl
    >>> from identica.datasets import make_cells
    >>> adata = make_cells(200, 2, random_state=0).to_anndata()
    >>> tl.dica(adata, 2, n_init=1, training=Training(max_steps=40))
    >>> adata.obsm["X_dica"].shape, adata.varm["dica_influence"].shape == (adata.n_vars, 2)
    ((200, 2), True)
    """
    check_anndata(adata)
    if not isinstance(key_added, str) or not key_added or "/" in key_added:
        raise ValueError(f"key_added={key_added!r} is not possible: give a name without a slash")
    check_place(adata.uns.get(key_added), key_added, "give another key_added, or delete it before")
    if use_highly_variable is not None and not isinstance(use_highly_variable, bool | np.bool_):
        raise TypeError(f"use_highly_variable={use_highly_variable!r} is not possible: give True, False or None")
    check_writable(adata, copy=copy)
    if normalize is not None and not isinstance(normalize, bool | np.bool_):
        raise TypeError(f"normalize={normalize!r} is not possible: give True, False or None")
    if likelihood is not None:
        check_choice("likelihood", likelihood, LIKELIHOODS)
    if normalize and likelihood not in (None, "gaussian"):
        raise ValueError(
            f"normalize=True takes the logarithm of counts, and likelihood={likelihood!r} is of counts themselves: "
            "leave one of them out"
        )
    if n_components is not None:
        n_components = check_integer("n_components", n_components, 1)
    genes = select_genes(adata, use_highly_variable)
    if adata.n_obs < 2:
        cells = "1 cell" if adata.n_obs else "0 cells"
        raise ValueError(f"the data have {cells}: give at least 2, and thousands to learn much")
    values = dense_expression(adata, layer, genes)
    names = adata.var_names[genes].astype(str)
    finite = bool(np.isfinite(values).all())  # what is not is refused, and placed, by the fit
    if normalize:
        if layer is None and "log1p" in adata.uns and not looks_like_counts(values):
            raise ValueError(
                'normalize=True takes a logarithm, and uns["log1p"] says that X is on one already: pass '
                "normalize=False, or the layer with the counts"
            )
        if finite and values.size and values.max() < LARGEST_LOGARITHM and not looks_like_counts(values):
            warnings.warn(
                f"normalize=True takes a logarithm, and the values, fractions of up to {values.max():.3g}, look as if "
                "they were on one already: if so, pass normalize=False, or the layer with the counts",
                UserWarning,
                stacklevel=2,
            )
        values = normalise_counts(values, cell_totals(adata, layer))
    elif likelihood is None and normalize is None and finite and values.size:
        if looks_like_counts(values):
            likelihood = OF_COUNTS
        elif doubt := negatives_in_words(values):
            warnings.warn(doubt, UserWarning, stacklevel=2)
    elif likelihood not in (None, "gaussian") and finite and values.size and not looks_like_counts(values):
        _check_no_logarithms(adata, layer, str(likelihood), pd.DataFrame(values, columns=names, copy=False))
    likelihood = "gaussian" if likelihood is None else likelihood
    known: dict[str, Any] = {}
    keys = CovariateKeys(batch_key, categorical_covariate_keys, continuous_covariate_keys)
    if keys.names:
        known["covariates"] = keys.read(adata)
    if likelihood != "gaussian":
        known["size_factors"] = size_factors(adata, layer, size_factor_key)
    elif size_factor_key is not None:
        raise ValueError(
            f"size_factor_key={size_factor_key!r} is of use for counts, and the likelihood is 'gaussian': choose "
            "another likelihood, or leave it out"
        )
    if n_components is None:
        n_components = default_number(values, likelihood, known)
    method = DICA(n_components, likelihood=likelihood, random_state=random_state, **parameters)
    found = np.asarray(method.fit_transform(pd.DataFrame(values, columns=names, copy=False), **known))
    target = adata.copy() if copy else adata
    write_results(
        target,
        method,
        found,
        Fitted(values, genes, known, size_factor_key),
        key=key_added,
        layer=layer,
        normalize=bool(normalize),
    )
    return target if copy else None


def _check_no_logarithms(adata: AnnData, layer: str | None, likelihood: str, values: pd.DataFrame) -> None:
    """Refuse a likelihood of counts where X is known to be logarithms or negative, and warn of other fractions."""
    if layer is None and "log1p" in adata.uns:
        raise ValueError(
            f'likelihood={likelihood!r} is of counts, and uns["log1p"] says that X is on a logarithmic scale: give the '
            "layer with the counts, or leave the likelihood out"
        )
    check_counts(values.to_numpy(), likelihood, values.columns)
    warnings.warn(
        f"likelihood={likelihood!r} is of counts, and the values are fractions: if they are logarithms, give the layer "
        "with the counts; corrected counts are taken as they are",
        UserWarning,
        stacklevel=3,
    )


def default_number(values: NDArray[Any], likelihood: str, known: Mapping[str, Any]) -> int:
    """Return how many components there are where no number is given.

    Parameters
    ----------
    values : ndarray of shape (n_obs, n_genes)
        Of the genes used.
    likelihood : str
        How they follow the components.
    known : mapping
        Covariates and size factors of the cells, by name, where there are some.

    Returns
    -------
    int
        12, or the number of genes, or of counts that of the directions which stand out from their noise, where these
        are fewer; at least 1.
    """
    at_most = max(1, min(N_COMPONENTS, int(values.shape[1])))
    if likelihood == "gaussian" or not np.isfinite(values).all() or (values < 0).any():  # which the fit refuses
        return at_most
    covariates = fit_covariates(known["covariates"], len(values))[1] if "covariates" in known else None
    return max(1, n_directions(values, at_most, size_factors=known.get("size_factors"), covariates=covariates))
