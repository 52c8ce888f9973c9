"""The experiment on images of digits: what each component turns into what, and whether other seeds find the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from identica.arguments import check_integer
from identica.datasets import LabelledImages, load_digits
from identica.estimators import ComponentAnalysis
from identica.experiments.comparison import METHODS, build_methods, check_known, seeded
from identica.experiments.reading import CONFIDENT, STABLE, Reader, Transformations, check_classes, read_traversals
from identica.experiments.runner import timed_fit
from identica.experiments.tables import UNFINISHED, markdown_table, text_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.io.pictures import value_range
from identica.metrics import mean_correlation_coefficient
from identica.networks import Network
from identica.report import Explorer, Fit, Pictures, Report, share_of_page, write_report
from identica.training import Training

__all__ = ["DIGIT_METHODS", "DigitStudy", "digits", "reproduce_digits"]

DIGIT_METHODS = ("pca", "autoencoder", "sparse-jacobian", "dica")
CLAIMS = ((3, 9), (0, 6))
"""What single components do in the paper: turn a 3 into a 9, and a 0 into a 6. Asked where both are classes."""
HELD_OUT = 0.1
ANCHORS_PER_CLASS = 30
MAX_STEPS = 4000
_SAME = ("experiment", "n_components", "n_features", "n_samples")
"""Columns of results.csv whose values are all alike."""


@dataclass(frozen=True)
class DigitStudy:
    """All that decides the outcome of the experiment.

    Parameters
    ----------
    images : LabelledImages
        Real images; a tenth is held out of the fits and gives the anchors.
    methods : mapping of str to estimator
        Unfitted estimators by name; each seed sets their `random_state`.
    seeds : tuple of int
        One fit of each method per seed, on the same images.
    """

    images: LabelledImages
    methods: Mapping[str, BaseEstimator]
    seeds: tuple[int, ...]


def digits(
    images: LabelledImages | None = None,
    n_components: int = 10,
    *,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = range(2),
    n_samples: int | None = 10_000,
    network: Network | None = None,
    training: Training | None = None,
    verbose: int = 0,
) -> DigitStudy:
    """Return the configuration of the experiment on digits.

    Parameters
    ----------
    images : LabelledImages, optional
        Such as :func:`identica.datasets.read_mnist` gives; scikit-learn's digits by default.
    n_components : int, default=10
        Components to look for.
    methods : iterable of str, optional
        Some of :data:`METHODS`; ``DIGIT_METHODS`` by default.
    seeds : iterable of int, default=(0, 1)
        Of the fits.
    n_samples : int, optional
        How many images to use, drawn at random and the same each time; all where None.
    network : Dense or Convolutional, optional
        Network of the nonlinear methods; the library's default where not given.
    training : Training, optional
        Their training plan; 4,000 steps where not given, after which ten thousand digits change little.
    verbose : int, default=0
        Whether fits show their progress.

    Returns
    -------
    DigitStudy
        The configuration, for :func:`reproduce_digits`.

    Raises
    ------
    ValueError
        If a method is unknown, images of some class are too few, or components are more than pixels or images.

    Examples
    --------
    >>> list(digits(methods=["pca", "dica"]).methods)
    ['pca', 'dica']
    """
    names = list(DIGIT_METHODS if methods is None else methods)
    check_known("method", names, METHODS)
    images = load_digits() if images is None else images
    if n_samples is not None:
        # At random, since files may be sorted by class.
        kept = np.sort(np.random.default_rng(0).permutation(len(images))[:n_samples])
        images = LabelledImages(images.X[kept], images.labels[kept])
    seen, _ = _split(len(images))
    check_classes(images.labels[seen])
    n_components = check_integer("n_components", n_components, 1)
    n_pixels = int(np.prod(images.X.shape[1:]))
    for limit, of in ((n_pixels, "pixels of an image"), (len(seen), "images to fit")):
        if n_components > limit:
            raise ValueError(f"n_components={n_components} exceeds the {limit} {of}: use at most {limit}")
    training = Training(max_steps=MAX_STEPS) if training is None else training
    built = build_methods(names, n_components, network, training, verbose, images.X.shape[1:])
    return DigitStudy(images, built, tuple(seeds))


def _split(n_samples: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the images to fit and those held out, the same for all seeds."""
    order = np.random.default_rng(0).permutation(n_samples)
    n_unseen = round(HELD_OUT * n_samples)
    return order[n_unseen:], order[:n_unseen]


