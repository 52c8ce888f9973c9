"""What the header of a model file must hold, and what it must declare; known before PyTorch is imported.

Symbols: m = n_features, d = n_components, q = columns of covariates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from identica.arguments import MOST_STARTS
from identica.io.checkpoint_header import DURATIONS, HISTORY
from identica.io.errors import DataError
from identica.io.json_text import parse_json
from identica.io.schema import Anything, Flag, ListOf, Maybe, Number, OneOf, Schema, Table, Text, Whole, fault_of
from identica.io.tensors import Declared, Opened, open_tensors

__all__ = ["MODEL_FORMAT", "MODULES", "UnlikeError", "damage_of_model", "examine_model", "read_header", "refuse"]

MODEL_FORMAT = 4
MODULES = ("encoder", "decoder")
"""Whose names are what the names of their tensors begin with."""
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
_OWN_MODULE = Maybe(Text(2**24, shortest=1))
"""What print shows of a module of the user's own."""
_CONFIGURATION = Table(
    {
        "method": Text(100, shortest=1),
        "n_components": Whole(1, MOST_FEATURES),
        "device": Text(40, shortest=1),
        **dict.fromkeys(
            ("standardize", "likelihood", "feature_units", "wild_rows", "random_state", "verbose"), Anything()
        ),
    },
    dict.fromkeys(MODULES, _OWN_MODULE),
    others=Anything(),
)
"""What classes check of their parameters is checked there."""
_OF_NETWORKS = ("network", "training", "n_init", *MODULES)
"""Parameters that a method has all of, or none."""


class UnlikeError(Exception):
    """A file holds something else than a fit would have written: a fault, which becomes a part of a sentence."""


def refuse(fault: str | None) -> None:
    """Raise a fault, if there is one.

    Parameters
    ----------
    fault : str or None
        What is wrong.

    Raises
    ------
    UnlikeError
        If something is.
    """
    if fault is not None:
        raise UnlikeError(fault)


def damage_of_model(path: Path, reason: object) -> str:
    """Say that a model file is damaged.

    Parameters
    ----------
    path : Path
        The file.
    reason : object
        What is wrong with it.

    Returns
    -------
    str
        For the user.
    """
    return f"{path} is damaged or no model ({reason}): fit it again, or restore it from a copy"


def examine_model(path: Path) -> None:
    """Refuse a model file that lies before what reads it is imported, which takes seconds.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DataError
        If it is missing, damaged, no model or of another version, or its header is not as a fit writes it.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a file: give the model file that a fit has written")
    try:
        with open_tensors(path, lambda reason: damage_of_model(path, reason)) as opened:
            read_header(path, opened)
    except UnlikeError as error:
        raise DataError(damage_of_model(path, error)) from error


def read_header(path: Path, opened: Opened) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the header of a model file says, after a check of all that it says and declares beside networks.

    Parameters
    ----------
    path : Path
        The file.
    opened : Opened
        The same.

    Returns
    -------
    configuration, attributes : dict
        Those of the estimator; of the configuration only what all methods have is checked.

    Raises
    ------
    DataError
        If it is no model, or of another version.
    UnlikeError
        If it is not as a fit writes it.
    """
    _check_version(path, opened.texts)
    values, attributes = (_parsed(opened, name) for name in ("configuration", "attributes"))
    refuse(fault_of(values, _CONFIGURATION, "configuration"))
    missing = [name for name in _OF_NETWORKS if name not in values]
    refuse(f"configuration.{missing[0]} is missing" if 0 < len(missing) < len(_OF_NETWORKS) else None)
    n_components = values["n_components"]
    refuse(attributes_fault(attributes, n_components))
    refuse(tensors_fault(opened.declared, attributes, n_components))
    if any(values.get(name) is None for name in MODULES):  # else no network is built
        refuse(_sizes_fault(opened.declared, values.get("network")))
    return values, attributes


def _parsed(opened: Opened, name: str) -> Any:
    if name not in opened.texts:
        raise UnlikeError(f"its {name} is missing")
    try:
        return parse_json(opened.texts[name], f"its {name}", infinite=True)
    except DataError as error:
        raise UnlikeError(str(error)) from error


def _check_version(path: Path, texts: Mapping[str, str]) -> None:
    if texts.get("format") != "identica-model":
        raise DataError(f"{path} is a safetensors file but no model of identica: give the model that a fit has written")
    version = texts.get("format_version", "")
    if not (version.isdecimal() and len(version) < 10):
        raise DataError(
            f"{path} has no version of a model in its header, it is damaged: fit it again, or restore a copy"
        )
    if int(version) == MODEL_FORMAT:
        return
    age, remedy = ("newer", "upgrade identica")
    if int(version) < MODEL_FORMAT:
        age, remedy = ("older", "fit it again, or read it with that version")
    raise DataError(
        f"{path} was written by identica {texts.get('library_version', f'of an {age} version')[:40]} in format "
        f"{version}, this version reads format {MODEL_FORMAT}: {remedy}"
    )


def _sizes_fault(declared: Mapping[str, Declared], network: Any) -> str | None:
    """Say which layer a configuration asks for that is larger than anything that the file has."""
    if not isinstance(network, dict):
        return None
    beginnings = tuple(f"{name}." for name in MODULES)
    sides = [side for name, tensor in declared.items() if name.startswith(beginnings) for side in tensor.shape]
    for name in ("hidden", "channels"):
        asked = network.get(name)
        for size in asked if isinstance(asked, list) else [asked]:
            if isinstance(size, int) and size > max(sides, default=0):
                return f"configuration.network.{name} asks for a layer of {size}, and no tensor has such a side"
    return None


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


def tensors_fault(declared: Mapping[str, Declared], values: Mapping[str, Any], n_components: int) -> str | None:
    """Say what is wrong with the arrays of a model beside its networks, by what its file declares.

    Parameters
    ----------
    declared : mapping of str to Declared
        Of all tensors.
    values : mapping
        Attributes without a fault.
    n_components : int
        d.

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
    if "restarts_" in declared and math.prod(declared["restarts_"].shape) > MOST_STARTS:
        return f"the array restarts_ is {declared['restarts_']}, and there are {MOST_STARTS} starts at most"
    for name, found in declared.items():
        if name.startswith(tuple(f"{network}." for network in MODULES)):
            continue
        shape = wanted.get(name) or optional.get(name)
        if shape is None:
            return f"it has the array {name[:40]!r}, which is not known"
        if found.dtype not in FLOATS or (found.shape != shape and not (shape == (None,) and len(found.shape) == 1)):
            shown = ", ".join("any" if side is None else str(side) for side in shape)
            return f"the array {name} is {found}, and floats of shape ({shown}) are needed"
    return None
