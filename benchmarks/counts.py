"""Measure how far factors are found in counts of cells whose depth varies: rows and a table.

python benchmarks/counts.py --regulon trrust_rawdata.human.tsv --output identica-counts
python benchmarks/counts.py --output identica-counts --data wide --methods supervised dica-poisson
python benchmarks/counts.py --regulon FILE --output identica-counts --rivals latents --methods cnmf-10

Data: ten factors of the regulon on mild and on bent curves, as counts with a depth of its own for each cell
("counts"), with all of SERGIO's technical noise ("all"), and as the presets "clean" and "10x" of make_cells, the latter
with cell types, two batches and doublets; and four kinds of cells of random networks. In "flat" and "flat-bent" factors
leave a cell's total as it is, in "wide" and "grow" they move it by a factor of two or more, and depth multiplies it.
Batches are told to identica's methods and to DRVI; doublets are not told, and are left out of the score. After each fit
results.csv has one row more; what is there already is not done again.

"supervised" is a ridge regression that is given the true factors of the cells it is fitted on. "ulm", decoupler's
univariate linear model, is told the true network; it and "fastica" see the logarithm of counts per total. "cnmf" and
"drvi" are fitted by rivals.py, in an environment of their own, to the cells that `--write` leaves; their latents of
unseen cells are then read from the folder `--rivals`. A number after a method is that of its components.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from identica import DICA, PolytopicFactorization
from identica.datasets import SimulatedCells, TechnicalNoise, make_cells, make_regulon, read_regulon
from identica.experiments import markdown_table
from identica.experiments.baselines import UnivariateLinearModel
from identica.io import atomic_write, prepare_output_dir
from identica.metrics import mean_r2

Array = NDArray[np.floating[Any]]
LIBRARY_MEAN = 7.6
BENT: dict[str, Any] = {"half_responses": "edge", "hill": 4.0, "fold": 16.0}
NOISE = {
    "counts": TechnicalNoise(library_mean=LIBRARY_MEAN, counts=True),
    "all": TechnicalNoise(outlier_share=0.01, library_mean=LIBRARY_MEAN, dropout_percentile=82, counts=True),
}
TRRUST = {f"{curves}-{noise}": (curves, noise) for noise in (*NOISE, "clean", "10x") for curves in ("mild", "bent")}
OWN: dict[str, dict[str, Any]] = {
    "flat": {"n_factors": 8, "hill": 3.0, "fold": 8.0, "mean": 2.5, "deviation": 0.4},
    "flat-bent": {"n_factors": 6, **BENT, "hill": 3.0, "fold": 10.0, "correlation": 0.3, "mean": 2.0, "deviation": 0.6},
    "wide": {"n_factors": 10, **BENT, "hill": 2.0, "fold": 30.0, "correlation": 0.5, "mean": 4.0, "deviation": 0.4},
    "grow": {"n_factors": 6, "hill": 2.0, "fold": 8.0, "correlation": 0.4, "mean": 3.0, "deviation": 0.5},
}
"""Of make_cells, and the mean count and the standard deviation of the logarithm of depth."""
ACTIVATING = {"wide": (0.95, 11, 0.1), "grow": (1.0, 12, 0.05)}
"""Share of activators, seed of the network and cross-talk where factors move the total."""


def make_data(name: str, regulon: Path | None, n_cells: int, seed: int) -> tuple[Array, SimulatedCells]:
    """Return counts and the cells behind them."""
    if name in TRRUST:
        curves, noise = TRRUST[name]
        if regulon is None:
            raise SystemExit(f"{name} needs --regulon, TRRUST's file for humans")
        settings = dict(BENT) if curves == "bent" else {}
        settings |= {"technical": NOISE[noise]} if noise in NOISE else {"preset": noise}
        cells = make_cells(n_cells, 10, regulon=read_regulon(regulon), random_state=seed, **settings)
        return cells.X, cells
    own = dict(OWN[name])
    mean, deviation = own.pop("mean"), own.pop("deviation")
    if name in ACTIVATING:
        activation, network, cross_talk = ACTIVATING[name]
        own |= {"regulon": make_regulon(activation=activation, random_state=network), "cross_talk": cross_talk}
    cells = make_cells(n_cells, random_state=seed, **own)
    clean = cells.clean if name in ACTIVATING else cells.clean / cells.clean.sum(axis=1, keepdims=True)
    random = np.random.default_rng(1000 + seed)
    depth = random.lognormal(0, deviation, n_cells)
    return random.poisson(clean / clean.mean() * mean * depth[:, None] / depth.mean()).astype(float), cells


def supervised(train: Array, latents: Array, test: Array) -> Array:
    """Return what a ridge regression on square roots of counts per total predicts."""
    stable, asked = (np.sqrt(X / np.maximum(X.sum(axis=1, keepdims=True), 1) * 2000 + 0.375) for X in (train, test))
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 5, 11))).fit(stable, latents)
    return np.asarray(model.predict(asked))


def normalised(X: Array) -> Array:
    """Return the logarithm of 1 + counts per median total."""
    totals = X.sum(axis=1, keepdims=True)
    return np.asarray(np.log1p(X / np.maximum(totals, 1) * np.median(totals)))


def on_logarithms(method: Any) -> Any:
    """Return the method behind the usual preparation of cells."""
    return make_pipeline(FunctionTransformer(normalised), StandardScaler(), method)


METHODS: dict[str, Callable[[int, int], Any]] = {
    **{
        f"fastica-{d}": lambda _, n_init, d=d: on_logarithms(  # type: ignore[misc]
            FastICA(d, whiten="unit-variance", max_iter=1000, random_state=0)
        )
        for d in (10, 32)
    },
    "polytopic": lambda d, n_init: PolytopicFactorization(d, random_state=0),
    "dica": lambda d, n_init: DICA(d, n_init=n_init, random_state=0),
    "polytopic-residuals": lambda d, n_init: PolytopicFactorization(d, likelihood="residuals", random_state=0),
    **{
        f"dica-{likelihood}": lambda d, n_init, likelihood=likelihood: DICA(  # type: ignore[misc]
            d, likelihood=likelihood, n_init=n_init, random_state=0
        )
        for likelihood in ("residuals", "poisson", "negative-binomial")
    },
}


OTHERS = ("supervised", "ulm")
RIVALS = ("cnmf-10", "cnmf-32", "drvi-10", "drvi-32")
ALL = (*OTHERS, *METHODS, *RIVALS)


def components_of(method: str, asked: int) -> int:
    """Return the number of components that a method's row says."""
    number = method.rsplit("-", 1)[-1]
    return int(number) if number.isdigit() else asked


