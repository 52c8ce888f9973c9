"""Whatever a metric is given that it cannot use, one sentence names the argument and says what to pass."""

from inspect import isfunction, signature

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from identica import metrics

SAMPLES = np.random.default_rng(0).normal(size=(40, 3))
JACOBIANS = np.random.default_rng(1).normal(size=(4, 5, 3))
BLOCKS = [[0, 1], [2]]
PAIR = {"true": SAMPLES, "estimated": SAMPLES}
SEEDED = PAIR | {"random_state": 0}
CHOSEN = PAIR | {"method": "pearson"}
KERNEL = SEEDED | {"alphas": [0.1], "gammas": [0.1], "max_samples": 40}
GOOD = {
    "amari_distance": {"true_mixing": SAMPLES, "estimated_mixing": SAMPLES},
    "block_r2": KERNEL | {"true_blocks": BLOCKS, "estimated_blocks": BLOCKS},
    "compositional_contrast": {"jacobians": JACOBIANS, "blocks": BLOCKS, "normalized": False},
    "correlation_matrix": CHOSEN,
    "dci": SEEDED,
    "disentanglement_scores": SEEDED | {"max_samples": 40},
    "independent_mechanism_contrast": {"jacobians": JACOBIANS},
    "infomec": SEEDED | {"n_bins": 4},
    "kernel_ridge_r2": KERNEL,
    "linear_r2": SEEDED,
    "match_components": SEEDED | {"method": "r2"},
    "mean_correlation_coefficient": CHOSEN,
    "mean_r2": SEEDED,
    "r2_matrix": SEEDED,
    "score_components": SEEDED,
    "seed_agreement": {"components": [SAMPLES, SAMPLES], "method": "spearman"},
}
"""All arguments of each metric, as it can use them."""
ARRAYS = ("true", "estimated", "true_mixing", "estimated_mixing", "jacobians")


def with_value(value):
    def replaced(good):
        values = good.astype(np.result_type(good, type(value)))
        values[(1,) * good.ndim] = value
        return values

    return replaced


BAD_ARRAYS = {
    "None": (lambda good: None, TypeError),
    "a number": (lambda good: 3.0, TypeError),
    "a boolean": (lambda good: True, TypeError),
    "text": (lambda good: "abc", TypeError),
    "a mapping": (lambda good: {"a": good}, TypeError),
    "a generator": (lambda good: (row for row in good), TypeError),
    "a sparse matrix": (lambda good: scipy.sparse.csr_array(good[0] if good.ndim == 3 else good), TypeError),
    "a tensor with a gradient": (lambda good: torch.tensor(good, requires_grad=True), TypeError),
    "strings": (lambda good: good.astype(str), TypeError),
    "complex numbers": (lambda good: 1j * good, TypeError),
    "objects": (lambda good: good.astype(object), TypeError),
    "dates": (lambda good: good.astype("datetime64[s]"), TypeError),
    "lists of different lengths": (lambda good: [[1.0, 2.0], [3.0]], ValueError),
    "an array without axes": (lambda good: np.array(3.0), ValueError),
    "one axis less": (lambda good: good[0], ValueError),
    "one axis more": (lambda good: good[None], ValueError),
    "nothing": (lambda good: [], ValueError),
    "no rows": (lambda good: good[:0], ValueError),
    "no columns": (lambda good: good[..., :0], ValueError),
    "NaN": (with_value(np.nan), ValueError),
    "infinity": (with_value(-np.inf), ValueError),
    "masked values": (lambda good: np.ma.masked_less(good, 0), ValueError),
}
NO_LISTS = {"None": None, "a number": 3, "a boolean": True, "text": "ab", "bytes": b"ab", "a mapping": {0: [0], 1: [1]}}
BAD_BLOCKS = {
    "of numbers": ([0, 1, 2], TypeError),
    "of None": ([None, [0, 1, 2]], TypeError),
    "of text": (["ab", "c"], TypeError),
    "of real numbers": ([[0.0, 1.0], [2.0]], TypeError),
    "of booleans": ([[True, False], [True]], TypeError),
    "none": ([], ValueError),
    "with an empty one": ([[0, 1, 2], []], ValueError),
    "that leave one out": ([[0], [1]], ValueError),
    "that overlap": ([[0, 1], [1, 2]], ValueError),
    "with a column too many": ([[0, 1], [2, 3]], ValueError),
    "counted from the end": ([[0, 1], [-1]], ValueError),
}
BAD_OPTIONS = {
    "method": [(value, ValueError) for value in (None, "r3", 3, True, np.arange(3), ["pearson"])],
    "random_state": [(value, TypeError) for value in ("a", 1.5, True, 1j, [1], np.arange(3), np.random)]
    + [(value, ValueError) for value in (-1, 2**32)],
    "n_bins": [(value, TypeError) for value in ("4", 4.0, True)] + [(1, ValueError), (10**30, ValueError)],
    "max_samples": [(value, TypeError) for value in (None, "40", 40.0, True)] + [(9, ValueError)],
    "normalized": [(value, TypeError) for value in (None, "no", 1, [], np.arange(3))],
}
BAD_CANDIDATES = [([], ValueError), ([0.0], ValueError), ([np.nan], ValueError), ([10**400], ValueError)]
BAD_CANDIDATES += [([value], TypeError) for value in (None, "1", True, 1j, [1.0])]


