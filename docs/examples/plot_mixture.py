"""
A bent mixture, taken apart
===========================

Three dependent components are mixed into 200 features, with smooth interactions between them. A linear method
finds something; the question is whether it finds the components.
"""

# %%
# The truth is known here, the Jacobians of the mixing included.
from matplotlib import pyplot as plt

from identica import DICA, PolytopicFactorization, Training, plotting
from identica.datasets import make_mixture
from identica.metrics import r2_matrix

X, latents, jacobians = make_mixture(3000, 200, 3, kind="perturbed", strength=1.0, random_state=0)
X.shape, latents.shape, jacobians.shape

# %%
# PCA with its axes turned by the same criterion is what a linear map can do. DICA puts a network there.
# (The features share one unit, so they are not standardised. The training is short to keep this page quick;
# leave ``training`` out for your own data.)
linear = PolytopicFactorization(3, random_state=0).fit(X)
dica = DICA(3, training=Training(max_steps=1500), random_state=0).fit(X)

print(f"left unexplained by PCA:  {dica.linear_reconstruction_error_:.4f}")
print(f"left unexplained by DICA: {dica.reconstruction_error_:.4f}")
print(f"agreement of restarts:    {dica.restart_agreement_:.3f}")

# %%
# Each true component told by each estimated one alone: a perfect answer is one dark cell in each row.
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
for ax, (name, method) in zip(axes, {"aligned PCA": linear, "DICA": dica}.items(), strict=True):
    matrix = r2_matrix(latents, method.transform(X))
    plotting.r2_heatmap(matrix, title=f"{name}, {matrix.max(axis=1).mean():.2f}", ax=ax)

# %%
# Found components are right up to a monotone map of their own, which nothing in the data could tell.
matrix = r2_matrix(latents, dica.transform(X))
figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
for component, ax in enumerate(axes):
    estimate = matrix[component].argmax()
    ax.plot(latents[:, component], dica.transform(X)[:, estimate], ".", markersize=1.5)
    ax.set(xlabel=f"true component {component}", ylabel=f"estimate {estimate}")

# %%
# How the fit went: reconstruction in both stages of training.
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
for ax, stage in zip(axes, ["reconstruct", "refine"], strict=True):
    terms = ["reconstruction", "validation_reconstruction"]
    plotting.history(dica.history_, stage=stage, terms=terms, log=True, ax=ax)
