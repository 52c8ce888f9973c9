"""Rows that a fit never sees, and how well it reconstructs them beside PCA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from identica.io import Table

if TYPE_CHECKING:
    from identica.preparation import Observed

__all__ = ["reconstruction_beside_pca", "split_rows"]

Rows = NDArray[np.intp]


class _Model(Protocol):
    n_components: int
    observed_: Observed

    def reconstruct(self, X: Any, **known: Any) -> NDArray[np.floating[Any]]: ...


def split_rows(n_samples: int, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Draw the rows to fit on and those to hold out.

    Parameters
    ----------
    n_samples : int
        Number of all rows.
    fraction : float
        Share to hold out, in [0, 1).
    seed : int
        Seed of the draw.

    Returns
    -------
    tuple of two ndarrays of int
        Rows to fit on and rows held out, both ascending.

    Raises
    ------
    ValueError
        If `fraction` is out of range, or leaves fewer than 2 rows.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"holdout={fraction} is not a share of the rows, use at least 0 and less than 1")
    n_held_out = round(fraction * n_samples)
    if n_samples - n_held_out < 2:
        raise ValueError(
            f"holdout={fraction} leaves {n_samples - n_held_out} of {n_samples} rows to fit on, use a smaller share"
        )
    order = np.random.default_rng(seed).permutation(n_samples)
    return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])


def reconstruction_beside_pca(
    model: _Model, table: Table, train: Rows, held_out: Rows, seed: int
) -> Mapping[str, Mapping[str, float | None]]:
    r"""Measure how much of the held-out rows' variance a model and PCA leave unexplained.

    :math:`\sum (x - \hat x)^2 / \sum (x - \bar x)^2` over held-out rows and features, :math:`\bar x` the mean
    of the rows fitted on. PCA has as many components, sees the same rows, and sees them as the model does:
    each feature divided by the model's scale. Both are measured

    - in "standardised_units": each feature divided by that scale;
    - in "own_units": as in the file.

    Parameters
    ----------
    model : fitted estimator
        Has ``n_components`` and ``reconstruct``.
    table : Table
        All rows.
    train, held_out : ndarray of int
        Rows fitted on, rows held out.
    seed : int
        Seed of PCA's randomised solver.

    Returns
    -------
    dict of dict of float
        For either unit the shares of "model" and "pca"; None where the held-out rows do not vary.
    """
    seen, unseen = table.values[train], table.values[held_out]
    restored = np.asarray(model.reconstruct(table.rows(held_out), **table.beside.given(held_out))).reshape(unseen.shape)
    observed = model.observed_
    given, asked = (_design(observed, table, rows) for rows in (train, held_out))
    target = observed.standardised(unseen, asked)
    pca = _pca(observed.standardised(seen, given), target, model.n_components, seed)
    nothing = observed.restored(np.zeros_like(target), asked)
    by_unit = {
        "standardised_units": (target, np.zeros_like(target), observed.standardised(restored, asked), pca),
        "own_units": (unseen, nothing, restored, observed.unstandardised(pca, asked)),
    }
    shares = {}
    for unit, (true, base, by_model, by_pca) in by_unit.items():
        total = float(np.square(true - base).sum())
        errors = {name: np.square(made - true).sum() for name, made in (("model", by_model), ("pca", by_pca))}
        shares[unit] = {name: float(error) / total if total else None for name, error in errors.items()}
    return shares


def _design(observed: Observed, table: Table, rows: Rows) -> NDArray[np.float64] | None:
    known = table.beside.given(rows)
    return observed.design(table.values[rows], known.get("covariates"), known.get("size_factors"))


def _pca(inputs: NDArray[Any], target: NDArray[Any], n_components: int, seed: int) -> NDArray[Any]:
    from sklearn.decomposition import PCA

    from identica.preparation import pca_solver

    solver = pca_solver(*inputs.shape)
    pca = PCA(min(n_components, *inputs.shape), svd_solver=solver, random_state=seed).fit(inputs)
    return np.asarray(pca.inverse_transform(pca.transform(target)))
