"""identica fit."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from identica.cli.beside import BesideOptions, FlatBeside
from identica.cli.options import File, Name, Number, a_line_per_fit, check_jobs, set_threads
from identica.cli.reading import Flat, Reading

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table
    from identica.trust import CrossCheck, SingleFit

__all__ = ["CheckpointKept", "Fit"]

OTHER_FITS = "cross-check"
"""Folder of the other fits while they go on."""


class CheckpointKept(KeyboardInterrupt):
    """A fit was interrupted and can be gone on with, from what the path keeps that is the message."""


@dataclass(frozen=True)
class Fit:
    """Fit a method to a table and write the components of all its rows.

    Writes model.safetensors, latents.npy, latents.csv, history.csv, run.json and report.html, a page to look at. Some
    rows are held out of the fit, to report how well they are reconstructed beside PCA with as many components. A text
    file may have a header and, as its first column without a name, the names of the rows; all else must be numbers.
    After Ctrl-C, or if the process was killed, the same command with --resume goes on to the same result.
    The method auxiliary-ica is told something about each row, such as a batch or a time, by --auxiliary.

    Parameters
    ----------
    data : Path
        Table of observations: .npy, .npz, .csv, .tsv, .txt, .parquet, .h5ad or .zarr; text may be gzipped or come from
        standard input, "-".
    n_components : int
        Number of components, needed here or in the configuration; of a .h5ad file or a .zarr directory by default 12,
        or the number of genes, or of counts that of the directions which stand out from their noise, where these are
        fewer, as identica.tl.dica has it.
    method : str
        The method: dica, unless the configuration says otherwise, sparse-jacobian, autoencoder and so on.
    output : Path
        Directory to write into.
    seed : int
        Seed of all randomness; 0 unless the configuration says otherwise.
    config : Path
        TOML or JSON file of the method's parameters, such as weight, network.hidden or training.max_steps.
    resume : bool
        Go on from the checkpoint that an unfinished fit has left.
    reading : Reading
        How to read the table.
    auxiliary : str
        Auxiliary variable of auxiliary-ica, a label (text, whole numbers) or a real number for each row: a column of
        the table, which then is no feature, or of obs of a .h5ad file; for .npy, .npz and IDX files, a .npy or IDX file
        of its own.
    likelihood : str
        How the data follow the components: gaussian, unless the configuration says otherwise; for raw counts poisson,
        negative-binomial or residuals. Raw counts in a .h5ad file or a .zarr directory are recognised by method dica
        and fitted with poisson; of those in a table a warning says so.
    beside : BesideOptions
        Covariates and size factors.
    write_h5ad : bool
        Of a .h5ad file or a .zarr directory: also write all of it, with the components in obsm, their influence in varm
        and what was done in uns, as identica.tl.dica does, under the name that it has.
    quote_formulas : bool
        In latents.csv, put an apostrophe before names of rows that a spreadsheet would take for formulas.
    holdout : float
        Share of the rows to hold out.
    cross_check : bool
        Fit the same rows from another seed, too, and each half of them, and tell on which components all agree: takes
        about three times as long again. These fits are kept in the folder cross-check, for --resume.
    jobs : int
        Fits of --cross-check side by side, each in a process with one thread.
    threads : int
        Number of threads to compute with; PyTorch's choice by default.
    device : str
        Where to compute: auto, cpu, cuda, mps and so on; auto unless the configuration says otherwise.
    """

    data: File
    n_components: Annotated[Number, arg(aliases=["-d"])] = None
    method: Name = None
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-fit")
    seed: Number = None
    config: Annotated[Path | None, arg(metavar="FILE")] = None
    resume: bool = False
    reading: Flat = field(default_factory=Reading)
    auxiliary: Name = None
    likelihood: Name = None
    beside: FlatBeside = field(default_factory=BesideOptions)
    write_h5ad: bool = False
    quote_formulas: bool = False
    holdout: Annotated[float, arg(metavar="SHARE")] = 0.1
    cross_check: bool = False
    jobs: Annotated[int, arg(metavar="N")] = 1
    threads: Number = None
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.io.checkpoint_header import examine_checkpoint

        # Before anything is imported that takes long.
        self.reading.examine(self.data, auxiliary=self.auxiliary, beside=self.beside)
        checkpoint = self.output / "checkpoint.safetensors"
        if self.resume and checkpoint.exists():
            examine_checkpoint(checkpoint)
        from identica.cli.cells import check_place_in, holds_cells
        from identica.cli.configuration import read_parameters

        given = {"n_components": self.n_components, "method": self.method, "random_state": self.seed}
        given |= {"likelihood": self.likelihood, "device": self.device}
        parameters = read_parameters(self.config, given, needs_number=not holds_cells(self.data))
        from identica.cli.beside import check_levels
        from identica.cli.depth import with_depths_of_fit
        from identica.cli.held_out import split_rows
        from identica.cli.observations import check_use, read_observations, recognise_counts, with_default_number
        from identica.estimators import from_configuration
        from identica.io import DataError, output_directory, refuse_to_overwrite
        from identica.single_cell.tl import N_COMPONENTS

        estimator = from_configuration({"n_components": N_COMPONENTS, **parameters})
        check_use(estimator, self.auxiliary)
        check_jobs(self.jobs)
        self._check_options(estimator)
        set_threads(self.threads)
        read = [self.data, self.config, None if self.auxiliary is None else Path(self.auxiliary)]
        refuse_to_overwrite(read, [checkpoint, *(self.output / name for name in self._files)])
        if checkpoint.exists() and not self.resume:
            raise DataError(
                f"{checkpoint} is of an unfinished fit, go on with it by --resume, or delete it to start over"
            )
        with _noted() as noted:
            table = read_observations(self.data, self.reading, self.auxiliary, self.beside)
            estimator = recognise_counts(estimator, table, told="likelihood" in parameters)
            column = self.beside.size_factor_key
            table, depth = with_depths_of_fit(estimator, table, layer=self.reading.layer, column=column)
            if self.write_h5ad:
                check_place_in(self.data, estimator, "leave --write-h5ad out")
            rows = split_rows(len(table.values), self.holdout, int(estimator.random_state))
            check_levels(table, rows[0])
            if "n_components" not in parameters:
                estimator = with_default_number(estimator, table, rows[0])
        if self.resume and not checkpoint.exists() and self._is_finished(estimator, table):
            print(f"{self.output} holds this fit already, it is finished: nothing to resume")
            return
        with output_directory(self.output) as directory:
            self._fit(estimator, table, rows, depth, noted, directory, checkpoint)

    @property
    def _files(self) -> tuple[str, ...]:
        """What is written, the record last."""
        from identica.cli.record import FILES

        return (*((f"{self.data.stem}.h5ad",) if self.write_h5ad else ()), *FILES)

    def _check_options(self, estimator: "ComponentAnalysis") -> None:
        """Refuse, before anything is read, options that do not belong together."""
        from identica.cli.cells import check_cells_file, holds_cells

        if self.cross_check and not estimator.identifies:
            raise ValueError(
                f"--cross-check compares single components, and {estimator.method} does not look for any: leave it "
                "out, or use another method"
            )
        named = (*self.beside.names(), *(() if self.auxiliary is None else (self.auxiliary,)))
        if len(set(named)) < len(named):
            raise ValueError(f"column {self.auxiliary!r} is named twice, also by --auxiliary: name it once")
        if self.write_h5ad and not holds_cells(self.data):
            raise ValueError(
                f"--write-h5ad writes the cells that were fitted, and {self.data} holds none: give a .h5ad file or a "
                ".zarr directory, or leave it out"
            )
        if self.write_h5ad:
            check_cells_file(self.output / self._files[0], self.data, self.reading.budget)

    def _is_finished(self, estimator: "ComponentAnalysis", table: "Table") -> bool:
        """Find out whether there is nothing to resume; refuse to mix up two fits."""
        from identica.cli.record import digest, read_record
        from identica.io import DataError

        record = read_record(self.output / "run.json")
        if record is None:
            return False
        if record.get("digest") != digest(estimator, table, self.holdout):
            raise DataError(
                f"{self.output} holds a finished fit of other data or parameters, leave out --resume to "
                "replace it or choose another output"
            )
        missing = [name for name in self._files if not (self.output / name).is_file()]
        if missing:
            raise DataError(
                f"{self.output} holds a finished fit whose {missing[0]} is missing, leave out --resume to fit it again"
            )
        if self.cross_check and record.get("cross_check") is None:
            raise DataError(
                f"{self.output} holds a finished fit without --cross-check, leave out --resume to fit it again with it"
            )
        return True

    def _fit(
        self,
        estimator: "ComponentAnalysis",
        table: "Table",
        split: tuple[Any, Any],
        depth: dict[str, Any] | None,
        told: list[str],
        directory: Path,
        checkpoint: Path,
    ) -> None:
        from identica.cli import held_out, record
        from identica.cli.cells import results_of, write_cells
        from identica.cli.report import page_of
        from identica.io import remove_leftovers, write_csv, write_json, write_npy, write_records
        from identica.report import write_report
        from identica.trust.other_fits import check_halves, check_levels_of_halves
        from identica.trust.samples import Samples

        train, unseen = split
        if self.cross_check:
            check_halves(len(train), estimator.n_components)
            samples = Samples(table.rows(train), None, **table.beside.given(train))
            check_levels_of_halves(samples, int(estimator.random_state))
        known = None if table.auxiliary is None else table.auxiliary.rows(train)
        beside = table.beside
        with _noted() as noted:
            start = time.perf_counter()
            try:
                estimator.fit(
                    table.rows(train), known, **beside.given(train), checkpoint=checkpoint, resume=self.resume
                )
            except KeyboardInterrupt:
                if checkpoint.exists():
                    raise CheckpointKept(str(checkpoint)) from None
                raise KeyboardInterrupt(" before anything was saved") from None
            seconds = time.perf_counter() - start
            # What a fit before has left is whole no more: its sign goes before the first file is replaced.
            (directory / "run.json").unlink(missing_ok=True)
            # First what took long.
            estimator.save(directory / "model.safetensors")
            latents = estimator.transform(table.named(), **beside.given())
            write_npy(directory / "latents.npy", latents)
            names = list(estimator.get_feature_names_out())
            quoted = self.quote_formulas
            write_csv(directory / "latents.csv", latents, names, table.row_names, quote_formulas=quoted)
            write_records(directory / "history.csv", estimator.history_)
            if self.write_h5ad:
                results = results_of(
                    estimator, table, latents, layer=self.reading.layer, size_factor_key=self.beside.size_factor_key
                )
                write_cells(self.data, directory / self._files[0], results)
            shares = None
            if len(unseen):
                seed = int(estimator.random_state)
                shares = held_out.reconstruction_beside_pca(estimator, table, train, unseen, seed)
        cross = self._other_fits(estimator, table, train, directory) if self.cross_check else None
        content = record.describe(
            estimator,
            table,
            self.holdout,
            train,
            unseen,
            shares,
            seconds,
            [*told, *noted],
            cross,
            depth=depth,
            layer=self.reading.layer,
        )
        page = page_of(estimator, latents, content, sample_names=table.row_names, samples=table.values)
        write_report(directory / "report.html", page)
        # Last, as the sign that all is there.
        write_json(directory / "run.json", content)
        checkpoint.unlink(missing_ok=True)
        for name in (checkpoint.name, *self._files):
            remove_leftovers(directory / name)
        _remove_fits(directory / OTHER_FITS)
        print(record.summary(content, directory, self._files))

    def _other_fits(self, estimator: "ComponentAnalysis", table: "Table", train: Any, directory: Path) -> "CrossCheck":
        from identica.trust import cross_check
        from identica.trust.single_fits import N_HALVES

        if not self.resume:
            _remove_fits(directory / OTHER_FITS)
        try:
            with a_line_per_fit(1 + N_HALVES, _line) as told:
                return cross_check(
                    estimator,
                    table.rows(train),
                    y=None if table.auxiliary is None else table.auxiliary.rows(train),
                    **table.beside.given(train),
                    n_jobs=self.jobs,
                    random_state=int(estimator.random_state),
                    directory=directory / OTHER_FITS,
                    on_fit=told,
                )
        except KeyboardInterrupt:
            # The fit itself is done and kept; so are other fits, once the first of them is.
            kept = self.output / OTHER_FITS
            raise CheckpointKept(str(kept if kept.is_dir() else self.output / "checkpoint.safetensors")) from None


def _line(fit: "SingleFit") -> str:
    return f"{fit.kind} {fit.number}: {fit.unexplained:.2%} unexplained, {fit.seconds:.1f} s"


def _remove_fits(directory: Path) -> None:
    """Remove the fits that a cross-check keeps while it goes on, and their folder if nothing else is in it."""
    if directory.is_dir():
        for path in directory.glob("*-components-*.npz"):
            path.unlink()
        if not any(directory.iterdir()):
            directory.rmdir()


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Note warnings while they are shown."""
    texts: list[str] = []
    show = warnings.showwarning

    def note(message: Any, *args: Any, **kwargs: Any) -> None:
        texts.append(str(message))
        show(message, *args, **kwargs)

    warnings.showwarning = note
    try:
        yield texts
    finally:
        warnings.showwarning = show
