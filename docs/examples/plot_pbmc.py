"""
Blood cells, from expression to programs
========================================

700 peripheral blood cells that come with scanpy: components of their expression, beside known types of cells, the genes
that follow them, and a file. These cells have no counts any more; :doc:`plot_counts` starts from counts.
"""

# %%
# scanpy's small data set holds logarithms of normalised counts in ``raw``, and an embedding.
import tempfile
from pathlib import Path

import anndata
import scanpy
from matplotlib import pyplot as plt

import identica

adata = scanpy.datasets.pbmc68k_reduced().raw.to_adata()
adata

# %%
# Find components. (Number, training and starts are few to keep this page quick; leave them out for your own data.)
identica.tl.dica(adata, 6, n_init=2, training=identica.Training(max_steps=1000))
{name: value for name, value in adata.uns["dica"].items() if isinstance(value, float | str)}

# %%
# **Can they be trusted?** The verdict and the agreements say how far starts and restarts single these components out.
# See also how much of the variance is left unexplained, and how little less than by PCA: most of what varies between
# these cells is counting noise. And each component by itself:
identica.get.components(adata).round(2)

# %%
# What the components do in the types of cells, by scanpy.
identica.pl.matrixplot(adata, "bulk_labels", figsize=(5, 4))

# %%
# Where they are in scanpy's embedding.
identica.pl.embedding(adata, "umap", components=[0, 1, 2], ncols=3)

# %%
# Which genes follow them, and the strongest of each by name.
figure, ax = plt.subplots(figsize=(5, 6), layout="constrained")
identica.pl.influence(adata, n_genes=30, ax=ax)

# %%
identica.get.programs(adata, n_genes=8).pivot(index="rank", columns="component", values="gene")

# %%
# Genes that rise with a component and genes that fall, as sets that gseapy takes:
{name: genes[:5] for name, genes in identica.get.gene_sets(adata, by_sign=True).items()}

# %%
# Everything survives a file.
with tempfile.TemporaryDirectory() as folder:
    adata.write_h5ad(Path(folder) / "cells.h5ad")
    again = anndata.read_h5ad(Path(folder) / "cells.h5ad")
(again.obsm["X_dica"] == adata.obsm["X_dica"]).all(), again.uns["dica"]["net"].equals(adata.uns["dica"]["net"])
