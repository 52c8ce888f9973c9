"""The tool that names components by the transcription factors that they are."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd
from numpy.random import RandomState
from pandas.api import types

from identica.arguments import check_integer, check_real
from identica.datasets import Regulon
from identica.single_cell.enrichment import write_programs
from identica.single_cell.expression import check_anndata, check_writable
from identica.single_cell.labels import Labels, match_factors, signed_net
from identica.single_cell.names import NameMatch, match_names
from identica.single_cell.written import UNASSIGNED, record_of, weights_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["label_components"]


def label_components(
    adata: AnnData,
    net: pd.DataFrame,
    *,
    key: str = "dica",
    alpha: float = 0.01,
    min_targets: int = 5,
    n_permutations: int = 1000,
    random_state: int | RandomState | None = 0,
    copy: bool = False,
) -> AnnData | None:
    """Name each component by the transcription factor whose signed targets its influence matches best.

    A pair's score is the correlation, over genes, between the component's influence, in units of each gene's standard
    deviation, and the factor's signed weights, its sign dropped since that of a component is arbitrary. Pairs are
    chosen so that the sum of their squared scores is largest, each factor once. A p-value is the share of
    permutations of the genes in which any pair at all reaches that score, so that it holds for all components
    together.

    Names of genes are matched as they are, and where that gives nothing, whatever their case, with a warning: Gata1 of
    mice is GATA1 of a network of humans. Where several genes or targets differ in case alone, only those written the
    same are matched.

    Parameters
    ----------
    adata : AnnData
        After :func:`identica.tl.dica`.
    net : DataFrame
        With the columns source, target and weight, as decoupler has it; names of targets are those of genes in
        var_names.
    key : str, default="dica"
        Name under which the components were written.
    alpha : float, default=0.01
        Components with a larger p-value are named "unassigned".
    min_targets : int, default=5
        Factors with fewer targets among the genes are left out.
    n_permutations : int, default=1000
        Number of permutations.
    random_state : int, RandomState or None, default=0
        Seed or generator of the permutations.
    copy : bool, default=False
        Whether to write into a copy and return that.

    Returns
    -------
    AnnData or None
        The copy, if asked for. Written are uns[key]["labels"], a DataFrame with one row per component: label,
        factor, score (negative where the component runs against the factor), pvalue and n_targets. Further
        uns[key]["matching"]: how many "genes" the data and how many "targets" `net` have, how many are "common", how
        many of these differ in case ("by_case"), and how many targets were left out as "ambiguous". And
        uns[key]["net"] and uns[key]["gene_sets"], as by :func:`identica.tl.dica`, with these names.

    Raises
    ------
    KeyError
        If there are no components of that name.
    TypeError
        If `adata` is no AnnData, or `copy` neither True nor False.
    ValueError
        If no target of `net` is a gene of the data, or no factor has enough of them. If a number is out of range, two
        genes have one name, or no gene has a finite influence other than zero. If the data stay in a file and a copy is
        asked for.
    """
    check_anndata(adata)
    check_real("alpha", alpha, at_least=0, at_most=1)
    if check_integer("n_permutations", n_permutations, 1) + 1 < 1 / max(alpha, 1e-12):
        raise ValueError(
            f"n_permutations={n_permutations} gives no p-value below 1 / {n_permutations + 1}, and so never one of "
            f"alpha={alpha}: use more permutations, or a larger alpha"
        )
    check_writable(adata, copy=copy)
    record = record_of(adata, key)
    weights, used = weights_of(adata, key)
    names = adata.var_names.astype(str)
    regulon = signed_net(net)
    match = match_names(names, regulon.targets.tolist())
    if not match.found:
        raise ValueError(f"{match.sentence()}: {_remedy(adata, match)}")
    labels = match_factors(
        weights,
        names[used].tolist(),
        _renamed(regulon, match.found),
        min_targets=min_targets,
        n_permutations=n_permutations,
        random_state=random_state,
        note=match.sentence(),
    )
    if match.by_case or match.ambiguous:
        warnings.warn(_said_of_case(match), UserWarning, stacklevel=2)
    target = adata.copy() if copy else adata
    target.uns[key] = {**record, "labels": _table(labels, alpha), "matching": match.counts()}
    write_programs(target, key)
    return target if copy else None


def _renamed(regulon: Regulon, found: dict[str, str]) -> Regulon:
    """Keep the edges to genes of the data, under the names that these have there."""
    kept = [target in found for target in regulon.targets.tolist()]
    targets = [found[target] for target in regulon.targets[kept].tolist()]
    return Regulon(regulon.sources[kept], targets, regulon.weights[kept])


def _remedy(adata: AnnData, match: NameMatch) -> str:
    """Say which column of var has the names that are asked for, if one has."""
    asked = {target.casefold() for target in match.targets}
    shared = {}
    for name, column in adata.var.items():
        if not types.is_numeric_dtype(column.dtype):
            shared[name] = len({str(value).casefold() for value in column.dropna()} & asked)
    best = max(shared, key=lambda name: shared[name], default=None)
    if best is None or not shared[best]:
        return "give both the same kind of names, such as gene symbols"
    return (
        f"var[{best!r}] has {shared[best]:,} of them, so call adata.var_names = adata.var[{best!r}].astype(str) and "
        "adata.var_names_make_unique() before"
    )


def _said_of_case(match: NameMatch) -> str:
    said = []
    if match.by_case:
        first = match.by_case[0]
        said.append(
            f"{len(match.by_case):,} of {len(match.found):,} targets of net that are genes of the data are written in "
            f"another case there, as {first!r} for {match.found[first]!r}, and were matched whatever their case"
        )
    if match.ambiguous:
        said.append(
            f"{len(match.ambiguous):,} targets, such as {match.ambiguous[0]!r}, were left out, since several genes or "
            "several targets differ from them in case alone"
        )
    return f"{'; '.join(said)}: make sure that net is of the species of the data"


def _table(labels: Labels, alpha: float) -> pd.DataFrame:
    table = pd.DataFrame(asdict(labels))
    named = table["pvalue"] <= alpha
    table.insert(0, "label", table["factor"].where(named, UNASSIGNED))
    table.index = pd.Index([f"component_{j}" for j in range(len(table))])
    return table
