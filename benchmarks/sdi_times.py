"""Measure how long the checks of diverse influence take, by family, components and features.

python benchmarks/sdi_times.py --output identica-sdi-times

Times are seconds of one core that the process has used, so that others on the machine do not count. Rows have L1 norm
1: dense ones are normal numbers divided by their norm, two-sparse ones have two nonzeros of random place, share, sign.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.trust.sdi import check_sdi, fit_weights, local_identifiability

DENSE = ("3,300", "5,500", "5,2000", "6,1000", "10,784", "10,1000", "15,1500")
TWO_SPARSE = ("5,500", "8,300", "10,500", "12,800", "15,1500")
SIZES = [*(f"dense,{size}" for size in DENSE), *(f"two-sparse,{size}" for size in TWO_SPARSE)]
COLUMNS = ("rows", "d", "m", "part_1", "part_2", "margin", "weights", "check", "symmetric_check", "local")


def main() -> None:
    """Measure each size once."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    records = []
    with threadpool_limits(arguments.threads):
        for size in arguments.sizes:
            family, d, m = size.split(",")
            records.append(measured(family, int(d), int(m), arguments.time_limit))
            print(records[-1], file=sys.stderr, flush=True)
    write_records(folder / "results.csv", records)
    with atomic_write(folder / "table.md", "w") as file:
        file.write(markdown_table(records, COLUMNS) + "\n")
    print(markdown_table(records, COLUMNS))


def measured(family: str, d: int, m: int, time_limit: float) -> dict[str, Any]:
    """Check one Jacobian in every way."""
    jacobian = rows_of(family, m, d)
    _, weights = timed(lambda: fit_weights(jacobian))
    plain, check = timed(lambda: check_sdi(jacobian, time_limit=time_limit))
    _, symmetric = timed(lambda: check_sdi(jacobian, symmetric=True, time_limit=time_limit))
    _, local = timed(lambda: local_identifiability(jacobian))
    return {
        "rows": family,
        "d": d,
        "m": m,
        "part_1": plain.condition_1,
        "part_2": plain.condition_2,
        "margin": "{:.3f} to {:.3f}".format(*plain.gamma),
        "weights": f"{weights:.3f}",
        "check": f"{check:.2f}",
        "symmetric_check": f"{symmetric:.2f}",
        "local": f"{local:.2f}",
    }


def rows_of(family: str, m: int, d: int) -> NDArray[np.float64]:
    """Draw the rows of a family."""
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((m, d))
    if family == "two-sparse":
        kept = np.argsort(generator.random((m, d)), axis=1) < 2
        rows = np.where(kept, np.sign(rows) * generator.uniform(size=(m, d)), 0.0)
    return np.asarray(rows / np.abs(rows).sum(axis=1, keepdims=True))


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function returns, and the seconds of the processor that it took."""
    began = time.process_time()
    return function(), time.process_time() - began


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="ROWS,D,M", help="dense,10,784 and so on")
    parser.add_argument("--threads", type=int, default=1, help="of linear algebra (default: 1)")
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds for each check (default: 120)")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
