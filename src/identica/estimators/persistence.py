"""Fitted estimators as files: save and load; nothing is pickled."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from identica.estimators.building import build_framed, find_device, outline
from identica.estimators.conditioning import Conditioning
from identica.estimators.model_faults import configuration_fault, networks_fault
from identica.estimators.parameters import check_parameters
from identica.estimators.plain_values import MODULES, configuration, from_configuration
from identica.io import DataError, atomic_write
from identica.io.model_header import MODEL_FORMAT, UnlikeError, damage_of_model, read_header, refuse
from identica.io.tensors import Opened, open_tensors
from identica.networks import into_features
from identica.preparation import Basis, CountModel, Covariates, FloatArray, Observed
from identica.training.checkpoint import checksum
from identica.trust import judge

if TYPE_CHECKING:
    from identica.estimators.base import ComponentAnalysis

__all__ = ["load_estimator", "save_estimator"]

_ARRAYS = (
    "mean_",
    "scale_",
    "influence_",
    "component_strength_",
    "restarts_",
    "feature_units_",
    "explained_by_feature_",
    "explained_by_covariates_",
)
_VALUES = (
    "n_features_in_",
    "sample_shape_",
    "history_",
    "durations_",
    "criterion_",
    "reconstruction_error_",
    "linear_reconstruction_error_",
    "trained_reconstruction_error_",
    "volume_efficiency_",
    "restart_agreement_",
    "pointwise_agreement_",
    "refined_",
    "noise_floor_",
    "n_directions_",
    "starts_",
    "start_agreement_",
    "starts_at_odds_",
    "n_samples_fit_",
    "duplicates_",
    "wild_rows_",
    "rank_",
    "auxiliary_levels_",
    "auxiliary_name_",
)


def save_estimator(estimator: ComponentAnalysis, path: Path) -> None:
    """Write a fitted estimator; see :meth:`ComponentAnalysis.save`.

    Parameters
    ----------
    estimator : ComponentAnalysis
        A fitted one.
    path : Path
        The file.
    """
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name in MODULES
        for key, tensor in getattr(estimator, f"{name}_").state_dict().items()
    }
    for name in _ARRAYS:
        if hasattr(estimator, name):
            tensors[name] = torch.as_tensor(np.ascontiguousarray(getattr(estimator, name)))
    attributes = {name: _plain(getattr(estimator, name)) for name in _VALUES if hasattr(estimator, name)}
    arrays, attributes["observed_"] = _observed_values(estimator.observed_)
    named = {f"observed.{name}": array for name, array in arrays.items()}
    if estimator.conditioning_ is not None:
        named |= {f"conditioning.{name}": array for name, array in vars(estimator.conditioning_).items()}
    tensors |= {name: torch.as_tensor(np.ascontiguousarray(array)) for name, array in named.items()}
    if hasattr(estimator, "feature_names_in_"):
        attributes["feature_names_in_"] = [str(name) for name in estimator.feature_names_in_]
    header = {
        "format": "identica-model",
        "format_version": str(MODEL_FORMAT),
        "library_version": importlib.metadata.version("identica"),
        "configuration": json.dumps(configuration(estimator)),
        "attributes": json.dumps(attributes),
    }
    header["sha256"] = checksum(tensors, header["configuration"], header["attributes"])
    payload = safetensors.torch.save(tensors, header)
    with atomic_write(path) as file:
        file.write(payload)


def _observed_values(observed: Observed) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    """Return what was learned before any component as arrays and plain values; mean and scale are kept elsewhere."""
    arrays: dict[str, FloatArray] = {} if observed.effects is None else {"effects": observed.effects}
    plain: dict[str, Any] = {
        "covariates": None if observed.covariates is None else observed.covariates.to_plain(),
        "log_link": observed.log_link,
        "depths_given": observed.depths_given,
        "counts": None,
    }
    if observed.counts is not None:
        values = vars(observed.counts)
        plain["counts"] = {name: value for name, value in values.items() if isinstance(value, float)}
        arrays |= {f"counts.{name}": value for name, value in values.items() if not isinstance(value, float)}
    return arrays, plain


def _observed_of(
    mean: FloatArray, scale: FloatArray, tensors: dict[str, torch.Tensor], plain: dict[str, Any]
) -> Observed:
    """Make again what :func:`_observed_values` took apart."""
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    counts = plain["counts"]
    if counts is not None:
        prefix = "counts."
        own: dict[str, Any] = {
            name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
        }
        numbers: dict[str, Any] = {name: float(value) for name, value in counts.items()}
        counts = CountModel(**numbers, **own)
    covariates = None if plain["covariates"] is None else Covariates.from_plain(plain["covariates"])
    switches = {name: bool(plain[name]) for name in ("log_link", "depths_given")}
    return Observed(mean, scale, counts, covariates, arrays.get("effects"), **switches)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def load_estimator(
    path: Path,
    *,
    encoder: nn.Module | None = None,
    decoder: nn.Module | None = None,
    device: str | torch.device | None = None,
) -> ComponentAnalysis:
    """Read a fitted estimator of whatever method; see :meth:`ComponentAnalysis.load`.

    Parameters
    ----------
    path : Path
        The file.
    encoder, decoder : torch.nn.Module or None
        The user's own modules, if it was fitted with such.
    device : str, torch.device or None
        Where to compute; None means that of the fit, or the CPU, with a warning, where that is not at hand.

    Returns
    -------
    ComponentAnalysis
        The fitted estimator.

    Raises
    ------
    ValueError
        If the device is not usable here.
    DataError
        If the file is missing, damaged, no model, of a newer version, or needs modules that were not given.
    """
    if not path.is_file():
        raise DataError(f"{path} is not a file: give the model file that a fit has written")

    def damaged(reason: object) -> str:
        return damage_of_model(path, reason)

    try:
        with open_tensors(path, damaged) as opened:
            estimator, attributes, where = _unfitted(path, opened, {"encoder": encoder, "decoder": decoder}, device)
            built = _outlined(estimator, attributes["rank_"])
            dtype = opened.declared["mean_"].dtype
            refuse(networks_fault(opened.declared, dict(zip(MODULES, built, strict=True)), dtype))
            tensors = opened.tensors()
            texts = (opened.texts["configuration"], opened.texts["attributes"])
            if opened.texts.get("sha256") != checksum(tensors, *texts):
                refuse("its checksum is not that of its content")
        _set_attributes(estimator, attributes, tensors)
        _set_networks(estimator, attributes["rank_"], tensors, where)
        estimator.verdict_ = judge(estimator)
    except DataError:
        raise
    except UnlikeError as error:
        raise DataError(damaged(error)) from error
    except (LookupError, AttributeError, RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(damaged(f"it does not hold what its header says, {_brief(error)}")) from error
    return estimator


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _unfitted(
    path: Path, opened: Opened, given: Mapping[str, nn.Module | None], device: str | torch.device | None
) -> tuple[ComponentAnalysis, dict[str, Any], torch.device]:
    """Make the estimator of a file's configuration, and check everything that the file declares beside networks.

    Returns
    -------
    estimator : ComponentAnalysis
        With the user's own modules, without attributes.
    attributes : dict
        Checked.
    where : torch.device
        Where to compute.
    """
    values, attributes = read_header(path, opened)
    written = dict(values)
    own = {name: values.pop(name, None) for name in MODULES}
    estimator = from_configuration(values)
    check_parameters(estimator)
    again = json.loads(json.dumps(configuration(estimator)))
    again |= {name: structure for name, structure in own.items() if name in again}
    refuse(configuration_fault(written, again))
    for name in MODULES:
        _check_own(path, name, own[name], given[name])
    estimator.set_params(**{name: module for name, module in given.items() if module is not None})
    estimator.sample_shape_ = tuple(attributes["sample_shape_"])
    estimator.n_features_in_ = attributes["n_features_in_"]
    return estimator, attributes, _place(path, values["device"], device)


def _outlined(estimator: ComponentAnalysis, rank: int | None) -> tuple[nn.Sequential, nn.Sequential]:
    """Return networks that take no memory, of the shapes that the configuration asks for."""
    n_features = estimator.n_features_in_
    built = outline(estimator, n_features if rank is None else rank)
    if rank is None:
        return built
    return into_features(*built, torch.empty(n_features, rank, dtype=torch.float64, device="meta"))


def _set_attributes(
    estimator: ComponentAnalysis, attributes: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]
) -> None:
    """Set everything that is known of a fit beside its networks."""
    for name in _VALUES:
        if name in attributes:
            setattr(estimator, name, attributes[name])
    for name in _ARRAYS:
        if name in tensors:
            setattr(estimator, name, tensors[name].numpy())
    learned, taken_out = (
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        for prefix in ("observed.", "conditioning.")
    )
    own = tuple(f"{name}." for name in MODULES if getattr(estimator, name, None) is not None)
    for name, tensor in tensors.items():
        # Modules of the user's own may hold infinities, as masks do.
        if not (name.startswith(own) or bool(tensor.isfinite().all())):
            raise UnlikeError(f"the array {name} has values that are not finite")
    if not bool((tensors["scale_"] > 0).all()):
        raise UnlikeError("the array scale_ has values that are not positive")
    if "feature_units_" in tensors and bool((tensors["feature_units_"] < 0).any()):  # constants have none
        raise UnlikeError("the array feature_units_ has negative values")
    estimator.observed_ = _observed_of(estimator.mean_, estimator.scale_, learned, attributes["observed_"])
    arrays = {name: tensor.numpy() for name, tensor in taken_out.items()}
    estimator.conditioning_ = Conditioning(**arrays) if arrays else None
    estimator.sample_shape_ = tuple(attributes["sample_shape_"])
    estimator.wild_rows_ = np.array(attributes["wild_rows_"], dtype=np.intp)
    estimator.duplicates_ = [(i, j) for i, j in attributes["duplicates_"]]
    if "feature_names_in_" in attributes:
        estimator.feature_names_in_ = np.array(attributes["feature_names_in_"], dtype=object)


def _set_networks(
    estimator: ComponentAnalysis, rank: int | None, tensors: Mapping[str, torch.Tensor], where: torch.device
) -> None:
    """Build the networks, whose shapes are known to be those of the tensors, and fill them."""
    n_features = estimator.n_features_in_
    eye = np.eye(estimator.n_components, n_features if rank is None else rank)
    built = build_framed(estimator, Basis("none", eye), 0)
    if rank is not None:
        built = into_features(*built, torch.ones(n_features, rank, dtype=torch.float64))
    dtype = torch.as_tensor(estimator.mean_).dtype
    for name, network in zip(MODULES, built, strict=True):
        prefix = f"{name}."
        state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        network.to(dtype).load_state_dict(state)
        setattr(estimator, f"{name}_", network.to(where).eval())


def _check_own(path: Path, name: str, structure: str | None, given: nn.Module | None) -> None:
    """Make sure that a module of the user's own is given just where one was fitted, and is built alike."""
    if structure is None:
        if given is not None:
            raise DataError(f"{path} was fitted without a module of your own as {name}: leave {name}= out")
        return
    if given is None:
        raise DataError(
            f"{path} was fitted with {name}={structure.splitlines()[0][:200]} of your own: pass {name}=, a module of "
            "the same structure"
        )
    if repr(given) != structure:
        raise DataError(
            f"{name} is not built as the one that {path} was fitted with: {_difference(repr(given), structure)}"
        )


def _difference(given: str, wanted: str) -> str:
    lines = list(itertools.zip_longest(given.splitlines(), wanted.splitlines(), fillvalue="nothing"))
    mine, theirs = next((mine.strip(), theirs.strip()) for mine, theirs in lines if mine != theirs)
    return f"{mine[:200]} was given where {theirs[:200]} is needed"


def _place(path: Path, fitted_on: str, wanted: str | torch.device | None) -> torch.device:
    """Return the device to load a model onto."""
    if wanted is not None:
        return find_device(wanted)
    if fitted_on == "auto":
        return torch.device("cpu")
    try:
        return find_device(fitted_on)
    except ValueError:
        warnings.warn(
            f"{path} was fitted with device={fitted_on!r}, which is not at hand here: it is loaded onto the CPU, "
            "pass device= to choose another",
            UserWarning,
            stacklevel=5,
        )
        return torch.device("cpu")
