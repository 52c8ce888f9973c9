"""Measure how small real data are rebuilt: `identica fit` with its defaults beside PCA, on rows held out of the fit.

python benchmarks/small_data.py --output identica-small

The data are the 700 cells in scanpy's wheel (of the extra `test`) and tables of scikit-learn, written as CSV: digits,
and four on which no default was chosen. Each seed holds other rows out. The folder keeps what each fit wrote;
table.md sums them up.
"""

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from identica.cli import main as identica
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir

TABLES = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "wine": load_wine,
    "iris": load_iris,
}
UNITS = ("standardised_units", "own_units")


def main() -> None:
    """Fit every data set, number of components and seed."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    lines = []
    for name in arguments.data:
        path = table(name, folder) if name in TABLES else cells()
        for n_components in arguments.components:
            records = [fit(path, n_components, seed, folder, arguments.threads) for seed in range(arguments.seeds)]
            lines.append(line(name, n_components, records))
            with atomic_write(folder / "table.md", "w") as file:
                file.write(markdown_table(lines, list(lines[0])) + "\n")
    print(markdown_table(lines, list(lines[0])))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    names = ["pbmc68k_reduced", *TABLES]
    parser.add_argument("--data", nargs="+", choices=names, default=names, help="(default: all)")
    parser.add_argument("--components", type=int, nargs="+", default=[2, 5, 10, 20], help="(default: 2 5 10 20)")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the fits and table.md")
    return parser.parse_args()


def cells() -> Path:
    """Find the cells in scanpy's wheel, without importing it."""
    found = find_spec("scanpy")
    if found is None or found.origin is None:
        raise SystemExit("scanpy, whose wheel holds the cells, is not installed: pip install -e '.[test]'")
    return Path(found.origin).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"


def table(name: str, folder: Path) -> Path:
    """Write data of scikit-learn as a table without names."""
    path = folder / f"{name}.csv"
    with atomic_write(path, "w") as file:
        np.savetxt(file, TABLES[name]().data, delimiter=",", fmt="%.9g")
    return path


def fit(path: Path, n_components: int, seed: int, folder: Path, threads: int) -> dict[str, Any]:
    """Run the command and read what it recorded."""
    output = folder / f"{path.stem}-{n_components}-{seed}"
    words = ["fit", path, "-d", n_components, "--seed", seed, "--threads", threads, "--output", output]
    if identica([str(word) for word in words]) != 0:
        sys.exit(f"the fit of {path} failed")
    record: dict[str, Any] = json.loads((output / "run.json").read_text(encoding="utf-8"))
    return record


def line(name: str, n_components: int, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the seeds of one data set and number of components."""
    entry: dict[str, Any] = {"data": name, "d": n_components}
    for unit in UNITS:
        shares = [record["held_out_variance_unexplained"][unit] for record in records]
        for who in ("model", "pca"):
            entry[f"{who}, {unit.replace('_', ' ')}"] = float(np.mean([share[who] for share in shares]))
        entry[f"model / PCA, worst seed, {unit.replace('_', ' ')}"] = max(
            share["model"] / share["pca"] for share in shares
        )
    entry["seconds, longest"] = round(max(record["durations"]["total"] for record in records))
    return entry


if __name__ == "__main__":
    main()
