"""Starting bases that follow the manifold."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.manifold import Isomap

from identica.preparation import geodesic_basis
from identica.preparation.geodesic import _isomap


def test_its_coordinates_are_those_of_isomap() -> None:
    rows = np.random.default_rng(0).standard_normal((300, 3)) * [3, 1, 0.3]
    ours = _isomap(rows, 2)
    assert ours is not None
    theirs = Isomap(n_neighbors=10, n_components=2, eigen_solver="dense").fit_transform(rows)
    np.testing.assert_allclose(pdist(ours), pdist(theirs), rtol=1e-6, atol=1e-8)


def test_a_curve_that_folds_the_first_axis_is_unfolded() -> None:
    """An arc of 300 degrees in a space where its squares and harmonics are coordinates, too."""
    angle = np.random.default_rng(0).uniform(-2.6, 2.6, 800)
    rows = np.column_stack([f(k * angle) / k for k in (1, 2, 3, 4) for f in (np.sin, np.cos)])
    rows -= rows.mean(axis=0)
    found = geodesic_basis(rows, 1, seed=0)
    assert found is not None
    assert found.inward is not None
    first = np.linalg.svd(rows, full_matrices=False)[2][0]
    assert abs(spearmanr(rows @ first, angle).statistic) < 0.9
    assert abs(spearmanr(rows @ found.inward[:, 0], angle).statistic) > 0.99


def test_it_depends_on_its_seed_alone() -> None:
    rows = np.random.default_rng(0).standard_normal((2000, 4))
    first = geodesic_basis(rows, 2, seed=3)
    again, other = geodesic_basis(rows, 2, seed=3), geodesic_basis(rows, 2, seed=4)
    assert first is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(first.outward, again.outward)
    assert not np.array_equal(first.outward, other.outward)


@pytest.mark.parametrize("kind", ["few rows", "pieces", "doubles", "more latents than axes"])
def test_there_is_none_where_there_is_no_path(kind: str) -> None:
    rows = np.random.default_rng(0).standard_normal((300, 3))
    n_components = 2
    if kind == "few rows":
        rows = rows[:50]
    elif kind == "pieces":
        rows[::2] += 1000
    elif kind == "doubles":
        rows = rows[np.random.default_rng(1).integers(0, 20, 300)]
    else:
        n_components = 4
    assert geodesic_basis(rows, n_components, seed=0) is None


def test_in_features_it_is_the_same_maps() -> None:
    rows = np.random.default_rng(0).standard_normal((400, 3))
    found = geodesic_basis(rows, 2, seed=0)
    assert found is not None
    assert found.inward is not None
    loadings = 2.5 * np.linalg.qr(np.random.default_rng(1).standard_normal((9, 3)))[0]
    wide = found.in_features(loadings)
    assert wide.inward is not None
    np.testing.assert_allclose((rows @ loadings.T) @ wide.inward, rows @ found.inward, atol=1e-10)
    np.testing.assert_allclose(wide.outward, found.outward @ loadings.T)
