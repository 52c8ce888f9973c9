"""Run a small benchmark on dask's local cluster, and again in one process, and compare the rows.

python benchmarks/on_dask.py --output identica-on-dask

Needs dask: pip install "dask[distributed]".
"""

import argparse
import contextlib
import sys

from joblib import parallel_config
from threadpoolctl import threadpool_limits

from identica.experiments.benchmark import run_benchmark, standard_plan
from identica.io import prepare_output_dir

DATASETS = ("linear", "orthogonal")
METHODS = ("pca", "fastica", "polytopic")
SEEDS = (0, 1)


def main() -> None:
    """Run both and end in 1 if they differ."""
    from dask.distributed import Client, LocalCluster

    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    plan = standard_plan(datasets=DATASETS, methods=METHODS, seeds=SEEDS, quick=True)
    seen: list[object] = []
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        stack.enter_context(Client(cluster))
        stack.enter_context(parallel_config(backend="dask"))
        on_cluster = run_benchmark(plan, folder / "dask", on_cell=seen.append)
    with threadpool_limits(arguments.threads):
        alone = run_benchmark(plan, folder / "one", on_cell=seen.append)
    for row in (*on_cluster, *alone):
        row.pop("seconds")
    same = on_cluster == alone
    print(f"{len(on_cluster)} fits on dask, {len(alone)} in one process: {'the same' if same else 'other'} rows")
    sys.exit(0 if same and len(seen) == 2 * len(plan.cells) else 1)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="identica-on-dask", help="directory to write into")
    parser.add_argument("--threads", type=int, default=1, help="threads of the process that compares")
    return parser.parse_args()


if __name__ == "__main__":
    main()
