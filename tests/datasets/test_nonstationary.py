"""Non-stationary sources have the deviations that they say, and one well-conditioned mixing whatever their number."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest

from identica.datasets import make_nonstationary
from identica.datasets.nonstationary import DEVIATIONS


@pytest.mark.parametrize("distribution", ["laplace", "gaussian"])
def test_sources_have_zero_mean_and_in_each_segment_their_deviation(distribution):
    data = make_nonstationary(20_000, 3, n_segments=4, distribution=distribution, random_state=0)
    assert data.deviations.shape == (4, 3)
    assert DEVIATIONS[0] <= data.deviations.min() < data.deviations.max() <= DEVIATIONS[1]
    for segment, deviations in enumerate(data.deviations):
        own = data.latents[data.auxiliary == segment]
        assert len(own) == 5000
        assert_allclose(own.std(axis=0), deviations, rtol=0.05)
        assert_allclose(own.mean(axis=0) / deviations, 0.0, atol=0.06)
        assert_allclose(np.corrcoef(own.T)[np.triu_indices(3, 1)], 0.0, atol=0.06)
    shape = ("laplace", (0, 0.5**0.5)) if distribution == "laplace" else ("norm",)
    assert kstest(data.latents[data.auxiliary == 0, 0] / data.deviations[0, 0], *shape).pvalue > 0.01


def test_each_segment_has_means_of_its_own_where_asked():
    data = make_nonstationary(20_000, 3, n_segments=4, largest_mean=5.0, random_state=0)
    assert 2.0 < np.abs(data.means).max() <= 5.0
    for segment, means in enumerate(data.means):
        own = data.latents[data.auxiliary == segment]
        assert_allclose(own.mean(axis=0), means, atol=0.2)
        assert_allclose(own.std(axis=0), data.deviations[segment], rtol=0.05)
    assert_array_equal(make_nonstationary(20, 3, n_segments=4, random_state=0).means, np.zeros((4, 3)))


def test_layers_of_tanh_bend_small_and_large_values_alike():
    data = make_nonstationary(4000, 1, n_segments=1, n_layers=2, activation="tanh", random_state=0)
    # With one source the matrices are signs.
    assert_allclose(np.abs(data.X), np.abs(np.tanh(data.latents) + 0.1 * data.latents), atol=1e-12)


def test_segments_take_turns():
    auxiliary = make_nonstationary(23, 2, n_segments=5, random_state=0).auxiliary
    assert np.issubdtype(auxiliary.dtype, np.integer)
    assert_array_equal(auxiliary, np.arange(23) % 5)


def refit(data):
    """Return the matrix of the linear map from sources to observations that fits best, and what it leaves."""
    matrix, *_ = np.linalg.lstsq(data.latents, data.X, rcond=None)
    return matrix.T, np.abs(data.X - data.latents @ matrix).max()


def test_a_seed_fixes_everything_and_the_mixing_does_not_depend_on_n_samples():
    options = {"n_segments": 5, "n_layers": 1, "n_features": 6}
    data, again = (make_nonstationary(300, 3, **options, random_state=7) for _ in range(2))
    assert_array_equal(data.X, again.X)
    assert_array_equal(data.latents, again.latents)
    longer = make_nonstationary(900, 3, **options, random_state=np.random.RandomState(7))
    assert_array_equal(longer.deviations, data.deviations)
    assert_allclose(refit(longer)[0], refit(data)[0], atol=1e-10)
    other = make_nonstationary(300, 3, **options, random_state=8)
    assert not np.allclose(refit(other)[0], refit(data)[0], atol=0.1)


@pytest.mark.parametrize("n_features", [None, 7])
def test_one_layer_is_linear_with_unit_columns_and_well_conditioned(n_features):
    data = make_nonstationary(500, 4, n_features=n_features, n_segments=5, n_layers=1, random_state=0)
    matrix, left = refit(data)
    assert matrix.shape == (n_features or 4, 4)
    assert left < 1e-10
    assert_allclose(np.linalg.norm(matrix, axis=0), 1.0, rtol=1e-10)
    # The lowest quarter of random matrices of this shape, by a sample of our own.
    drawn = np.random.default_rng(1).uniform(-1, 1, (4000, *matrix.shape))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    assert np.mean(np.linalg.cond(drawn) < np.linalg.cond(matrix)) < 0.3


def test_more_layers_bend():
    data = make_nonstationary(2000, 3, n_segments=5, n_layers=3, random_state=0)
    assert refit(data)[1] > 0.1 * data.X.std()


def test_noise_is_in_units_of_each_feature_and_leaves_the_rest_as_it_is():
    clean, noisy = (make_nonstationary(5000, 3, n_segments=5, noise=noise, random_state=0) for noise in (0.0, 0.5))
    assert_array_equal(clean.latents, noisy.latents)
    assert_allclose((noisy.X - clean.X).std(axis=0) / clean.X.std(axis=0), 0.5, rtol=0.05)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_samples": 30}, ValueError, "n_samples=30 is out of range: use at least 40"),
        ({"n_samples": 99.5}, TypeError, "n_samples=99.5 is not an integer"),
        ({"n_segments": 0}, ValueError, "n_segments=0 is out of range: use at least 1"),
        ({"n_components": 0}, ValueError, "n_components=0 is out of range: use at least 1"),
        ({"n_layers": 0}, ValueError, "n_layers=0 is out of range: use at least 1"),
        ({"n_features": 4}, ValueError, "n_features=4 is out of range: use at least 5"),
        ({"distribution": "cauchy"}, ValueError, "distribution='cauchy' is not known: use one of laplace, gaussian"),
        ({"noise": -1.0}, ValueError, "noise=-1 is out of range"),
        ({"noise": "much"}, TypeError, "noise='much' is not a number"),
        ({"n_samples": 10**10, "n_features": 10**5}, ValueError, "and this machine has .*: use fewer"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        make_nonstationary(**arguments)


@pytest.mark.parametrize("activation", ["leaky-relu", "tanh"])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_the_jacobian_tells_how_observations_move_with_the_sources(n_layers, activation):
    data = make_nonstationary(
        6, 3, n_features=8, n_segments=1, n_layers=n_layers, activation=activation, random_state=1
    )
    found, step = data.jacobian(data.latents), 1e-5
    assert found.shape == (6, 8, 3)
    for j, direction in enumerate(step * np.eye(3)):
        ends = (observed(data, data.latents + sign * direction) for sign in (1, -1))
        moved = (next(ends) - next(ends)) / (2 * step)
        assert_allclose(found[:, :, j], moved, atol=1e-8)


def observed(data, latents):
    """Mix by what the documentation says of a layer."""
    for matrix in data.matrices[:-1]:
        latents = latents @ matrix.T
        if data.activation == "tanh":
            latents = np.tanh(latents) + 0.1 * latents
        else:
            latents = np.where(latents > 0, latents, 0.2 * latents)
    return latents @ data.matrices[-1].T
