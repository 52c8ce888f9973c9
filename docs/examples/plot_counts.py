"""
From counts to named programs
=============================

20,000 cells as a sequencer gives them: sparse counts, of two donors, with a depth of their own. What comes out are
components with names, and the genes that follow them. The same calls serve for cells of your own.
"""

# %%
# **The data.** Six transcription factors act on 384 genes, activating or repressing them, and nothing else differs
# between cells but what is not wanted: donors whose genes are shifted, depth, dropout and counting.
import time

import anndata
import numpy as np
import pandas as pd
import scanpy
from scipy.sparse import csr_matrix

import identica
from identica.datasets import TechnicalNoise, make_cells, make_regulon

regulon = make_regulon(20, 500, random_state=0)
cells = make_cells(20_000, 6, regulon=regulon, half_responses="edge", hill=4, fold=16, random_state=0)

random = np.random.RandomState(0)
donor = random.randint(2, size=20_000)
shifts = random.lognormal(0, 0.3, (2, len(cells.genes)))
sequencer = TechnicalNoise(library_mean=7.6, dropout_percentile=30, counts=True)
counts = sequencer.apply(cells.clean * shifts[donor], random_state=0)

obs = pd.DataFrame({"donor": np.array(["first", "second"])[donor]}, index=[f"cell_{i}" for i in range(20_000)])
adata = anndata.AnnData(csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=list(cells.genes)))
adata.layers["counts"] = adata.X.copy()
adata

# %%
# **Genes that vary**, and X on a logarithmic scale, as in any session with scanpy. The counts stay in their layer.
scanpy.experimental.pp.highly_variable_genes(adata, layer="counts", n_top_genes=300, batch_key="donor")
scanpy.pp.normalize_total(adata)
scanpy.pp.log1p(adata)

# %%
# **Components.** Counts are recognised; what depth and donors explain is taken out. (``training``, ``n_init`` and the
# number of components keep this page quick; leave them out for your own data. With 2,000 highly variable genes of
# 2,980, and 12 components, 20,000 such cells take two minutes.)
start = time.perf_counter()
identica.tl.dica(
    adata, 8, layer="counts", batch_key="donor", n_init=1, training=identica.Training(max_steps=600), random_state=0
)
print(f"{time.perf_counter() - start:.0f} s")

# %%
# **Names.** The network is the only thing that is known; it was not used to find them.
identica.tl.label_components(adata, regulon.to_frame(), min_targets=3)
adata.uns["dica"]["labels"]

# %%
# Eight components were asked for and six factors are there. What is superfluous gets no name, and is marked where it is
# empty, a duplicate, told by stronger components ("split") or followed by no gene as others are ("faint").
identica.get.components(adata)

# %%
# **Programs**: the genes that follow each component most, in units of what each gene varies by chance.
identica.get.programs(adata, n_genes=3)

# %%
# ``adata.uns["dica"]["net"]`` holds them as decoupler takes them, which tells how active they are in other cells, and
# ``adata.uns["dica"]["gene_sets"]`` as gseapy does.
import decoupler

scores, _ = decoupler.mt.ulm(adata.to_df().iloc[:500], adata.uns["dica"]["net"])
scores.head(3)

# %%
# **Pictures.** Which genes follow which component:
from matplotlib import pyplot as plt

figure, ax = plt.subplots(figsize=(5, 6), layout="constrained")
identica.pl.influence(adata, n_genes=30, ax=ax)

# %%
# And the components of the cells, by scanpy. Donors, whose genes are shifted, are not to be seen in them.
identica.pl.matrixplot(adata, "donor", figsize=(6, 1.5), vmin=-1, vmax=1)

# %%
# Is it right? Each factor's concentration, told by the component of its name alone:
from identica.metrics import match_components

matching = match_components(cells.latents, adata.obsm["X_dica"], method="r2")
labels = adata.uns["dica"]["labels"]["label"]
pd.DataFrame({"factor": cells.factors, "label": labels.iloc[matching.order].to_list(), "R²": matching.scores.round(2)})