def reproduce_digits(study: DigitStudy, output: str | os.PathLike[str], *, verbose: int = 1) -> str:
    """Carry the experiment out and write what comes of it.

    Written are results.csv (one row per method and seed, with the paper's transformations where their classes exist),
    transformations.csv (every share above 0 by method, seed, component, direction and classes), summary.md and
    report.html, whose pictures are of the last seed.

    Parameters
    ----------
    study : DigitStudy
        The whole configuration.
    output : str or path
        Directory to write into.
    verbose : int, default=1
        With 0 nothing is printed.

    Returns
    -------
    str
        The summary over seeds, for a terminal.
    """
    folder = prepare_output_dir(output)
    seen, unseen = _split(len(study.images))
    X, labels = study.images.X, study.images.labels
    fitted, held_out = X[seen], X[unseen]
    reader = Reader(fitted, labels[seen])
    accuracy = reader.accuracy(held_out, labels[unseen])
    anchors = np.concatenate([unseen[labels[unseen] == a][:ANCHORS_PER_CLASS] for a in reader.classes])
    claims = {f"{a} to {b}": (a, b) for a, b in CLAIMS if {a, b} <= set(reader.classes)}
    rows: list[dict[str, Any]] = []
    turned: list[dict[str, Any]] = []
    latents: dict[str, list[NDArray[Any]]] = {name: [] for name in study.methods}
    fits: list[Fit] = []
    max_bytes = share_of_page(study.methods.values())
    for seed in study.seeds:
        for name, estimator in study.methods.items():
            model = seeded(estimator, seed)
            seconds, caught = timed_fit(model, fitted)
            components = model.transform(X)
            latents[name].append(components[unseen])
            found = read_traversals(model, reader, components[anchors], labels[anchors], components[seen])
            restored = model.inverse_transform(components[unseen])
            row = _row(name, seed, restored, held_out, fitted, found, claims, seconds)
            rows.append(row)
            turned += [{"method": name, "seed": seed, **record} for record in found.records()]
            if verbose:
                shares = "".join(f"{claim} {row[claim]:.0%}, " for claim in claims)
                print(f"{name} {seed}: {shares}in {seconds:.0f} s", file=sys.stderr)
            if seed == study.seeds[-1]:
                fits.append(_shown(name, model, components, anchors, study.images, seconds, caught, max_bytes))
            write_records(folder / UNFINISHED, rows)
    write_records(folder / "results.csv", rows)
    (folder / UNFINISHED).unlink()
    write_records(folder / "transformations.csv", turned)
    summary = _summary(rows, latents, claims)
    columns = list(summary[0])
    with atomic_write(folder / "summary.md", "w") as file:
        file.write(markdown_table(summary, columns) + "\n")
    write_report(folder / "report.html", _report(study, fits, rows, summary, turned, accuracy, len(seen)))
    return text_table(summary, columns)


