"""Ask the criterion itself for the factors of sprites: start from their true Jacobians, with no network and no noise.

python benchmarks/sprites_truth.py --output identica-sprites-truth

At 64 images the true Jacobian of the pixels with respect to the five factors is taken by central differences. Its rows
are aligned as DICA's align stage does, and the R² of the factors so found is what a perfect autoencoder would get.
"true" and "found" are the criterion at the true factors (at their best scales) and at those found: where the latter is
larger, the criterion prefers other coordinates of the images to the ones they were drawn from.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from identica.datasets import SPRITE_SHAPES, draw_sprites, make_sprites
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import mean_r2
from identica.solvers.alignment import align, best_criterion

N_POINTS = 64
STEP = 0.02
"""Half the difference, in standard deviations of a factor."""


def main() -> None:
    """Go through shapes, edges and exponents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=32, help="pixels along a side (default: 32)")
    parser.add_argument("--output", type=Path, required=True, help="folder for sprites_truth.csv and .md")
    arguments = parser.parse_args()
    folder = prepare_output_dir(arguments.output)
    rows = []
    for shape in SPRITE_SHAPES:
        for softness in (2.0, 8.0):
            images = {"size": arguments.size, "shape": shape, "softness": softness}
            factors = make_sprites(2000, **images, random_state=0).latents
            matrices = jacobians(factors[:N_POINTS], factors.std(axis=0), images)
            rows += [{"shape": shape, "softness": softness, **measure(matrices, factors, p)} for p in (1.0, 2.0)]
    write_records(folder / "sprites_truth.csv", rows)
    table = markdown_table(rows, list(rows[0]))
    with atomic_write(folder / "sprites_truth.md", "w") as file:
        file.write(table + "\n")
    print(table)


def jacobians(factors: NDArray[Any], scale: NDArray[Any], images: dict[str, Any]) -> Tensor:
    """Differentiate the pixels by each factor, per standard deviation of the factor."""
    columns = []
    for step in np.diag(STEP * scale):
        ahead, behind = (draw_sprites(factors + way, **images).astype(np.float64) for way in (step, -step))
        columns.append((ahead - behind).reshape(len(factors), -1) / (2 * STEP))
    return torch.as_tensor(np.stack(columns, axis=-1), dtype=torch.float32)


def measure(matrices: Tensor, factors: NDArray[Any], p: float) -> dict[str, Any]:
    """Align, and compare what is found with the truth."""
    found = align(matrices, p=p, n_restarts=32, generator=torch.Generator().manual_seed(0))
    turned = factors / factors.std(axis=0) @ np.linalg.inv(found.transform.double().numpy()).T
    return {
        "p": p,
        "r2": mean_r2(factors, turned),
        "agreement": float(found.agreement),
        "true": float(best_criterion(matrices, p)),
        "found": float(best_criterion(matrices @ found.transform, p)),
    }


if __name__ == "__main__":
    main()
