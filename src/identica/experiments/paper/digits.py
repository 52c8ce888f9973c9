"""What single components do to digits, over numbers of components, solvers, networks and starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from identica.datasets import LabelledImages, load_digits
from identica.estimators import DICA, Autoencoder, SparseJacobian
from identica.experiments.baselines import as_rows
from identica.experiments.benchmark import BenchmarkPlan, Cell, DatasetSpec, MethodSpec
from identica.experiments.digits import ANCHORS_PER_CLASS, CLAIMS, HELD_OUT
from identica.experiments.paper.strips import draw_strip, strip_name
from identica.experiments.paper.study import Rows, Settings, Study, mean_of, sound
from identica.experiments.reading import Reader, check_classes, read_traversals
from identica.experiments.tables import markdown_table
from identica.io import prepare_output_dir
from identica.networks import Convolutional, Dense, Network
from identica.solvers import Staged

__all__ = ["DIGITS", "TURNS", "chosen"]

N_COMPONENTS = (8, 10, 12, 16, 20)
USUAL = 10
"""Components with which settings other than their number are tried."""
MOST_IMAGES = 10_000
REACHES = (1.0, 1.5, 2.0)
"""How far traversals go: in lengths of the range that 98 % of the data cover, about its middle."""
TURNS = tuple(f"{a} to {b}" for a, b in CLAIMS)
AS_GOOD = 1.05
"""A reconstruction error up to so many times the least counts as good."""
BASELINES = ("pca", "autoencoder", "sparse")


@final
@dataclass(frozen=True, eq=False)
class _Digits:
    """Images in a fixed random order; their components are not known."""

    X: NDArray[np.uint8]
    labels: NDArray[np.intp]
    latents: NDArray[Any]


@final
class _Read:
    """Reads what components do; draws the anchors that come nearest to what the paper shows."""

    def __init__(self, folder: Path, images: LabelledImages, n_samples: int) -> None:
        self.folder = folder
        self.images = images
        self.n_samples = n_samples

    def __repr__(self) -> str:
        # Where pictures go changes no number.
        return f"reading digits, anchors {ANCHORS_PER_CLASS}, reaches {REACHES}"

    @cached_property
    def reader(self) -> Reader:
        seen = self.images.X[: self.n_samples]
        return Reader(seen, self.images.labels[: self.n_samples])

    def __call__(self, cell: Cell, model: Any, data: _Digits, n_samples: int) -> Mapping[str, Any]:
        held_out, labels = data.X[n_samples:].astype(np.float64), data.labels[n_samples:]
        latents, seen = model.transform(data.X[n_samples:]), model.transform(data.X[:n_samples])
        left = np.square(model.inverse_transform(latents) - held_out).sum()
        row: dict[str, Any] = {
            "unexplained": float(left / np.square(held_out - data.X[:n_samples].mean(axis=0)).sum()),
            "criterion": getattr(model, "criterion_", None),
            "volume_efficiency": getattr(model, "volume_efficiency_", None),
        }
        reader = self.reader
        anchors = np.concatenate([np.flatnonzero(labels == a)[:ANCHORS_PER_CLASS] for a in reader.classes])
        middle = np.median(seen, axis=0)
        for reach in REACHES:
            found = read_traversals(model, reader, latents[anchors], labels[anchors], middle + reach * (seen - middle))
            for (start, end), turn in zip(CLAIMS, TURNS, strict=True):
                if not {start, end} <= set(reader.classes):
                    continue
                share, approach, component, _ = found.best(start, end)
                # Of all anchors, those included whose own decode is not read rightly.
                known = found.n_anchors[np.searchsorted(reader.classes, start)] / max(
                    1, (labels[anchors] == start).sum()
                )
                row[turn if reach == 1 else f"{turn}, reach {reach:g}"] = float(share * known)
                if reach == 1:
                    row[f"{turn} nearest"] = approach
                    of_class = latents[anchors[labels[anchors] == start]]
                    path = prepare_output_dir(self.folder / "strips") / strip_name(cell, turn)
                    draw_strip(path, model, reader, of_class, seen, component, end)
        return row


def _plan(settings: Settings, folder: Path) -> BenchmarkPlan:
    given = load_digits() if settings.images is None else settings.images
    order = np.random.default_rng(0).permutation(len(given))[:MOST_IMAGES]
    images = LabelledImages(given.X[order], given.labels[order])
    n_test = round(HELD_OUT * len(images))
    n_samples = len(images) - n_test
    check_classes(images.labels[:n_samples])
    measure = _Read(folder, images, n_samples)
    datasets = {
        f"d={d}": DatasetSpec(partial(_drawn, images=images), n_samples, n_test, d, measure=measure)
        for d in N_COMPONENTS
    }
    shape = images.X.shape[1:]
    everywhere = {
        "dica staged": partial(_dica, "staged", settings.n_init, Dense(), settings),
        "dica joint": partial(_dica, "joint", settings.n_init, Dense(), settings),
    }
    usual = {
        "dica staged, 1 start": partial(_dica, "staged", 1, Dense(), settings),
        "dica staged, 4 starts": partial(_dica, "staged", 4, Dense(), settings),
        "dica staged, convolutional": partial(_dica, "staged", 1, Convolutional(), settings),
        "dica joint, convolutional": partial(_dica, "joint", 1, Convolutional(), settings),
        **{name: partial(_baseline, name, shape, settings) for name in BASELINES},
    }
    methods = {
        **{name: MethodSpec(build) for name, build in everywhere.items()},
        **{name: MethodSpec(partial(_usual, build)) for name, build in usual.items()},
    }
    return BenchmarkPlan(datasets, methods, settings.seeds)


def _drawn(n_samples: int, seed: int, images: LabelledImages) -> Any:
    return _Digits(images.X[:n_samples], images.labels[:n_samples], np.empty((n_samples, 0)))


def _usual(build: Any, dataset: DatasetSpec) -> BaseEstimator | None:
    return build(dataset) if dataset.n_components == USUAL else None


def _dica(solver: str, n_init: int, network: Network, settings: Settings, dataset: DatasetSpec) -> BaseEstimator:
    chosen_solver = Staged(restarts=settings.restarts) if solver == "staged" else solver
    return DICA(dataset.n_components, solver=chosen_solver, n_init=n_init, network=network, training=settings.training)


def _baseline(name: str, shape: tuple[int, ...], settings: Settings, dataset: DatasetSpec) -> BaseEstimator:
    if name == "pca":
        return make_pipeline(as_rows(shape), PCA(dataset.n_components))
    method = Autoencoder if name == "autoencoder" else SparseJacobian
    return method(dataset.n_components, n_init=settings.n_init, training=settings.training)


def chosen(rows: Rows, solver: str) -> tuple[str, str] | None:
    """Choose among DICA's settings by reconstruction and criterion alone, never by what components do.

    Of those that leave at most 1.05 times as little unexplained as the best, the one with the largest share of the
    largest possible volume; both are means over seeds.

    Parameters
    ----------
    rows : sequence of mappings
        Of this study.
    solver : {"staged", "joint"}
        Whose settings.

    Returns
    -------
    dataset, method : str
        Names of the setting in the rows; None in their place where there is none.
    """
    settings = dict.fromkeys((r["dataset"], r["method"]) for r in rows if r["method"].startswith(f"dica {solver}"))
    found = {}
    for dataset, method in settings:
        left = mean_of(rows, "unexplained", dataset=dataset, method=method)
        volume = mean_of(rows, "volume_efficiency", dataset=dataset, method=method)
        if left is not None and volume is not None:
            found[dataset, method] = (left, volume)
    if not found:
        return None
    least = min(left for left, _ in found.values())
    good = [setting for setting, (left, _) in found.items() if left <= AS_GOOD * least]
    return max(good, key=lambda setting: found[setting][1])


def _section(rows: Rows, folder: Path) -> str:
    fits = sound(rows)
    columns = ["unexplained", "volume_efficiency", "start_agreement"]
    for turn in TURNS:
        columns += [turn, *(f"{turn}, reach {reach:g}" for reach in REACHES[1:])]
    table: list[dict[str, Any]] = [
        {"setting": f"{dataset}, {method}"} | {c: mean_of(fits, c, dataset=dataset, method=method) for c in columns}
        for dataset, method in dict.fromkeys((row["dataset"], row["method"]) for row in fits)
    ]
    table.sort(key=lambda row: (int(re.findall(r"d=(\d+)", row["setting"])[0]), row["setting"]))
    shown = [setting for solver in ("staged", "joint") if (setting := chosen(fits, solver)) is not None]
    said = "; ".join(f"{dataset}, {method}" for dataset, method in shown) or "none yet"
    strips = []
    for turn in TURNS:
        for dataset, method in (*((f"d={USUAL}", name) for name in BASELINES), *shown):
            row = next((r for r in fits if (r["dataset"], r["method"]) == (dataset, method)), None)
            if row is not None and row.get(turn) is not None:
                link = f"{folder.name}/strips/{strip_name(Cell(dataset, method, row['seed']), turn)}"
                strips.append(
                    {
                        "turn": turn,
                        "method": f"{method}, {dataset}",
                        "share": float(row[turn]),
                        "nearest": f"![]({link})",
                    }
                )
    return "\n\n".join(
        (
            "Shares of all held-out anchors of a class that the best single component turns into the other; *reach*: "
            "traversals so many times as long as the range of 98 % of the data.",
            markdown_table(table, ["setting", *columns]),
            f"Chosen by reconstruction and criterion, one of each solver: {said}. The anchors that come nearest:",
            markdown_table(strips, ["turn", "method", "share", "nearest"]),
        )
    )


DIGITS = Study(
    "digits",
    "What single components do to digits",
    _section,
    "identica reproduce paper --only digits --data mnist",
    _plan,
)
