"""Polytopic factorisation finds linear mixtures, and loses nothing of them."""

import numpy as np
import pytest

from identica import DICA, PolytopicFactorization, Training
from identica.datasets import make_mixture
from identica.metrics import mean_r2
from identica.solvers.alignment import align


def test_takes_a_linear_mixture_apart_where_pca_does_not():
    data = make_mixture(2000, 60, 3, kind="linear", random_state=0)
    found = PolytopicFactorization(3, random_state=0).fit(data.X)
    values = data.X - data.X.mean(axis=0)
    principal = values @ np.linalg.svd(values, full_matrices=False)[2][:3].T
    assert mean_r2(data.latents, principal) < 0.8
    assert mean_r2(data.latents, found.transform(data.X)) > 0.97
    assert found.restart_agreement_ > 0.95
    assert found.restarts_.shape == (32,)


@pytest.fixture(scope="module")
def uneven():
    """Three linear components, two of which act together on many features; how strongly one varies says nothing."""
    random = np.random.default_rng(0)
    rows = np.concatenate([np.eye(3)[np.arange(60) % 3], np.tile([[0.7, 0.7, 0.0]], (30, 1))])
    rows = rows * random.uniform(1, 5, (90, 1)) + 0.2 * random.standard_normal(rows.shape)
    latents = make_mixture(2000, 3, 3, random_state=0).latents
    return latents @ rows.T, latents


def test_compares_rows_at_unit_variance_where_their_own_sizes_say_nothing(uneven, monkeypatch):
    X, latents = uneven
    settled = PolytopicFactorization(3, random_state=0).fit(X)
    assert settled.criterion_units_ == "unit variance"
    monkeypatch.setattr("identica.solvers.aligning.FAR", np.inf)
    own = PolytopicFactorization(3, random_state=0).fit(X)
    assert own.criterion_units_ == "own"
    assert 1 - mean_r2(latents, settled.transform(X)) < 0.5 * (1 - mean_r2(latents, own.transform(X)))
    monkeypatch.undo()
    # The second and the third are a little more even at unit variance, which is no reason to go there.
    for kind, seed in (("linear", 0), ("post-nonlinear", 3), ("perturbed", 1)):
        mixture = make_mixture(2000, 60, 3, kind=kind, random_state=seed)
        assert PolytopicFactorization(3, random_state=0).fit(mixture.X).criterion_units_ == "own"


def test_the_units_do_not_depend_on_those_of_all_features(uneven):
    X, _ = uneven
    first, other = (PolytopicFactorization(3, random_state=0).fit(scale * X) for scale in (1.0, 1e-4))
    assert first.criterion_units_ == other.criterion_units_ == "unit variance"
    assert first.criterion_ == pytest.approx(other.criterion_, rel=1e-5)


def test_what_was_settled_is_known_after_an_interruption_and_in_the_file(uneven, tmp_path):
    X, _ = uneven
    whole = PolytopicFactorization(3, random_state=0).fit(X, checkpoint=tmp_path / "checkpoint")
    resumed = PolytopicFactorization(3, random_state=0).fit(X, checkpoint=tmp_path / "checkpoint", resume=True)
    assert resumed.criterion_units_ == "unit variance"
    assert resumed.criterion_ == whole.criterion_
    resumed.save(tmp_path / "model.safetensors")
    assert PolytopicFactorization.load(tmp_path / "model.safetensors").criterion_units_ == "unit variance"


def test_the_last_alignment_is_bounded_and_is_the_one_reported(uneven, monkeypatch):
    X, _ = uneven
    done = []

    def noted(*args, p, **options):
        done.append((p, align(*args, p=p, **options)))
        return done[-1][1]

    monkeypatch.setattr("identica.solvers.aligning.align", noted)
    fitted = PolytopicFactorization(3, norm_power=1.0, random_state=0).fit(X)
    assert [p for p, _ in done] == [1.0, 2.0]
    assert fitted.restart_agreement_ == pytest.approx(done[1][1].agreement)
    np.testing.assert_allclose(fitted.restarts_, done[1][1].criteria)


def test_dica_settles_as_well_and_remembers_it(uneven, tmp_path):
    X, _ = uneven
    quick = Training(max_steps=90)
    whole = DICA(3, training=quick, random_state=0).fit(X, checkpoint=tmp_path / "checkpoint")
    assert whole.criterion_units_ == "unit variance"
    resumed = DICA(3, training=quick, random_state=0).fit(X, checkpoint=tmp_path / "checkpoint", resume=True)
    assert resumed.criterion_units_ == "unit variance"
    assert resumed.criterion_ == whole.criterion_
    mixture = make_mixture(500, 60, 3, kind="linear", random_state=0)
    assert DICA(3, training=quick, random_state=0).fit(mixture.X).criterion_units_ == "own"


def test_its_latents_rebuild_linear_data():
    X = make_mixture(200, 30, 2, kind="linear", random_state=0).X
    found = PolytopicFactorization(2, random_state=0).fit(X)
    np.testing.assert_allclose(found.reconstruct(X), X, atol=1e-8)
    assert found.reconstruction_error_ < 1e-12


def test_its_jacobian_is_the_same_everywhere():
    X = make_mixture(200, 30, 2, random_state=0).X
    matrices = PolytopicFactorization(2, random_state=0).fit(X).jacobian(X[:5])
    np.testing.assert_array_equal(matrices, np.broadcast_to(matrices[:1], matrices.shape))
