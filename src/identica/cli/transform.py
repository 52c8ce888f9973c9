"""identica transform."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from identica.cli.options import File, Name
from identica.cli.reading import Flat, Reading

__all__ = ["Transform"]


@dataclass(frozen=True)
class Transform:
    """Compute the components of samples with a fitted model.

    A column of the table that the fit took for its auxiliary variable is left out.

    Parameters
    ----------
    model : Path
        A model.safetensors that fit has written.
    data : Path
        Table with the features that the model was fitted on; those with names may come in any order.
    output : Path
        File to write the components into: .npy, .csv, .tsv or .parquet.
    reading : Reading
        How to read the table.
    device : str
        Where to compute; that of the fit by default.
    """

    model: File
    data: File
    output: Annotated[Path, arg(metavar="FILE")]
    reading: Flat = field(default_factory=Reading)
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.estimators import load
        from identica.io import check_table_file, output_directory, refuse_to_overwrite, write_table

        check_table_file(self.output)
        refuse_to_overwrite([self.model, self.data], [self.output])
        model = load(self.model, device=self.device)
        table = self.reading.table_for(model, self.data)
        with output_directory(self.output.parent):
            latents = model.transform(table.named() if hasattr(model, "feature_names_in_") else table.values)
            write_table(self.output, latents, list(model.get_feature_names_out()), table.row_names)
        print(f"{len(latents)} samples, {latents.shape[1]} components are in {self.output}")
