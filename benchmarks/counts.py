"""Measure how far factors are found in counts of cells whose depth varies: rows and a table.

python benchmarks/counts.py --regulon trrust_rawdata.human.tsv --output identica-counts
python benchmarks/counts.py --output identica-counts --data wide --methods supervised dica-poisson
python benchmarks/counts.py --regulon FILE --output identica-counts --rivals latents --methods cnmf-10

Data: ten factors of the regulon on mild and on bent curves, as counts with a depth of its own for each cell
("counts"), the same with two batches whose genes are shifted ("batches"), with all of SERGIO's technical noise ("all"),
and as the presets "clean" and "10x" of make_cells, the latter with cell types, two batches and doublets; and five kinds
of cells of random networks. In "flat" and "flat-bent" factors leave a cell's total as it is, in "wide" and "grow" they
move it by a factor of two or more, and depth multiplies it. "confounded" is "grow" without the genes that answer to no
factor: all counts of a cell can then rise together, which depth does, too. Batches are told to identica's methods and
to DRVI; doublets are not told, and are left out of the score. After each fit results.csv has one row more; what is
there already is not done again. "depth" and "batch" are the shares of either that are linear in the components.

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
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from identica import DICA, PolytopicFactorization
from identica.datasets import SimulatedCells, TechnicalNoise, make_cells, make_regulon, read_regulon
from identica.experiments import markdown_table
from identica.experiments.baselines import UnivariateLinearModel
from identica.io import atomic_write, prepare_output_dir
from identica.metrics import mean_r2
from identica.preparation import fit_covariates, n_directions

Array = NDArray[np.floating[Any]]
LIBRARY_MEAN = 7.6
BENT: dict[str, Any] = {"half_responses": "edge", "hill": 4.0, "fold": 16.0}
NOISE = {
    "counts": TechnicalNoise(library_mean=LIBRARY_MEAN, counts=True),
    "all": TechnicalNoise(outlier_share=0.01, library_mean=LIBRARY_MEAN, dropout_percentile=82, counts=True),
}
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"technical": stages} for name, stages in NOISE.items()},
    "batches": {"technical": NOISE["counts"], "n_batches": 2, "batch_shift": 0.3},
    "clean": {"preset": "clean"},
    "10x": {"preset": "10x"},
}
TRRUST = {f"{curves}-{kind}": (curves, kind) for kind in KINDS for curves in ("mild", "bent")}
OWN: dict[str, dict[str, Any]] = {
    "flat": {"n_factors": 8, "hill": 3.0, "fold": 8.0, "mean": 2.5, "deviation": 0.4},
    "flat-bent": {"n_factors": 6, **BENT, "hill": 3.0, "fold": 10.0, "correlation": 0.3, "mean": 2.0, "deviation": 0.6},
    "wide": {"n_factors": 10, **BENT, "hill": 2.0, "fold": 30.0, "correlation": 0.5, "mean": 4.0, "deviation": 0.4},
    "grow": {"n_factors": 6, "hill": 2.0, "fold": 8.0, "correlation": 0.4, "mean": 3.0, "deviation": 0.5},
}
OWN["confounded"] = OWN["grow"]
"""Of make_cells, and the mean count and the standard deviation of the logarithm of depth."""
ACTIVATING = {"wide": (0.95, 11, 0.1), "grow": (1.0, 12, 0.05), "confounded": (1.0, 12, 0.05)}
"""Share of activators, seed of the network and cross-talk where factors move the total."""
CONSTANT = {"grow": 0.5}
"""Genes that answer to no factor, for each gene that does."""
MOST_COMPONENTS = 12


def make_data(name: str, regulon: Path | None, n_cells: int, seed: int) -> tuple[Array, SimulatedCells, Array]:
    """Return counts, the cells behind them and their depths."""
    if name in TRRUST:
        curves, kind = TRRUST[name]
        if regulon is None:
            raise SystemExit(f"{name} needs --regulon, TRRUST's file for humans")
        settings = (BENT if curves == "bent" else {}) | KINDS[kind]
        cells = make_cells(n_cells, 10, regulon=read_regulon(regulon), random_state=seed, **settings)
        return cells.X, cells, np.maximum(cells.X.sum(axis=1), 1.0)
    own = dict(OWN[name])
    mean, deviation = own.pop("mean"), own.pop("deviation")
    if name in ACTIVATING:
        activation, network, cross_talk = ACTIVATING[name]
        own |= {"regulon": make_regulon(activation=activation, random_state=network), "cross_talk": cross_talk}
    cells = make_cells(n_cells, random_state=seed, **own)
    clean = cells.clean if name in ACTIVATING else cells.clean / cells.clean.sum(axis=1, keepdims=True)
    if name in CONSTANT:
        random = np.random.default_rng(77 + seed)
        levels = clean.mean() * random.lognormal(-0.3, 0.8, int(CONSTANT[name] * clean.shape[1]))
        clean = np.hstack([clean, np.tile(levels, (n_cells, 1))])
    random = np.random.default_rng(1000 + seed)
    depth = random.lognormal(0, deviation, n_cells)
    return random.poisson(clean / clean.mean() * mean * depth[:, None] / depth.mean()).astype(float), cells, depth


def share_read(found: Array, asked: Array) -> float:
    """Return the share of the variance of a number of each cell that is linear in the components of other cells."""
    predicted = cross_val_predict(make_pipeline(StandardScaler(), LinearRegression()), found, asked, cv=5)
    return max(0.0, 1 - float(np.square(asked - predicted).mean() / asked.var()))


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
    if method.startswith("fastica"):
        return np.asarray(METHODS[method](0, 0).fit(train).transform(test))
    known, asked = {}, {}
    if cells.batches is not None:
        batches = pd.DataFrame({"batch": cells.batches.astype(str)})
        known, asked = {"covariates": batches[: len(train)]}, {"covariates": batches[len(train) :]}
    if not components:  # as tl.dica chooses it
        components = MOST_COMPONENTS
        if "-" in method:
            encoded = fit_covariates(known["covariates"], len(train))[1] if known else None
            components = n_directions(train, components, covariates=encoded)
    model = METHODS[method](components, n_init)
    return np.asarray(model.fit(train, **known).transform(test, **asked))


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
    parser.add_argument("--components", type=int, default=0, help="by default as many as tl.dica would take")
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
    keys = ("data", "seed", "method", "asked")
    done = {tuple(row[key] for key in keys) for row in rows}
    for seed in range(args.seeds):
        for name in args.data:
            file = f"{name}-{seed}"
            asked = [m for m in args.methods if (name, seed, m, components_of(m, args.components)) not in done]
            asked = [m for m in asked if suits(m, name)]
            asked = [m for m in asked if m not in RIVALS or (args.rivals / f"{file}-{m}.npz").exists()]
            if not asked and not args.write:
                continue
            X, cells, depth = make_data(name, args.regulon, args.cells + 2000, seed)
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
                row |= {"asked": components_of(method, args.components), "components": found.shape[1]}
                row |= {"r2": mean_r2(true, found[single]), "depth": share_read(found, np.log(depth[args.cells :]))}
                if cells.batches is not None:
                    row["batch"] = share_read(found, cells.batches[args.cells :].astype(float))
                row["seconds"] = seconds
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
