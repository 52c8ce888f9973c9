"""Measure every family of mixtures with its defaults: R², the verdict, and whether the two agree.

python benchmarks/families.py --output families
python benchmarks/families.py --families additive folded --data 5 --states 4 --processes 2 --output strong
python benchmarks/families.py --families additive --strength 2.5 3 --method autoencoder --output limits
python benchmarks/families.py --families folded --strength 2.6 --data 1 --states 8 \
    --configuration '{"n_init": 1}' --output single-starts

Each process fits with one thread. "early_error" is the validation error of the start that is kept after a ninth of the
steps. Rows are added to results.csv as they come; a row that is there is not fitted again.
"""

import argparse
import itertools
import json
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from identica import Training
from identica.datasets import make_mixture
from identica.estimators import from_configuration
from identica.experiments import FAMILIES, markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2

TEST_SAMPLES = 2_000
FOUND = 0.9
CLEARLY = 0.97

Task = dict[str, Any]


def main() -> None:
    """Fit all that is asked for, writing after each fit what there is so far."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    path = folder / "results.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    known = {tuple(str(row[name]) for name in ("task",)) for row in rows}
    configuration = json.loads(arguments.configuration) | {"method": arguments.method}
    tasks = [
        {"family": family, "data": data, "state": state, "strength": strength, "n_samples": arguments.samples}
        | {"configuration": configuration}
        for family, strength, data, state in itertools.product(
            arguments.families, arguments.strength, range(arguments.data), range(arguments.states)
        )
    ]
    todo = [task for task in tasks if (json.dumps(task, sort_keys=True),) not in known]
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(fit, task) for task in todo]):
            row = future.result()
            rows.append(row)
            write_records(path, rows)
            print(
                {key: row[key] for key in ("family", "strength", "data", "state", "r2", "number", "seconds")},
                flush=True,
            )
    with atomic_write(folder / "table.md", "w") as file:
        file.write(summary(rows) + "\n")
    print(summary(rows))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument(
        "--strength", nargs="+", type=float, default=[None], help="of the bends (default: the family's)"
    )
    parser.add_argument("--data", type=int, default=5, help="data sets of each family (default: 5)")
    parser.add_argument("--states", type=int, default=1, help="random states for each data set (default: 1)")
    parser.add_argument("--samples", type=int, default=10_000, help="to fit (default: 10000)")
    parser.add_argument("--method", default="dica", help="as identica fit takes it (default: dica)")
    parser.add_argument("--configuration", default="{}", help="further parameters, as JSON")
    parser.add_argument("--processes", type=int, default=2, help="fits side by side, one thread each (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


def fit(task: Task) -> dict[str, Any]:
    """Fit once, with one thread, and return a row."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    strength = {} if task["strength"] is None else {"strength": task["strength"]}
    n_samples = task["n_samples"]
    sizes = FAMILIES[task["family"]]
    mixture = make_mixture(n_samples + TEST_SAMPLES, **sizes, **strength, random_state=task["data"])
    estimator = from_configuration(
        {"n_components": sizes["n_components"], "random_state": task["state"], "device": "cpu"} | task["configuration"]
    )
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        estimator.fit(mixture.X[:n_samples])
    seconds = time.perf_counter() - start
    verdict = estimator.verdict_
    early = (estimator.training or Training()).max_steps / 9
    seen = [r["validation_reconstruction"] for r in estimator.history_ if r["step"] >= early]
    return {
        "task": json.dumps(task, sort_keys=True),
        **{key: task[key] for key in ("family", "strength", "data", "state", "n_samples")},
        "method": task["configuration"]["method"],
        "r2": mean_r2(mixture.latents[n_samples:], estimator.transform(mixture.X[n_samples:])),
        "level": verdict.level,
        "number": verdict.number,
        "warned": len(noted),
        "start_agreement": estimator.start_agreement_,
        "restart_agreement": getattr(estimator, "restart_agreement_", None),
        "reconstruction_error": estimator.reconstruction_error_,
        "early_error": seen[0] if seen else None,
        "linear_reconstruction_error": estimator.linear_reconstruction_error_,
        "noise_floor": estimator.noise_floor_,
        "criterion": estimator.criterion_,
        "rank": estimator.rank_,
        "n_starts": len(estimator.starts_),
        "starts": json.dumps(estimator.starts_),
        "seconds": seconds,
        "warnings": " / ".join(str(each.message) for each in noted),
    }


def summary(rows: list[dict[str, Any]]) -> str:
    """Lay the fits out by family, and below them how the verdict did over all."""
    table = pd.DataFrame(rows)
    lines = []
    for (family, strength, method), group in table.groupby(["family", "strength", "method"], dropna=False, sort=False):
        lines.append(
            {
                "family": family,
                "strength": "default" if pd.isna(strength) else strength,
                "method": method,
                "fits": len(group),
                "R², lowest": group["r2"].min(),
                "R², mean": group["r2"].mean(),
                "unexplained, highest": group["reconstruction_error"].max(),
                "of PCA, mean": group["linear_reconstruction_error"].mean(),
                "warned": int((group["warned"] > 0).sum()),
                f"below {FOUND} unwarned": int(((group["r2"] < FOUND) & (group["warned"] == 0)).sum()),
                "seconds, median": group["seconds"].median(),
            }
        )
    good, warned = table["r2"] >= FOUND, table["warned"] > 0
    clear = table["r2"] > CLEARLY
    text = [markdown_table(lines, list(lines[0])), ""]
    text.append(f"fits below {FOUND}: {int((~good).sum())}, of them without a warning: {int((~good & ~warned).sum())}")
    text.append(f"fits above {CLEARLY}: {int(clear.sum())}, of them with a warning: {int((clear & warned).sum())}")
    if (single := table["n_starts"].eq(1)).sum() > 2 and table.loc[single, "r2"].nunique() > 1:
        rank = table.loc[single, ["early_error", "r2"]].corr("spearman").iloc[0, 1]
        text.append(f"single starts: rank correlation of the error after a ninth of the steps with R²: {rank:.3f}")
    if 0 < good.sum() < len(good):
        area = roc_auc_score(good, np.asarray(table["number"], dtype=float))
        text.append(f"area under the ROC curve of the verdict's number against R² >= {FOUND}: {area:.3f}")
    return "\n".join(text)


if __name__ == "__main__":
    main()
