"""Do the methods find the components? Every family, method and seed, as results.csv and as a table.

python benchmarks/recovery.py --output identica-recovery
python benchmarks/recovery.py --families linear --methods pca dica --seeds 1 --output identica-recovery
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from identica.experiments import FAMILIES, METHODS, Outcome, comparison, markdown_table, run
from identica.io import atomic_write, prepare_output_dir, write_records


def main() -> None:
    """Run the comparison, writing after each fit what there is so far."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    outcomes: list[Outcome] = []

    def keep(outcome: Outcome) -> None:
        outcomes.append(outcome)
        row = outcome.row
        print(f"{row['experiment']} {row['method']} {row['seed']}: R² {row['r2_mean']:.3f}", file=sys.stderr)
        write_records(folder / "results.csv", [full_row(outcome) for outcome in outcomes])
        with atomic_write(folder / "table.md", "w") as file:
            file.write(summary(outcomes) + "\n")

    for family in arguments.families:
        plan = comparison(
            family, methods=arguments.methods, seeds=range(arguments.seeds), n_samples=arguments.samples
        )
        run(plan, on_outcome=keep)
    print(summary(outcomes))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def full_row(outcome: Outcome) -> dict[str, Any]:
    """Add to a row the signs by which a user who does not know the truth would judge the fit."""
    return {
        **outcome.row,
        "reconstruction_error": outcome.fit.reconstruction_error,
        "volume_efficiency": outcome.fit.volume_efficiency,
        "restart_agreement": outcome.fit.restart_agreement,
        "warnings": len(outcome.fit.warnings),
    }


def summary(outcomes: Sequence[Outcome]) -> str:
    """Sum up the seeds of each family and method in one line of a table."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.experiment, outcome.method), []).append(full_row(outcome))
    lines = [
        {
            "data": f"{family}, d={rows[0]['n_components']} m={rows[0]['n_features']}",
            "method": method,
            "seeds": len(rows),
            "R², worst seed": min(row["r2_mean"] for row in rows),
            "R², mean": float(np.mean([row["r2_mean"] for row in rows])),
            "Spearman, mean": float(np.mean([row["mcc_spearman"] for row in rows])),
            "agreement, lowest": lowest([row["restart_agreement"] for row in rows]),
            "seconds, longest": round(max(row["seconds"] for row in rows)),
        }
        for (family, method), rows in groups.items()
    ]
    return markdown_table(lines, list(lines[0]))


def lowest(values: Sequence[float | None]) -> float | None:
    """Take the smallest value, if there is one."""
    return min((value for value in values if value is not None), default=None)


if __name__ == "__main__":
    main()
