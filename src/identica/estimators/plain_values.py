"""Estimators as plain values: their configuration, made into them again, and a fingerprint of a fit."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from identica.criteria import CRITERIA
from identica.io.model_header import MODULES
from identica.networks import NETWORKS
from identica.preparation import Context
from identica.solvers import SOLVERS
from identica.training import Training

if TYPE_CHECKING:
    from identica.estimators.base import ComponentAnalysis

__all__ = ["MODULES", "configuration", "fingerprint", "from_configuration", "register"]

"""Parameters that may be a user's own modules, which are no plain values."""
METHODS: dict[str, type[ComponentAnalysis]] = {}
_GROUPS = ("network", "training", "solver", "criterion")


def register(cls: type[ComponentAnalysis]) -> type[ComponentAnalysis]:
    """Make a method known by its name.

    Parameters
    ----------
    cls : type
        A final estimator class.

    Returns
    -------
    type
        The same class.
    """
    METHODS[cls.method] = cls
    return cls


def configuration(estimator: ComponentAnalysis) -> dict[str, Any]:
    """Return an estimator's parameters as plain JSON values.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Fitted or not.

    Returns
    -------
    dict
        "method" and all parameters; own modules appear as what print shows of them.

    Examples
    --------
    >>> from identica import DICA
    >>> configuration(DICA(3))["method"]
    'dica'
    """
    values: dict[str, Any] = {"method": estimator.method}
    for name, value in estimator.get_params(deep=False).items():
        if name == "training":
            values[name] = dataclasses.asdict(estimator._training)
        elif name in _GROUPS:
            values[name] = _group_values(name, value)
        elif name in MODULES:
            values[name] = None if value is None else repr(value)
        elif name == "random_state":
            values[name] = int(value) if isinstance(value, int | np.integer) else None
        elif name == "device":
            values[name] = str(value)
        else:
            values[name] = value.item() if isinstance(value, np.generic) else value
    return values


def from_configuration(values: dict[str, Any]) -> ComponentAnalysis:
    """Make an unfitted estimator from plain values.

    Parameters
    ----------
    values : dict
        As :func:`configuration` returns; missing parameters take their defaults.

    Returns
    -------
    ComponentAnalysis
        The estimator.

    Raises
    ------
    ValueError
        If the method, or a parameter, is unknown.

    Examples
    --------
    >>> from_configuration({"method": "dica", "network": {"hidden": [32]}}).network.hidden
    (32,)
    """
    values = dict(values)
    method = values.pop("method", "dica")
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method={method!r} is unknown: use one of {', '.join(sorted(METHODS))}")
    cls = METHODS[method]
    for name in MODULES:  # own modules are no plain values; where there were none, their names may stand
        if values.get(name, "") is None:
            del values[name]
    parameters = [field.name for field in dataclasses.fields(cls) if field.name not in MODULES]
    _refuse_unknown(values, parameters, f"method {method}")
    for name in _GROUPS:
        if values.get(name) is not None:
            values[name] = _group(name, values[name])
    return cls(**values)


def _group_values(name: str, value: Any) -> Any:
    """Return a group of parameters as plain values, which say of which kind it is; a name stays a name."""
    if isinstance(value, str):
        return value
    if name == "network" and value is None:
        value = NETWORKS["dense"]()
    return None if value is None else {"kind": value.kind, **dataclasses.asdict(value)}


def _group(name: str, values: Any) -> Any:
    """Make a group of parameters from plain values; a solver or a criterion may be a name."""
    if isinstance(values, str) and name in ("solver", "criterion"):
        return values
    if not isinstance(values, dict):
        raise ValueError(f"{name}={values!r}: give a table of its parameters")
    kinds: dict[str, dict[str, Any]] = {
        "network": dict(NETWORKS),
        "solver": dict(SOLVERS),
        "criterion": dict(CRITERIA),
    }
    cls: type[Any] = Training
    if name in kinds:
        values = dict(values)
        kind = values.pop("kind", "dense" if name == "network" else None)
        if not isinstance(kind, str) or kind not in kinds[name]:
            raise ValueError(f"{name}.kind={kind!r} is unknown: use one of {', '.join(kinds[name])}")
        cls = kinds[name][kind]
    _refuse_unknown(values, [field.name for field in dataclasses.fields(cls)], name)
    return cls(**values)


def _refuse_unknown(values: dict[str, Any], allowed: list[str], where: str) -> None:
    unknown = [name for name in values if name not in allowed]
    if unknown:
        raise ValueError(f"{where} has no parameter {unknown[0]!r}: it has {', '.join(allowed)}")


def fingerprint(
    estimator: ComponentAnalysis,
    X: np.ndarray[Any, Any],
    context: Context | None = None,
    *known: np.ndarray[Any, Any] | None,
) -> str:
    """Return a digest of the data and of every parameter that changes the result.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Gives the parameters.
    X : ndarray
        The data.
    context : Context, optional
        What is known of each sample beside them.
    *known : ndarray or None
        Covariates and depths.

    Returns
    -------
    str
        A hexadecimal number.
    """
    values = configuration(estimator)
    for name in ("verbose", "device"):
        values.pop(name)
    for name in MODULES:
        module = getattr(estimator, name)
        if module is not None:
            values[name] = {key: list(tensor.shape) for key, tensor in module.state_dict().items()}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    digest.update(f"{X.shape} {X.dtype}".encode())
    digest.update(np.ascontiguousarray(X).data)
    if context is not None:
        digest.update(np.ascontiguousarray(context.values).data)
    for name, values_of in zip(("covariates", "size_factors"), known, strict=False):
        if values_of is not None:
            digest.update(f"{name} {values_of.shape}".encode())
            digest.update(np.ascontiguousarray(values_of).data)
    return digest.hexdigest()
