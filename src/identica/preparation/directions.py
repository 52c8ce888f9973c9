"""How many components counts can have: directions that stand out from their noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from identica.preparation.counts import fit_counts, log_depth
from identica.preparation.noise import standing_out
from identica.preparation.standardise import FloatArray

__all__ = ["n_directions"]


def n_directions(
    counts: FloatArray,
    at_most: int,
    *,
    size_factors: NDArray[np.float64] | None = None,
    covariates: FloatArray | None = None,
    seed: int = 0,
) -> int:
    """Return how many principal directions of the residuals of counts stand out from their noise.

    Each factor that these counts tell from noise has one direction at least, and one whose curve is bent has several.
    What is noise depends a little on how many directions are taken for none: they are counted again with the number
    found, until that stays. A fit with this number of components counts as many.

    Parameters
    ----------
    counts : ndarray of shape (n_samples, n_features)
        y, at least 0.
    at_most : int
        Where to stop counting.
    size_factors, covariates, seed
        Of :func:`fit_counts`.

    Returns
    -------
    int
        From 0 to `at_most`.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> curve = np.exp(np.outer(random.standard_normal(2000), np.repeat([0.6, -0.6], 20)))
    >>> n_directions(random.poisson(4 * curve).astype(float), 5)
    1
    """
    found = at_most
    while found > 0:
        model = fit_counts(counts, found, size_factors=size_factors, covariates=covariates, seed=seed)
        design = model.design(log_depth(counts, model.mean_depth, size_factors)[0], covariates)
        again = standing_out(model.residuals(counts, design), found, seed=seed)
        if again == found:
            break
        found = again
    return found
