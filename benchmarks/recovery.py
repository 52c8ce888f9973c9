"""Measure whether the methods find the components: every mixture, method and seed, as rows and as a table.

python benchmarks/recovery.py --output identica-recovery
python benchmarks/recovery.py --mixtures linear --methods pca dica --seeds 1 --output identica-recovery

After each fit results.csv has one row more, and table.md sums the rows up. Rows that are there from an earlier run
into the same folder stay; a fit that is done again replaces its row, and with --resume it is not done again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from identica.experiments import FAMILIES, METHODS, Outcome, comparison, markdown_table, run
from identica.io import atomic_write, prepare_output_dir, write_records

Row = dict[str, Any]
Key = tuple[str, str, int]


def main() -> None:
    """Run the comparison, writing after each fit what there is so far."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    rows = earlier(folder / "results.csv")
    done = set(rows) if arguments.resume else set()

    def keep(outcome: Outcome) -> None:
        row = full_row(outcome) | {"threads": arguments.threads}
        rows[key(row)] = row
        told = f"R² {row['r2_mean']:.3f} in {row['seconds']:.0f} s"
        print(f"{row['experiment']} {row['method']} {row['seed']}: {told}", file=sys.stderr)
        write_records(folder / "results.csv", rows.values())
        with atomic_write(folder / "table.md", "w") as file:
            file.write(summary(list(rows.values())) + "\n")

    for name in arguments.mixtures:
        for seed in range(arguments.seeds):
            methods = [method for method in arguments.methods if (name, method, seed) not in done]
            if methods:
                run(comparison(name, methods=methods, seeds=[seed], n_samples=arguments.samples), on_outcome=keep)
    print(summary(list(rows.values())))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mixtures", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 (default: 5)")
    parser.add_argument("--samples", type=int, default=10_000, help="to fit (default: 10000)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--resume", action="store_true", help="leave out what results.csv has already")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


def key(row: Row) -> Key:
    """Tell which fit a row is of."""
    return row["experiment"], row["method"], row["seed"]


def earlier(path: Path) -> dict[Key, Row]:
    """Read the rows of an earlier run, if there are any."""
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    rows: list[Row] = table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[assignment]
    return {key(row): row for row in rows}


def full_row(outcome: Outcome) -> Row:
    """Add to a row the signs by which a user who does not know the truth would judge the fit."""
    fit = outcome.fit
    return {
        **outcome.row,
        "reconstruction_error": fit.reconstruction_error,
        "linear_reconstruction_error": fit.linear_reconstruction_error,
        "volume_efficiency": fit.volume_efficiency,
        "restart_agreement": fit.restart_agreement,
        "warnings": " / ".join(fit.warnings),
    }


def summary(rows: Sequence[Row]) -> str:
    """Sum up the seeds of each mixture and method in one line of a table."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["experiment"], row["method"]), []).append(row)
    # In the order of the choices, whatever the order of the runs.
    pairs = [(name, method) for name in FAMILIES for method in METHODS if (name, method) in groups]
    lines = [line(name, method, groups[name, method]) for name, method in pairs]
    return markdown_table(lines, list(lines[0])) if lines else ""


def line(name: str, method: str, rows: Sequence[Row]) -> Row:
    """Sum up the seeds of one mixture and method."""
    agreements = [row["restart_agreement"] for row in rows if row["restart_agreement"] is not None]
    return {
        "data": f"{name}, d={rows[0]['n_components']} m={rows[0]['n_features']}",
        "method": method,
        "seeds": len(rows),
        "R², worst seed": min(row["r2_mean"] for row in rows),
        "R², mean": float(np.mean([row["r2_mean"] for row in rows])),
        "Spearman, mean": float(np.mean([row["mcc_spearman"] for row in rows])),
        "agreement, lowest": min(agreements, default=None),
        "seeds warned of": sum(bool(row["warnings"]) for row in rows),
        "seconds, longest": round(max(row["seconds"] for row in rows)),
    }


if __name__ == "__main__":
    main()
