"""identica fit."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from identica.cli.options import File, Name, Number, a_line_per_fit, check_jobs, set_threads
from identica.cli.reading import Flat, Reading

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.io import Table
    from identica.trust import CrossCheck, SingleFit

__all__ = ["CheckpointKept", "Fit"]

MANY_ZEROS = 0.05
"""Share of the entries from which whole numbers are taken for counts."""
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
        Number of components; needed here or in the configuration.
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
        negative-binomial or residuals.
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
    holdout: Annotated[float, arg(metavar="SHARE")] = 0.1
    cross_check: bool = False
    jobs: Annotated[int, arg(metavar="N")] = 1
    threads: Number = None
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        from identica.cli.configuration import read_parameters
        from identica.cli.observations import check_use, read_observations
        from identica.cli.record import FILES
        from identica.estimators import from_configuration
        from identica.io import DataError, output_directory, refuse_to_overwrite

        given = {"n_components": self.n_components, "method": self.method, "random_state": self.seed}
        given |= {"likelihood": self.likelihood, "device": self.device}
        estimator = from_configuration(read_parameters(self.config, given))
        check_use(estimator, self.auxiliary)
        check_jobs(self.jobs)
        if self.cross_check and not estimator.identifies:
            raise ValueError(
                f"--cross-check compares single components, and {estimator.method} does not look for any: leave it "
                "out, or use another method"
            )
        set_threads(self.threads)
        checkpoint = self.output / "checkpoint.safetensors"
        read = [self.data, self.config, None if self.auxiliary is None else Path(self.auxiliary)]
        refuse_to_overwrite(read, [checkpoint, *(self.output / name for name in FILES)])
        if checkpoint.exists() and not self.resume:
            raise DataError(
                f"{checkpoint} is of an unfinished fit, go on with it by --resume, or delete it to start over"
            )
        table = read_observations(self.data, self.reading, self.auxiliary)
        if self.resume and not checkpoint.exists() and self._is_finished(estimator, table):
            print(f"{self.output} holds this fit already, it is finished: nothing to resume")
            return
        with output_directory(self.output) as directory:
            self._fit(estimator, table, directory, checkpoint)

    def _is_finished(self, estimator: "ComponentAnalysis", table: "Table") -> bool:
        """Find out whether there is nothing to resume; refuse to mix up two fits."""
        from identica.cli.record import FILES, digest, read_record
        from identica.io import DataError

        record = read_record(self.output / "run.json")
        if record is None:
            return False
        if record.get("digest") != digest(estimator, table, self.holdout):
            raise DataError(
                f"{self.output} holds a finished fit of other data or parameters, leave out --resume to "
                "replace it or choose another output"
            )
        missing = [name for name in FILES if not (self.output / name).is_file()]
        if missing:
            raise DataError(
                f"{self.output} holds a finished fit whose {missing[0]} is missing, leave out --resume to fit it again"
            )
        if self.cross_check and record.get("cross_check") is None:
            raise DataError(
                f"{self.output} holds a finished fit without --cross-check, leave out --resume to fit it again with it"
            )
        return True

    def _fit(self, estimator: "ComponentAnalysis", table: "Table", directory: Path, checkpoint: Path) -> None:
        from identica.cli import held_out, record
        from identica.cli.report import page_of
        from identica.io import remove_leftovers, write_csv, write_json, write_npy, write_records
        from identica.report import write_report
        from identica.trust.other_fits import check_halves

        seed = int(estimator.random_state)
        train, unseen = held_out.split_rows(len(table.values), self.holdout, seed)
        if self.cross_check:
            check_halves(len(train), estimator.n_components)
        known = None if table.auxiliary is None else table.auxiliary.rows(train)
        with _noted() as noted:
            if estimator.likelihood == "gaussian":
                _tell_of_counts(table)
            start = time.perf_counter()
            try:
                estimator.fit(table.rows(train), known, checkpoint=checkpoint, resume=self.resume)
            except KeyboardInterrupt:
                if checkpoint.exists():
                    raise CheckpointKept(str(checkpoint)) from None
                raise KeyboardInterrupt(" before anything was saved") from None
            seconds = time.perf_counter() - start
            # First what took long.
            estimator.save(directory / "model.safetensors")
            latents = estimator.transform(table.named())
            write_npy(directory / "latents.npy", latents)
            write_csv(directory / "latents.csv", latents, list(estimator.get_feature_names_out()), table.row_names)
            write_records(directory / "history.csv", estimator.history_)
            shares = None
            if len(unseen):
                shares = held_out.reconstruction_beside_pca(estimator, table, train, unseen, seed)
        cross = self._other_fits(estimator, table.rows(train), known, directory) if self.cross_check else None
        content = record.describe(estimator, table, self.holdout, train, unseen, shares, seconds, noted, cross)
        page = page_of(estimator, latents, content, sample_names=table.row_names, samples=table.values)
        write_report(directory / "report.html", page)
        # Last, as the sign that all is there.
        write_json(directory / "run.json", content)
        checkpoint.unlink(missing_ok=True)
        for name in (checkpoint.name, *record.FILES):
            remove_leftovers(directory / name)
        _remove_fits(directory / OTHER_FITS)
        print(record.summary(content, directory))

    def _other_fits(self, estimator: "ComponentAnalysis", rows: Any, known: Any, directory: Path) -> "CrossCheck":
        from identica.trust import cross_check
        from identica.trust.single_fits import N_HALVES

        if not self.resume:
            _remove_fits(directory / OTHER_FITS)
        try:
            with a_line_per_fit(1 + N_HALVES, _line) as told:
                return cross_check(
                    estimator,
                    rows,
                    y=known,
                    n_jobs=self.jobs,
                    random_state=int(estimator.random_state),
                    directory=directory / OTHER_FITS,
                    on_fit=told,
                )
        except KeyboardInterrupt:
            # The fit itself is done and kept; so are other fits, once the first of them is.
            kept = self.output / OTHER_FITS
            raise CheckpointKept(str(kept if kept.is_dir() else self.output / "checkpoint.safetensors")) from None


def _tell_of_counts(table: "Table") -> None:
    """Warn where a table looks like raw counts, of which depth would be the largest component."""
    from identica.single_cell.expression import looks_like_counts

    values = table.values
    if table.sample_shape is not None or (values == 0).mean() < MANY_ZEROS or not looks_like_counts(values):
        return
    warnings.warn(
        "the values are whole numbers with many zeros, as raw counts are, and are fitted as if they were measurements: "
        "give --likelihood poisson if they are counts",
        UserWarning,
        stacklevel=2,
    )


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
