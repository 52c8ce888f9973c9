"""How what a model file says differs from what its configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from identica.io.tensors import Declared

__all__ = ["configuration_fault", "networks_fault"]


def configuration_fault(values: Mapping[str, Any], again: Mapping[str, Any]) -> str | None:
    """Say where a configuration is not what the estimator that was made of it would write.

    Parameters
    ----------
    values : mapping
        From a file; what classes check of their parameters is checked.
    again : mapping
        As :func:`identica.estimators.plain_values.configuration` gives it, in types of JSON.

    Returns
    -------
    str or None
        The first fault.

    Examples
    --------
    >>> configuration_fault({"method": "dica"}, {"method": "dica", "solver": {"kind": "staged"}})
    'configuration.solver is missing'
    """
    return _difference("configuration", values, again)


def _difference(name: str, value: Any, wanted: Any) -> str | None:
    if isinstance(value, dict) and isinstance(wanted, dict):
        for key in wanted:
            if key not in value:
                return f"{name}.{key} is missing"
            if (found := _difference(f"{name}.{key}", value[key], wanted[key])) is not None:
                return found
        others = [key for key in value if key not in wanted]
        return f"{name} has the key {others[0][:40]!r}, which is not known" if others else None
    alike = isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
    return None if alike else f"{name} is not as a fit writes it"


def networks_fault(declared: Mapping[str, Declared], built: Mapping[str, nn.Module], dtype: str) -> str | None:
    """Say how the tensors of networks differ from those that the configuration asks for.

    Parameters
    ----------
    declared : mapping of str to Declared
        Of all tensors.
    built : mapping of str to torch.nn.Module
        Networks, which need no memory, by the beginnings of their tensors' names.
    dtype : str
        Of their floating-point numbers.

    Returns
    -------
    str or None
        The first fault.
    """
    wanted = {
        f"{name}.{key}": Declared(tuple(tensor.shape), dtype if tensor.is_floating_point() else _name(tensor.dtype))
        for name, network in built.items()
        for key, tensor in network.state_dict().items()
    }
    for name, tensor in wanted.items():
        if name not in declared:
            return f"the tensor {name} is missing"
        if declared[name] != tensor:
            return f"the tensor {name} is {declared[name]}, and the configuration asks for {tensor}"
    beginnings = tuple(f"{name}." for name in built)
    others = [name for name in declared if name.startswith(beginnings) and name not in wanted]
    return f"it has the tensor {others[0][:80]!r}, which the configuration does not ask for" if others else None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
