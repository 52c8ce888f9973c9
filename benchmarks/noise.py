"""Measure how far the methods find transcription factors under noise, and what helps: rows and a table.

python benchmarks/noise.py --regulon trrust_rawdata.human.tsv --output identica-noise
python benchmarks/noise.py --noise counts dropout --methods dica dica-anscombe supervised --output identica-noise

Data are those of `identica reproduce single-cell`, with one kind of noise at a time. Remedies are what is done to the
expression before DICA, or the linear method, sees it: the square root of 3/8 + counts, which gives all genes the same
counting noise, and so no gene is scaled after it; the logarithm of 1 + expression per cell's total; the mean over each
cell's nearest neighbours. "supervised" shows what the data hold: a ridge regression that is given the true
components of the cells it is fitted on. After each fit results.csv has one row more; rows of an earlier run into the
same folder stay, and with --resume they are not done again.
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from identica import DICA, PolytopicFactorization
from identica.datasets import TechnicalNoise, read_regulon
from identica.experiments import CELL_METHODS, markdown_table, run, single_cell
from identica.io import atomic_write, prepare_output_dir, write_records

LIBRARY_MEAN = 7.6
"""About the logarithm of a cell's total as simulated, so that only its variation is new."""
NOISES: dict[str, dict[str, Any]] = {
    "none": {},
    **{f"q={q}": {"noise": "sp", "noise_strength": q} for q in (0.1, 0.3, 1.0, 3.0)},
    "outliers": {"technical": TechnicalNoise(outlier_share=0.01)},
    "library": {"technical": TechnicalNoise(library_mean=LIBRARY_MEAN)},
    "dropout": {"technical": TechnicalNoise(dropout_percentile=50)},
    "dropout-82": {"technical": TechnicalNoise(dropout_percentile=82)},
    "counts": {"technical": TechnicalNoise(counts=True)},
    "all": {
        "technical": TechnicalNoise(outlier_share=0.01, library_mean=LIBRARY_MEAN, dropout_percentile=82, counts=True)
    },
}
CURVES: dict[str, dict[str, Any]] = {"mild": {}, "bent": {"half_responses": "edge", "hill": 4.0, "fold": 16.0}}
N_NEIGHBOURS = 30

Array = NDArray[np.floating[Any]]


