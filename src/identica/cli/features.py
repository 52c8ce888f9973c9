"""Whether the features of a table are those of a fitted model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from identica.cli.beside import columns_beside, kinds_in_model

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["columns_apart", "in_order_of"]


def columns_apart(model: ComponentAnalysis, record: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Tell which columns of a table are not a model's features, but may stand beside them.

    Parameters
    ----------
    model : fitted estimator
        Knows the names of its covariates, and of its auxiliary variable, if it was told one that had a name.
    record : mapping, optional
        That of its fit, which also knows the column of size factors.

    Returns
    -------
    tuple of str
        Their names, but those that the model's features have, too, as `obs` and `var` of a .h5ad file may share some.
    """
    auxiliary = getattr(model, "auxiliary_name_", None)
    names = dict.fromkeys((auxiliary, *kinds_in_model(model), *columns_beside(record)))
    features = set(getattr(model, "feature_names_in_", ()))
    return tuple(name for name in names if name is not None and name not in features)


def in_order_of(model: ComponentAnalysis, table: Table) -> Table:
    """Put the features of a table into the order of a model's, and say so; refuse those that are others.

    Parameters
    ----------
    model : fitted estimator
        Knows the number of its features, their names if they had some, and the shape of its images.
    table : Table
        The data; images may come as rows of their pixels.

    Returns
    -------
    Table
        With the names of the model's features, where it knows them.

    Raises
    ------
    DataError
        If the number or the names of the features differ, or the shape of the images.
    """
    from identica.io import DataError

    given, names = table.feature_names, getattr(model, "feature_names_in_", None)
    known = tuple(model.sample_shape_)
    if table.sample_shape is not None and table.sample_shape != known:
        fitted = f"images of {_sides(known)}" if len(known) > 1 else f"rows of {known[0]} features"
        raise DataError(
            f"{table.path} holds images of {_sides(table.sample_shape)} and the model was fitted on {fitted}, "
            "give the same"
        )
    if given is not None and names is not None:
        _refuse_others(table, tuple(names))
    if table.shape[1] != model.n_features_in_:
        pixels = f", the pixels of images of {_sides(known)}" if len(known) > 1 else ""
        raise DataError(
            f"{table.path} has {table.shape[1]} features and the model was fitted on {model.n_features_in_}{pixels}, "
            "give the same features in the same order"
        )
    if names is None:
        return table
    if given is None:
        warnings.warn(f"{table.path} names no features, they are taken to be the model's", stacklevel=2)
        return dataclasses.replace(table, feature_names=tuple(names))
    if given == tuple(names):
        return table
    warnings.warn(
        f"{table.path} has the model's features in another order, they are put into the model's", stacklevel=2
    )
    return table.in_order(tuple(names))


def _refuse_others(table: Table, names: tuple[str, ...]) -> None:
    """Refuse a table that lacks features of the model or has others."""
    from identica.io import DataError
    from identica.io.columns import few

    given = table.feature_names or ()
    there, known = set(given), set(names)
    lacking = [name for name in names if name not in there]
    others = [name for name in given if name not in known]
    if lacking or others:
        faults = [f"lacks {len(lacking)} of the model's features ({few(lacking)})"] if lacking else []
        faults += [f"has {len(others)} that the model does not know ({few(others)})"] if others else []
        raise DataError(
            f"{table.path} {' and '.join(faults)}: give the {len(names)} that it was fitted on, in any order"
        )


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
