"""Measure what units, copies, noise and wild values do to the answer.

python benchmarks/disturbances.py --output disturbances
python benchmarks/disturbances.py --units own --seeds 3 --output disturbances

The data are perturbed mixtures of 4 components in 100 features, 4,000 samples, changed in one way each; R² is that of
the components of 2,000 other samples, changed in the same way, wild values apart. Each process fits with one thread.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from identica import DICA, Training
from identica.datasets import make_mixture
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2

N_SAMPLES, N_TEST, N_FEATURES, D = 4_000, 2_000, 100, 4
STEPS = 4_500

Array = NDArray[np.float64]


def unchanged(X: Array) -> Array:
    """Return the data as they are."""
    return X


def scaled(factors: Array) -> Callable[[Array], Array]:
    """Return a change of the features' units."""
    return lambda X: X * factors


def with_noise(X: Array) -> Array:
    """Return the data with a hundred features of noise."""
    return np.hstack([X, np.random.default_rng(1).standard_normal((len(X), 100)) * X.std()])


def with_copies(X: Array) -> Array:
    """Return the data with one feature sixty times more."""
    return np.hstack([X, np.repeat(X[:, :1], 60, axis=1)])


def with_wild_row(X: Array) -> Array:
    """Return the data with one row of 10,000."""
    X = X.copy()
    X[17] = 1e4
    return X


def with_wild_entries(X: Array) -> Array:
    """Return the data with 500 in twenty places."""
    X, generator = X.copy(), np.random.default_rng(2)
    X[generator.permutation(N_SAMPLES)[:20], generator.integers(0, N_FEATURES, 20)] = 500
    return X


SOME = np.where(np.arange(N_FEATURES) < 30, 1000.0, 1.0)
DECADES = 10 ** np.random.default_rng(0).uniform(-3, 3, N_FEATURES)
CHANGES: dict[str, tuple[Callable[[Array], Array], bool]] = {
    "none": (unchanged, True),
    "30 of 100 features times 1000": (scaled(SOME), True),
    "units over six decades": (scaled(DECADES), True),
    "one feature 60 times more": (with_copies, True),
    "100 features of noise more": (with_noise, True),
    "one row of 10,000": (with_wild_row, False),
    "20 entries of 500": (with_wild_entries, False),
    "400 samples": (unchanged, True),
}
"""By name: the change, and whether the samples to score on are changed, too."""


def main() -> None:
    """Fit every change, writing after each fit what there is so far."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    rows: list[dict[str, Any]] = []
    tasks = [
        (name, units, seed)
        for seed in range(arguments.seeds)
        for units in arguments.units
        for name in arguments.changes
    ]
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(fit, *task) for task in tasks]):
            rows.append(future.result())
            write_records(folder / "results.csv", rows)
            print({key: rows[-1][key] for key in ("change", "units", "seed", "r2", "warned")}, flush=True)
    text = summary(rows)
    with atomic_write(folder / "table.md", "w") as file:
        file.write(text + "\n")
    print(text)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--changes", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    parser.add_argument("--units", nargs="+", choices=["own", "free"], default=["own", "free"])
    parser.add_argument("--seeds", type=int, default=1, help="data sets (default: 1)")
    parser.add_argument("--processes", type=int, default=2, help="fits side by side, one thread each (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


def fit(name: str, units: str, seed: int) -> dict[str, Any]:
    """Fit once, with one thread, and return a row."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    change, everywhere = CHANGES[name]
    mixture = make_mixture(N_SAMPLES + N_TEST, N_FEATURES, D, kind="perturbed", random_state=seed)
    whole = change(mixture.X) if everywhere else mixture.X
    X = whole[:N_SAMPLES] if everywhere else change(mixture.X[:N_SAMPLES])
    if name == "400 samples":
        X = X[:400]
    dica = DICA(D, feature_units=units, training=Training(max_steps=STEPS), random_state=0, device="cpu")
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        dica.fit(X)
    seconds = time.perf_counter() - start
    return {
        "change": name,
        "units": units,
        "seed": seed,
        "r2": mean_r2(mixture.latents[N_SAMPLES:], dica.transform(whole[N_SAMPLES:])),
        "warned": len(noted),
        "start_agreement": dica.start_agreement_,
        "reconstruction_error": dica.reconstruction_error_,
        "seconds": seconds,
        "warnings": " / ".join(str(each.message) for each in noted),
    }


def summary(rows: list[dict[str, Any]]) -> str:
    """Lay the R² out, one line per change."""
    table = pd.DataFrame(rows)
    lines = []
    for name in [name for name in CHANGES if name in set(table["change"])]:
        line: dict[str, Any] = {"change": name}
        for units, group in table[table["change"] == name].groupby("units", sort=False):
            line[f"R², lowest, {units} units"] = group["r2"].min()
            line[f"R², mean, {units} units"] = group["r2"].mean()
            line[f"warned, {units} units"] = int((group["warned"] > 0).sum())
        lines.append(line)
    return markdown_table(lines, list(lines[0]))


if __name__ == "__main__":
    main()
