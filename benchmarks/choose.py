"""Measure whether `identica choose` finds how many components simulated data have, and whether those are the true ones.

python benchmarks/choose.py --output identica-choose
python benchmarks/choose.py --part tuning --data linear-4 folded-4 --jobs 1 --output identica-choose-tuning

On the part "tuning" the thresholds were chosen; the part "test" has other numbers of components, seeds and sizes, and
"fresh" data that were made after the last change of the rule. The fits are those of the command with its defaults. R²
is that of true components on the held-out rows, each regressed on its match among the trusted components; true ones
without a match do not count, as "trusted" tells. Fits are kept, so that a run that was stopped goes on. "seconds of
fits" are of all together, each on one thread.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from identica import Training
from identica.cli.choose import numbers_in, quick_estimator
from identica.datasets import TechnicalNoise, make_cells, make_mixture
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_json, write_records
from identica.metrics import match_components
from identica.trust import Choice, choose

Data = Callable[[int], Any]
"""Makes so many samples."""


def mixture(kind: str, n_features: int, n_components: int, seed: int, noise: float = 0.0) -> Data:
    """Return what makes a mixture."""
    sizes = {"n_features": n_features, "n_components": n_components}
    return partial(make_mixture, **sizes, kind=kind, noise=noise, random_state=seed)


def cells(n_factors: int, seed: int, **noise: Any) -> Data:
    """Return what makes cells."""
    return partial(make_cells, n_factors=n_factors, random_state=seed, **noise)


def cells_of_libraries(n_cells: int, **options: Any) -> Any:
    """Make cells whose total expression varies from cell to cell, which is one component more than their factors."""
    technical = TechnicalNoise(library_mean=8.0, library_sd=0.2)
    simulated = make_cells(n_cells, **options, technical=technical)
    size = simulated.X.sum(axis=1) / simulated.clean.sum(axis=1)
    return SimpleNamespace(X=simulated.X, latents=np.column_stack([simulated.latents, size]))


PARTS: Mapping[str, Mapping[str, Data]] = {
    "tuning": {
        "linear-4": mixture("linear", 60, 4, 100),
        "post-nonlinear-5": mixture("post-nonlinear", 100, 5, 101),
        "perturbed-6": mixture("perturbed", 120, 6, 102),
        "additive-3": mixture("additive", 120, 3, 103),
        "folded-4": mixture("folded", 160, 4, 104),
        "post-nonlinear-5-noise": mixture("post-nonlinear", 100, 5, 105, noise=0.2),
        "cells-5": cells(5, 106),
        "cells-8": cells(8, 107),
        "cells-4-noise": cells(4, 108, noise="dpd", noise_strength=0.3),
    },
    "test": {
        "linear-9": mixture("linear", 80, 9, 200),
        "post-nonlinear-7": mixture("post-nonlinear", 150, 7, 201),
        "perturbed-5": mixture("perturbed", 200, 5, 202),
        "additive-4": mixture("additive", 200, 4, 203),
        "folded-3-noise": mixture("folded", 150, 3, 204, noise=0.1),
        "cells-3": cells(3, 205),
        "cells-4": cells(4, 206),
        "cells-6": cells(6, 207),
        "cells-10": cells(10, 208),
        "cells-5-noise": cells(5, 209, noise="dpd", noise_strength=0.3),
        "cells-6-library": partial(cells_of_libraries, n_factors=5, random_state=209),
    },
    "fresh": {
        "additive-5": mixture("additive", 200, 5, 300),
        "cells-7": cells(7, 301),
    },
}
"""Data by name; the number in it is that of the components."""


def main() -> None:
    """Choose the number of components of each data set."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    wanted = arguments.data or list(PARTS[arguments.part])
    rows = []
    for name in wanted:
        row = measure(name, PARTS[arguments.part][name], folder / name, arguments)
        rows.append(row)
        write_records(folder / "results.csv", rows)
        with atomic_write(folder / "table.md", "w") as file:
            file.write(markdown_table(rows, list(row)) + "\n")
        print(row, flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), default="test", help="of the data sets (default: test)")
    names = [name for part in PARTS.values() for name in part]
    parser.add_argument("--data", nargs="+", choices=names, help="some of the part's (default: all)")
    parser.add_argument("-d", dest="numbers", default="2:15", help="numbers to try, as the command takes them")
    parser.add_argument("--samples", type=int, default=4_000, help="of each data set (default: 4000)")
    parser.add_argument("--steps", type=int, help="of each fit (default: as the command)")
    parser.add_argument("--jobs", type=int, default=2, help="fits side by side (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv, table.md and the fits")
    return parser.parse_args()


def measure(name: str, make: Data, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Choose the number of components of one data set, and compare the trusted ones with the truth."""
    data = make(arguments.samples)
    estimator = quick_estimator(None, {})
    if arguments.steps is not None:
        estimator.set_params(training=Training(max_steps=arguments.steps))
    start = time.perf_counter()
    choice = choose(
        estimator,
        data.X,
        numbers_in(arguments.numbers),
        n_jobs=arguments.jobs,
        directory=folder / "fits",
        on_fit=lambda fit: print(f"{name}: {fit.n_components} {fit.kind} {fit.number} {fit.seconds:.1f} s", flush=True),
    )
    passed = time.perf_counter() - start
    write_json(folder / "choose.json", choice.to_dict())
    scores = recovered(choice, data.latents)
    return {
        "data": name,
        "d": data.latents.shape[1],
        "recommended": choice.recommended,
        "found": choice.best.n_found,
        "trusted": choice.best.n_trusted,
        "R² of trusted, lowest": None if scores is None else float(scores.min()),
        "R² of trusted, mean": None if scores is None else float(scores.mean()),
        "unexplained": choice.best.unexplained,
        "seconds of fits": round(sum(row.seconds for row in choice.rows)),
        "seconds passed": round(passed),
    }


def recovered(choice: Choice, latents: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return the R² of true components, each given its match among the trusted ones; None where none is trusted."""
    if not choice.trusted:
        return None
    found = choice.best.latents[:, list(choice.trusted)]
    matching = match_components(latents[choice.held_out], found, method="r2")
    return matching.scores[matching.order >= 0]


if __name__ == "__main__":
    main()
