"""Measure how long DICA takes to find the components, its staged solver against the joint one.

python benchmarks/time_to_recovery.py --output identica-time
python benchmarks/time_to_recovery.py --mixtures linear --cap 60 --output identica-time

Two times are taken from the call of fit: to the first checkpoint at which the components of samples that were not
fitted have a mean R² of at least the target, and to the first from which on they keep it to the end of the fit, since
a user without the truth cannot stop at the best moment. The scoring's own time is taken off. Networks, data, seed
and all parameters (the defaults) are the same for all; "joint, every sample" takes the Jacobian at every sample of a
batch, as published, and not at the default share. Only joint gets more steps: where the default number does not end
at the target, it is fitted anew with up to three times as many, and so on until one fit has lasted ten times as long
as staged needed, or nearly the cap. Its time is that of its best fit, without the others.
With --plain all have perceptrons that start at random, as in the paper, instead of the library's.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import torch
from torch import nn

from identica import DICA, Training
from identica.datasets import make_mixture
from identica.estimators import plan
from identica.experiments import FAMILIES, markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2
from identica.training.trainer import Trainer

MIXTURES = ("linear", "post-nonlinear", "post-nonlinear-10", "perturbed")
TEST_SAMPLES = 2_000
LONGER = 10
"""Times the seconds of staged that joint is given at least, if the cap allows."""
MAX_FITS = 6

CONTENDERS: dict[str, tuple[Literal["staged", "joint"], dict[str, float]]] = {
    "staged": ("staged", {}),
    "joint": ("joint", {}),
    "joint, every sample": ("joint", {"jacobian_share": 1.0}),
}
"""The solver and what of Training differs from the defaults."""


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

    with patch.object(plan, "Trainer", build):
        yield


def main() -> None:
    """Race the solvers on each mixture, writing after each fit what there is so far."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []

    def fit(name: str, seed: int, contender: str, steps: int) -> dict[str, Any]:
        row, curve = run(name, seed, contender, steps, arguments)
        rows.append(row)
        known = {key: row[key] for key in ("mixture", "seed", "contender", "steps")}
        curves.extend(known | point for point in curve)
        print(", ".join(f"{key} {value}" for key, value in row.items()), file=sys.stderr)
        write_records(folder / "time_to_recovery.csv", rows)
        write_records(folder / "curves.csv", curves)
        with atomic_write(folder / "time_to_recovery.md", "w") as file:
            file.write(summary(rows, arguments) + "\n")
        return row

    for name in arguments.mixtures:
        for seed in range(arguments.seeds):
            staged = fit(name, seed, "staged", arguments.steps)
            needed = LONGER * (staged["seconds_kept"] or staged["seconds"])
            for contender in list(CONTENDERS)[1:]:
                steps = arguments.steps
                for _ in range(MAX_FITS):
                    joint = fit(name, seed, contender, steps)
                    if joint["seconds_kept"] or joint["seconds"] >= min(needed, 0.85 * arguments.cap):
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
    parser.add_argument("--plain", action="store_true", help="perceptrons from a random start, without PCA in them")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables")
    return parser.parse_args()


def run(
    name: str, seed: int, contender: str, steps: int, arguments: argparse.Namespace
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fit once, and return a row of results and the curve of R² over time."""
    n_samples = arguments.samples
    mixture = make_mixture(n_samples + TEST_SAMPLES, **FAMILIES[name], latents="dependent", random_state=seed)
    X, latents = mixture.X, mixture.latents
    solver, changes = CONTENDERS[contender]
    training = dataclasses.replace(Training(max_steps=steps), **changes)
    estimator = DICA(latents.shape[1], solver=solver, n_init=1, training=training, device="cpu", random_state=seed)
    if arguments.plain:
        estimator.set_params(**plain_networks(X.shape[1], latents.shape[1], seed))

    def score(trainer: Trainer) -> float:
        unseen = torch.as_tensor((X[n_samples:] - estimator.mean_) / estimator.scale_, dtype=trainer.data.train.dtype)
        if trainer.data.loadings is not None:
            loadings = trainer.data.loadings
            unseen = unseen @ loadings / loadings[:, 0].square().sum()
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
    row = {
        "mixture": name,
        "seed": seed,
        "contender": contender,
        "steps": training.max_steps,
        **times(watch.curve, arguments.target),
        "seconds": seconds,
        "ended": ended,
        "r2_best": max(point["r2_mean"] for point in watch.curve),
        "r2_last": watch.curve[-1]["r2_mean"],
    }
    return row, watch.curve


def plain_networks(n_features: int, n_components: int, seed: int) -> dict[str, nn.Module]:
    """Build the networks as published: perceptrons of Dense's sizes, without its linear part and its start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {
            "encoder": perceptron(n_features, 128, 128, n_components),
            "decoder": perceptron(n_components, 128, 128, n_features),
        }


def perceptron(*widths: int) -> nn.Module:
    """Stack linear layers of these widths with softplus between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.Softplus()]
    return nn.Sequential(*layers[:-1])


def times(curve: Sequence[dict[str, Any]], target: float) -> dict[str, float | None]:
    """Tell when a curve first reaches the target, and from when on it keeps it."""
    reached = [point["seconds"] for point in curve if point["r2_mean"] >= target]
    kept = list(takewhile(lambda point: point["r2_mean"] >= target, reversed(curve)))
    return {
        "seconds_to_target": reached[0] if reached else None,
        "seconds_kept": kept[-1]["seconds"] if kept else None,
    }


def summary(rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> str:
    """Lay the race out, one line per mixture, seed and contender."""
    groups: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        fits = groups.setdefault((row["mixture"], row["seed"]), {}).setdefault(row["contender"], [])
        fits.append(row)
    lines = []
    for (name, seed), contenders in groups.items():
        sizes = FAMILIES[name]
        (staged,) = contenders["staged"]
        for contender, fits in contenders.items():
            lines.append(
                {
                    "mixture": f"{name}, d={sizes['n_components']} m={sizes['n_features']}",
                    "seed": seed,
                    "solver": contender,
                    "first reached": told(fits, "seconds_to_target"),
                    "of staged": ratio(fits, staged, "seconds_to_target"),
                    "kept from": told(fits, "seconds_kept"),
                    "of staged's": ratio(fits, staged, "seconds_kept"),
                    "best R²": max(fit["r2_best"] for fit in fits),
                    "R² of the answer": max(fit["r2_last"] for fit in fits),
                    "longest fit": f"{max(fit['seconds'] for fit in fits):.0f} s",
                }
            )
    return "\n".join(
        [
            f"Seconds to a mean R² of {arguments.target:g}, {arguments.threads} threads:",
            "",
            markdown_table(lines, list(lines[0])),
        ]
    )


def soonest(fits: Sequence[dict[str, Any]], time: str) -> float | None:
    """Return the least of the fits' times, if any got there."""
    return min((fit[time] for fit in fits if fit[time] is not None), default=None)


def told(fits: Sequence[dict[str, Any]], time: str) -> str:
    """Say when the target was met, or that it was not."""
    seconds = soonest(fits, time)
    return "never" if seconds is None else f"{seconds:.1f} s"


def ratio(fits: Sequence[dict[str, Any]], staged: dict[str, Any], time: str) -> str:
    """Compare with staged; where a solver never got there, the time it was given is a lower bound."""
    if staged[time] is None:
        return ""
    seconds = soonest(fits, time)
    if seconds is None:
        return f"> {max(fit['seconds'] for fit in fits) / staged[time]:.0f}"
    return f"{seconds / staged[time]:.1f}"


if __name__ == "__main__":
    main()
