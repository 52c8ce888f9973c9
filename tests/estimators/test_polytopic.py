"""Polytopic factorisation finds linear mixtures, and loses nothing of them."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("copies", [1, 60])
def test_neither_units_nor_copies_of_features_matter(copies):
    mixture = make_mixture(2000, 60, 3, kind="linear", random_state=2)
    units = 10 ** np.random.default_rng(0).uniform(-3, 3, 60)
    X = np.hstack([mixture.X * units, np.repeat(mixture.X[:, :1], copies - 1, axis=1)])
    plain = PolytopicFactorization(3, feature_units="free", random_state=0).fit_transform(mixture.X)
    found = PolytopicFactorization(3, feature_units="free", random_state=0).fit_transform(X)
    assert abs(mean_r2(mixture.latents, plain) - mean_r2(mixture.latents, found)) < 0.005


def test_an_infinite_exponent_is_kept(tmp_path):
    X = make_mixture(200, 20, 2, random_state=0).X
    found = PolytopicFactorization(2, criterion="c_inf", random_state=0).fit(X)
    found.save(tmp_path / "model.safetensors")
    assert PolytopicFactorization.load(tmp_path / "model.safetensors").criterion == "c_inf"


def test_its_latents_rebuild_linear_data():
    X = make_mixture(200, 30, 2, kind="linear", random_state=0).X
    found = PolytopicFactorization(2, random_state=0).fit(X)
    np.testing.assert_allclose(found.reconstruct(X), X, atol=1e-8)
    assert found.reconstruction_error_ < 1e-12


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_its_jacobian_is_the_same_everywhere():
    X = make_mixture(200, 30, 2, random_state=0).X
    matrices = PolytopicFactorization(2, random_state=0).fit(X).jacobian(X[:5])
    np.testing.assert_array_equal(matrices, np.broadcast_to(matrices[:1], matrices.shape))
