"""Measure how long DICA takes to find the components, its staged solver against the joint one.

python benchmarks/time_to_recovery.py --output identica-time
python benchmarks/time_to_recovery.py --mixtures linear --cap 60 --output identica-time

The time is wall time from the call of fit to the first checkpoint at which the components of samples that were
not fitted have a mean R² of at least the target; the scoring's own time is taken off. Networks, data, seed and all
parameters (the defaults) are the same for both solvers. Only the joint solver gets more steps: where the default
number does not lead it to the target, it is fitted anew with up to three times as many, and so on until one fit has
lasted ten times as long as staged needed, or nearly the cap. Its time is that of the fit that got there, without
those that did not. All fits run to their end, so that the tables also tell what R² they keep.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import torch

from identica import DICA, Training
from identica.datasets import make_mixture
from identica.estimators import base
from identica.experiments import FAMILIES, markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2
from identica.trainer import Trainer

MIXTURES = ("linear", "post-nonlinear", "perturbed")
TEST_SAMPLES = 2_000
LONGER = 10
"""Times the seconds of staged that joint is given at least, if the cap allows."""
MAX_FITS = 6

Solver = Literal["staged", "joint"]


class OutOfTimeError(Exception):
    """A fit has met the cap."""


@dataclass
class Watch:
    """Stands where a fit tells its progress, and scores the components there with the clock stopped.

    Parameters
    ----------
    score : callable
        Takes the trainer, gives the mean R² of its components.
    every : float
        Least seconds between two checkpoints within a stage; the end of a stage always is one.
    cap : float
        Seconds after which the fit is cut off.
    """

    score: Callable[[Trainer], float]
    every: float
    cap: float
    trainer: Trainer = field(init=False)
    curve: list[dict[str, Any]] = field(default_factory=list)
    stage: str = ""

    def __post_init__(self) -> None:
        """Start the clock."""
        self.started, self.stopped = time.perf_counter(), 0.0

    @property
    def seconds(self) -> float:
        """Seconds of the fit so far."""
        return time.perf_counter() - self.started - self.stopped

    def begin(self, stage: str, n_epochs: int, first: int = 0) -> None:
        """Note the name of the stage."""
        self.stage = stage

    def advance(self, record: dict[str, Any]) -> None:
        """Score after an epoch."""
        if not self.curve or self.seconds - self.curve[-1]["seconds"] >= self.every:
            self.check()

    def end(self) -> None:
        """Score after a stage."""
        self.check()

    def check(self) -> None:
        """Add to the curve; cut the fit off if it has met the cap."""
        now = self.seconds
        r2 = self.score(self.trainer)
        self.curve.append({"stage": self.stage, "seconds": now, "r2_mean": r2})
        self.stopped += self.seconds - now
        if now > self.cap:
            raise OutOfTimeError


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Let the fits of the library tell their progress to the watch."""

    def build(*arguments: Any, **options: Any) -> Trainer:
        watch.trainer = Trainer(*arguments, **options | {"progress": watch})
        return watch.trainer

    with patch.object(base, "Trainer", build):
        yield


