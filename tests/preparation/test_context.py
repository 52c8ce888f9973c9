"""An auxiliary variable as numbers: labels of every kind, numbers in every shape, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from identica.preparation import encode_context

LABELS = {
    "integers": ([2, 7, 2, 7, 3, 3], [2, 3, 7], [0, 2, 0, 2, 1, 1]),
    "booleans": ([True, False, False, True], [False, True], [1, 0, 0, 1]),
    "text": (["b", "a", "b", "a"], ["a", "b"], [1, 0, 1, 0]),
    "NumPy's integers": (np.array([1, 0, 1, 0], dtype=np.uint8), [0, 1], [1, 0, 1, 0]),
    "objects that are numbers": (np.array([0.5, 2.0, 0.5, 2.0], dtype=object), [0.5, 2.0], [0, 1, 0, 1]),
    "a column": ([[1], [0], [1], [0]], [0, 1], [1, 0, 1, 0]),
    "a series with an index": (pd.Series(["x", "y", "x", "y"], index=[9, 8, 7, 6]), ["x", "y"], [0, 1, 0, 1]),
    "a frame of one column": (pd.DataFrame({"day": ["x", "y", "y", "x"]}), ["x", "y"], [0, 1, 1, 0]),
    "categories": (pd.Categorical(["hi", "lo", "hi", "lo"]), ["hi", "lo"], [0, 1, 0, 1]),
    "categories in an order": (
        pd.Series(pd.Categorical(["hi", "lo", "hi", "lo"], categories=["lo", "none", "hi"])),
        ["lo", "hi"],
        [1, 0, 1, 0],
    ),
    "days": (
        pd.Series(pd.to_datetime(["2020-01-02", "2020-01-01"] * 2)),
        ["2020-01-01 00:00:00", "2020-01-02 00:00:00"],
        [1, 0, 1, 0],
    ),
}


@pytest.mark.parametrize(("given", "levels", "codes"), LABELS.values(), ids=LABELS.keys())
def test_labels_become_one_column_for_each_level(given, levels, codes):
    context = encode_context(given, len(codes), "Someone")
    assert context.levels == levels
    assert [type(level) for level in context.levels] == [type(level) for level in levels]
    assert json.loads(json.dumps(context.levels)) == levels
    np.testing.assert_array_equal(context.values, np.eye(len(levels))[codes])


@pytest.mark.parametrize("shape", [(40,), (40, 1), (40, 3)])
def test_numbers_are_standardised(shape):
    numbers = 5 + 100 * np.random.default_rng(0).standard_normal(shape)
    context = encode_context(numbers, 40, "Someone")
    assert context.levels is None
    assert context.values.shape == (40, 1 if len(shape) == 1 else shape[1])
    np.testing.assert_allclose(context.values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(context.values.std(axis=0), 1)
    np.testing.assert_array_equal(encode_context(pd.DataFrame(numbers), 40, "Someone").values, context.values)


def test_several_columns_are_numbers_also_where_they_are_integers_or_sparse():
    columns = np.random.default_rng(0).integers(0, 4, (40, 2))
    context = encode_context(columns, 40, "Someone")
    assert context.levels is None
    assert context.values.shape == (40, 2)
    np.testing.assert_array_equal(encode_context(scipy.sparse.csr_array(columns), 40, "S").values, context.values)


def test_columns_that_do_not_vary_are_left_out():
    columns = np.column_stack([np.ones(40), np.linspace(0, 1, 40)])
    assert encode_context(columns, 40, "Someone").values.shape == (40, 1)


def test_numbers_of_any_type_are_numbers():
    numbers = np.random.default_rng(0).standard_normal(40)
    expected = encode_context(numbers, 40, "Someone").values
    for given in (pd.array(numbers, dtype="Float64"), numbers.astype(np.longdouble)):
        np.testing.assert_array_equal(encode_context(given, 40, "Someone").values, expected)
    twice = np.column_stack([numbers, numbers])
    np.testing.assert_array_equal(
        encode_context(twice.astype(object), 40, "Someone").values, encode_context(twice, 40, "Someone").values
    )


def test_a_combination_of_labels_is_a_label():
    rows = pd.DataFrame({"batch": list("aabb"), "day": [1, 2, 1, 2]})
    combined = rows["batch"] + "/" + rows["day"].astype(str)
    assert encode_context([*combined, *combined], 8, "Someone").levels == ["a/1", "a/2", "b/1", "b/2"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, r"Someone requires y to be passed, but the target y is None.*call fit\(X, u\)"),
        ([0, 1, 0], r"has the shape \(3,\) and X has 6 samples: give one row for each sample"),
        (np.zeros((6, 2, 2)), r"has the shape \(6, 2, 2\)"),
        (np.zeros((6, 0)), r"has the shape \(6, 0\)"),
        (np.array(3), r"has the shape \(\)"),
        (np.zeros((1, 6)), r"has the shape \(1, 6\)"),
        ([[1, 2], [3]] * 3, "holds lists of different lengths: pass one row for each sample"),
        (np.ma.masked_equal([0, 1] * 3, 1), r"is a masked array with 3 masked value\(s\): fill them in"),
        (pd.array([1, None] * 3, dtype="Int64"), "of sample 1 is missing or NaN"),
        (np.array(["2020-01-01", "NaT"] * 3, dtype="datetime64[D]"), "of sample 1 is missing or NaN"),
        (np.array([1j, 2j] * 3), "holds complex numbers: give their real and imaginary parts as two columns"),
        (np.array([[1j, 2.0]] * 6), "holds complex numbers"),
        ([1e308, -1e308] * 3, r"reaches 1e\+308, whose square does not fit float64: .*moderate size"),
        ([1e-320, 0.0] * 3, "whose square does not fit float64"),
        (np.column_stack([np.arange(6.0), [1e308, -1e308] * 3]), r"reaches 1e\+308"),
        ([0.1] * 6, "is the same for all samples"),  # whose deviation is a rounding error
        ([0.1, 0.2, np.nan, 1.0, 2.0, 3.0], "of sample 2 is missing or NaN: leave such samples out"),
        (["a", "b", "a", "b", None, "a"], "of sample 4 is missing or NaN"),
        ([0.1, 0.2, 0.3, np.inf, 2.0, 3.0], "of sample 3 is infinite"),
        (["a"] * 6, "is 'a' for all samples: components can only be told by how they change with it"),
        ([1.5] * 6, "is the same for all samples: give one that varies"),
        (["a", "b", "c", "d", "e", "f"], "has 6 levels in 6 samples: each level needs several, give fewer"),
        ([["a", 1]] * 6, "has 2 columns, and column 0 does not hold numbers: combine the labels of a row into one"),
        ([["1", "2"], ["2", "1"]] * 3, "has 2 columns, and column 0 does not hold numbers"),
        (pd.DataFrame({"a": [1.0, 2.0] * 3, "b": pd.Categorical([1, 2] * 3)}), "column 1 does not hold numbers"),
        (pd.DataFrame({"a": [1.0, 2.0] * 3, "b": pd.to_datetime([1, 2] * 3)}), "column 1 does not hold numbers"),
    ],
)
def test_what_cannot_be_used_gets_one_clear_sentence(given, words):
    with pytest.raises(ValueError, match=f"^[^\n]*{words}[^\n]*$"):
        encode_context(given, 6, "Someone")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "is of type int, not an array: pass one row for each sample"),
        ("abcabc", "is of type str, not an array"),
        ({"a": [0, 1] * 3}, "is of type dict, not an array"),
        (torch.zeros(6, requires_grad=True), "is of type Tensor that NumPy cannot read"),
        (pd.Series([{1}, {2}] * 3), "holds values of type set, which are no labels .*: give text, whole numbers"),
        (np.array([1j, 2j] * 3, dtype=object), "holds values of type complex, which are no labels"),
        ([len, max] * 3, "holds values of type builtin_function_or_method, which are no labels"),
    ],
)
def test_what_is_no_variable_gets_one_clear_sentence(given, words):
    with pytest.raises(TypeError, match=f"^the auxiliary variable {words}[^\n]*$"):
        encode_context(given, 6, "Someone")
