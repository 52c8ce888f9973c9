"""Programs written into an AnnData in the forms that enrichment takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identica.single_cell import get
from identica.single_cell.written import record_of

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["write_programs"]


def write_programs(adata: AnnData, key: str) -> None:
    """Write uns[key]["net"], as decoupler takes it, and uns[key]["gene_sets"], as gseapy takes it.

    Parameters
    ----------
    adata : AnnData
        With components of that name.
    key : str
        Name under which the components were written.
    """
    forms = {"net": get.net(adata, key=key), "gene_sets": get.gene_sets(adata, key=key)}
    adata.uns[key] = {**record_of(adata, key), **forms}
