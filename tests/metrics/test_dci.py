"""DCI is 1 where components are the factors, falls where they mix, and does not see order, sign or curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identica.metrics import dci

FACTORS = np.random.default_rng(0).uniform(size=(1200, 3))


def test_the_factors_themselves_in_any_order_and_curve():
    found = dci(FACTORS, np.column_stack([-FACTORS[:, 2], np.exp(3 * FACTORS[:, 0]), FACTORS[:, 1] ** 3]))
    assert min(found.disentanglement, found.completeness, found.informativeness) > 0.97
    np.testing.assert_array_equal(found.importance.argmax(axis=0), [1, 2, 0])
    np.testing.assert_allclose(found.importance.sum(axis=0), 1)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e307])
def test_units_do_not_matter(scale):
    factors = FACTORS[:200]
    components = factors @ [[1.0, 0.3, 0.0], [0.0, 1.0, 0.3], [0.3, 0.0, 1.0]]
    expected = dci(factors, components).importance
    for found in (dci(scale * factors, components), dci(factors, scale * components)):
        np.testing.assert_allclose(found.importance, expected, atol=1e-3)


def test_mixed_components_hold_all_and_disentangle_nothing():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    found = dci(FACTORS, FACTORS @ turn)
    assert found.informativeness > 0.85
    assert found.disentanglement < 0.7
    assert found.completeness < 0.7


def test_each_number_says_its_own():
    twice = np.column_stack([FACTORS, FACTORS])  # each factor is in two components: pure, and not complete
    found = dci(FACTORS, twice)
    assert found.disentanglement > 0.95
    assert found.completeness == pytest.approx(1 - np.log(2) / np.log(6), abs=0.12)
    noise = np.random.default_rng(2).normal(size=FACTORS.shape)
    found = dci(FACTORS, noise)
    assert found.informativeness < 0.1
    assert found.disentanglement < 0.2


def test_the_formula_by_hand(monkeypatch):
    class Forest:
        def __init__(self, *arguments, **options):
            pass

        def fit(self, X, y):
            self.feature_importances_ = next(columns)
            return self

        def predict(self, X):
            return np.zeros(len(X))

    importance = np.array([[0.8, 0.5], [0.2, 0.5], [0.0, 0.0]])
    columns = iter(importance.T)
    monkeypatch.setattr("identica.metrics.disentanglement.RandomForestRegressor", Forest)
    found = dci(FACTORS[:, :2], FACTORS)
    p = np.array([[0.8, 0.5], [0.2, 0.5]]) / np.array([[1.3], [0.7]])
    entropy = -(p * np.log2(p)).sum(axis=1)
    assert found.disentanglement == pytest.approx(((1 - entropy) * [1.3, 0.7]).sum() / 2)
    of_factors = [-(0.8 * np.log(0.8) + 0.2 * np.log(0.2)) / np.log(3), np.log(2) / np.log(3)]
    assert found.completeness == pytest.approx(1 - np.mean(of_factors))


def test_a_single_factor_has_nothing_to_be_mixed_with():
    assert dci(FACTORS[:, :1], FACTORS).disentanglement == pytest.approx(1)
    with pytest.raises(ValueError, match="20"):
        dci(FACTORS[:10], FACTORS[:10])


def test_components_that_say_nothing_are_not_complete():
    true = np.random.default_rng(0).uniform(size=(200, 2))
    found = dci(true, np.zeros((200, 2)))
    assert (found.disentanglement, found.completeness) == (0.0, 0.0)
    assert dci(true, np.zeros((200, 1))).completeness == 0.0


@given(order=st.permutations(range(3)), signs=st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
@settings(max_examples=8, deadline=None)
def test_order_and_sign_of_components_do_not_matter(order, signs):
    factors = FACTORS[:200]
    components = factors @ [[1.0, 0.3, 0.0], [0.0, 1.0, 0.3], [0.3, 0.0, 1.0]]
    expected, found = dci(factors, components), dci(factors, components[:, order] * signs)
    np.testing.assert_allclose(found.importance, expected.importance[list(order)], atol=0.01)
    assert found.informativeness == pytest.approx(expected.informativeness, abs=0.01)
