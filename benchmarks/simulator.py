"""Time the stochastic simulator on a network of 100 genes, 9 cell types and 300 cells of each.

python benchmarks/simulator.py --output identica-simulator

With `--targets` and `--masters` the network is read from SERGIO's files. Where the package sergio-rs can be imported
(it is under GPL: `pip install --target FOLDER sergio-rs` and put FOLDER on PYTHONPATH, for this script alone), both
simulate the same network with as many steps, in turn, in this process.

With `--reference FOLDER` the simulator is held against runs of the original instead, as logged beside their random
draws: files ref_tiny_NOISE_qQ.npz of the network tiny_targets.txt and tiny_regs.txt, and ref_demo_dpd_seed0.npz and
ref_demo_dpd_seed1.npz of the network in demo/. Written is the largest difference at any step, and how the means by
cell type and gene correlate.
"""

import argparse
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from identica.datasets import GeneNetwork, read_sergio, run_sergio
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir

N_CELLS = 300
STEPS_PER_CELL = 15
DECAY = 0.8
TINY_DECAY = [0.8, 0.7, 0.9, 0.8, 1.0, 0.6]
"""Of the genes of the small network whose runs are logged."""


def main() -> None:
    """Time each simulator in turn, after one run that is not counted."""
    arguments = parse()
    folder = prepare_output_dir(arguments.output)
    if arguments.reference is not None:
        write(folder / "agreement.md", markdown_table(agreement(arguments.reference), ["with", "measure", "value"]))
        return
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
    write(folder / "simulator.md", f"{table}\n\nFirst run, compilation included: {compiled:.1f} s")


def write(path: Path, text: str) -> None:
    """Write a text and show it."""
    with atomic_write(path, "w") as file:
        file.write(text + "\n")
    print(text)


def agreement(folder: Path) -> list[dict[str, object]]:
    """Hold simulations against runs of the original: step by step on its draws, in distribution on the demo."""
    rows: list[dict[str, object]] = []
    tiny = read_sergio(folder / "tiny_targets.txt", folder / "tiny_regs.txt")
    for path in sorted(folder.glob("ref_tiny_*_q*.npz")):
        noise, q = path.stem.split("_")[2:]
        logged = np.load(path)
        run = run_sergio(
            tiny,
            len(logged["sc"]),
            noise=noise,
            noise_strength=float(q.removeprefix("q")),
            decay=TINY_DECAY,
            sampling_state=logged["traj"].shape[-1] // len(logged["sc"]),
            draws=logged["dW"],
            sampled=logged["sc"],
            keep_trajectory=True,
        )
        difference = float(np.abs(run.trajectory - logged["traj"]).max())
        rows.append({"with": path.stem, "measure": "largest difference at any step", "value": f"{difference:.1e}"})
    demo = read_sergio(folder / "demo/steady-state_input_GRN.txt", folder / "demo/steady-state_input_MRs.txt")
    runs = {"this simulator": ours(demo, 0)}
    runs |= {f"run {seed} of the original": np.load(folder / f"ref_demo_dpd_seed{seed}.npz")["expr"] for seed in (0, 1)}
    for (name, one), (other, another) in combinations(runs.items(), 2):
        value = np.corrcoef(one.mean(axis=-1).ravel(), another.mean(axis=-1).ravel())[0, 1]
        rows.append({"with": f"{name} and {other}", "measure": "correlation of means", "value": f"{value:.3f}"})
    return rows


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--targets", type=Path, help="SERGIO's file of targets")
    parser.add_argument("--masters", type=Path, help="SERGIO's file of masters")
    parser.add_argument("--rounds", type=int, default=11, help="turns of each simulator (default: 11)")
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="logged runs of the original to agree with")
    parser.add_argument("--output", type=Path, required=True, help="folder for simulator.md or agreement.md")
    arguments = parser.parse_args()
    if (arguments.targets is None) != (arguments.masters is None):
        parser.error("--targets and --masters belong together: give both, or neither")
    return arguments


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


def ours(network: GeneNetwork, seed: int) -> NDArray[np.float64]:
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
