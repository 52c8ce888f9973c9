"""Time whole sessions with scanpy: counts to named components, written and read again, all defaults.

python benchmarks/session.py --output identica-session
python benchmarks/session.py --output identica-session --only counts --cells 10000 --genes 1000 --dropout 75 --n-init 1

Two sessions. "counts": 20,000 simulated cells of two donors as sparse counts with depth and dropout, 2,000 of their
2,980 genes highly variable; "pbmc": the blood cells that come with scanpy, logarithms of normalised counts. The
seconds of each step are wall time; run nothing beside them. "R2" compares the components with the true factors.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scanpy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

import identica
from identica.datasets import Regulon, TechnicalNoise, make_cells, make_regulon
from identica.experiments import markdown_table
from identica.io import atomic_write, prepare_output_dir
from identica.metrics import mean_r2


class Session:
    """The steps of a session and how long each took, in seconds."""

    def __init__(self, name: str) -> None:
        self.name, self.rows = name, list[dict[str, object]]()

    @contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Time what is done inside, and print it."""
        start = time.perf_counter()
        yield
        self.rows.append({"session": self.name, "step": step, "seconds": time.perf_counter() - start})
        print(f"{self.name}: {step}, {self.rows[-1]['seconds']:.0f} s", flush=True)

    def finish(self) -> list[dict[str, object]]:
        """Return the rows, with one for all steps."""
        seconds = sum(float(str(row["seconds"])) for row in self.rows)
        return [*self.rows, {"session": self.name, "step": "all", "seconds": seconds}]


def simulated_counts(n_cells: int, dropout: float) -> tuple[anndata.AnnData, NDArray[np.float64], Regulon]:
    """Cells of two donors whose genes are shifted, as sparse counts; their ten true factors; the network."""
    regulon = make_regulon(120, 4_000, random_state=0)
    cells = make_cells(n_cells, 10, regulon=regulon, half_responses="edge", hill=4, fold=16, random_state=0)
    random = np.random.RandomState(0)
    genes = list(cells.genes)
    silent = 2_980 - len(genes)  # genes that answer to no factor
    levels = np.hstack([cells.clean, np.tile(random.lognormal(0, 1, max(silent, 0)), (n_cells, 1))])
    genes += [f"silent_{i}" for i in range(silent)]
    donor = random.randint(2, size=n_cells)
    shifts = random.lognormal(0, 0.3, (2, len(genes)))
    sequencer = TechnicalNoise(library_mean=8.5, dropout_percentile=dropout, counts=True)
    counts = sequencer.apply(levels * shifts[donor], random_state=0)
    obs = pd.DataFrame({"donor": np.array(["first", "second"])[donor]}, index=[f"cell_{i}" for i in range(n_cells)])
    adata = anndata.AnnData(csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=genes))
    return adata, cells.latents, regulon


def file_and_back(adata: anndata.AnnData) -> None:
    """Write a file, read it, and check that what was found is the same in it."""
    with tempfile.TemporaryDirectory() as folder:
        adata.write_h5ad(Path(folder) / "cells.h5ad")
        again = anndata.read_h5ad(Path(folder) / "cells.h5ad")
    for found, written in ((adata.obsm, again.obsm), (adata.varm, again.varm)):
        for key in found:
            if "dica" in key and not np.array_equal(found[key], written[key]):
                raise ValueError(f"{key} is not the same after a file")


def counts(given: argparse.Namespace) -> list[dict[str, object]]:
    """Run the session of docs/single-cell.md on simulated counts."""
    adata, factors, regulon = simulated_counts(given.cells, given.dropout)
    print(adata, f"{adata.X.nnz / np.prod(adata.shape):.0%} not zero", flush=True)
    session = Session("counts")
    with session.step("highly variable genes, logarithms"):
        adata.layers["counts"] = adata.X.copy()
        scanpy.experimental.pp.highly_variable_genes(adata, layer="counts", n_top_genes=given.genes, batch_key="donor")
        scanpy.pp.normalize_total(adata)
        scanpy.pp.log1p(adata)
    with session.step("tl.dica"):
        identica.tl.dica(adata, layer="counts", batch_key="donor", random_state=0, n_init=given.n_init)
    with session.step("names and programs"):
        identica.tl.label_components(adata, regulon.to_frame(), min_targets=3)
        identica.get.programs(adata)
    with session.step("neighbours and UMAP"):
        scanpy.pp.neighbors(adata, use_rep="X_dica", transformer="sklearn")
        scanpy.tl.umap(adata)
    with session.step("pictures"):
        identica.pl.influence(adata)
        identica.pl.embedding(adata, "umap")
        identica.pl.matrixplot(adata, "donor")
    with session.step("file and back"):
        file_and_back(adata)
    print(f"R2 {mean_r2(factors, adata.obsm['X_dica']):.3f}, verdict {adata.uns['dica']['verdict']}")
    print(adata.uns["dica"]["labels"])
    return session.finish()


def pbmc(given: argparse.Namespace) -> list[dict[str, object]]:
    """Run the session of the gallery on scanpy's blood cells."""
    session = Session("pbmc")
    adata = scanpy.datasets.pbmc68k_reduced().raw.to_adata()
    with session.step("tl.dica"):
        identica.tl.dica(adata, random_state=0, n_init=given.n_init)
    with session.step("programs"):
        identica.get.programs(adata)
    with session.step("pictures"):
        identica.pl.influence(adata)
        identica.pl.embedding(adata, "umap")
        identica.pl.matrixplot(adata, "bulk_labels")
    with session.step("file and back"):
        file_and_back(adata)
    print(f"{adata.obsm['X_dica'].shape[1]} components, verdict {adata.uns['dica']['verdict']}")
    return session.finish()


def main() -> None:
    """Run both sessions and write the rows and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="a new folder")
    parser.add_argument("--only", choices=["pbmc", "counts"], help="one of the sessions")
    parser.add_argument("--cells", type=int, default=20_000, help="that are simulated")
    parser.add_argument("--genes", type=int, default=2_000, help="of them that are highly variable, and fitted")
    parser.add_argument("--dropout", type=float, default=30.0, help="percentile of expression where half is lost")
    parser.add_argument("--n-init", type=lambda text: text if text == "auto" else int(text), default="auto")
    given = parser.parse_args()
    output = prepare_output_dir(given.output)
    sessions = {"pbmc": pbmc, "counts": counts}
    rows = [row for name, run in sessions.items() if given.only in (None, name) for row in run(given)]
    with atomic_write(output / "results.csv") as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)
    print(markdown_table([{**row, "seconds": f"{row['seconds']:.0f}"} for row in rows], ["session", "step", "seconds"]))


if __name__ == "__main__":
    main()
