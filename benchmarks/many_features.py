"""Measure a fit of very many features beside one of few of them, and beside networks that see every feature.

python benchmarks/many_features.py --output many-features
python benchmarks/many_features.py --starts 2 --full --output many-features-full

The data are one perturbed mixture of 8 components, 3,000 samples and 2,000 others for R². *few* fits 200 of its
features, *all* every one in the compact space, *full* every one with ``Dense(compact=False)``. Each fit has a process
of its own, one after the other, with the machine's threads; peak memory is that process's, the data included.
"""

import argparse
import resource
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from identica import DICA, Dense
from identica.datasets import make_mixture
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2

N_SAMPLES, N_TEST, D, FEW = 3_000, 2_000, 8, 200


def main() -> None:
    """Fit in turn, writing after each fit what there is so far."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--features", type=int, default=20_000, help="of the data (default: 20000)")
    parser.add_argument("--starts", type=int, help="of each fit (default: the library's)")
    parser.add_argument("--rounds", type=int, default=1, help="of all fits (default: 1)")
    parser.add_argument("--full", action="store_true", help="fit without the compact space, too")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    arguments = parser.parse_args()
    folder = prepare_output_dir(arguments.output)
    rows: list[dict[str, Any]] = []
    for _ in range(arguments.rounds):
        for kind in ("few", "all", "full") if arguments.full else ("few", "all"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(fit, kind, arguments.features, arguments.starts).result())
            print(rows[-1], flush=True)
            write_records(folder / "results.csv", rows)
    with atomic_write(folder / "table.md", "w") as file:
        file.write(table(rows) + "\n")
    print(table(rows))


def fit(kind: str, n_features: int, n_starts: int | None) -> dict[str, Any]:
    """Fit once and return a row."""
    mixture = make_mixture(N_SAMPLES + N_TEST, n_features, D, kind="perturbed", random_state=0)
    X = mixture.X.astype(np.float32)
    if kind == "few":
        X = X[:, np.random.default_rng(0).permutation(n_features)[:FEW]]
    starts: dict[str, Any] = {} if n_starts is None else {"n_init": n_starts}
    method = DICA(D, random_state=0, device="cpu", network=Dense(compact=kind != "full"), **starts)
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        method.fit(X[:N_SAMPLES])
    seconds = time.perf_counter() - start
    return {
        "fit": kind,
        "features": X.shape[1],
        "starts": len(method.starts_),
        "rank": method.rank_,
        "R²": mean_r2(mixture.latents[N_SAMPLES:], method.transform(X[N_SAMPLES:])),
        "agreement": method.start_agreement_,
        "warned": len(noted),
        "seconds": seconds,
        "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay the fits out, one line each."""
    return markdown_table(rows, list(rows[0]))


if __name__ == "__main__":
    main()
