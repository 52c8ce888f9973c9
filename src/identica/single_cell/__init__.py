"""AnnData in, AnnData out: ``tl`` computes and writes into the object, ``pl`` draws what is in it."""

from identica.single_cell import pl, tl

__all__ = ["pl", "tl"]
