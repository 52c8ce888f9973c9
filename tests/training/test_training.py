"""The plan of a training is checked when it is made, not when its numbers are first used."""

import numpy as np
import pytest

from identica import Training


@pytest.mark.parametrize("name", ["max_steps", "batch_size", "patience", "jacobian_features"])
@pytest.mark.parametrize("value", [0, -5, 2.5, "x", None, True, float("nan")])
def test_counts_are_positive_integers(name, value):
    with pytest.raises((TypeError, ValueError), match=rf"^{name}=.*(at least 1|from 1 to|whole number)"):
        Training(**{name: value})


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("learning_rate", (0, -1.0, np.inf, np.nan), "more than 0"),
        ("weight_decay", (-1e-9, np.inf, np.nan), "at least 0"),
        ("validation_fraction", (-0.1, 1.0, np.nan), "at least 0 and less than 1"),
        ("jacobian_share", (0.0, 1.1, np.nan), "more than 0 and at most 1"),
        ("checkpoint_seconds", (-1, np.nan, np.inf), "at least 0"),
    ],
)
def test_numbers_have_a_range(name, values, allowed):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name}=.* is out of range: use a finite value of {allowed}$"):
            Training(**{name: value})
    for value in ("x", None, [], True):
        if (name, value) == ("learning_rate", None):  # that of the method
            continue
        with pytest.raises(TypeError, match=rf"^{name}=.* is not a number"):
            Training(**{name: value})


def test_the_learning_rate_is_left_to_the_method_where_none_is_given():
    assert Training() == Training(learning_rate=None)
    assert Training().learning_rate is None
    assert (Training().peak, Training(learning_rate=0.5).peak) == (2e-3, 0.5)


def test_refit_samples_may_be_none_at_all():
    assert Training(refit_samples=0).refit_samples == 0
    with pytest.raises(ValueError, match="refit_samples=-5 is out of range: use from 0 to 1000000000"):
        Training(refit_samples=-5)
    with pytest.raises(TypeError, match="refit_samples='x' is not an integer"):
        Training(refit_samples="x")


@pytest.mark.parametrize("dtype", ["float16", [], None, np.float32])
def test_the_precision_has_a_name(dtype):
    with pytest.raises(ValueError, match=r"dtype=.* is not known: use one of float32, float64"):
        Training(dtype=dtype)


def test_numbers_of_numpy_become_plain_ones():
    training = Training(max_steps=np.int64(7), learning_rate=np.float32(0.5), validation_fraction=0)
    assert type(training.max_steps) is int
    assert type(training.learning_rate) is float
    assert training == Training(max_steps=7, learning_rate=0.5, validation_fraction=0.0)