def main() -> None:
    """Race the solvers on each mixture, writing after each fit what there is so far."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []

    def fit(name: str, seed: int, solver: Solver, steps: int) -> dict[str, Any]:
        row, curve = run(name, seed, solver, steps, arguments)
        rows.append(row)
        curves.extend(
            {"mixture": name, "seed": seed, "solver": solver, "steps": row["steps"]} | point for point in curve
        )
        print(", ".join(f"{key} {value}" for key, value in row.items()), file=sys.stderr)
        write_records(folder / "time_to_recovery.csv", rows)
        write_records(folder / "curves.csv", curves)
        with atomic_write(folder / "time_to_recovery.md", "w") as file:
            file.write(summary(rows, arguments) + "\n")
        return row

    for name in arguments.mixtures:
        for seed in range(arguments.seeds):
            steps = arguments.steps
            staged = fit(name, seed, "staged", steps)
            needed = LONGER * (staged["seconds_to_target"] or staged["seconds"])
            for _ in range(MAX_FITS):
                joint = fit(name, seed, "joint", steps)
                if joint["seconds_to_target"] or joint["seconds"] >= min(needed, 0.85 * arguments.cap):
                    break
                # Planned to end before the cap: a schedule that is cut off would not show what the solver can do.
                lasting = min(1.1 * needed, 0.95 * arguments.cap)
                steps = round(steps * min(3.0, lasting / joint["seconds"]))
    print(summary(rows, arguments))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mixtures", nargs="+", choices=list(FAMILIES), default=list(MIXTURES))
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0 (default: 1)")
    parser.add_argument("--target", type=float, default=0.95, help="mean R² to reach (default: 0.95)")
    parser.add_argument("--cap", type=float, default=600.0, help="seconds a fit may take (default: 600)")
    parser.add_argument("--every", type=float, default=0.25, help="seconds between scores (default: 0.25)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--samples", type=int, default=10_000, help="to fit (default: 10000)")
    parser.add_argument("--steps", type=int, default=Training().max_steps, help="instead of Training's default")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables")
    return parser.parse_args()


def run(
    name: str, seed: int, solver: Solver, steps: int, arguments: argparse.Namespace
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fit once, and return a row of results and the curve of R² over time."""
    n_samples = arguments.samples
    mixture = make_mixture(n_samples + TEST_SAMPLES, **FAMILIES[name], latents="dependent", random_state=seed)
    X, latents = mixture.X, mixture.latents
    training = Training(max_steps=steps)
    estimator = DICA(latents.shape[1], solver=solver, training=training, device="cpu", random_state=seed)

    def score(trainer: Trainer) -> float:
        unseen = torch.as_tensor((X[n_samples:] - estimator.mean_) / estimator.scale_, dtype=trainer.data.train.dtype)
        was_training = trainer.encoder.training
        with torch.no_grad():
            components = trainer.encoder.eval()(unseen).double().numpy()
        trainer.encoder.train(was_training)
        return mean_r2(latents[n_samples:], components)

    watch = Watch(score, arguments.every, arguments.cap)
    with watching(watch):
        try:
            estimator.fit(X[:n_samples])
            ended, seconds = True, watch.seconds
        except OutOfTimeError:
            ended, seconds = False, watch.seconds
    reached = [point["seconds"] for point in watch.curve if point["r2_mean"] >= arguments.target]
    row = {
        "mixture": name,
        "seed": seed,
        "solver": solver,
        "steps": training.max_steps,
        "seconds_to_target": reached[0] if reached else None,
        "seconds": seconds,
        "ended": ended,
        "r2_best": max(point["r2_mean"] for point in watch.curve),
        "r2_last": watch.curve[-1]["r2_mean"],
    }
    return row, watch.curve


def summary(rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> str:
    """Lay the race out, one line per mixture and seed."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["mixture"], row["seed"]), []).append(row)
    lines = []
    for (name, seed), (staged, *joint) in groups.items():
        sizes = FAMILIES[name]
        line = {"mixture": f"{name}, d={sizes['n_components']} m={sizes['n_features']}", "seed": seed}
        line |= {"staged": told([staged]), "joint": told(joint), "joint / staged": ratio(staged, joint)}
        lines.append(line)
    return "\n".join(
        [
            f"Seconds to a mean R² of {arguments.target:g}, {arguments.threads} threads:",
            "",
            markdown_table(lines, list(lines[0])),
        ]
    )


def told(fits: Sequence[dict[str, Any]]) -> str:
    """Say when the last of some fits reached the target, or how near they came."""
    if not fits:
        return ""
    last = fits[-1]
    if last["seconds_to_target"] is not None:
        return f"{last['seconds_to_target']:.1f} s (R² {last['r2_last']:.3f} after {last['seconds']:.0f} s)"
    longest, best = max(fit["seconds"] for fit in fits), max(fit["r2_best"] for fit in fits)
    return f"not within {longest:.0f} s (best R² {best:.3f})"


def ratio(staged: dict[str, Any], joint: Sequence[dict[str, Any]]) -> str:
    """Compare the times; where joint never got there, the time it was given is a lower bound."""
    if not joint or staged["seconds_to_target"] is None:
        return ""
    if joint[-1]["seconds_to_target"] is not None:
        return f"{joint[-1]['seconds_to_target'] / staged['seconds_to_target']:.1f}"
    return f"> {max(fit['seconds'] for fit in joint) / staged['seconds_to_target']:.0f}"


if __name__ == "__main__":
    main()
