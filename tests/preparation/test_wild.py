"""Wild rows are found in data that have them, in any units, and not in data that have none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from identica import PolytopicFactorization
from identica.datasets import make_mixture
from identica.preparation import wild_rows

Array = NDArray[Any]
rng = np.random.default_rng
SHAPE = (2000, 40)

TAME: dict[str, Callable[[], Array]] = {
    "gaussian": lambda: rng(0).standard_normal(SHAPE),
    "uniform": lambda: rng(0).random(SHAPE),
    "student-5": lambda: rng(0).standard_t(5, SHAPE),
    "log-normal": lambda: np.exp(rng(0).standard_normal(SHAPE)),
    "rare counts": lambda: rng(0).poisson(0.05, SHAPE).astype(float),
    "counts with depth": lambda: rng(0).poisson(np.exp(0.5 * rng(1).standard_normal((2000, 1))) * 2.0, SHAPE) * 1.0,
    "rare indicators": lambda: (rng(0).random(SHAPE) < 0.001).astype(float),
    "one-hot": lambda: np.eye(50)[rng(0).integers(0, 50, 2000)],
    "two distant clusters": lambda: rng(0).standard_normal(SHAPE) + 100 * (rng(1).random((2000, 1)) < 0.05),
    "constant": lambda: np.ones(SHAPE),
    "few rows": lambda: np.vstack([rng(0).standard_normal((18, 3)), np.full((1, 3), 1e6)]),
    "breast cancer": lambda: load_breast_cancer().data,
    "diabetes": lambda: load_diabetes().data,
    "iris": lambda: load_iris().data,
    "wine": lambda: load_wine().data,
}


@pytest.mark.parametrize("name", TAME)
def test_data_without_wild_rows_have_none(name: str) -> None:
    assert wild_rows(TAME[name]()).rows.tolist() == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("in_units", [False, True])
@pytest.mark.parametrize("kind", ["one row", "a row a hundred times longer", "single entries"])
def test_wild_rows_are_found_in_any_units(kind: str, in_units: bool, dtype: type) -> None:
    X = rng(0).standard_normal(SHAPE)
    if kind == "one row":
        X[17] = 1e4
        expected = {17}
    elif kind == "a row a hundred times longer":
        X[5] *= 100
        expected = {5}
    else:
        expected = set(range(100, 120))
        X[sorted(expected), rng(1).integers(0, 40, 20)] = 500
    if in_units:
        X *= 10 ** rng(2).uniform(-6, 6, 40)
    assert set(wild_rows(X.astype(dtype)).rows.tolist()) == expected


def test_the_farthest_is_named_first() -> None:
    X = rng(0).standard_normal(SHAPE)
    X[3], X[8] = 1e3, 1e5
    found = wild_rows(X)
    assert found.rows.tolist() == [8, 3]
    assert found.sentence().startswith("2 wild row(s)")
    assert "8, 3; look at them" in found.sentence()


def test_a_fit_leaves_them_out_with_a_warning_and_ends_as_without_them() -> None:
    X = make_mixture(600, 40, 2, kind="linear", random_state=0).X
    wild = np.insert(X, 7, 1e4, axis=0)
    clean = PolytopicFactorization(2, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=r"^1 wild row\(s\).*left out of the fit: 7; .*wild_rows='keep'"):
        robust = PolytopicFactorization(2, random_state=0).fit(wild)
    assert robust.wild_rows_.tolist() == [7]
    np.testing.assert_array_equal(robust.transform(X), clean.transform(X))
    kept = PolytopicFactorization(2, wild_rows="keep", random_state=0).fit(wild)
    assert len(kept.wild_rows_) == 0
    assert not np.allclose(kept.transform(X), clean.transform(X))
