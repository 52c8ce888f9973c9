"""Time the stochastic simulator on a network of 100 genes, 9 cell types and 300 cells of each.

python benchmarks/simulator.py --output identica-simulator

With `--targets` and `--masters` the network is read from SERGIO's files. Where the package sergio-rs can be imported
(it is under GPL: install it into an environment of its own), both simulate the same network with as many steps, in
turn, in this process.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from identica.datasets import GeneNetwork, read_sergio, run_sergio
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir

N_CELLS = 300
STEPS_PER_CELL = 15
DECAY = 0.8


def main() -> None:
    """Time each simulator in turn, after one run that is not counted."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    network = drawn() if arguments.targets is None else read_sergio(arguments.targets, arguments.masters)
    simulators: dict[str, Callable[[int], object]] = {"identica": lambda seed: ours(network, seed)}
    try:
        import sergio_rs
    except ImportError:
        print("sergio-rs is not installed here: timing identica alone", file=sys.stderr)
    else:
        simulators["sergio-rs"] = lambda seed: theirs(sergio_rs, network, seed)
    started = time.perf_counter()
    ours(network, 0)
    compiled = time.perf_counter() - started
    times: dict[str, list[float]] = {name: [] for name in simulators}
    for seed in range(arguments.rounds + 1):
        for name, simulate in simulators.items():
            start = time.perf_counter()
            simulate(seed)
            times[name].append(time.perf_counter() - start)
    rows = [
        {
            "simulator": name,
            "median ms": 1000 * median(taken[1:]),
            "lowest ms": 1000 * min(taken[1:]),
            "highest ms": 1000 * max(taken[1:]),
            "relative to identica": median(taken[1:]) / median(times["identica"][1:]),
        }
        for name, taken in times.items()
    ]
    table = markdown_table(rows, list(rows[0]))
    with atomic_write(folder / "simulator.md", "w") as file:
        file.write(f"{table}\n\nFirst run, compilation included: {compiled:.1f} s\n")
    print(f"{table}\n\nFirst run, compilation included: {compiled:.1f} s")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--targets", type=Path, help="SERGIO's file of targets")
    parser.add_argument("--masters", type=Path, help="SERGIO's file of masters")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each simulator (default: 11)")
    parser.add_argument("--output", type=Path, required=True, help="folder for simulator.md")
    return parser.parse_args()


def drawn() -> GeneNetwork:
    """Draw a network of the size of SERGIO's demo: 7 masters, 93 genes under 1 to 5 of them or of 3 others."""
    random = np.random.default_rng(0)
    edges = []
    for gene in range(7, 100):
        among = 7 if gene < 10 else 10
        edges += [(r, gene) for r in random.choice(among, random.integers(1, 6), replace=False)]
    regulator, target = np.array(edges).T
    strength = random.uniform(1, 5, len(edges)) * random.choice([-1, 1], len(edges))
    return GeneNetwork(
        n_genes=100,
        regulator=regulator,
        target=target,
        strength=strength,
        hill=np.full(len(edges), 2.0),
        masters=np.arange(7),
        rates=random.uniform(0.2, 1.0, (7, 9)),
    )


def ours(network: GeneNetwork, seed: int) -> object:
    """Simulate by this library."""
    return run_sergio(network, N_CELLS, decay=DECAY, sampling_state=STEPS_PER_CELL, random_state=seed).expression


def theirs(sergio_rs: object, network: GeneNetwork, seed: int) -> object:
    """Simulate the same edges by sergio-rs, whose masters' rates are random."""
    genes = [sergio_rs.Gene(name=str(i), decay=DECAY) for i in range(network.n_genes)]  # type: ignore[attr-defined]
    grn = sergio_rs.GRN()  # type: ignore[attr-defined]
    for r, t, k in zip(network.regulator, network.target, network.strength, strict=True):
        grn.add_interaction(reg=genes[r], tar=genes[t], k=float(k), h=None, n=2)
    grn.set_mrs()
    profile = sergio_rs.MrProfile.from_random(  # type: ignore[attr-defined]
        grn, num_cell_types=network.n_bins, low_range=(0.2, 0.5), high_range=(0.7, 1.0), seed=seed
    )
    simulator = sergio_rs.Sim(  # type: ignore[attr-defined]
        grn, num_cells=N_CELLS, safety_iter=0, scale_iter=STEPS_PER_CELL, dt=0.01, noise_s=1.0, seed=seed
    )
    return simulator.simulate(profile)


if __name__ == "__main__":
    main()