class Pooling(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The mean of the nearest cells among those fitted on, near by their principal components after a logarithm."""

    def __init__(self, n_components: int = 10) -> None:
        self.n_components = n_components

    def fit(self, X: Array, y: Any = None) -> Self:
        """Keep the cells."""
        self.cells_ = normalised(X)
        self.pca_ = PCA(self.n_components, random_state=0).fit(self.cells_)
        self.neighbours_ = NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(self.pca_.transform(self.cells_))
        return self

    def transform(self, X: Array) -> Array:
        """Give the means of the neighbours."""
        near = self.neighbours_.kneighbors(self.pca_.transform(normalised(X)), return_distance=False)
        return np.stack([self.cells_[rows].mean(axis=0) for rows in near])


def normalised(X: Array) -> Array:
    """Return the logarithm of 1 + expression, each cell's total brought to 2,000."""
    return np.asarray(np.log1p(X / np.maximum(X.sum(axis=1, keepdims=True), 1e-12) * 2000))


def stabilised(X: Array) -> Array:
    """Return Anscombe's transform of counts, 2 sqrt(X + 3/8), whose Poisson noise has a variance of 1 in every gene."""
    return np.asarray(2 * np.sqrt(X + 3 / 8))


class Supervised(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A ridge regression of the true components on expression and on its logarithm.

    Parameters
    ----------
    latents : array of shape (n_samples, n_components)
        True components of the cells to fit on.
    """

    def __init__(self, latents: Array) -> None:
        self.latents = latents

    def fit(self, X: Array, y: Any = None) -> Self:
        """Regress, with the penalty that is best in cross-validation."""
        self.model_ = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 5, 17)))
        self.model_.fit(np.hstack([X, normalised(X)]), self.latents)
        return self

    def transform(self, X: Array) -> Array:
        """Predict the components of other cells."""
        return np.asarray(self.model_.predict(np.hstack([X, normalised(X)])))


REMEDIES = {
    "polytopic-log": lambda d: make_pipeline(FunctionTransformer(normalised), PolytopicFactorization(d)),
    "dica-log": lambda d: make_pipeline(FunctionTransformer(normalised), DICA(d)),
    "polytopic-anscombe": lambda d: make_pipeline(
        FunctionTransformer(stabilised), PolytopicFactorization(d, standardize=False)
    ),
    "dica-anscombe": lambda d: make_pipeline(FunctionTransformer(stabilised), DICA(d, standardize=False)),
    "dica-pooled": lambda d: make_pipeline(Pooling(d), DICA(d)),
}
SUPERVISED = "supervised"
EVERY = (*CELL_METHODS, *REMEDIES, SUPERVISED)


def main() -> None:
    """Run every noise, writing after each fit what there is so far."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    path = folder / "results.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    regulon = None if arguments.regulon is None else read_regulon(arguments.regulon)

    def keep(noise: str, row: dict[str, Any]) -> None:
        row = {"curves": arguments.curves, "noise": noise, **row}
        rows[:] = [old for old in rows if identity(old) != identity(row)] + [row]
        print(f"{arguments.curves} {noise} {row['method']} {row['seed']}: R² {row['r2_mean']:.3f}", file=sys.stderr)
        write_records(path, rows)
        with atomic_write(folder / "table.md", "w") as file:
            file.write(summary(rows) + "\n")

    for noise in arguments.noise:
        for seed in range(arguments.seeds):
            known = {identity(row) for row in rows} if arguments.resume else set()
            methods = [m for m in arguments.methods if (arguments.curves, noise, m, seed) not in known]
            if not methods:
                continue
            plan = single_cell(
                arguments.components,
                regulon=regulon,
                methods=[m for m in methods if m in CELL_METHODS] or ["pca"],
                seeds=[seed],
                n_samples=arguments.samples,
                **CURVES[arguments.curves],
                **NOISES[noise],
            )
            remedies = {m: REMEDIES[m](arguments.components) for m in methods if m in REMEDIES}
            built = {**plan.methods, **remedies}
            if SUPERVISED in methods:
                n_cells = plan.n_samples + plan.n_test_samples
                cells = plan.generator(n_cells, **plan.data, random_state=seed)
                built[SUPERVISED] = Supervised(cells.latents[: plan.n_samples])
            plan = dataclasses.replace(plan, methods={m: built[m] for m in methods})
            run(plan, on_outcome=lambda outcome, noise=noise: keep(noise, outcome.row))
    print(summary(rows))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--regulon", type=Path, help="the network; one that looks like TRRUST's where not given")
    parser.add_argument("--curves", choices=list(CURVES), default="mild")
    parser.add_argument("--noise", nargs="+", choices=list(NOISES), default=list(NOISES))
    parser.add_argument("--methods", nargs="+", choices=EVERY, default=list(EVERY))
    parser.add_argument("--components", type=int, default=10, help="factors (default: 10)")
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0 (default: 1)")
    parser.add_argument("--samples", type=int, default=10_000, help="cells to fit (default: 10000)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--resume", action="store_true", help="leave out what results.csv has already")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """Tell which fit a row is of."""
    return row["curves"], row["noise"], row["method"], row["seed"]


def summary(rows: list[dict[str, Any]]) -> str:
    """Give the mean R² over seeds of each noise (down) and method (across)."""
    table = pd.DataFrame(rows).pivot_table("r2_mean", ["curves", "noise"], "method", sort=False)
    order = [method for method in EVERY if method in table]
    lines = [
        {"curves": curves, "noise": noise, **{m: None if np.isnan(v) else float(v) for m, v in values.items()}}
        for (curves, noise), values in table[order].iterrows()
    ]
    return markdown_table(lines, ["curves", "noise", *order])


if __name__ == "__main__":
    main()
