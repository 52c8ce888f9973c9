"""The record of a fit, run.json: what was done with what, and how well it went."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from identica.cli.options import counted

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table
    from identica.trust import CrossCheck

__all__ = ["FILES", "auxiliary_column", "describe", "described", "digest", "fault_of_record", "read_record", "summary"]

FILES = ("model.safetensors", "latents.npy", "latents.csv", "history.csv", "report.html", "run.json")
"""What a fit writes, the record last."""
MOST_BYTES = 2**25
_PACKAGES = ("identica", "torch", "numpy", "scikit-learn")
_RESULTS = (
    "criterion",
    "reconstruction_error",
    "linear_reconstruction_error",
    "volume_efficiency",
    "restart_agreement",
    "start_agreement",
    "starts",
    "noise_floor",
    "n_directions",
    "restarts",
)


def describe(
    estimator: ComponentAnalysis,
    table: Table,
    holdout: float,
    train: NDArray[Any],
    held_out: NDArray[Any],
    unexplained: Mapping[str, Any] | None,
    seconds: float,
    noted: Sequence[str],
    cross: CrossCheck | None = None,
    depth: Mapping[str, Any] | None = None,
    layer: str | None = None,
) -> dict[str, Any]:
    """Describe a fit in plain values.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The fitted estimator.
    table : Table
        The data.
    holdout : float
        Share of the rows that was to be held out.
    train, held_out : ndarray of int
        Rows fitted on, rows held out.
    unexplained : mapping or None
        What `reconstruction_beside_pca` has found.
    seconds : float
        How long the fit took, in this process.
    noted : sequence of str
        The warnings.
    cross : CrossCheck, optional
        What other fits of the same data say.
    depth : mapping, optional
        Where the depths of samples come from, if they are counts.
    layer : str, optional
        Of AnnData, from which the values are.

    Returns
    -------
    dict
        The content of run.json.
    """
    from identica.cli.beside import described as covariates_of
    from identica.estimators import configuration
    from identica.io.pictures import value_range

    values = {name: getattr(estimator, f"{name}_") for name in _RESULTS if hasattr(estimator, f"{name}_")}
    # JSON has no infinity.
    parameters = _without_infinity(configuration(estimator))
    return {
        "configuration": parameters,
        "seed": estimator.random_state,
        "data": {
            "path": str(table.path),
            "layer": layer,
            "n_samples": table.shape[0],
            "n_features": table.shape[1],
            "dtype": str(table.values.dtype),
            "value_range": None if table.sample_shape is None else value_range(table.values),
        },
        "auxiliary": _auxiliary(estimator, table),
        "covariates": covariates_of(estimator),
        "depth": depth,
        "holdout": holdout,
        "n_samples_fitted": len(train),
        "n_samples_held_out": len(held_out),
        **values,
        "verdict": _verdict(estimator, cross),
        "cross_check": None if cross is None else cross.to_dict(),
        "held_out_variance_unexplained": unexplained,
        "durations": {**estimator.durations_, "total": seconds},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "warnings": list(noted),
        "digest": digest(estimator, table, holdout),
    }


def _auxiliary(estimator: ComponentAnalysis, table: Table) -> dict[str, Any] | None:
    if table.auxiliary is None:
        return None
    levels = estimator.auxiliary_levels_
    return {
        "path": str(table.auxiliary.path),
        "column": table.auxiliary.column,
        "n_levels": None if levels is None else len(levels),
    }


def _without_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_infinity(each) for name, each in value.items()}
    return "inf" if isinstance(value, float) and value == math.inf else value


def _verdict(estimator: ComponentAnalysis, cross: CrossCheck | None) -> dict[str, Any] | None:
    from identica.trust import judge

    if not estimator.identifies:
        return None
    verdict = judge(estimator, cross=cross)
    return {
        "level": verdict.level,
        "heading": verdict.heading,
        "number": verdict.number,
        "reasons": list(verdict.reasons),
        "signs": [{**asdict(sign), "question": sign.question} for sign in verdict.signs],
    }


def summary(content: Mapping[str, Any], directory: Path, files: Sequence[str] = FILES) -> str:
    """Say what a reader wants to know first.

    Parameters
    ----------
    content : mapping
        As `describe` returns.
    directory : Path
        Where the files are.
    files : sequence of str
        Their names.

    Returns
    -------
    str
        A few lines.
    """
    from identica.cli.beside import in_words
    from identica.cli.depth import depth_in_words
    from identica.trust import QUESTIONS

    method = content["configuration"]["method"]
    data = content["data"]
    lines = [
        f"{method}: {counted(content['configuration']['n_components'], 'component')} of {data['n_samples']} samples, "
        f"{counted(data['n_features'], 'feature')}, in {content['durations']['total']:.1f} s"
    ]
    if content["auxiliary"] is not None:
        lines.append(f"auxiliary variable: {described(content['auxiliary'])}")
    if content["covariates"]:
        lines.append(f"covariates: {in_words(content['covariates'])}")
    if content["depth"] is not None:
        lines.append(f"depth of samples: {depth_in_words(content['depth'])}")
    named = {
        "volume_efficiency": "volume efficiency",
        "restart_agreement": "agreement of restarts",
        "start_agreement": "of starts",
    }
    figures = [f"{text} {content[name]:.3f}" for name, text in named.items() if content.get(name) is not None]
    if figures:
        lines.append(", ".join(figures))
    if content.get("verdict"):
        lines.append(content["verdict"]["heading"] + ":")
        for question, heading in QUESTIONS.items():
            texts = [sign["text"] for sign in content["verdict"]["signs"] if sign["question"] == question]
            lines += [f"  {heading}", *(f"  - {text}" for text in texts)] if texts else []
    if content["held_out_variance_unexplained"] is not None:
        lines.append(f"variance unexplained on the {content['n_samples_held_out']} samples held out of the fit:")
        lines.append(f"  {'':20} {method:>15} {'PCA':>8}")
        for unit, shares in content["held_out_variance_unexplained"].items():
            ours, pca = ("-" if share is None else f"{share:.3g}" for share in (shares["model"], shares["pca"]))
            lines.append(f"  {unit.replace('_', ' '):20} {ours:>15} {pca:>8}")
    lines.append(f"written to {directory}: {', '.join(files)}")
    return "\n".join(lines)


def described(auxiliary: Mapping[str, Any]) -> str:
    """Say what an auxiliary variable is.

    Parameters
    ----------
    auxiliary : mapping
        Its part of run.json.

    Returns
    -------
    str
        Its name and kind.
    """
    name = auxiliary["column"] or Path(auxiliary["path"]).name
    return f"{name}, " + ("continuous" if auxiliary["n_levels"] is None else f"{auxiliary['n_levels']} levels")


def read_record(path: Path) -> dict[str, Any] | None:
    """Read a run.json.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict or None
        Its content; None if there is none that can be read.
    """
    from identica.io.json_text import read_json

    if path.exists() and not path.is_file():  # a pipe would be waited for
        return None
    try:
        content = read_json(path, MOST_BYTES)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def fault_of_record(content: Mapping[str, Any], n_components: int) -> str | None:
    """Say what is wrong with the parts of a record that a page is made of.

    Parameters
    ----------
    content : mapping
        As `read_record` returns.
    n_components : int
        Of the model.

    Returns
    -------
    str or None
        The first fault.
    """
    from identica.io.schema import Anything, ListOf, Maybe, Number, Table, Text, Whole, fault_of

    each = ListOf(ListOf(Number(finite=True), n_components, n_components), 10_000, 1)
    cross = {"seeds": each, "halves": each, "half_agreement": Number(finite=True), "n_compared": Whole(0)}
    auxiliary = Table({"path": Text(), "column": Maybe(Text()), "n_levels": Maybe(Whole(0))})
    covariates = ListOf(Table({"name": Text(), "n_levels": Maybe(Whole(0))}), 10_000)
    optional = {
        "auxiliary": Maybe(auxiliary),
        "covariates": Maybe(covariates),
        "cross_check": Maybe(Table({**cross, "seconds": Number(finite=True)})),
    }
    value_range = {"value_range": Maybe(ListOf(Number(finite=True), 2, 2))}
    required = {
        "data": Table({"path": Text(), "n_features": Whole(1), "n_samples": Whole(1)}, value_range, Anything()),
        "n_samples_fitted": Whole(0),
        "n_samples_held_out": Whole(0),
        "seed": Maybe(Whole(0)),
        "versions": Table({"identica": Text(100)}, others=Anything()),
        "warnings": ListOf(Text(), 10_000),
    }
    return fault_of(content, Table(required, optional, Anything()), "run.json")


def digest(estimator: ComponentAnalysis, table: Table, holdout: float) -> str:
    """Return what tells one fit from another: a digest of the method, its parameters, the data and their names.

    Parameters
    ----------
    estimator : ComponentAnalysis
        The estimator that is asked for.
    table : Table
        All rows.
    holdout : float
        Share of the rows to hold out.

    Returns
    -------
    str
        A hexadecimal number.
    """
    from identica.estimators import fingerprint

    told: list[Any] = [fingerprint(estimator, table.values), table.feature_names, table.row_names, holdout]
    if table.auxiliary is not None:
        values = table.auxiliary.values
        told.append([table.auxiliary.column, values.dtype.kind == "f", [str(value) for value in values.tolist()]])
    for name, known in table.beside.given().items():
        columns = {name: known} if name == "size_factors" else {each: known[each] for each in known}
        told.append([name, {each: [str(value) for value in column.tolist()] for each, column in columns.items()}])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def auxiliary_column(content: Mapping[str, Any] | None) -> str | None:
    """Tell which column of its table a fit took for its auxiliary variable.

    Parameters
    ----------
    content : mapping or None
        As `read_record` returns.

    Returns
    -------
    str or None
        Its name; None where there is no such column.
    """
    auxiliary = (content or {}).get("auxiliary")
    column = auxiliary.get("column") if isinstance(auxiliary, dict) else None
    return column if isinstance(column, str) else None
