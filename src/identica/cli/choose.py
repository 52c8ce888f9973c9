"""identica choose."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from identica.cli.beside import BesideOptions, FlatBeside
from identica.cli.options import File, Name, Number, a_line_per_fit, check_jobs, fits_are_kept
from identica.cli.reading import Flat, Reading

if TYPE_CHECKING:
    from identica.estimators import ComponentAnalysis
    from identica.trust import Choice, SingleFit

__all__ = ["QUICK", "Choose", "numbers_in", "quick_estimator"]

QUICK: Mapping[str, Any] = {"n_init": 1, "training": {"max_steps": 1500}}
"""What fits of a search have in place of the defaults of the method: many short fits tell more than few long ones."""
FITS = "fits"
"""Folder of the finished fits, in the directory that is written into."""


@dataclass(frozen=True)
class Choose:
    """Find out how many components the data have, and which can be trusted.

    For each number the method is fitted to the rows from several seeds and to both halves of them; a component is
    trusted that all these fits agree on. Writes choose.json and choose.svg. Each fit is kept in the folder fits as soon
    as it is done: after Ctrl-C, or if the process was killed, the same command goes on with those that are left. Fits
    are short: one start and 1500 steps, unless the configuration says otherwise.

    Parameters
    ----------
    data : Path
        Table of observations: .npy, .npz, .csv, .tsv, .txt, .parquet, .h5ad or .zarr; text may be gzipped or come from
        standard input, "-".
    n_components : str
        Numbers to try: one (5), a range with both its ends (2:15), or a list of such (2,4,8:10).
    method : str
        The method: dica, unless the configuration says otherwise, sparse-jacobian, autoencoder and so on.
    output : Path
        Directory to write into.
    seeds : int
        Fits of all rows for each number, at least 2.
    jobs : int
        Fits side by side, each in a process with one thread.
    seed : int
        Seed of all randomness; 0 unless the configuration says otherwise.
    config : Path
        TOML or JSON file of the method's parameters, such as n_init, network.hidden or training.max_steps.
    reading : Reading
        How to read the table.
    beside : BesideOptions
        Covariates and size factors, as for fit.
    auxiliary : str
        Auxiliary variable of auxiliary-ica, as for fit.
    likelihood : str
        How the data follow the components, as for fit.
    holdout : float
        Share of the rows that no fit sees, on which fits are compared; 5000 rows at most.
    device : str
        Where to compute: auto, cpu, cuda, mps and so on; auto unless the configuration says otherwise.
    """

    data: File
    n_components: Annotated[str, arg(aliases=["-d"], metavar="N|A:B|N,N")] = "2:15"
    method: Name = None
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-choose")
    seeds: Annotated[int, arg(metavar="N")] = 2
    jobs: Annotated[int, arg(metavar="N")] = 1
    seed: Number = None
    config: Annotated[Path | None, arg(metavar="FILE")] = None
    reading: Flat = field(default_factory=Reading)
    beside: FlatBeside = field(default_factory=BesideOptions)
    auxiliary: Name = None
    likelihood: Name = None
    holdout: Annotated[float, arg(metavar="SHARE")] = 0.2
    device: Name = None

    def run(self) -> None:
        """Run the command."""
        # Before anything is imported that takes long.
        self.reading.examine(self.data, auxiliary=self.auxiliary, beside=self.beside)
        import numpy as np
        from matplotlib.figure import Figure

        from identica import plotting
        from identica.arguments import check_integer, check_real
        from identica.cli.beside import check_levels
        from identica.cli.configuration import read_parameters
        from identica.cli.depth import with_depths_of_fit
        from identica.cli.observations import check_use, read_observations, recognise_counts
        from identica.io import output_directory, refuse_to_overwrite, write_json
        from identica.trust import choose
        from identica.trust.evidence import REPLICATED

        numbers = numbers_in(self.n_components)
        check_integer("seeds", self.seeds, 2)
        check_real("holdout", self.holdout, above=0, below=1)
        check_jobs(self.jobs)
        given = {"method": self.method, "random_state": self.seed, "device": self.device, "likelihood": self.likelihood}
        estimator = quick_estimator(self.config, given)
        check_use(estimator, self.auxiliary)
        written = [self.output / name for name in ("choose.json", "choose.svg")]
        read = [self.data, self.config, None if self.auxiliary is None else Path(self.auxiliary)]
        refuse_to_overwrite(read, written)
        table = read_observations(self.data, self.reading, self.auxiliary, self.beside)
        estimator = recognise_counts(
            estimator, table, told="likelihood" in read_parameters(self.config, {**given, "n_components": 1})
        )
        check_levels(table, np.arange(len(table.values)))
        column = self.beside.size_factor_key
        table, _ = with_depths_of_fit(estimator, table, layer=self.reading.layer, column=column)
        with output_directory(self.output) as directory, fits_are_kept(self.output):
            n_fits = len(numbers) * (self.seeds + 2)
            with a_line_per_fit(n_fits, _line) as told:
                choice = choose(
                    estimator,
                    table.named(),
                    numbers,
                    y=None if table.auxiliary is None else table.auxiliary.values,
                    **table.beside.given(),
                    n_seeds=self.seeds,
                    n_jobs=self.jobs,
                    random_state=int(estimator.random_state),
                    test_fraction=self.holdout,
                    directory=directory / FITS,
                    on_fit=told,
                )
            write_json(directory / "choose.json", _content(self, estimator, choice))
            figure = Figure(figsize=(5.6, 5.6), layout="constrained")
            axes = figure.subplots(3, 1, sharex=True)
            plotting.choice(choice.to_dict()["rows"], choice.recommended, threshold=REPLICATED, axes=axes)
            plotting.write_svg(directory / "choose.svg", figure)
        print(f"\n{_table(choice)}\n")
        print(choice.reason)
        print(_components(choice))
        print(f"See {self.output / 'choose.svg'}")


def numbers_in(text: str) -> list[int]:
    """Read numbers of components as the command line gives them.

    Parameters
    ----------
    text : str
        Numbers and ranges A:B, which hold both ends, separated by commas.

    Returns
    -------
    list of int
        In ascending order, each once.

    Raises
    ------
    ValueError
        If there is something else, a number less than 1, or a range that ends before it begins.

    Examples
    --------
    >>> numbers_in("5"), numbers_in("2:6"), numbers_in("2,4,8:10")
    ([5], [2, 3, 4, 5, 6], [2, 4, 8, 9, 10])
    """
    allowed = "give one number (5), a range with both its ends (2:15), or a list of such (2,4,8:10)"
    numbers: set[int] = set()
    for part in text.split(","):
        ends = [int(end) for end in part.split(":")] if re.fullmatch(r" *\d{1,6}(:\d{1,6})? *", part) else []
        if not ends:
            raise ValueError(f"-d {text}: {part!r} is no number of components, {allowed}")
        if ends[0] < 1:
            raise ValueError(f"-d {text}: {ends[0]} components are not possible, use at least 1")
        if ends[0] > ends[-1]:
            raise ValueError(f"-d {text}: the range {part} ends before it begins, {allowed}")
        numbers.update(range(ends[0], ends[-1] + 1))
    return sorted(numbers)


def quick_estimator(config: Path | None, given: Mapping[str, Any]) -> "ComponentAnalysis":
    """Make the estimator of a search, whose fits are short unless the configuration says otherwise.

    Parameters
    ----------
    config : Path or None
        A .toml or .json file.
    given : mapping
        Parameters that the command line gives; None where it says nothing.

    Returns
    -------
    ComponentAnalysis
        Unfitted; its number of components means nothing.
    """
    from identica.cli.configuration import read_parameters
    from identica.estimators import METHODS, from_configuration

    parameters = read_parameters(config, {**given, "n_components": 1, "verbose": 0})
    method = METHODS.get(parameters.get("method", "dica"))
    names = {field.name for field in fields(method)} if method is not None else set()
    if "n_init" in names:
        training = parameters.get("training")
        parameters = {**QUICK, **parameters}
        if isinstance(training, dict):
            parameters["training"] = {**QUICK["training"], **training}
    return from_configuration(parameters)


def _line(fit: "SingleFit") -> str:
    what = f"{fit.kind} {fit.number}"
    return f"{fit.n_components} components, {what}: {fit.unexplained:.2%} unexplained, {fit.seconds:.1f} s"


def _content(command: Choose, estimator: "ComponentAnalysis", choice: "Choice") -> dict[str, Any]:
    """Describe a search in plain values."""
    from importlib.metadata import version

    from identica.estimators import configuration

    parameters = {name: value for name, value in configuration(estimator).items() if name != "n_components"}
    return {
        **choice.to_dict(),
        "data": str(command.data),
        "covariates": list(command.beside.kinds()),
        "size_factor_key": command.beside.size_factor_key,
        "configuration": parameters,
        "seeds": command.seeds,
        "holdout": command.holdout,
        "version": version("identica"),
    }


def _table(choice: "Choice") -> str:
    """Lay out the numbers; agreements are means over components, and what is found is trusted or mixed."""
    widths = {"components": 10, "unexplained": 11, "criterion": 9, "seeds": 6, "halves": 6, "found": 5, "trusted": 7}
    lines = [" ".join(f"{name:>{width}}" for name, width in widths.items())]
    for row in choice.rows:
        seeds, halves = (
            sum(getattr(each, name) for each in row.components) / row.n_components
            for name in ("agreement_of_seeds", "agreement_of_halves")
        )
        counts = Counter(each.state for each in row.components if each.state != "trusted")
        cells = (
            *(str(row.n_components), f"{row.unexplained:.2%}", f"{row.criterion:.3f}", f"{seeds:.3f}", f"{halves:.3f}"),
            *(str(row.n_found), str(row.n_trusted)),
        )
        line = " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths.values(), strict=True))
        lines.append(f"{line} {', '.join(f'{n} {state}' for state, n in counts.items())}".rstrip())
    return "\n".join(lines)


def _components(choice: "Choice") -> str:
    """Say of each component of the recommended number whether it can be trusted."""
    said = [f"trusted components: {', '.join(map(str, choice.trusted)) or 'none'}"]
    for each in choice.best.components:
        if each.state != "trusted":
            of = "" if each.partner is None else f" of {each.partner}"
            said.append(f"component {each.component}: {each.state}{of}")
    return "\n".join(said)
