"""Polytopic factorisation finds linear mixtures, and loses nothing of them."""

import numpy as np

from identica import PolytopicFactorization
from identica.datasets import make_mixture
from identica.metrics import mean_r2


def test_takes_a_linear_mixture_apart_where_pca_does_not():
    data = make_mixture(2000, 60, 3, kind="linear", random_state=0)
    found = PolytopicFactorization(3, random_state=0).fit(data.X)
    values = data.X - data.X.mean(axis=0)
    principal = values @ np.linalg.svd(values, full_matrices=False)[2][:3].T
    assert mean_r2(data.latents, principal) < 0.8
    assert mean_r2(data.latents, found.transform(data.X)) > 0.97
    assert found.restart_agreement_ > 0.95
    assert found.restarts_.shape == (32,)


def test_its_latents_rebuild_linear_data():
    X = make_mixture(200, 30, 2, kind="linear", random_state=0).X
    found = PolytopicFactorization(2, random_state=0).fit(X)
    np.testing.assert_allclose(found.reconstruct(X), X, atol=1e-8)
    assert found.reconstruction_error_ < 1e-12


def test_its_jacobian_is_the_same_everywhere():
    X = make_mixture(200, 30, 2, random_state=0).X
    matrices = PolytopicFactorization(2, random_state=0).fit(X).jacobian(X[:5])
    np.testing.assert_array_equal(matrices, np.broadcast_to(matrices[:1], matrices.shape))