def _shown(
    name: str,
    model: Any,
    components: NDArray[Any],
    anchors: NDArray[np.intp],
    images: LabelledImages,
    seconds: float,
    caught: tuple[str, ...],
    max_bytes: int,
) -> Fit:
    """Make what the page shows of a fit; sliders only for methods of this library."""
    low, high = value_range(images.X)
    explorer = None
    if isinstance(model, ComponentAnalysis):
        classes = images.labels[anchors]
        starts = np.concatenate([anchors[classes == a][:: ANCHORS_PER_CLASS // 2] for a in np.unique(classes)])
        names = [f"a {label}" for label in images.labels[starts]]
        explorer = Explorer.from_estimator(
            model,
            components,
            low=low,
            high=high,
            anchors=starts.tolist(),
            anchor_names=names,
            samples=images.X,
            max_bytes=max_bytes,
        )
    start = int(anchors[np.argmax(images.labels[anchors] == CLAIMS[0][0])])
    pictures = Pictures.from_model(model, components, images.X.shape[1:], low=low, high=high, anchor=start)
    return Fit.from_estimator(name, model, seconds=seconds, warnings=caught, explorer=explorer, pictures=pictures)


def _row(
    name: str,
    seed: int,
    restored: NDArray[Any],
    unseen: NDArray[Any],
    seen: NDArray[Any],
    found: Transformations,
    claims: Mapping[str, tuple[int, int]],
    seconds: float,
) -> dict[str, Any]:
    target = unseen.astype(np.float64)
    total = np.square(target - seen.mean(axis=0)).sum()
    row: dict[str, Any] = {
        "experiment": "digits",
        "method": name,
        "seed": seed,
        "n_components": found.share.shape[0],
        "n_features": int(np.prod(unseen.shape[1:])),
        "n_samples": len(seen),
        "unexplained": float(np.square(restored - target).sum() / total),
    }
    for claim, pair in claims.items():
        share, approach, component, direction = found.best(*pair)
        row |= {claim: share, f"{claim} nearest": approach, f"{claim} by": f"{component} {direction}"}
    # Of all pairs of classes, those that some component turns into each other for at least half of the anchors.
    row["turns"] = int((found.share.max(axis=(0, 1)) >= 0.5).sum())
    return {**row, "seconds": seconds}


def _summary(
    rows: Sequence[Mapping[str, Any]], latents: Mapping[str, list[NDArray[Any]]], claims: Iterable[str]
) -> list[dict[str, Any]]:
    lines = []
    shown = [f"{claim}{what}" for claim in claims for what in ("", " nearest")]
    for name, of_seeds in latents.items():
        mine = [row for row in rows if row["method"] == name]
        mean = {key: float(np.mean([row[key] for row in mine])) for key in ("unexplained", *shown, "turns", "seconds")}
        pairs = list(combinations(of_seeds, 2))
        agreement = float(np.mean([mean_correlation_coefficient(*pair) for pair in pairs])) if pairs else None
        seconds = mean.pop("seconds")
        lines.append({"method": name, "seeds": len(mine), **mean, "agreement": agreement, "seconds": seconds})
    return lines


def _report(
    study: DigitStudy,
    fits: Sequence[Fit],
    rows: Sequence[Mapping[str, Any]],
    summary: Sequence[Mapping[str, Any]],
    turned: Sequence[Mapping[str, Any]],
    accuracy: float,
    n_seen: int,
) -> Report:
    most = sorted((t for t in turned if t["seed"] == study.seeds[-1]), key=lambda t: -t["share"])[:40]
    return Report(
        title="What single components do to digits",
        facts={
            "images": f"{n_seen:,} of {' x '.join(map(str, study.images.X.shape[1:]))}",
            "anchors": f"up to {ANCHORS_PER_CLASS} of each class, held out",
            "components": rows[0]["n_components"],
            "seeds": len(study.seeds),
            "reader's accuracy": accuracy,
        },
        fits=tuple(fits),
        tables=(
            (
                "Over seeds",
                "Share of the anchors of one class that the best single component turns into another: a perceptron "
                f"fitted to real digits is at least {CONFIDENT:.0%} sure of the new class at {STABLE} neighbouring "
                "positions of the component's range or more, and was of the old one where it started. Nearest: how "
                "sure it gets of the new class on the way of that component, or of the one that comes nearest, on "
                "average. Turns: pairs of classes of which some component turns half of the anchors. Agreement: mean "
                "absolute correlation of matched components between fits from different seeds.",
                summary,
            ),
            (
                "Seed by seed",
                "The same for every fit.",
                [{key: value for key, value in row.items() if key not in _SAME} for row in rows],
            ),
            (
                "Most frequent transformations",
                f"Of seed {study.seeds[-1]}.",
                [{k: v for k, v in t.items() if k != "seed"} for t in most] or [{"transformations": "none"}],
            ),
        ),
    )
