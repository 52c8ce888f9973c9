"""
When no method can tell
=======================

Two mixtures of six components. In the first, features prefer some directions over others; in the second,
their gradients are drawn from a Gaussian, which looks the same from every side. The restarts tell which is
which, without the truth.
"""

# %%
# The features share one unit, so they are not standardised.
import warnings

import numpy as np
from matplotlib import pyplot as plt

from identica import DICA, Training, plotting
from identica.datasets import make_mixture
from identica.metrics import mean_r2, r2_matrix

fits = {}
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for ax, kind in zip(axes, ["linear", "isotropic"], strict=True):
    X, latents, _ = make_mixture(2000, 150, 6, kind=kind, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dica = DICA(6, training=Training(max_steps=500), random_state=0).fit(X)
    fits[kind] = dica
    found = mean_r2(latents, dica.transform(X))
    print(f"{kind}: left unexplained {dica.reconstruction_error_:.4f}, R² with the truth {found:.2f}")
    print(f"  agreement of restarts {dica.restart_agreement_:.2f}")
    for warning in caught:
        print(f"  warned: {warning.message}")
    plotting.r2_heatmap(r2_matrix(latents, dica.transform(X)), title=f"{kind}, {found:.2f}", ax=ax)

# %%
# Both are rebuilt well, so reconstruction says nothing about the components. The criterion that each restart
# reached does: one answer that stands out is found by many of them, which then lie level.
figure, ax = plt.subplots(figsize=(5, 2.8), layout="constrained")
for kind, dica in fits.items():
    ax.plot(np.sort(dica.restarts_)[::-1] - dica.restarts_.max(), ".-", label=kind)
ax.set(xlabel="restart, best first", ylabel="criterion below the best")
legend = ax.legend(frameon=False)
