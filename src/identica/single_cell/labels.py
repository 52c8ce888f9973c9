"""Which transcription factor a component is: its influence on the genes against the factors' signed targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from identica.arguments import check_integer, local_random
from identica.datasets import Regulon
from identica.datasets.regulons import COLUMNS

__all__ = ["Labels", "match_factors", "signed_net"]

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Labels:
    """The factor matched to each component.

    Parameters
    ----------
    factor : list of str
        Names; empty where there are fewer factors than components.
    score : ndarray of shape (n_components,)
        Correlation between influence and signed targets.
    pvalue : ndarray of shape (n_components,)
        Share of permutations in which any pair reaches the score.
    n_targets : ndarray of int of shape (n_components,)
        Targets of the factor among the genes.
    """

    factor: list[str]
    score: FloatArray
    pvalue: FloatArray
    n_targets: NDArray[np.intp]


def match_factors(
    influence: FloatArray,
    genes: list[str],
    regulon: Regulon,
    *,
    min_targets: int,
    n_permutations: int,
    random_state: int | RandomState | None,
    note: str,
) -> Labels:
    """Match components with factors; see :func:`identica.tl.label_components`.

    Parameters
    ----------
    influence : ndarray of shape (n_genes, n_components)
        In comparable units.
    genes : list of str
        Names of the rows.
    regulon : Regulon
        Signed edges.
    min_targets : int
        Factors with fewer are left out.
    n_permutations : int
        Number of permutations.
    random_state : int, RandomState or None
        Seed or generator.
    note : str
        What the error is to say of the names, where no factor has enough targets.

    Returns
    -------
    Labels
        One factor per component.

    Raises
    ------
    ValueError
        If no factor has enough targets among the genes.
    """
    check_integer("min_targets", min_targets, 1)
    weights = regulon.matrix(genes=genes)
    n_targets = np.count_nonzero(weights, axis=0)
    kept = n_targets >= min_targets
    if not kept.any():
        raise ValueError(
            f"no factor of net has {min_targets} targets among the {len(genes):,} genes that were fitted, the most is "
            f"{int(n_targets.max(initial=0))}; {note}: use the same names for genes in both, fit more genes, or lower "
            "min_targets"
        )
    names = [name for name, keep in zip(regulon.factors, kept, strict=True) if keep]
    ours, theirs = _unit_columns(influence), _unit_columns(weights[:, kept] / np.abs(weights[:, kept]).max(axis=0))
    scores = ours.T @ theirs
    rows, columns = linear_sum_assignment(scores**2, maximize=True)
    random = local_random(random_state)
    # Over all pairs, so that one bound holds for all components together.
    highest = np.array([np.abs(ours[random.permutation(len(ours))].T @ theirs).max() for _ in range(n_permutations)])
    factor, score = [""] * influence.shape[1], np.zeros(influence.shape[1])
    pvalue, counts = np.ones(influence.shape[1]), np.zeros(influence.shape[1], dtype=np.intp)
    for j, k in zip(rows.tolist(), columns.tolist(), strict=True):
        factor[j], score[j], counts[j] = names[k], scores[j, k], n_targets[kept][k]
        pvalue[j] = (1 + np.count_nonzero(highest >= abs(scores[j, k]))) / (1 + n_permutations)
    return Labels(factor, score, pvalue, counts)


def signed_net(net: pd.DataFrame | Regulon) -> Regulon:
    """Check a table of signed edges.

    Parameters
    ----------
    net : DataFrame or Regulon
        A table has the columns source, target and weight.

    Returns
    -------
    Regulon
        Its edges.

    Raises
    ------
    TypeError
        If it is neither a table nor a regulon.
    ValueError
        If a column is missing or doubled, a row is incomplete, or all weights are 0.
    """
    if isinstance(net, Regulon):
        return net
    if not isinstance(net, pd.DataFrame):
        raise TypeError(f"net is a {type(net).__name__}: give a DataFrame with the columns source, target and weight")
    missing = [name for name in COLUMNS if name not in net]
    if missing:
        raise ValueError(
            f"net has no column {missing[0]!r}, it has {', '.join(map(str, net.columns[:6])) or 'none'}: rename the "
            "one that holds it"
        )
    twice = [name for name in COLUMNS if list(net.columns).count(name) > 1]
    if twice:
        raise ValueError(f"net has several columns {twice[0]!r}: keep one")
    weights = pd.to_numeric(net["weight"], errors="coerce")
    whole = weights.notna() & net["source"].notna() & net["target"].notna()
    if not whole.all():
        row = net.index[~whole].tolist()[0]
        raise ValueError(f"row {row!r} of net has no source, no target or no number as weight: leave such rows out")
    if not len(net):
        raise ValueError("net has no row: give the factors' signed targets")
    if not (weights != 0).any():
        raise ValueError("all weights of net are 0: give signed weights")
    return Regulon.from_frame(net)


def _unit_columns(values: NDArray[Any]) -> FloatArray:
    centred = values - values.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(size > 0, size, 1.0))
