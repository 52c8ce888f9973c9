"""How a method was set, as facts for a reader."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from identica.estimators import Autoencoder, ComponentAnalysis
from identica.networks import Dense

__all__ = ["settings"]

# An autoencoder has the parameters that all methods share, and none of its own.
_SHARED = frozenset(inspect.signature(Autoencoder).parameters)
_SAID_APART = frozenset({"max_steps", "batch_size", "checkpoint_seconds"})


def settings(estimator: ComponentAnalysis) -> dict[str, str | int]:
    """Return how a method was set: network, training, standardisation, and what else is not as by default.

    Parameters
    ----------
    estimator : fitted estimator
        Of this library.

    Returns
    -------
    dict of str to str or int
        Facts, in the order shown.

    Examples
    --------
    >>> import numpy as np
    >>> from identica import PolytopicFactorization
    >>> X = np.random.default_rng(0).uniform(size=(60, 4))
    >>> settings(PolytopicFactorization(2, n_restarts=4, random_state=0).fit(X))
    {'network': 'linear', 'standardised': 'each feature by itself', 'n restarts': '4'}
    """
    given = estimator.get_params(deep=False)
    facts: dict[str, str | int] = {"network": _network(given)}
    training = None
    if "training" in given:
        training = estimator._training
        facts |= {"steps, at most": training.max_steps, "batch size": training.batch_size}
    facts["standardised"] = "each feature by itself" if estimator.scaled_by_feature_ else "all features by one number"
    defaults = {name: parameter.default for name, parameter in inspect.signature(type(estimator)).parameters.items()}
    facts |= _changed({name: value for name, value in given.items() if name not in _SHARED}, defaults)
    if training is not None:
        values = {name: value for name, value in dataclasses.asdict(training).items() if name not in _SAID_APART}
        facts |= _changed(values, dataclasses.asdict(type(estimator)()._training))
    return facts


def _network(given: Mapping[str, Any]) -> str:
    own = [name for name in ("encoder", "decoder") if given.get(name) is not None]
    if len(own) == 2:
        return "own encoder and decoder"
    if "network" not in given:
        return "linear"
    network = given["network"] or Dense()
    values = dataclasses.asdict(network)
    parts = [f"{name} {_text(value)}" for name, value in values.items() if value not in (None, True)]
    return ", ".join([network.kind, *parts, *(f"own {name}" for name in own)])


def _changed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, str]:
    return {name.replace("_", " "): _text(value) for name, value in values.items() if value != defaults[name]}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
