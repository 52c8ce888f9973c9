"""What a model file must hold: its header by a schema, its arrays and networks by names, shapes and types.

Symbols: m = n_features, d = n_components, q = columns of covariates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from identica.io.schema import Flag, ListOf, Maybe, Number, OneOf, Schema, Table, Text, Whole, fault_of
from identica.io.tensors import Declared
from identica.training.schema import DURATIONS, HISTORY

__all__ = ["OWN_MODULE", "attributes_fault", "configuration_fault", "networks_fault", "tensors_fault"]

MOST_FEATURES = 10**8
FLOATS = ("float32", "float64")
_ROWS = 10**7
"""Of lists with one value for a row of the data."""
_LEVEL = OneOf((Flag(), Whole(-(2**63)), Number(), Text()), "a label")
_START = Table(
    {
        "start": Whole(0),
        "basis": Text(100),
        "steps": Whole(0),
        "reconstruction_error": Maybe(Number()),
        "finished": Flag(),
        "kept": Flag(),
    },
    {"criterion": Number(), "agreement": Number()},
)
_COVARIATE = Table(
    {
        "name": Text(),
        "levels": Maybe(ListOf(Text(), _ROWS, shortest=2)),
        "centre": ListOf(Number(finite=True), _ROWS, shortest=1),
        "scale": Number(0, finite=True),
    }
)
_OBSERVED = Table(
    {
        "covariates": Maybe(ListOf(_COVARIATE, 10_000, shortest=1)),
        "log_link": Flag(),
        "depths_given": Flag(),
        "counts": Maybe(Table({"mean_depth": Number(0, finite=True), "limit": Number(0, finite=True)})),
    }
)
_REQUIRED: dict[str, Schema] = {
    "n_features_in_": Whole(1, MOST_FEATURES),
    "sample_shape_": ListOf(Whole(1, MOST_FEATURES), 3, shortest=1),
    "history_": HISTORY,
    "durations_": DURATIONS,
    "criterion_": Number(),
    "reconstruction_error_": Number(),
    "linear_reconstruction_error_": Number(),
    "trained_reconstruction_error_": Maybe(Number()),
    "volume_efficiency_": Maybe(Number()),
    "noise_floor_": Maybe(Number()),
    "n_directions_": Maybe(Whole(0)),
    "starts_": ListOf(_START, 100_000, shortest=1),
    "start_agreement_": Maybe(Number()),
    "starts_at_odds_": Flag(),
    "n_samples_fit_": Whole(1),
    "wild_rows_": ListOf(Whole(0), _ROWS),
    "rank_": Maybe(Whole(1, MOST_FEATURES)),
    "observed_": _OBSERVED,
}
_OPTIONAL: dict[str, Schema] = {
    "restart_agreement_": Number(),
    "pointwise_agreement_": Maybe(Number()),
    "refined_": Flag(),
    "auxiliary_levels_": Maybe(ListOf(_LEVEL, _ROWS)),
    "auxiliary_name_": Maybe(Text()),
}
OWN_MODULE = Maybe(Text(2**24, shortest=1))
"""What print shows of a module of the user's own."""


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


def attributes_fault(values: Any, n_components: int) -> str | None:
    """Say what is wrong with the attributes in a header.

    Parameters
    ----------
    values : Any
        Parsed.
    n_components : int
        d.

    Returns
    -------
    str or None
        The first fault.
    """
    pair = ListOf(Whole(0, n_components - 1), 2, shortest=2)
    required = _REQUIRED | {"duplicates_": ListOf(pair, n_components**2)}
    names = ListOf(Text(), MOST_FEATURES)
    fault = fault_of(values, Table(required, {**_OPTIONAL, "feature_names_in_": names}), "attributes")
    if fault is not None:
        return fault
    n_features = values["n_features_in_"]
    if n_components > n_features:
        return f"configuration.n_components is {n_components}, and attributes.n_features_in_ {n_features}"
    if math.prod(values["sample_shape_"]) != n_features:
        return f"attributes.sample_shape_ is {values['sample_shape_']}, and attributes.n_features_in_ {n_features}"
    if len(values.get("feature_names_in_", range(n_features))) != n_features:
        return f"attributes.feature_names_in_ has {len(values['feature_names_in_'])} names of {n_features} features"
    if not n_components <= (values["rank_"] or n_components) <= n_features:
        return f"attributes.rank_ is {values['rank_']}, for {n_components} components of {n_features} features"
    for covariate in values["observed_"]["covariates"] or ():
        n_columns = 1 if covariate["levels"] is None else len(covariate["levels"]) - 1
        if len(covariate["centre"]) != n_columns or covariate["scale"] == 0:
            return f"attributes.observed_.covariates has no centre and scale that fit covariate {covariate['name']!r}"
    return None


def tensors_fault(
    declared: Mapping[str, Declared], values: Mapping[str, Any], n_components: int, networks: tuple[str, ...]
) -> str | None:
    """Say what is wrong with the arrays of a model, by what its file declares.

    Parameters
    ----------
    declared : mapping of str to Declared
        Of all tensors.
    values : mapping
        Attributes without a fault.
    n_components : int
        d.
    networks : tuple of str
        What the names of networks' tensors begin with, which are not looked at.

    Returns
    -------
    str or None
        The first fault.
    """
    m, d = values["n_features_in_"], n_components
    observed = values["observed_"]
    q = sum(len(covariate["centre"]) for covariate in observed["covariates"] or ())
    wanted: dict[str, tuple[int, ...]] = dict.fromkeys(("mean_", "scale_", "explained_by_feature_"), (m,))
    wanted |= {"influence_": (m, d), "component_strength_": (d,)}
    if observed["counts"] is not None:
        names = ("intercept", "slope", "dispersion", "centre", "noise")
        wanted |= {f"observed.counts.{name}": (m,) for name in names} | {"observed.counts.effects": (m, q)}
    elif q:
        wanted["observed.effects"] = (q, m)
    known = q + (observed["counts"] is not None)  # depth stands before covariates
    if known:
        wanted |= {"conditioning.coefficients": (known, d), "conditioning.centre": (known,), "conditioning.total": (d,)}
    optional: dict[str, tuple[int | None, ...]] = {
        "restarts_": (None,),
        "feature_units_": (m,),
        "explained_by_covariates_": (d,),
    }
    for name in wanted:
        if name not in declared:
            return f"the array {name} is missing"
    for name, found in declared.items():
        if name.startswith(networks):
            continue
        shape = wanted.get(name) or optional.get(name)
        if shape is None:
            return f"it has the array {name[:40]!r}, which is not known"
        if found.dtype not in FLOATS or (found.shape != shape and not (shape == (None,) and len(found.shape) == 1)):
            shown = ", ".join("any" if side is None else str(side) for side in shape)
            return f"the array {name} is {found}, and floats of shape ({shown}) are needed"
    return None


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
