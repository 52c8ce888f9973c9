"""Count how many transcription factors label_components names rightly, and how many on a shuffled network.

python benchmarks/labels.py --regulon trrust_rawdata.human.tsv --output identica-labels

Data are those of `identica reproduce single-cell`; components may be named after any factor of the network, also after
those that do not act. The shuffled network has the same factors with as many targets, drawn anew by permutation.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from identica import Training, tl
from identica.datasets import make_cells, make_regulon, read_regulon
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir, write_records
from identica.metrics import match_components

CURVES: dict[str, dict[str, Any]] = {"mild": {}, "bent": {"half_responses": "edge", "hill": 4.0, "fold": 16.0}}
COLUMNS = ("curves", "seed", "r2_mean", "named_rightly", "named_wrongly", "named_after_shuffling")


def main() -> None:
    """Simulate, fit, name; then name by a network that says nothing."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    folder = prepare_output_dir(arguments.output)
    regulon = (make_regulon(random_state=0) if arguments.regulon is None else read_regulon(arguments.regulon)).clean()
    net = regulon.to_frame()
    rows = []
    for curves in arguments.curves:
        for seed in range(arguments.seeds):
            cells = make_cells(
                arguments.samples, arguments.components, regulon=regulon, random_state=seed, **CURVES[curves]
            )
            adata = cells.to_anndata()
            training = None if arguments.steps is None else Training(max_steps=arguments.steps)
            tl.dica(adata, arguments.components, random_state=seed, training=training)
            matching = match_components(cells.latents, adata.obsm["X_dica"], method="r2")
            tl.label_components(adata, net)
            labels = adata.uns["dica"]["labels"]["label"].to_numpy()
            right = sum(labels[j] == name for name, j in zip(cells.factors, matching.order, strict=True))
            shuffled = net.assign(target=np.random.default_rng(seed).permutation(net["target"]))
            tl.label_components(adata, shuffled)
            rows.append(
                {
                    "curves": curves,
                    "seed": seed,
                    "r2_mean": matching.mean,
                    "named_rightly": int(right),
                    "named_wrongly": int((labels != "unassigned").sum() - right),
                    "named_after_shuffling": int((adata.uns["dica"]["labels"]["label"] != "unassigned").sum()),
                }
            )
            print(rows[-1], file=sys.stderr)
    write_records(folder / "results.csv", rows)
    with atomic_write(folder / "table.md", "w") as file:
        file.write(markdown_table(rows, COLUMNS) + "\n")
    print(markdown_table(rows, COLUMNS))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--regulon", type=Path, help="the network; one that looks like TRRUST's where not given")
    parser.add_argument("--curves", nargs="+", choices=list(CURVES), default=list(CURVES))
    parser.add_argument("--components", type=int, default=10, help="factors (default: 10)")
    parser.add_argument("--seeds", type=int, default=2, help="how many, from 0 (default: 2)")
    parser.add_argument("--samples", type=int, default=4000, help="cells (default: 4000)")
    parser.add_argument("--steps", type=int, help="of the training (default: the library's)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.csv and table.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
