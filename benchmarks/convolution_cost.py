"""Measure what the Jacobian of a convolutional decoder costs beside torch.func's.

python benchmarks/convolution_cost.py --output identica-convolution-cost

Variants take turns in one process, on the decoder of Convolutional() with random weights, in float32:

  decode     the decoder alone
  jacfwd     torch.func.vmap(torch.func.jacfwd(decoder)), output included
  exact      identica.jacobian.jacobian, output included
  sampled    the same with 128 features drawn, as a training step takes it

"forward" computes, "backward" also takes gradients of the mean squared Jacobian with respect to all weights. A ratio is
the median over rounds of (seconds) / (those of jacfwd in the same round).
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.jacobian import jacobian
from identica.networks import Convolutional, frame

VARIANTS = ("decode", "jacfwd", "exact", "sampled")
N_FEATURES = 128


class Size(NamedTuple):
    """Of images, components and batch."""

    side: int
    channels: int
    n_components: int
    batch: int


SIZES = (Size(28, 1, 10, 16), Size(28, 1, 10, 256), Size(32, 1, 5, 256), Size(64, 3, 10, 64))


def main() -> None:
    """Time every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each variant (default: 15)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for convolution_cost.csv and .md")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    rows = [row for size in SIZES for row in measure(size, arguments.rounds)]
    write_records(folder / "convolution_cost.csv", rows)
    table = markdown_table(rows, list(rows[0]))
    with atomic_write(folder / "convolution_cost.md", "w") as file:
        file.write(table + "\n")
    print(table)


def measure(size: Size, rounds: int) -> list[dict[str, Any]]:
    """Let the variants take turns at one size."""
    decoder, latents = networks(size)
    rows = []
    for direction in ("forward", "backward"):
        runs = {name: work(name, decoder, latents, backward=direction == "backward") for name in VARIANTS}
        times: dict[str, list[float]] = {name: [] for name in VARIANTS}
        for _ in range(rounds):
            for name, run in runs.items():
                run()
                start = perf_counter()
                run()
                times[name].append(perf_counter() - start)
        print(f"{tuple(size)}, {direction}: done", file=sys.stderr)
        for name in VARIANTS:
            ratios = [mine / theirs for mine, theirs in zip(times[name], times["jacfwd"], strict=True)]
            rows.append(
                {
                    "side": size.side,
                    "channels": size.channels,
                    "d": size.n_components,
                    "batch": size.batch,
                    "direction": direction,
                    "variant": name,
                    "milliseconds": 1000 * median(times[name]),
                    "ratio": median(ratios),
                }
            )
    return rows


def networks(size: Size) -> tuple[nn.Module, Tensor]:
    """Build a decoder whose convolutions are not blank, and latents."""
    shape = (size.side, size.side, size.channels)
    axes = torch.randn(size.n_components, size.side**2 * size.channels, generator=torch.Generator().manual_seed(0))
    encoder, decoder = Convolutional().build(axes, seed=0, sample_shape=shape)
    _, decoder = frame(encoder, decoder, size.n_components)
    for number, parameter in enumerate(decoder.parameters()):
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    latents = torch.randn(size.batch, size.n_components, generator=torch.Generator().manual_seed(1))
    return decoder.float(), latents


def work(name: str, decoder: nn.Module, latents: Tensor, *, backward: bool) -> Callable[[], None]:
    """Return what is timed."""
    with torch.no_grad():
        n_features = decoder(latents[:1]).numel()

    def one(point: Tensor) -> tuple[Tensor, Tensor]:
        output = decoder(point[None])[0]
        return output, output

    def compute() -> Tensor:
        if name == "decode":
            result: Tensor = decoder(latents)
        elif name == "jacfwd":
            result, _ = torch.func.vmap(torch.func.jacfwd(one, has_aux=True))(latents)
        else:
            features = torch.randperm(n_features)[:N_FEATURES] if name == "sampled" else None
            _, result = jacobian(decoder, latents, features=features)
        return result

    def run() -> None:
        with torch.set_grad_enabled(backward):
            result = compute()
            if backward:
                for parameter in decoder.parameters():
                    parameter.grad = None
                result.square().mean().backward()

    return run


if __name__ == "__main__":
    main()
