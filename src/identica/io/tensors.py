"""Safetensors files that anyone may have written: what they declare is known before a tensor is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from safetensors import SafetensorError, safe_open

from identica.io.budget import Budget
from identica.io.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Declared", "Opened", "open_tensors"]

LONGEST_HEADER = 2**25
"""Bytes; the names, shapes and texts of a file, all of which are held several times over."""
MOST_TENSORS = 100_000
DTYPES = {"F64": "float64", "F32": "float32", "I64": "int64", "BOOL": "bool"}
"""Types of numbers that fits write, as the file and as PyTorch call them; others keep the file's name."""


@final
@dataclass(frozen=True)
class Declared:
    """What a file says of a tensor.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor.
    dtype : str
        As PyTorch calls it.
    """

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.dtype} of shape {self.shape}"


@final
@dataclass(frozen=True)
class Opened:
    """A file of tensors, of which the header is read.

    Parameters
    ----------
    path : Path
        The file.
    texts : mapping of str to str
        Its metadata.
    declared : mapping of str to Declared
        By the names of tensors.
    """

    path: Path
    texts: Mapping[str, str]
    declared: Mapping[str, Declared]

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors, on the CPU; PyTorch is imported here and not before.

        Returns
        -------
        dict of str to Tensor
            By name.
        """
        with safe_open(self.path, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in self.declared}


@contextmanager
def open_tensors(path: Path, damaged: Callable[[object], str]) -> Iterator[Opened]:
    """Open a safetensors file.

    Parameters
    ----------
    path : Path
        The file.
    damaged : callable
        Makes a sentence for the user of what is wrong with the file.

    Yields
    ------
    Opened
        What it declares, and how to read it.

    Raises
    ------
    DataError
        If it is damaged, its header too long, it has too many tensors, or they would take too much memory.
    FileNotFoundError
        If there is none.
    """
    if path.exists() and not path.is_file():
        raise DataError(damaged("it is not a file"))
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = file.seek(0, 2)
        if LONGEST_HEADER < length <= size:
            raise DataError(damaged(f"its header has {length} bytes, and {LONGEST_HEADER} are the most"))
        budget = Budget.default()
        budget.check_bytes(path, size, "tensors, which altogether")
        budget.check_holes(path)
        with safe_open(path, framework="numpy") as opened:
            names = list(opened.keys())
            if len(names) > MOST_TENSORS:
                raise DataError(damaged(f"it has {len(names)} tensors, and {MOST_TENSORS} are the most"))
            declared = {}
            for name in names:
                part = opened.get_slice(name)
                dtype = part.get_dtype()
                declared[name] = Declared(tuple(part.get_shape()), DTYPES.get(dtype, dtype))
            texts = opened.metadata() or {}
        yield Opened(path, texts, declared)
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError) as error:
        raise DataError(damaged(error)) from error
