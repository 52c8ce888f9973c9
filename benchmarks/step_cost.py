"""Measure what a training step costs, relative to the step of a plain autoencoder.

python benchmarks/step_cost.py --output identica-step-cost
python benchmarks/step_cost.py --sizes 200,10,128,256 --rounds 5 --output identica-step-cost

All variants minimise the same loss, the fraction of variance unexplained - weight * c_p with p = 1, of the
same networks by the same optimiser; they differ in how they come by the Jacobian:

  plain      no Jacobian at all: a step of the autoencoder
  jacrev     torch.func.vmap(torch.func.jacrev(decoder)), whole batch, all features
  jacfwd     torch.func.vmap(torch.func.jacfwd(decoder)), whole batch, all features
  exact      identica.jacobian.jacobian_and_gram, whole batch, all features
  sampled    the step of DICA's refine stage with the default Training(), on features
  compact    a step of the autoencoder in the compact space of 2,000 samples
  default    the step of DICA's refine stage there

They take turns in one process. A turn is one step that is not timed, then as many as fill a tenth of a second
(at least one); a ratio is the median over the rounds of (seconds per step) / (those of the plain step in the
same round). Each works on one batch of a simulated mixture, in float32.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from identica.criteria import JacobianSample, Volume, volume_criterion
from identica.datasets import make_mixture
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.jacobian import jacobian_and_gram
from identica.likelihoods import Gaussian
from identica.networks import Dense, frame
from identica.preparation import principal_subspace
from identica.solvers.refinement import Refinement
from identica.training import Training
from identica.training.objective import Objective

WEIGHT = 0.1
NORM_POWER = 1.0
VARIANTS = ("plain", "jacrev", "jacfwd", "exact", "sampled", "compact", "default")
SUBSPACE_SAMPLES = 2000
TURN_SECONDS = 0.1

Step = Callable[[], None]
Differentiate = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor, Tensor | None]]
"""Takes decoder and latents, returns output, Jacobian and, where it comes cheaply, its Gram matrix."""


class Size(NamedTuple):
    """Of the data, the networks and the batch."""

    n_features: int
    n_components: int
    hidden: int
    batch: int


SIZES = (Size(200, 10, 128, 256), Size(2000, 20, 128, 128), Size(20000, 20, 128, 64))


def main() -> None:
    """Time every size, writing after each what there is so far."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        rows += measure(size, arguments.rounds, arguments.limit)
        write_records(folder / "step_cost.csv", rows)
        with atomic_write(folder / "step_cost.md", "w") as file:
            file.write(summary(rows, arguments.threads) + "\n")
    print(summary(rows, arguments.threads))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=lambda text: Size(*map(int, text.split(","))),
        default=list(SIZES),
        metavar="m,d,hidden,batch",
        help="default: " + " ".join(",".join(map(str, size)) for size in SIZES),
    )
    parser.add_argument("--rounds", type=int, default=21, help="turns of each variant (default: 21)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument(
        "--limit",
        type=float,
        default=5.0,
        help="seconds per step beyond which jacrev is left out as too slow, foretold from a step\n"
        "with few samples (default: 5)",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for step_cost.csv and step_cost.md")
    return parser.parse_args()


def measure(size: Size, rounds: int, limit: float) -> list[dict[str, Any]]:
    """Let the variants take turns at one size, and return a row for each."""
    rows: list[dict[str, Any]] = []
    few = 4
    foretold = seconds_per_step(steps(size._replace(batch=few))["jacrev"], 1) * size.batch / few
    left_out = {"jacrev"} if foretold > limit else set()
    variants = {name: step for name, step in steps(size).items() if name not in left_out}
    for step in variants.values():
        seconds_per_step(step, 3)
    repeats = {name: max(1, round(TURN_SECONDS / seconds_per_step(variants[name], 3))) for name in variants}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for i in range(rounds):
        for name, step in variants.items():
            times[name].append(seconds_per_step(step, repeats[name]))
        print(f"{tuple(size)}: round {i + 1} of {rounds}", file=sys.stderr)
    for name in VARIANTS:
        row: dict[str, Any] = {**size._asdict(), "variant": name, "milliseconds": None, "ratio": None}
        if name in times:
            ratios = [mine / plain for mine, plain in zip(times[name], times["plain"], strict=True)]
            row |= {"milliseconds": 1000 * median(times[name]), "ratio": median(ratios)}
            row |= {"lowest_ratio": min(ratios), "highest_ratio": max(ratios)}
            row["note"] = f"{rounds} rounds of {repeats[name]} step(s)"
        else:
            row["note"] = f"too slow: about {foretold:.0f} s per step, more than {limit:g} s"
        rows.append(row)
    return rows


def seconds_per_step(step: Step, repeats: int) -> float:
    """Time a step, after one that is not timed."""
    step()
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def steps(size: Size) -> dict[str, Step]:
    """Build the step of every variant, each with its own copy of the same networks."""
    data = make_mixture(SUBSPACE_SAMPLES, size.n_features, size.n_components, random_state=0).X
    rows = (data - data.mean(0)) / data.std(0)
    batch = torch.as_tensor(rows[: size.batch], dtype=torch.float32)
    generator = torch.Generator().manual_seed(0)
    axes = torch.randn(size.n_components, size.n_features, generator=generator) / math.sqrt(size.n_components)
    built = Dense(hidden=(size.hidden, size.hidden)).build(axes, seed=0)
    encoder, decoder = frame(*built, size.n_components)

    def exactly(differentiate: Differentiate) -> Step:
        networks = copy.deepcopy(nn.ModuleList([encoder, decoder]))

        def loss() -> Tensor:
            output, matrix, gram = differentiate(networks[1], networks[0](batch))
            criterion = volume_criterion(matrix, NORM_POWER, gram=gram).mean()
            return mse_loss(output, batch) - WEIGHT * criterion

        return optimisation(networks, loss)

    def by_objective(penalty: Refinement | None) -> Step:
        objective = copy.deepcopy(Objective(encoder, decoder, Gaussian(float(size.n_features)), penalty))
        return optimisation(objective, lambda: objective(batch, generator).total)

    space = principal_subspace(rows.astype("float32"), size.n_components)
    coordinates = torch.as_tensor(space.project(rows[: size.batch]), dtype=torch.float32)
    loadings = torch.as_tensor(space.axes / space.stretch, dtype=torch.float32)
    inner = torch.as_tensor(space.principal(size.n_components), dtype=torch.float32)
    narrow = frame(*Dense(hidden=(size.hidden, size.hidden)).build(inner, seed=0), size.n_components)

    def in_compact_space(penalty: Refinement | None) -> Step:
        objective = copy.deepcopy(Objective(*narrow, Gaussian(float(space.rank)), penalty))
        return optimisation(objective, lambda: objective(coordinates, generator).total)

    training = Training()
    many = training.n_jacobians(size.batch), training.jacobian_features
    sampled = Refinement(JacobianSample(*many), Volume(NORM_POWER), WEIGHT, n_epochs=1, last=1.0)
    default = Refinement(
        JacobianSample(*many, loadings, whole_volume=False), Volume(NORM_POWER), WEIGHT, n_epochs=1, last=1.0
    )
    return {
        "plain": by_objective(None),
        "jacrev": exactly(by_torch(torch.func.jacrev)),
        "jacfwd": exactly(by_torch(torch.func.jacfwd)),
        "exact": exactly(jacobian_and_gram),
        "sampled": by_objective(sampled),
        "compact": in_compact_space(None),
        "default": in_compact_space(default),
    }


def optimisation(module: nn.Module, loss: Callable[[], Tensor]) -> Step:
    """Make a step of the optimiser that identica.training uses."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=Training().peak, fused=True)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        optimiser.step()

    return step


def by_torch(transform: Callable[..., Any]) -> Differentiate:
    """Differentiate sample by sample with torch.func, the output coming from the same pass."""

    def differentiate(decoder: nn.Module, latents: Tensor) -> tuple[Tensor, Tensor, None]:
        def one(point: Tensor) -> tuple[Tensor, Tensor]:
            output = decoder(point)
            return output, output

        matrix, output = torch.func.vmap(transform(one, has_aux=True))(latents)
        return output, matrix, None

    return differentiate


def summary(rows: Sequence[dict[str, Any]], threads: int) -> str:
    """Lay the ratios out, one line per variant, and below them the two numbers that sum them up."""
    sizes = list(dict.fromkeys(Size(*(row[name] for name in Size._fields)) for row in rows))
    ratios = {(Size(*(row[name] for name in Size._fields)), row["variant"]): row["ratio"] for row in rows}
    lines = [{"step": name} | {str(tuple(size)): shown(ratios[size, name]) for size in sizes} for name in VARIANTS]
    mean = geometric_mean([ratios[size, "exact"] / ratios[size, "jacfwd"] for size in sizes])
    text = [
        f"Cost of a step relative to plain, at (m, d, hidden, batch), {threads} threads:",
        "",
        markdown_table(lines, list(lines[0])),
        "",
        f"exact / jacfwd, geometric mean of the sizes: {mean:.2f}",
    ]
    for name in ("sampled", "default"):
        text += [f"{name} / plain at {tuple(size)}: {ratios[size, name]:.2f}" for size in sizes]
    return "\n".join(text)


def shown(ratio: float | None) -> str:
    """Write a ratio with as many digits as it deserves."""
    return "too slow" if ratio is None else f"{ratio:.{0 if ratio >= 30 else 1 if ratio >= 10 else 2}f}"


if __name__ == "__main__":
    main()
