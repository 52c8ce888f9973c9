"""Types of arguments that several commands share."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

__all__ = ["File", "Name", "Number"]

File = Positional[Annotated[Path, arg(metavar="FILE")]]
Name = Annotated[str | None, arg(metavar="NAME")]
Number = Annotated[int | None, arg(metavar="N")]