def bad_values(name, good):
    """Return cases of an argument: in words, a value that no metric can use, and the type of the error."""
    if name in ARRAYS:
        return [(what, make(good), error) for what, (make, error) in BAD_ARRAYS.items()]
    if name in BAD_OPTIONS:
        return [(repr(value), value, error) for value, error in BAD_OPTIONS[name]]
    cases = [(what, value, TypeError) for what, value in NO_LISTS.items()]
    if name in ("alphas", "gammas"):
        return cases + [(repr(value), value, error) for value, error in BAD_CANDIDATES]
    if name == "components":
        cases += [("no fits", [], ValueError), ("one fit", [SAMPLES], ValueError)]
        return cases + [
            (f"a fit of {what}", [SAMPLES, value], error) for what, value, error in bad_values("true", SAMPLES)
        ]
    cases += [(what, value, error) for what, (value, error) in BAD_BLOCKS.items()]
    if name == "true_blocks":
        return cases
    # None means the default here; of the estimates some may be left out.
    optional = {"None", "that leave one out"} if name == "estimated_blocks" else {"None"}
    return [case for case in cases if case[0] not in optional]


def test_every_metric_and_argument_is_here():
    functions = {name for name in metrics.__all__ if isfunction(getattr(metrics, name))}
    assert set(GOOD) == functions
    for name, good in GOOD.items():
        assert set(good) == set(signature(getattr(metrics, name)).parameters)


@pytest.mark.parametrize("metric", GOOD)
def test_good_arguments_are_taken(metric):
    assert getattr(metrics, metric)(**GOOD[metric]) is not None


@pytest.mark.parametrize(("metric", "name"), [(metric, name) for metric, good in GOOD.items() for name in good])
def test_bad_arguments_are_named_in_one_sentence(metric, name):
    wrong = {}
    for what, value, error in bad_values(name, GOOD[metric][name]):
        try:
            found = getattr(metrics, metric)(**GOOD[metric] | {name: value})
        except (TypeError, ValueError, RuntimeError) as raised:
            found, message = raised, str(raised)
            if type(raised) is error and message.startswith(name) and ": " in message and "\n" not in message:
                continue
        wrong[what] = found
    assert wrong == {}


@pytest.mark.parametrize("metric", [name for name, good in GOOD.items() if "true" in good])
def test_pairs_that_do_not_fit_each_other_are_refused(metric):
    def refused(message, **given):
        with pytest.raises(ValueError, match=message):
            getattr(metrics, metric)(**GOOD[metric] | given)

    refused("true has 40 samples and estimated has 39: .*same sample", estimated=SAMPLES[1:])
    refused("n_samples=1 is too few: pass at least", true=SAMPLES[:1], estimated=SAMPLES[:1])
    refused("true component 1 is constant: .*drop", true=SAMPLES * [1.0, 0.0, 1.0])


def test_frames_of_numbers_and_booleans_are_arrays():
    frame = pd.DataFrame({"a": SAMPLES[:, 0], "b": SAMPLES[:, 1] > 0})
    numbers = np.column_stack([SAMPLES[:, 0], 1.0 * (SAMPLES[:, 1] > 0)])
    expected = metrics.correlation_matrix(numbers, SAMPLES)
    np.testing.assert_allclose(metrics.correlation_matrix(frame.astype(float), SAMPLES), expected, atol=1e-12)
    np.testing.assert_allclose(metrics.correlation_matrix(frame[["b"]], SAMPLES), expected[1:], atol=1e-12)


@pytest.mark.parametrize("metric", ["correlation_matrix", "r2_matrix", "linear_r2", "kernel_ridge_r2"])
def test_the_largest_floats_do_not_overflow(metric):
    estimated = SAMPLES[:, ::-1]
    huge = 1.7e308 / np.abs(SAMPLES).max()
    found = getattr(metrics, metric)(**GOOD[metric] | {"true": huge * SAMPLES, "estimated": huge * estimated})
    expected = getattr(metrics, metric)(**GOOD[metric] | {"estimated": estimated})
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_contrast_that_is_no_float_is_refused():
    with pytest.raises(ValueError, match=r"jacobians have values up to .*: divide them .*normalized=True"):
        metrics.compositional_contrast(1e200 * JACOBIANS)
    assert metrics.compositional_contrast(1e200 * JACOBIANS, normalized=True) > 0


@pytest.mark.parametrize("metric", [metric for metric, good in GOOD.items() if "random_state" in good])
def test_no_seed_means_a_fresh_one_and_not_the_global_generator(metric):
    # That the global one stays as it is, every test makes sure of.
    assert getattr(metrics, metric)(**GOOD[metric] | {"random_state": None}) is not None


def test_messages_say_where_and_what_to_do():
    with pytest.raises(ValueError, match=r"true has shape \(40,\): .*for one component use values.reshape\(-1, 1\)$"):
        metrics.mean_r2(SAMPLES[:, 0], SAMPLES)
    estimated = SAMPLES.copy()
    estimated[7, 2] = estimated[9, 0] = np.nan
    with pytest.raises(ValueError, match=r"estimated has the value nan at \(7, 2\): .*leave out such samples$"):
        metrics.mean_r2(SAMPLES, estimated)
