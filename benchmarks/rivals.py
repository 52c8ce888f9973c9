"""Fit DRVI and cNMF, each as its authors do, to the cells that counts.py wrote, and write what they say of unseen ones.

python benchmarks/counts.py --regulon trrust_rawdata.human.tsv --output identica-counts --write cells
rivals/bin/python benchmarks/rivals.py --cells cells --output latents --methods cnmf-10 drvi-32
python benchmarks/counts.py --regulon trrust_rawdata.human.tsv --output identica-counts --rivals latents

Runs in an environment of its own, since nothing here is a dependency of identica: pip install drvi-py cnmf (measured
with drvi-py 0.2.8, scvi-tools 1.4.2, cnmf 1.7.1 and torch 2.13.0). A method is a name and a number of latents.

What is not counts goes to DRVI as log(1 + x) with its Gaussian likelihood. Batches are told to DRVI alone.

DRVI: its defaults (two hidden layers of 128 units, its own negative binomial, one split for each latent, batches of
128), and, as in the authors' tutorial, no early stopping and a weight of the KL term that grows over all epochs. The
tutorial's 400 epochs are `--epochs 400`; the default here is what one thread of a busy machine does in ten minutes with
32 latents.

cNMF: its defaults, but 20 factorisations (10 of more than 20 programs) where the authors take 100, which `--n-iter`
sets. Unseen cells get their usage by the consensus's own last step: counts per million, in units of the standard
deviations of the fitted cells, refitted to the consensus programs, then divided by a cell's sum as `load_results` does.
"""

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def drvi(train: Array, test: Array, batches: Any, n_latent: int, seed: int, epochs: int) -> Array:
    """Return the posterior means of unseen cells."""
    import scvi
    import torch
    from drvi.model import DRVI

    torch.set_num_threads(1)
    scvi.settings.seed = seed
    scvi.settings.verbosity = 30
    counts = bool((train == np.rint(train)).all())
    cells, unseen = (anndata.AnnData(X if counts else np.log1p(X)) for X in (train, test))
    keys = None
    if batches is not None:
        keys = ["batch"]
        cells.obs["batch"], unseen.obs["batch"] = (
            pd.Categorical(b) for b in np.split(batches.astype(str), [len(train)])
        )
    DRVI.setup_anndata(cells, is_count_data=counts, categorical_covariate_keys=keys)
    model = DRVI(cells, n_latent=n_latent, gene_likelihood="pnb" if counts else "normal")
    model.train(
        max_epochs=epochs,
        accelerator="cpu",
        plan_kwargs={"n_epochs_kl_warmup": epochs},
        check_val_every_n_epoch=min(20, epochs),
        enable_progress_bar=False,
    )
    losses = model.history["reconstruction_loss_validation"].squeeze("columns").astype(float).round(2)
    print(f"reconstruction loss of held-out cells by epoch: {losses.to_dict()}", flush=True)
    return np.asarray(model.get_latent_representation(unseen))


def cnmf(train: Array, test: Array, n_programs: int, seed: int, n_iter: int) -> Array:
    """Return the usage of each program in unseen cells."""
    from cnmf import cNMF, load_df_from_npz

    seen, known = train.sum(axis=0) > 0, train.sum(axis=1) > 0
    cells = anndata.AnnData(
        train[known][:, seen].astype(np.float64),
        obs=pd.DataFrame(index=[f"cell{i}" for i in np.flatnonzero(known)]),
        var=pd.DataFrame(index=[f"gene{i}" for i in np.flatnonzero(seen)]),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counts.h5ad"
        cells.write_h5ad(file)
        model = cNMF(output_dir=folder, name="cnmf")
        model.prepare(counts_fn=str(file), components=[n_programs], n_iter=n_iter, seed=seed)
        model.factorize(worker_i=0, total_workers=1)
        model.combine()
        model.consensus(k=n_programs, density_threshold=0.5, show_clustering=False)
        programs = load_df_from_npz(model.paths["gene_spectra_tpm"] % (n_programs, "0_5"))
        deviations = load_df_from_npz(model.paths["tpm_stats"])["__std"]
        genes = Path(model.paths["nmf_genes_list"]).read_text().split("\n")
        positions = [cells.var_names.get_loc(gene) for gene in genes]
        unseen = test[:, seen].astype(np.float64)
        unseen *= 1e6 / np.maximum(unseen.sum(axis=1, keepdims=True), 1)
        scale = deviations[genes].to_numpy()
        usage = np.asarray(model.refit_usage(unseen[:, positions] / scale, programs[genes].to_numpy() / scale))
    return usage / np.maximum(usage.sum(axis=1, keepdims=True), 1e-12)


def main() -> None:
    """Fit what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True, help="folder of DATA-SEED.npz with train and test")
    parser.add_argument("--output", type=Path, required=True, help="folder of DATA-SEED-METHOD.npz")
    parser.add_argument("--methods", nargs="+", default=["cnmf-10", "cnmf-32", "drvi-32", "drvi-10"])
    parser.add_argument("--files", nargs="+", help="names without .npz; all by default")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--n-iter", type=int)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    args.output.mkdir(parents=True, exist_ok=True)
    names = args.files or sorted(path.stem for path in args.cells.glob("*.npz"))
    for method in args.methods:
        kind, size = method.rsplit("-", 1)
        for name in names:
            path = args.output / f"{name}-{method}.npz"
            if path.exists():
                continue
            with np.load(args.cells / f"{name}.npz") as data:
                train, test = data["train"], data["test"]
                batches = data.get("batches")
            start = time.perf_counter()
            if kind == "drvi":
                settings = {"epochs": args.epochs}
                latents = drvi(train, test, batches, int(size), 0, **settings)
            elif kind == "cnmf":
                settings = {"n_iter": args.n_iter or (20 if int(size) <= 20 else 10)}
                latents = cnmf(train, test, int(size), 0, **settings)
            else:
                raise SystemExit(f"{method} is no method: give drvi or cnmf with a number of latents, such as drvi-32")
            seconds = time.perf_counter() - start
            partial = path.with_suffix(".part.npz")
            np.savez_compressed(partial, latents=latents, seconds=seconds, **settings)
            partial.replace(path)
            print(f"{path.stem}: {seconds:.0f} s, {settings}", flush=True)


if __name__ == "__main__":
    main()
