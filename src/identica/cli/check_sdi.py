"""identica check-sdi."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from tyro.conf import Positional, arg

from identica.cli.options import File, check_seed
from identica.cli.reading import Flat, Reading

if TYPE_CHECKING:
    from identica.trust.sdi import SDICheck, SDIPoint, SDISummary

__all__ = ["CheckSDI"]


class _OnPoint(Protocol):
    def __call__(self, point: "SDIPoint", done: int, of: int, /) -> None: ...


@dataclass(frozen=True)
class CheckSDI:
    """Check at points of the data whether influences are so diverse that the components are the only best answer.

    Checks sufficiently diverse influence, of the rows of the Jacobian and of rows of either sign, and local
    identifiability. Prints what was found and what it means, and writes sdi.json, with what was found at each point,
    and sdi.svg, a picture of the margins and of the rows at the point in their middle.

    Parameters
    ----------
    jacobian : Path
        A .npy file with one Jacobian (n_features, n_components) or several (n_points, n_features, n_components); or a
        model.safetensors that fit has written, or its directory.
    data : Path
        Table with the features that the model was fitted on; needed with a model. Its Jacobians are taken in the units
        in which the fit compared features.
    points : int
        How many points to check, drawn at random; fewer where there are fewer.
    tol : float
        Tolerance of all answers, relative; from 1e-6 to 0.01.
    time_limit : float
        Seconds for all points together.
    jobs : int
        Points that are checked side by side.
    seed : int
        Seed of the draw of points.
    output : Path
        Directory to write into.
    reading : Reading
        How to read the table.
    """

    jacobian: File
    data: Positional[Annotated[Path | None, arg(metavar="FILE")]] = None
    points: Annotated[int, arg(metavar="N")] = 20
    tol: float = 1e-4
    time_limit: Annotated[float, arg(metavar="SECONDS")] = 300.0
    jobs: Annotated[int, arg(metavar="N")] = 1
    seed: int = 0
    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-sdi")
    reading: Flat = field(default_factory=Reading)

    def run(self) -> None:
        """Run the command."""
        from identica.arguments import check_integer, check_real
        from identica.io import output_directory, refuse_to_overwrite, write_json

        check_seed(self.seed)
        check_integer("points", self.points, 1)
        check_integer("jobs", self.jobs, 1)
        check_real("tol", self.tol, at_least=1e-6, at_most=1e-2)
        check_real("time-limit", self.time_limit, above=0.0)
        learned = self.jacobian.suffix.lower() != ".npy"
        refuse_to_overwrite([self.jacobian, self.data], [self.output / name for name in ("sdi.json", "sdi.svg")])
        jacobians = self._of_model() if learned else self._of_file()
        from identica.plotting import diverse_influence, write_svg
        from identica.trust.sdi import summarise_sdi

        with output_directory(self.output) as directory:
            with _naming(self.jacobian), _progress(min(self.points, len(jacobians))) as tell:
                summary = summarise_sdi(
                    jacobians,
                    tol=self.tol,
                    time_limit=self.time_limit,
                    n_points=min(self.points, len(jacobians)),
                    n_jobs=self.jobs,
                    random_state=self.seed,
                    on_point=tell,
                )
            write_json(directory / "sdi.json", {**summary.to_dict(), "tol": self.tol, "learned": learned})
            write_svg(directory / "sdi.svg", diverse_influence(summary, jacobians))
        print(_verdict(summary, jacobians.shape, learned))
        print(f"\nSee {self.output / 'sdi.svg'}")

    def _of_file(self) -> Any:
        from identica.io import DataError
        from identica.io.arrays import load_npy

        if self.data is not None:
            raise DataError(f"{self.jacobian} holds Jacobians and needs no data: leave out {self.data}")
        if not self.jacobian.is_file():
            raise DataError(f"{self.jacobian} is no file, give an existing one")
        jacobians = load_npy(self.jacobian)
        if jacobians.ndim not in (2, 3) or jacobians.size == 0:
            raise DataError(
                f"{self.jacobian} holds an array of shape {jacobians.shape}, give (n_features, n_components) or "
                "(n_points, n_features, n_components)"
            )
        if jacobians.dtype.kind not in "fiu":
            raise DataError(f"{self.jacobian} holds {jacobians.dtype}, give real numbers")
        return jacobians if jacobians.ndim == 3 else jacobians[None]

    def _of_model(self) -> Any:
        """Return a model's Jacobians at samples, one row per feature in the unit in which the fit saw it."""
        import numpy as np

        from identica.io import DataError
        from identica.io.model_header import examine_model

        if self.data is None:
            raise DataError(f"{self.jacobian} is no .npy file, and a model needs data: give a table after it")
        path = self.jacobian / "model.safetensors" if self.jacobian.is_dir() else self.jacobian
        examine_model(path)  # before anything is imported that takes long
        from identica.estimators import compared_jacobians, load

        model = load(path)
        table = self.reading.table_for(model, self.data, path)
        drawn = np.random.default_rng(self.seed).permutation(len(table.values))[: self.points]
        rows = np.sort(drawn)
        jacobians = compared_jacobians(model, model.transform(table.rows(rows), **table.beside.given(rows)))
        without = np.argwhere(~jacobians.any(axis=1))
        if without.size:
            point, component = without[0].tolist()
            raise DataError(
                f"component {component} of {path} moves no feature at row {rows[point]} of {self.data}, and the "
                "condition needs each to move some: fit fewer components, or check the Jacobians of the others from a "
                ".npy file"
            )
        return jacobians


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is said of a Jacobian that cannot be checked."""
    from identica.io import DataError

    try:
        yield
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


@contextmanager
def _progress(n_points: int) -> Iterator[_OnPoint]:
    """Give what shows a bar on a terminal, and says a line for each point elsewhere."""
    from tqdm import tqdm

    shown = sys.stderr.isatty()
    with tqdm(total=n_points, unit="point", file=sys.stderr, leave=False, disable=not shown) as bar:

        def tell(point: "SDIPoint", done: int, of: int, /) -> None:
            bar.update()
            if not shown:
                _, high = point.plain.gamma
                line = (
                    f"point {point.index} ({done} of {of}): part 1 {point.plain.condition_1}, margin at most {high:.3f}"
                )
                print(line, file=sys.stderr, flush=True)

        yield tell


def _verdict(summary: "SDISummary", shape: tuple[int, ...], learned: bool) -> str:
    """Say what was found and what it means."""
    points = summary.points
    plain, symmetric = [point.plain for point in points], [point.symmetric for point in points]
    local = sum(point.local.identifiable for point in points)
    left_out = f", {summary.n_left_out} more were not reached in time" if summary.n_left_out else ""
    lines = [
        f"{len(points)} point(s), {shape[1]} features, {shape[2]} components{left_out}.",
        f"Diverse influence: {_counted(plain)}",
        f"Diverse influence, rows of either sign: {_counted(symmetric)}",
        f"Local identifiability: at {local} of {len(points)} point(s).",
        f"Volume efficiency, 1 at best: {summary.volume_efficiency[2]:.3f} in the middle.",
        "",
        _meaning_of_influence(summary),
        _meaning_of_local(local, len(points), learned),
    ]
    return "\n".join(lines)


def _counted(checks: "list[SDICheck]") -> str:
    """Say how often each part of the condition holds, and between what the margin lies."""
    parts = []
    for name, found in (
        ("part 1", [check.condition_1 for check in checks]),
        ("part 2", [check.condition_2 for check in checks]),
    ):
        counts = {answer: found.count(answer) for answer in ("holds", "fails", "undecided")}
        parts.append(f"{name} " + ", ".join(f"{answer} at {n}" for answer, n in counts.items() if n))
    low, high = (sorted(ends) for ends in zip(*(check.gamma for check in checks), strict=True))
    return f"{'; '.join(parts)}; margin from {low[0]:.3f} to {high[-1]:.3f}, 1 where part 1 holds."


def _meaning_of_influence(summary: "SDISummary") -> str:
    if summary.unique_up_to is not None:
        return (
            "Where both parts hold for either kind of rows, these components are the only best answer there, up to "
            f"their order, signs and scales, and to changes by less than {summary.unique_up_to:.2g} of them."
        )
    return (
        "Nowhere do both parts hold: it is not proven that these components are the only best answer. They may be even "
        "so: the condition is sufficient, and rows without zeros meet it only if there are at least d 2^d of "
        "them, or half as many of either sign, for d components."
    )


def _meaning_of_local(found: int, of: int, learned: bool) -> str:
    if learned:
        return (
            "The Jacobian was learned: a fit that holds every row in the ball (criterion c_inf) ends where it is "
            "locally identifiable. There this tells how far the fit has converged, and nothing of the truth; of a fit "
            "by the mean of the rows, as by default, it tells neither."
        )
    if found == of:
        return "No small change of these components has as large a volume at any of the points."
    return f"At {of - found} point(s) some small change of these components may have as large a volume."