def suits(method: str, data: str) -> bool:
    """Tell whether a method takes such data: likelihoods of counts take counts, and Gaussian ones what is clean."""
    if method in METHODS and not method.startswith("fastica"):
        return ("-" in method) != data.endswith("-clean")
    return True


def estimate(method: str, train: Array, test: Array, cells: SimulatedCells, components: int, n_init: int) -> Array:
    """Fit a method to the first cells and return what it finds in the others."""
    if method == "supervised":
        return supervised(train, cells.latents[: len(train)], test)
    if method == "ulm":
        net = UnivariateLinearModel(cells.regulon.to_frame(), cells.genes)
        return np.asarray(make_pipeline(FunctionTransformer(normalised), net).fit(train).transform(test))
    model = METHODS[method](components, n_init)
    if cells.batches is None or method.startswith("fastica"):
        return np.asarray(model.fit(train).transform(test))
    batches = pd.DataFrame({"batch": cells.batches.astype(str)})
    model.fit(train, covariates=batches[: len(train)])
    return np.asarray(model.transform(test, covariates=batches[len(train) :]))


def main() -> None:
    """Fit, score and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regulon", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--data", nargs="+", choices=[*TRRUST, *OWN], default=[*TRRUST, *OWN])
    parser.add_argument("--methods", nargs="+", choices=ALL, default=[*OTHERS, *METHODS])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--write", type=Path, help="write the cells to this folder for rivals.py, and fit nothing")
    parser.add_argument("--rivals", type=Path, help="folder with the latents that rivals.py wrote")
    parser.add_argument("--components", type=int, default=12)
    parser.add_argument("--n-init", type=int, default=1)
    parser.add_argument("--cells", type=int, default=10_000)
    args = parser.parse_args()
    if args.rivals is None and set(args.methods) & set(RIVALS):
        parser.error("cnmf and drvi are fitted by rivals.py: give --rivals, the folder with its latents")
    if args.write:
        args.write.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    folder = prepare_output_dir(args.output)
    path = folder / "results.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    keys = ("data", "seed", "method", "components")
    done = {tuple(row[key] for key in keys) for row in rows}
    for seed in range(args.seeds):
        for name in args.data:
            file = f"{name}-{seed}"
            asked = [m for m in args.methods if (name, seed, m, components_of(m, args.components)) not in done]
            asked = [m for m in asked if suits(m, name)]
            asked = [m for m in asked if m not in RIVALS or (args.rivals / f"{file}-{m}.npz").exists()]
            if not asked and not args.write:
                continue
            X, cells = make_data(name, args.regulon, args.cells + 2000, seed)
            train, test = X[: args.cells].astype(np.float32), X[args.cells :].astype(np.float32)
            if args.write:
                known = {} if cells.batches is None else {"batches": cells.batches}
                np.savez_compressed(args.write / file, train=train, test=test, **known)
                continue
            single = np.full(len(test), True) if cells.doublets is None else ~cells.doublets[args.cells :]
            true = cells.latents[args.cells :][single]
            for method in asked:
                start = time.perf_counter()
                if method in RIVALS:
                    with np.load(args.rivals / f"{file}-{method}.npz") as saved:
                        found, seconds = saved["latents"], float(saved["seconds"])
                else:
                    found = estimate(method, train, test, cells, args.components, args.n_init)
                    seconds = time.perf_counter() - start
                row = {"data": name, "seed": seed, "method": method}
                row |= {"components": components_of(method, args.components)}
                row |= {"r2": mean_r2(true, found[single]), "seconds": seconds}
                rows.append(row)
                print(row, flush=True)
                with atomic_write(path) as out:
                    out.write(pd.DataFrame(rows).to_csv(index=False).encode())
    if not rows:
        return
    table = pd.DataFrame(rows).pivot_table(index="data", columns="method", values="r2").round(3).reset_index()
    print(markdown_table(table.to_dict("records"), list(table.columns)))


if __name__ == "__main__":
    main()
