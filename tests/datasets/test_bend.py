"""Bends are increasing, go through zero, and keep their slopes within the promised bounds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from identica.datasets import Bend


@st.composite
def bends(draw):
    column = {
        "sharpness": draw(st.floats(0.1, 50.0)),
        "threshold": draw(st.floats(-5.0, 5.0)),
        "curvature": draw(st.sampled_from([-1.0, 1.0])),
    }
    return Bend(draw(st.floats(0.0, 50.0)), **{name: np.array([value]) for name, value in column.items()})


GRID = np.linspace(-20, 20, 401)[:, None]


@given(bend=bends())
@settings(deadline=None)
def test_slopes_are_bounded_and_values_increase_accordingly(bend):
    slopes = bend.slope(GRID)
    lowest = 1 / (1 + bend.strength)
    assert slopes.min() >= lowest * (1 - 1e-12)
    assert slopes.max() <= 1 + 1e-12
    secants = np.diff(bend(GRID), axis=0) / np.diff(GRID, axis=0)
    assert secants.min() >= lowest * (1 - 1e-9)
    assert secants.max() <= 1 + 1e-9
    # Slopes move one way only, so each secant lies between those at its ends.
    low, high = np.minimum(slopes[:-1], slopes[1:]), np.maximum(slopes[:-1], slopes[1:])
    assert np.all((secants >= low - 1e-9) & (secants <= high + 1e-9))
    assert np.all(bend.curvature * np.diff(slopes, axis=0) >= -1e-12)


@given(bend=bends())
@settings(deadline=None)
def test_zero_stays_zero(bend):
    assert_array_equal(bend(np.zeros((1, 1))), 0.0)


def test_far_from_the_threshold_it_is_straight_and_overflows_nowhere():
    bend = Bend(3.0, np.full(2, 2.0), np.zeros(2), np.array([1.0, -1.0]))
    # Without the softplus's value at 0, the convex map is u on the right and u / 4 on the left.
    offset = 3.0 / 4.0 * np.log(2.0) / 2.0
    far = bend(np.array([[1e4, 1e4], [-1e4, -1e4]]))
    assert_allclose(far, [[1e4 - offset, 2500 + offset], [-2500 - offset, -1e4 + offset]], rtol=1e-12)
    assert np.isfinite(bend(np.array([[1e300, -1e300]]))).all()


def test_without_strength_it_is_the_identity():
    bend = Bend(0.0, np.ones(1), np.ones(1), np.ones(1))
    assert_array_equal(bend(GRID), GRID)
    assert_array_equal(bend.slope(GRID), 1.0)
