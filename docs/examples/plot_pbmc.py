"""
Blood cells, from counts to components
======================================

700 peripheral blood cells that come with scanpy: components of their expression, beside known types of cells, and kept
in a file.
"""

# %%
# scanpy's small data set holds logarithms of normalised counts in ``raw``.
import tempfile
from pathlib import Path

import anndata
import scanpy
from matplotlib import pyplot as plt

import identica

adata = scanpy.datasets.pbmc68k_reduced().raw.to_adata()
adata

# %%
# Find five components. (The training is short to keep this page quick; leave ``training`` out for your own data.)
identica.tl.dica(adata, 5, training=identica.Training(max_steps=1500))
{name: value for name, value in adata.uns["dica"].items() if name != "params"}

# %%
# **Can they be trusted?** Some of it: where the restarts agree, the data single these components out. But see how much
# of the variance is left unexplained, and how little less than by PCA: most of what varies between these cells is
# counting noise.

# %%
# What the components do in the cell types, and which genes follow them.
figure, axes = plt.subplots(1, 2, figsize=(10, 5.5), layout="constrained")
identica.pl.activities(adata, "bulk_labels", ax=axes[0])
identica.pl.influence(adata, n_genes=30, ax=axes[1])

# %%
# Everything survives a file.
with tempfile.TemporaryDirectory() as folder:
    adata.write_h5ad(Path(folder) / "cells.h5ad")
    again = anndata.read_h5ad(Path(folder) / "cells.h5ad")
(again.obsm["X_dica"] == adata.obsm["X_dica"]).all(), again.uns["dica"]["restart_agreement"]
