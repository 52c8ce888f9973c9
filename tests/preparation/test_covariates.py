"""Covariates as numbers: labels, numbers, their names and order, and what cannot be used."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from identica import PolytopicFactorization
from identica.preparation import Covariates, fit_covariates, without_covariates

TABLE = pd.DataFrame({"batch": list("aabbcc"), "age": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "dose": [1, 1, 2, 2, 2, 1]})


def test_labels_become_centred_columns_and_numbers_are_standardised():
    fitted, values = fit_covariates(TABLE, 6)
    assert fitted.names == ("batch", "age", "dose")
    assert [column.levels for column in fitted.columns] == [("a", "b", "c"), None, ("1", "2")]
    expected = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 1], [0, 1]]) - 1 / 3
    np.testing.assert_allclose(values[:, :2], expected)
    np.testing.assert_allclose(values[:, 2], (TABLE["age"] - 3.5) / TABLE["age"].std(ddof=0))
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)


def test_other_samples_are_coded_as_those_fitted_were_in_whatever_order_their_columns_stand():
    fitted, values = fit_covariates(TABLE, 6)
    kept = Covariates.from_plain(json.loads(json.dumps(fitted.to_plain())))
    assert kept == fitted
    np.testing.assert_array_equal(kept.encode(TABLE[["dose", "batch", "age"]].iloc[2:4], 2), values[2:4])
    np.testing.assert_array_equal(kept.encode(TABLE.to_numpy(dtype=object)[2:4], 2), values[2:4])


@pytest.mark.parametrize("given", [["x", "y", "x", "y"], np.array([0, 1, 0, 1]), pd.Series([True, False] * 2)])
def test_one_column_of_labels_will_do(given):
    fitted, values = fit_covariates(given, 4)
    assert values.shape == (4, 1)
    assert len(fitted.columns[0].levels) == 2


BAD = [
    (["a"] * 6, "is 'a' for all samples: leave it out"),
    ([1.5] * 6, "is the same for all samples: leave it out"),
    ([1.0, np.nan, 2, 3, 4, 5], "of sample 1 is missing or NaN: leave such samples out"),
    ([1.0, np.inf, 2, 3, 4, 5], "has infinite values: leave such samples out"),
    (list("abcdef"), "has 6 levels in 6 samples: each level needs several"),
    (list("ab"), r"have the shape \(2, 1\) and X has 6 samples: give one row for each sample"),
    (np.zeros((6, 0)), "one row for each sample, and one column or more"),
    (np.zeros((6, 2, 2)), r"have the shape \(6, 2, 2\): give one row for each sample"),
    ("batch", "are the text 'batch', and their values are needed: give a DataFrame"),
    ({"batch": list("ababab")}, r"are a dict: give pd.DataFrame\(covariates\)"),
    (sparse.csr_matrix(np.eye(6)), r"are a sparse matrix: give them dense, by covariates.toarray\(\)"),
    (3, "are of type int: give a DataFrame"),
    (np.arange(6) * 1j, "'covariate_0' holds complex numbers: give real numbers or labels"),
    (
        [1e308, -1e308] * 3,
        r"reaches from -1e\+308 to 1e\+308, which is too far to compute with: give it in another unit",
    ),
    (pd.DataFrame([[0, 1]] * 3 + [[1, 0]] * 3, columns=["u", "u"]), "two covariates have one name: rename one"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=[message[:20] for _, message in BAD])
def test_what_cannot_be_used_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        fit_covariates(given, 6)


OTHER = [
    (None, r"fitted with the covariate\(s\) batch, age, dose: give covariates="),
    (TABLE[["batch"]], r"1 covariate\(s\) are given and 3 were fitted"),
    (TABLE.assign(batch="d"), "has the level 'd', which was not there in the fit"),
    (TABLE.assign(age="old"), "was fitted as numbers, and holds 'old': give numbers"),
    (TABLE.assign(age=np.inf), "'age' has infinite values"),
    (TABLE.assign(age=1e308), r"'age' of sample 0 is 1e\+308, more than 1e\+06 standard deviations from"),
]


@pytest.mark.parametrize(("given", "message"), OTHER, ids=[message[:20] for _, message in OTHER])
def test_others_than_those_fitted_are_refused(given, message):
    fitted, _ = fit_covariates(TABLE, 6)
    with pytest.raises(ValueError, match=message):
        fitted.encode(given, 6)


@pytest.mark.parametrize(("fitted", "given"), [([3, 4], [3.0, 4.0]), (pd.Categorical([3.0, 4.0]), [3, 4])])
def test_whole_numbers_are_one_label_whatever_their_type(fitted, given):
    covariates, values = fit_covariates(pd.DataFrame({"plate": fitted}).loc[[0, 1, 0, 1]], 4)
    np.testing.assert_array_equal(covariates.encode(pd.DataFrame({"plate": given * 2}), 4), values)
    with pytest.raises(ValueError, match=r"has the level '3\.5', which was not there in the fit"):
        covariates.encode(pd.DataFrame({"plate": [3.5, 4.0, 3.0, 4.0]}), 4)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("xaabbb", "covariate 'batch' has the level 'x' in one sample only, and its effect cannot be told"),
        ("aaabbA", "covariate 'batch' has the level 'A' in one sample only"),
        ("xaaaay", "covariate 'batch' has 2 levels in one sample each, the first 'x', and their effects"),
    ],
)
def test_a_fit_warns_of_levels_that_one_sample_alone_has(batch, said):
    covariates = TABLE.assign(batch=list(batch))
    X = np.random.default_rng(0).standard_normal((6, 3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PolytopicFactorization(1, random_state=0).fit(X, covariates=covariates)
    lone = [str(each.message) for each in caught if "in one sample" in str(each.message)]
    assert len(lone) == 1
    assert lone[0].startswith(said)


def told(X, covariates):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PolytopicFactorization(1, random_state=0).fit(X, covariates=covariates)
    return [str(each.message) for each in caught]


def test_a_fit_warns_of_few_samples_for_so_many_columns():
    X = np.random.default_rng(0).standard_normal((40, 3))
    batch = np.repeat(np.arange(9), 5)[:40]
    assert any("covariates make 9 columns of numbers for 40 samples" in text for text in told(X, np.arange(40) % 10))
    assert not any("columns of numbers" in text for text in told(X, batch))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_follows_from_covariates_is_refused_or_warned_of(dtype):
    random = np.random.default_rng(0)
    age = random.standard_normal((200, 1))
    loadings = random.uniform(1, 2, (1, 6))
    with pytest.raises(ValueError, match="the features follow from the covariates, and nothing is left of all 6"):
        told((5 + age @ loadings).astype(dtype), age)
    noisy = (age @ loadings + 1e-2 * random.standard_normal((200, 6))).astype(dtype)
    assert any(re.search(r"covariates explain 99\.99\d% of the variance", text) for text in told(noisy, age))
    assert not any("covariates explain" in text for text in told(noisy + random.standard_normal((200, 6)), age))


def test_a_feature_that_follows_from_covariates_is_zero_and_others_stay():
    random = np.random.default_rng(0)
    age = random.standard_normal((200, 1))
    age -= age.mean()
    values = np.hstack([3 * age, random.standard_normal((200, 1))])
    left, effects = without_covariates(values, age)
    assert not left[:, 0].any()
    np.testing.assert_allclose(age.T @ left, 0, atol=1e-9)
    np.testing.assert_allclose(left + age @ effects, values, atol=1e-9)


def test_as_many_columns_as_leave_nothing_are_refused():
    values = np.random.default_rng(0).standard_normal((20, 11))
    with pytest.raises(ValueError, match=r"covariates make 11 columns of numbers for 20 samples, .*: give at most 10,"):
        fit_covariates(values, 20)
    assert fit_covariates(values[:, :10], 20)[1].shape == (20, 10)
