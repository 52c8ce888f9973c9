"""
Transcription factors behind expression
=======================================

Cells are simulated whose factors are known, their components are found without being told anything, and named with
the help of a network. The same three calls serve for cells of your own.
"""

# %%
# A random network that looks like TRRUST's, of its 30 factors the four with most targets; curves so steep, over such a
# range of concentrations, that no gene is a linear function of one curve per factor.
from matplotlib import pyplot as plt

import identica
from identica.datasets import make_cells, make_regulon
from identica.metrics import match_components
from identica.plotting import r2_heatmap

regulon = make_regulon(30, 120, random_state=0)
cells = make_cells(3000, 4, regulon=regulon, half_responses="edge", hill=4, fold=16, random_state=0)
adata = cells.to_anndata()
adata

# %%
# Find components. (The training is short to keep this page quick; leave ``training`` out for your own data.)
identica.tl.dica(adata, 4, training=identica.Training(max_steps=1500))
adata.uns["dica"]

# %%
# Name them. The network is the only thing that is known; it was not used to find them.
identica.tl.label_components(adata, regulon.to_frame(), min_targets=3)
adata.uns["dica"]["labels"]

# %%
# Are the names right? Each factor's concentration, told by each component alone:
matching = match_components(cells.latents, adata.obsm["X_dica"], method="r2")
figure, ax = plt.subplots(figsize=(3.6, 3.2), layout="constrained")
r2_heatmap(matching.matrix, title=f"mean R² {matching.mean:.2f}", ax=ax)
ax.set_yticks(range(4), cells.factors)
print([adata.uns["dica"]["labels"]["label"].iloc[j] for j in matching.order], cells.factors)

# %%
# How genes follow the components, and what the components do in groups of cells.
adata.obs["high"] = adata.obsm["tf_concentration"][cells.factors[0]] > 1
figure, axes = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
identica.pl.influence(adata, n_genes=25, ax=axes[0])
identica.pl.activities(adata, "high", ax=axes[1])
