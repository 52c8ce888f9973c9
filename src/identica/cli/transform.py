"""identica transform."""

import dataclasses
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from identica.cli.options import File, Name

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table

__all__ = ["Transform", "check_features", "column_apart"]


@dataclass(frozen=True)
class Transform:
    """Compute the components of samples with a fitted model.

    A column of the table that the fit took for its auxiliary variable is left out.

    Parameters
    ----------
    model : Path
        A model.safetensors that fit has written.
    data : Path
        Table with the features that the model was fitted on, in the same order.
    output : Path
        File to write the components into: .npy, .csv, .tsv or .parquet.
    layer : str
        Layer of an .h5ad file; X by default.
    key : str
        Array of a .npz file that holds several.
    index_column : str
        Column that holds the names of the rows.
    device : str
        Where to compute; that of the fit by default.
    """

    model: File
    data: File
    output: Annotated[Path, arg(metavar="FILE")]
    layer: Name = None
    key: Name = None
    index_column: Name = None
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.estimators import load
        from identica.io import check_table_file, output_directory, read_table, refuse_to_overwrite, write_table

        check_table_file(self.output)
        refuse_to_overwrite([self.model, self.data], [self.output])
        model = load(self.model, device=self.device)
        table = read_table(
            self.data,
            layer=self.layer,
            key=self.key,
            index_column=self.index_column,
            without=column_apart(model),
        )
        known = getattr(model, "feature_names_in_", None)
        check_features(table, model)
        if known is not None and table.feature_names is None:
            warnings.warn(f"{table.path} names no features, they are taken to be the model's", stacklevel=1)
            table = dataclasses.replace(table, feature_names=tuple(known))
        with output_directory(self.output.parent):
            latents = model.transform(table.values if known is None else table.named())
            write_table(self.output, latents, list(model.get_feature_names_out()), table.row_names)
        print(f"{len(latents)} samples, {latents.shape[1]} components are in {self.output}")


def column_apart(model: "ComponentAnalysis") -> str | None:
    """Tell which column of a table is not one of a model's features, but may stand beside them.

    Parameters
    ----------
    model : fitted estimator
        Knows the name of its auxiliary variable, if it was told one that had a name.

    Returns
    -------
    str or None
        That name; None where the model has a feature of the same name, as `obs` and `var` of a .h5ad file may have.
    """
    name: str | None = getattr(model, "auxiliary_name_", None)
    return None if name in tuple(getattr(model, "feature_names_in_", ())) else name


def check_features(table: "Table", model: "ComponentAnalysis") -> None:
    """Refuse a table whose features, or images whose shape, are not those of a model.

    Parameters
    ----------
    table : Table
        The data; images may come as rows of their pixels.
    model : fitted estimator
        Knows the number of its features, their names if they had some, and the shape of its images.

    Raises
    ------
    DataError
        If the number, the names or the order of the features differ, or the shape of the images.
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
    if table.shape[1] != model.n_features_in_:
        pixels = f", the pixels of images of {_sides(known)}" if len(known) > 1 else ""
        raise DataError(
            f"{table.path} has {table.shape[1]} features and the model was fitted on {model.n_features_in_}{pixels}, "
            "give the same features in the same order"
        )
    if names is None or given is None or given == tuple(names):
        return
    position = next(i for i, pair in enumerate(zip(given, names, strict=True)) if pair[0] != pair[1])
    fault = "the model's features in another order" if set(given) == set(names) else "other features than the model"
    raise DataError(
        f"{table.path} has {fault}: column {position} (counted from 0) is {given[position]!r} and should be "
        f"{names[position]!r}"
    )


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
