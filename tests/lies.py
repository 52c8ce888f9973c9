"""Files that lie: changes of plain values and of tensors, with checksums that are right, as a stranger would make."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from hypothesis import strategies as st
from safetensors import safe_open

from identica.training.checkpoint import checksum

Tensors = dict[str, torch.Tensor]


def deep(levels: int) -> list[Any]:
    """Return lists in each other."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


_WHOLE = [-1, 0, 1, 3, 10**9, 10**30, 10**400]
_REAL = [0.5, -1e300, float("nan"), float("inf")]
_NESTED = [[], {}, [[]], [1, 2], ["x"] * 7, {"kind": "joint"}, {"kind": []}, deep(20), deep(70)]
VALUES = st.sampled_from([None, True, "", "x", "cuda:99", *_WHOLE, *_REAL, *_NESTED])
"""What a stranger may put in the place of a value."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value within plain values."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from places(each, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return plain values with another in one place."""
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """Return plain values less one key."""
    if len(path) == 1:
        return {key: each for key, each in value.items() if key != path[0]}
    return put(value, path[:1], without(value[path[0]], path[1:]))


def opened(path: Path) -> tuple[dict[str, str], Tensors]:
    """Return metadata and tensors of a safetensors file."""
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def write(path: Path, texts: dict[str, str], tensors: Tensors, *signed: str) -> Path:
    """Write a safetensors file whose checksum is right."""
    texts = texts | {"sha256": checksum(tensors, *(texts[name] for name in signed))}
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, texts)
    return path


def lying(path: Path, text: str, change: Callable[[Any], Any], signed: tuple[str, ...], output: Path) -> Path:
    """Write a file like another, with one of its JSON texts changed."""
    texts, tensors = opened(path)
    return write(output, texts | {text: json.dumps(change(json.loads(texts[text])))}, tensors, *signed)
