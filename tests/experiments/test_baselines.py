"""Aligned PCA finds linear mixtures, and them alone."""

import numpy as np
import pytest

from identica.datasets import make_mixture
from identica.experiments import AlignedPCA
from identica.metrics import mean_r2


def test_takes_a_linear_mixture_apart_where_pca_does_not():
    data = make_mixture(2000, 60, 3, kind="linear", random_state=0)
    aligned = AlignedPCA(3, random_state=0).fit(data.X)
    assert mean_r2(data.latents, aligned.pca_.transform(data.X)) < 0.8
    assert mean_r2(data.latents, aligned.transform(data.X)) > 0.97
    assert aligned.restart_agreement_ > 0.95
    assert aligned.restarts_.shape == (32,)


def test_its_latents_rebuild_the_data():
    data = make_mixture(200, 10, 2, kind="linear", random_state=1)
    aligned = AlignedPCA(2, random_state=0).fit(data.X)
    latents = aligned.transform(data.X)
    loadings, *_ = np.linalg.lstsq(latents, data.X - data.X.mean(axis=0), rcond=None)
    # An affine mixture of two components: nothing is lost.
    np.testing.assert_allclose(latents @ loadings, data.X - data.X.mean(axis=0), atol=1e-8)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_fixes_it(seed):
    data = make_mixture(200, 10, 2, kind="linear", random_state=1)
    first, second = (AlignedPCA(2, random_state=seed).fit_transform(data.X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
