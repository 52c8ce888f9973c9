"""identica transform."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from identica.cli.beside import SizeFactor
from identica.cli.options import File, Name, counted
from identica.cli.reading import Flat, Reading

__all__ = ["Transform"]


@dataclass(frozen=True)
class Transform:
    """Compute the components of samples with a fitted model.

    Columns that the fit took for covariates or size factors are looked for under the same names, in the table or in
    obs; one that it took for its auxiliary variable is left out. Of a .h5ad file the model's genes are read.

    Parameters
    ----------
    model : Path
        A model.safetensors that fit has written.
    data : Path
        Table with the features that the model was fitted on; those with names may come in any order.
    output : Path
        File to write the components into: .npy, .csv, .tsv or .parquet; .h5ad for all that is in a .h5ad file or a
        .zarr directory with the components in obsm, less what another fit has left under the same name.
    reading : Reading
        How to read the table.
    size_factor_key : str
        Column of the depth of each sample of counts; by default that of the fit, which run.json beside the model names.
    quote_formulas : bool
        In text, put an apostrophe before names of rows that a spreadsheet would take for formulas.
    device : str
        Where to compute; that of the fit by default.
    """

    model: File
    data: File
    output: Annotated[Path, arg(metavar="FILE")]
    reading: Flat = field(default_factory=Reading)
    size_factor_key: SizeFactor = None
    quote_formulas: bool = False
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.io.model_header import examine_model

        examine_model(self.model)  # before anything is imported that takes long
        from identica.cli.cells import check_cells_file, check_place_in, holds_cells, latents_of, write_cells
        from identica.estimators import load
        from identica.io import check_table_file, output_directory, refuse_to_overwrite, write_table

        cells = self.output.suffix.lower() == ".h5ad"
        if cells:
            check_cells_file(self.output, self.data, self.reading.budget)
        else:
            check_table_file(self.output, others=(".h5ad",) if holds_cells(self.data) else ())
        refuse_to_overwrite([self.model, self.data], [self.output])
        model = load(self.model, device=self.device)
        table = self.reading.table_for(model, self.data, self.model, size_factor_key=self.size_factor_key)
        if cells:
            check_place_in(self.data, model, "give an output with another ending than .h5ad")
        with output_directory(self.output.parent):
            named = hasattr(model, "feature_names_in_")
            latents = model.transform(table.named() if named else table.values, **table.beside.given())
            if cells:
                write_cells(self.data, self.output, latents_of(model, latents))
            else:
                names = list(model.get_feature_names_out())
                write_table(self.output, latents, names, table.row_names, quote_formulas=self.quote_formulas)
        print(f"{counted(len(latents), 'sample')}, {counted(latents.shape[1], 'component')} are in {self.output}")
