"""Mixtures have the structure that their kind promises, and Jacobians that differences confirm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, spearmanr

from identica.datasets import KINDS, LATENTS, make_mixture


def central_differences(mixing, latents, step=1e-5):
    shifts = step * np.eye(latents.shape[1])
    return np.stack([(mixing(latents + shift) - mixing(latents - shift)) / (2 * step) for shift in shifts], axis=-1)


def entries_of_matrix(mixture):
    """Undo the slopes: what is left of J when components and features are put on a straight scale."""
    slopes = mixture.mixing.inner.slope(mixture.latents)
    return mixture.jacobians / slopes[:, None, :]


@pytest.mark.parametrize("latents", LATENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_jacobians_agree_with_central_differences(kind, latents):
    mixture = make_mixture(30, 9, 4, kind=kind, latents=latents, random_state=3)
    assert_allclose(mixture.jacobians, central_differences(mixture.mixing, mixture.latents), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@given(
    n_components=st.integers(1, 4),
    n_more=st.integers(0, 6),
    n_samples=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=15, deadline=None)
def test_every_shape_gives_an_injective_mixing(kind, n_components, n_more, n_samples, seed):
    n_features = n_components + n_more
    X, latents, jacobians = make_mixture(
        n_samples, n_features, n_components, kind=kind, n_active=1, block_size=1, random_state=seed
    )
    assert X.shape == (n_samples, n_features)
    assert latents.shape == (n_samples, n_components)
    assert jacobians.shape == (n_samples, n_features, n_components)
    if kind != "perturbed":  # the one kind whose rank is not certain
        assert np.linalg.svd(jacobians, compute_uv=False).min() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_fixes_everything_and_the_mixing_does_not_depend_on_n_samples(kind):
    first, again = (make_mixture(20, 12, 4, kind=kind, noise=0.1, random_state=5) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one, other)
    longer = make_mixture(50, 12, 4, kind=kind, random_state=np.random.RandomState(5))
    assert_array_equal(longer.mixing(first.latents), first.mixing(first.latents))
    other = make_mixture(20, 12, 4, kind=kind, random_state=6)
    assert not np.allclose(other.mixing(first.latents), first.mixing(first.latents))


def test_without_a_seed_each_call_differs():
    assert not np.allclose(make_mixture(5, 6, 2).X, make_mixture(5, 6, 2).X)


def test_jacobians_are_computed_once_and_only_when_asked_for():
    mixture = make_mixture(10, 6, 2, random_state=0)
    assert "jacobians" not in vars(mixture)
    assert mixture.jacobians is mixture.jacobians
    assert_array_equal(mixture.jacobian(mixture.latents[3:5].tolist()), mixture.jacobians[3:5])


def test_linear_has_rows_on_the_l1_sphere_and_is_linear_in_monotone_maps():
    mixture = make_mixture(40, 25, 3, kind="linear", random_state=0)
    straight = entries_of_matrix(mixture)
    assert_allclose(straight, np.broadcast_to(straight[0], straight.shape), rtol=1e-12)
    assert_allclose(np.abs(straight[0]).sum(axis=1), 1.0, rtol=1e-12)
    assert np.linalg.matrix_rank(mixture.X) == 3
    slopes = mixture.mixing.inner.slope(mixture.latents)
    assert np.ptp(slopes, axis=0).min() > 0.3


def test_l1_rows_are_spread_over_all_orthants_and_fill_the_simplex():
    rows = make_mixture(2, 4000, 3, kind="linear", random_state=0).mixing.matrix
    assert_allclose((rows > 0).mean(axis=0), 0.5, atol=0.04)
    # Absolute values uniform on the simplex: each is Beta(1, d - 1).
    assert kstest(np.abs(rows[:, 0]), "beta", (1, 2)).pvalue > 0.01


def test_post_nonlinear_scales_the_rows_of_the_linear_mixing_by_bounded_slopes():
    mixture = make_mixture(300, 40, 3, kind="post-nonlinear", strength=4.0, random_state=0)
    norms = np.abs(entries_of_matrix(mixture)).sum(axis=2)
    assert norms.min() >= 1 / 5
    assert norms.max() <= 1
    assert np.all(norms.max(axis=0) > 2 * norms.min(axis=0))
    directions = entries_of_matrix(mixture) / norms[:, :, None]
    assert_allclose(directions, np.broadcast_to(directions[0], directions.shape), rtol=1e-10)


@pytest.mark.parametrize("n_features", [4, 6, 8, 20])
def test_orthogonal_has_orthogonal_columns_everywhere(n_features):
    mixture = make_mixture(50, n_features, 4, kind="orthogonal", random_state=0)
    elsewhere = mixture.jacobian(10 * mixture.latents)
    for jacobians in (mixture.jacobians, elsewhere):
        gram = jacobians.transpose(0, 2, 1) @ jacobians
        squares = np.diagonal(gram, axis1=1, axis2=2)
        assert squares.min() > 0.1
        assert_allclose(gram, squares[:, :, None] * np.eye(4), atol=1e-13)
    n_bent = min(4, n_features - 4)
    assert np.linalg.matrix_rank(mixture.X - mixture.mixing(np.zeros((1, 4)))) == 4 + n_bent


@pytest.mark.parametrize("n_active", [1, 2, 5])
def test_sparse_has_rows_of_so_many_entries_and_no_empty_column(n_active):
    jacobians = make_mixture(5, 12, 5, kind="sparse", n_active=n_active, random_state=0).jacobians
    active = jacobians != 0
    assert_array_equal(active.sum(axis=2), n_active)
    assert active.any(axis=1).all()


@pytest.mark.parametrize("block_size", [1, 2, 3, 6])
def test_compositional_has_features_of_one_block_each_and_blocks_of_many_features(block_size):
    jacobians = make_mixture(20, 31, 6, kind="compositional", block_size=block_size, random_state=0).jacobians
    active = np.abs(jacobians).reshape(20, 31, -1, block_size).max(axis=-1) > 0
    assert_array_equal(active.sum(axis=-1), 1)
    assert_array_equal(active, np.broadcast_to(active[0], active.shape))
    sizes = active[0].sum(axis=0)
    assert sizes.min() >= 31 // sizes.size


def test_compositional_lets_components_of_a_block_interact_and_no_others():
    mixing = make_mixture(5, 40, 4, kind="compositional", block_size=2, random_state=0).mixing
    origin, first, second, third = np.zeros(4), *(2 * np.eye(4)[:3])

    def mixed_difference(one, other):
        corners = mixing(np.stack([origin, one, other, one + other]))
        return np.abs(corners[0] - corners[1] - corners[2] + corners[3])

    assert np.median(mixed_difference(first, second)[mixing.matrix[:, 0] != 0]) > 0.02
    assert_allclose(mixed_difference(second, third), 0.0, atol=1e-12)


def test_isotropic_rows_are_gaussian_in_every_direction():
    rows = make_mixture(2, 3000, 4, kind="isotropic", random_state=0).mixing.matrix
    for direction in (np.eye(4)[0], np.full(4, 0.5)):
        assert kstest(2 * rows @ direction, "norm").pvalue > 0.01


def test_one_sided_jacobians_have_no_negative_entry():
    mixture = make_mixture(50, 30, 3, kind="one-sided", random_state=0)
    assert (mixture.jacobians >= 0).all()
    assert np.abs(mixture.mixing.matrix).sum(axis=1) == pytest.approx(1.0)


BENT = ["post-nonlinear", "perturbed", "orthogonal", "sparse", "isotropic", "one-sided", "compositional"]


@pytest.mark.parametrize("kind", BENT)
def test_without_strength_a_mixing_is_linear_in_monotone_maps(kind):
    mixture = make_mixture(40, 25, 4, kind=kind, strength=0.0, random_state=0)
    expected = mixture.mixing.inner(mixture.latents) @ mixture.mixing.matrix.T
    assert_allclose(mixture.X, expected, atol=1e-14)
    bent = make_mixture(40, 25, 4, kind=kind, random_state=0)
    assert not np.allclose(bent.X, expected, atol=0.05)


def test_perturbation_has_the_strength_asked_for_and_lets_components_interact():
    flat, bent = (
        make_mixture(2000, 200, 3, kind="perturbed", latents="uniform", strength=strength, random_state=1)
        for strength in (0.0, 0.8)
    )
    waves = np.sqrt(np.square(bent.X - flat.X).mean(axis=0))
    size = np.sqrt(np.square(flat.mixing.matrix).sum(axis=1))  # of A s, with latents of unit variance
    assert np.median(waves / size) == pytest.approx(0.8, rel=0.25)
    # A sum of single-component functions has no mixed differences.
    corners = bent.mixing([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    mixed = corners[0] - corners[1] - corners[2] + corners[3]
    assert np.median(np.abs(mixed) / size) > 0.05


@pytest.mark.parametrize("latents", LATENTS)
def test_latents_have_zero_mean_unit_variance_and_their_distribution(latents):
    correlation = {} if latents == "uniform" else {"correlation": 0.6}
    drawn = make_mixture(4000, 3, 3, latents=latents, **correlation, random_state=0).latents
    assert_allclose(drawn.mean(axis=0), 0.0, atol=0.06)
    assert_allclose(drawn.std(axis=0), 1.0, atol=0.04)
    shape = ("norm",) if latents == "gaussian" else ("uniform", (-np.sqrt(3), 2 * np.sqrt(3)))
    assert kstest(drawn[:, 1], *shape).pvalue > 0.01
    # Spearman's correlation of a Gaussian copula: 6 / pi arcsin(r / 2).
    expected = 0.0 if latents == "uniform" else 6 / np.pi * np.arcsin(0.3)
    off_diagonal = spearmanr(drawn).statistic[np.triu_indices(3, 1)]
    assert_allclose(off_diagonal, expected, atol=0.05)


def test_negative_correlation_down_to_its_bound():
    drawn = make_mixture(4000, 3, 3, latents="gaussian", correlation=-0.49, random_state=0).latents
    assert_allclose(np.corrcoef(drawn.T)[np.triu_indices(3, 1)], -0.49, atol=0.04)


def test_noise_is_in_units_of_each_feature():
    noisy = make_mixture(5000, 8, 2, noise=0.5, random_state=0)
    clean = noisy.mixing(noisy.latents)
    assert_allclose((noisy.X - clean).std(axis=0) / clean.std(axis=0), 0.5, rtol=0.05)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples=0 is out of range: use at least 1"),
        ({"n_samples": 2.5}, TypeError, "n_samples=2.5 is not an integer"),
        ({"n_components": 0}, ValueError, "n_components=0 is out of range: use at least 1"),
        ({"n_features": 3, "n_components": 4}, ValueError, "n_components=4 exceeds n_features=3.*at most 3"),
        ({"kind": "cubic"}, ValueError, "kind='cubic' is not known: use one of linear, post-nonlinear"),
        ({"latents": "laplace"}, ValueError, "latents='laplace' is not known: use one of uniform, dependent"),
        (
            {"correlation": 1.0},
            ValueError,
            "correlation=1 is out of range: .* more than -0.5 and less than 1",
        ),
        ({"correlation": -0.5}, ValueError, "correlation=-0.5 is out of range"),
        ({"latents": "uniform", "correlation": 0.3}, ValueError, "correlation=0.3 was given for latents='uniform'"),
        ({"correlation": np.nan}, ValueError, "correlation=nan is out of range"),
        ({"strength": -1.0}, ValueError, "strength=-1 is out of range: use a finite value of at least 0"),
        ({"strength": "strong"}, TypeError, "strength='strong' is not a number"),
        ({"kind": "linear", "strength": 1.0}, ValueError, "has no nonlinear part: leave it out"),
        ({"kind": "sparse", "n_active": 4}, ValueError, "n_active=4 is out of range: use from 1 to 3"),
        ({"kind": "compositional", "block_size": 4}, ValueError, "block_size=4 is out of range: use from 1 to 3"),
        ({"kind": "compositional", "block_size": 2}, ValueError, "n_components=3 is no multiple of block_size=2"),
        ({"noise": -0.1}, ValueError, "noise=-0.1 is out of range"),
        ({"noise": np.inf}, ValueError, "noise=inf is out of range"),
        ({"noise": 1.7e308, "n_samples": 20_000}, ValueError, "noise=1.7e.308 make numbers too large"),
        ({"n_samples": 10**9, "n_features": 10**6}, ValueError, "take 7450581 GiB and this machine has"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        make_mixture(**arguments)


@pytest.mark.parametrize("latents", [np.zeros(3), np.zeros((5, 2))])
def test_latents_of_the_wrong_shape_are_refused(latents):
    mixture = make_mixture(5, 6, 3, random_state=0)
    for function in (mixture.mixing, mixture.jacobian):
        with pytest.raises(ValueError, match=r"latents has shape .*takes \(n_samples, 3\)"):
            function(latents)
