"""Options of every command that draws sprites."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tyro.conf import arg

__all__ = ["SpriteOptions"]


@dataclass(frozen=True)
class SpriteOptions:
    """Arguments of :func:`identica.datasets.make_sprites`.

    Parameters
    ----------
    shape : str
        What is drawn.
    size : int
        Pixels along a side.
    correlation : float
        Of each two components.
    softness : float
        Width of the shape's edge in pixels.
    """

    shape: Literal["ellipse", "rectangle", "triangle"] = "triangle"
    size: Annotated[int, arg(metavar="N")] = 32
    correlation: Annotated[float, arg(metavar="FLOAT")] = 0.5
    softness: float = 2.0

    def arguments(self) -> dict[str, Any]:
        """Give them as arguments of ``make_sprites``.

        Returns
        -------
        dict
            Their values.
        """
        return {name: getattr(self, name) for name in SpriteOptions.__dataclass_fields__}
