"""Parameters of a method from a TOML or JSON file and from the command line, which has precedence."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from identica.cli.options import check_seed
from identica.io import DataError
from identica.io.json_text import bounded_text, check_values, read_json

__all__ = ["read_parameters"]

MOST_BYTES = 2**16
MOST_POINTS = 200
"""In one of its lines: a key of many parts takes tomllib memory that grows with their square."""


def read_parameters(path: Path | None, given: Mapping[str, Any], *, needs_number: bool = True) -> dict[str, Any]:
    """Gather a method's parameters.

    Parameters
    ----------
    path : Path or None
        A .toml or .json file.
    given : mapping
        What the command line says; None where it says nothing.
    needs_number : bool, default=True
        Whether the number of components must be said.

    Returns
    -------
    dict
        Parameters for `identica.estimators.from_configuration`, a seed and verbosity among them.

    Raises
    ------
    ValueError
        If the number of components is said nowhere or less than 1, or the seed is not one.
    """
    parameters = {} if path is None else _read(path)
    parameters.update({name: value for name, value in given.items() if value is not None})
    if needs_number and "n_components" not in parameters:
        raise ValueError("the number of components is not given, add -d N (or n_components to the configuration)")
    n_components = parameters.get("n_components")
    if isinstance(n_components, int) and n_components < 1:
        raise ValueError(f"n_components={n_components} is not possible, use at least 1")
    if parameters.get("random_state") is None:
        parameters["random_state"] = 0
    check_seed(parameters["random_state"])
    parameters.setdefault("verbose", 1)
    return parameters


def _read(path: Path) -> dict[str, Any]:
    if path.suffix.lower() not in (".toml", ".json"):
        raise DataError(f"configuration {path} has the unknown ending {path.suffix!r}, use .toml or .json")
    try:
        parameters = _toml(path) if path.suffix.lower() == ".toml" else read_json(path, MOST_BYTES, infinite=True)
    except OSError as error:
        raise DataError(f"configuration {path} cannot be read: {error.strerror}") from error
    except DataError as error:
        raise DataError(f"configuration {error}") from error
    except RecursionError as error:
        raise DataError(
            f"configuration {path} has lists or tables within each other that go too deep: a few levels are needed"
        ) from error
    except ValueError as error:
        raise DataError(f"configuration {path} is not valid {path.suffix[1:].upper()}: {error}") from error
    if not isinstance(parameters, dict):
        raise DataError(f'configuration {path} holds no parameters, write a table such as {{"n_components": 3}}')
    return parameters


def _toml(path: Path) -> dict[str, Any]:
    text = bounded_text(path, MOST_BYTES)
    if max(line.count(".") for line in text.split("\n")) > MOST_POINTS:
        raise DataError(f"{path} has a line with more than {MOST_POINTS} points, the most that is read: break it up")
    parameters = tomllib.loads(text)
    check_values(parameters, str(path))
    return parameters
