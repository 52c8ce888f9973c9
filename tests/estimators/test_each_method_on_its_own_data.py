"""Each method finds the components where its own condition holds, and does not where it must fail."""

import numpy as np
import pytest
from sklearn.decomposition import FastICA

from identica import (
    IMA,
    Autoencoder,
    AuxiliaryICA,
    Compositional,
    Convolutional,
    Dense,
    PolytopicFactorization,
    SparseJacobian,
    Staged,
    Training,
)
from identica.datasets import make_mixture, make_nonstationary
from identica.metrics import block_r2, kernel_ridge_r2, mean_r2

TRAINING = Training(max_steps=2000)
quietly = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.slow
@quietly
def test_ima_finds_orthogonal_mixtures_and_not_dense_linear_ones():
    data = make_mixture(2000, 40, 3, kind="orthogonal", random_state=0)
    ima = IMA(3, n_init=1, training=TRAINING, random_state=0)
    assert mean_r2(data.latents, ima.fit_transform(data.X)) > 0.97
    dense = make_mixture(2000, 40, 3, kind="linear", random_state=0)
    linear = PolytopicFactorization(3, random_state=0).fit_transform(dense.X)
    assert mean_r2(dense.latents, ima.fit_transform(dense.X)) < mean_r2(dense.latents, linear) - 0.1


@pytest.mark.slow
@quietly
def test_compositional_finds_blocks():
    data = make_mixture(2000, 40, 4, kind="compositional", block_size=2, random_state=0)
    found = Compositional(4, block_size=2, n_init=1, training=TRAINING, random_state=0).fit(data.X)
    blocks = [[0, 1], [2, 3]]
    assert block_r2(data.latents, found.transform(data.X), blocks, blocks).mean > 0.95


@pytest.mark.slow
@quietly
def test_compositional_takes_two_objects_in_images_apart():
    places = np.random.default_rng(0).uniform(2, 5, (1500, 4))
    rows, columns = np.mgrid[:8, :8]

    def spots(row, column):
        return np.exp(-((rows - row[:, None, None]) ** 2 + (columns - column[:, None, None]) ** 2) / 3)

    images = np.concatenate([spots(*places[:, :2].T), spots(*places[:, 2:].T)], axis=2)
    shared = {"n_init": 1, "training": Training(max_steps=800), "network": Convolutional(channels=(8, 16))}
    blocks = [[0, 1], [2, 3]]
    found = Compositional(4, block_size=2, random_state=0, **shared).fit(images[:1200]).transform(images[1200:])
    assert block_r2(places[1200:], found, blocks, blocks).mean > 0.98
    plain = Autoencoder(4, random_state=0, **shared).fit(images[:1200]).transform(images[1200:])
    assert block_r2(places[1200:], plain, blocks).mean < 0.9


@pytest.mark.slow
@quietly
def test_compositional_does_not_find_mixtures_without_directions():
    data = make_mixture(2000, 40, 3, kind="isotropic", random_state=0)
    method = Compositional(3, n_init=1, training=TRAINING, random_state=0)
    found = method.fit_transform(data.X)
    assert mean_r2(data.latents, found) < 0.9
    # The data are learnt, so that each component is a function of all those found.
    assert method.reconstruction_error_ < 0.05
    assert kernel_ridge_r2(data.latents, found).min() > 0.95


@pytest.mark.slow
@quietly
@pytest.mark.parametrize(("solver", "least"), [("contrastive", 0.95), ("variational", 0.8)])
def test_auxiliary_ica_finds_nonstationary_sources_and_nothing_where_u_is_not_theirs(solver, least):
    data = make_nonstationary(6000, 3, n_segments=12, n_layers=1, random_state=0)
    training = Training(max_steps=2000, learning_rate=0.01)
    method = AuxiliaryICA(3, solver=solver, n_init=1, training=training, random_state=0)
    assert mean_r2(data.latents, method.fit(data.X, data.auxiliary).transform(data.X)) > least
    foreign = np.random.default_rng(0).permutation(data.auxiliary)
    assert mean_r2(data.latents, method.fit(data.X, foreign).transform(data.X)) < least - 0.1


@pytest.mark.slow
@quietly
def test_auxiliary_ica_undoes_a_bent_mixing_and_is_above_linear_ica():
    data = make_nonstationary(8000, 3, n_segments=20, n_layers=2, random_state=1)
    training, network = Training(max_steps=3000), Dense(hidden=(64, 64))
    method = AuxiliaryICA(3, n_init=2, training=training, network=network, random_state=0)
    found = mean_r2(data.latents, method.fit(data.X, data.auxiliary).transform(data.X))
    linear = FastICA(3, max_iter=1000, random_state=0).fit_transform(data.X)
    assert found > 0.95
    assert found > mean_r2(data.latents, linear) + 0.015


@pytest.mark.slow
@quietly
@pytest.mark.parametrize(("kind", "least", "most"), [("sparse", 0.95, 1.0), ("isotropic", 0.0, 0.9)])
def test_staged_sparsity_finds_sparse_mixtures_and_not_those_without_directions(kind, least, most):
    data = make_mixture(2000, 40, 3, kind=kind, random_state=0)
    method = SparseJacobian(3, solver=Staged(), n_init=1, training=TRAINING, random_state=0)
    found = method.fit_transform(data.X)
    assert least < mean_r2(data.latents, found) < most
    assert method.reconstruction_error_ < 0.05
    assert kernel_ridge_r2(data.latents, found).min() > 0.95


def filling(polytope: str, n_rows: int, n_components: int, random: np.random.Generator) -> np.ndarray:
    """Draw rows that reach towards all faces of a polytope."""
    shape = n_rows, n_components
    if polytope == "max":
        return 2 * random.beta(0.3, 0.3, shape) - 1
    if polytope == "nonnegative-max":
        return random.beta(0.3, 0.3, shape)
    rows = random.dirichlet([0.5] * n_components, n_rows)
    if polytope == "l1":
        rows *= random.choice([-1, 1], shape)
    elif polytope == "nonnegative-l1":
        rows *= random.uniform(0.2, 1, (n_rows, 1))
    return rows


def matched_correlation(truth: np.ndarray, found: np.ndarray) -> float:
    """Return the least, over true components, of the largest |correlation| with a found one."""
    d = truth.shape[1]
    return float(np.abs(np.corrcoef(truth.T, found.T)[:d, d:]).max(axis=1).min())


@quietly
@pytest.mark.parametrize("polytope", ["l1", "max", "simplex", "nonnegative-l1", "nonnegative-max"])
@pytest.mark.parametrize("factor", ["mixing", "components"])
def test_the_factor_that_fills_its_polytope_is_found(polytope, factor):
    random = np.random.default_rng(0)
    filled, other = filling(polytope, 1000, 3, random), random.standard_normal((60, 3))
    if factor == "components":
        latents, X = filled, filled @ other.T
    else:
        filled = filling(polytope, 200, 3, random)
        latents = random.standard_normal((1000, 3)) + 0.7 * random.standard_normal((1000, 1))
        X = latents @ filled.T
    found = PolytopicFactorization(
        3, polytope=polytope, factor=factor, standardize=False, feature_units="own", random_state=0
    )
    assert matched_correlation(latents, found.fit_transform(X)) > 0.99


@quietly
def test_polytopic_factorization_does_not_find_a_bent_mixture():
    data = make_mixture(2000, 40, 3, kind="folded", random_state=0)
    assert mean_r2(data.latents, PolytopicFactorization(3, random_state=0).fit_transform(data.X)) < 0.8
