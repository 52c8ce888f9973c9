"""AnnData in, AnnData out: ``tl`` computes and writes into it, ``get`` returns tables of it, ``pl`` draws it."""

from identica.single_cell import get, pl, tl

__all__ = ["get", "pl", "tl"]
