"""Real cells, and many simulated ones, from counts to named programs, through a file and back."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from methods import STAGED
from sklearn.linear_model import LinearRegression

import identica
from identica import Training, pl, tl
from identica.datasets import TechnicalNoise, make_cells, make_regulon
from identica.metrics import mean_r2

anndata = pytest.importorskip("anndata")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of few steps
def test_real_cells_go_through_h5ad_and_back(tmp_path):
    scanpy = pytest.importorskip("scanpy")
    source = Path(scanpy.__file__).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
    with warnings.catch_warnings():  # the file is of an older format
        warnings.simplefilter("ignore")
        adata = anndata.read_h5ad(source)
    tl.dica(adata, 5, n_init=1, solver=STAGED, training=Training(max_steps=200))
    assert adata.uns["dica"]["params"]["likelihood"] == "gaussian"  # of values that scanpy scaled
    net = make_regulon(20, 60, random_state=0).to_frame()
    names = dict(zip(sorted(set(net["target"])), adata.var_names, strict=False))
    tl.label_components(adata, net.assign(target=net["target"].map(names)))
    adata.write_h5ad(tmp_path / "found.h5ad")
    read = anndata.read_h5ad(tmp_path / "found.h5ad")
    assert read.obsm["X_dica"].shape == (700, 5)
    np.testing.assert_array_equal(read.varm["dica_influence"], adata.varm["dica_influence"])
    assert read.uns["dica"]["labels"].equals(adata.uns["dica"]["labels"])
    assert pl.activities(read, "bulk_labels").images[0].get_array().shape == (read.obs["bulk_labels"].nunique(), 5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of few steps
def test_sparse_counts_of_20_000_cells_go_through_h5ad_and_back(tmp_path):
    n_cells, n_genes, n_factors = 20_000, 60, 3
    sequencer = TechnicalNoise(library_mean=np.log(3.5 * n_genes), dropout_percentile=30, counts=True)
    regulon = make_regulon(n_factors, n_genes, random_state=0)
    cells = make_cells(n_cells, n_factors, regulon=regulon, n_batches=2, technical=sequencer, random_state=0)
    adata = cells.to_anndata()
    adata.X = scipy.sparse.csr_matrix(adata.X.astype(np.float32))
    del adata.layers["clean"]
    given = adata.X.copy()
    assert given.nnz < 0.8 * n_cells * adata.n_vars
    tl.dica(adata, n_factors, batch_key="batch", n_init=1, training=Training(max_steps=60))

    adata.write_h5ad(tmp_path / "found.h5ad")
    read = anndata.read_h5ad(tmp_path / "found.h5ad")
    for found in (adata, read):
        assert isinstance(found.X, scipy.sparse.csr_matrix)
        assert found.X.dtype == np.float32
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(found.X, part), getattr(given, part))
    latents, influence = read.obsm["X_dica"], read.varm["dica_influence"]
    assert (latents.shape, influence.shape) == ((n_cells, n_factors), (adata.n_vars, n_factors))
    np.testing.assert_array_equal(latents, adata.obsm["X_dica"])
    np.testing.assert_array_equal(influence, adata.varm["dica_influence"])
    assert mean_r2(cells.latents, latents) > 0.6
    for nuisance in (cells.batches, np.log(given.toarray().sum(axis=1))):
        assert LinearRegression().fit(latents, nuisance).score(latents, nuisance) < 0.02
    np.testing.assert_array_equal(read.var["dica_scale"] > 0, np.abs(influence).max(axis=1) > 0)
    record = read.uns["dica"]["params"]
    assert (record["likelihood"], list(record["covariates"])) == ("poisson", ["batch"])
    assert record["size_factors"] == "total"
    programs = identica.get.programs(read)
    pd.testing.assert_frame_equal(programs, identica.get.programs(adata))
    assert list(programs) == ["component", "gene", "weight", "rank"]
    assert set(programs["gene"]) <= set(adata.var_names)
    # The strongest gene of each program is the one that follows its component most, in units of what it varies by.
    strength = np.abs(influence) / read.var["dica_scale"].to_numpy()[:, None]
    first = programs.loc[programs["rank"] == programs["rank"].min(), "gene"]
    assert list(first) == [adata.var_names[i] for i in np.nanargmax(strength, axis=0)]
