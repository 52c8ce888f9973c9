"""Other fits of the same data: what is compared, what is kept, and what the verdict makes of it."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from identica import PolytopicFactorization
from identica.datasets import make_mixture
from identica.io import DataError
from identica.trust import ASSUMED, QUESTIONS, CrossCheck, component_agreement, cross_check, judge
from identica.trust.sdi import summarise_sdi

X = make_mixture(400, 40, 3, kind="linear", random_state=0).X


class Known(BaseEstimator):
    """Finds the columns of its data, mixed by an angle that depends on the seed and on how many rows it has seen."""

    def __init__(self, n_components=2, random_state=0, verbose=1, of_seed=0.0, of_few=0.0):
        self.n_components = n_components
        self.random_state = random_state
        self.verbose = verbose
        self.of_seed = of_seed
        self.of_few = of_few

    def fit(self, X, y=None):
        angle = self.of_seed * (self.random_state > 0) + self.of_few * (len(X) < 300)
        self.turn_ = np.eye(X.shape[1])
        self.turn_[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        self.told_ = None if y is None else np.asarray(y)
        self.criterion_, self.duplicates_ = 1.0, []
        self.component_strength_ = np.ones(X.shape[1])
        assert self.verbose == 0 or self.random_state == 0
        return self

    def transform(self, X):
        return np.asarray(X) @ self.turn_

    def score(self, X):
        return 0.9


LATENTS = np.random.default_rng(0).uniform(-1, 1, (400, 3))


def checked(**settings):
    return cross_check(Known(3, **settings).fit(LATENTS), LATENTS)


def test_fits_that_agree_agree():
    found = checked()
    np.testing.assert_allclose(found.seeds, 1)
    np.testing.assert_allclose(found.halves, 1)
    assert (found.seeds.shape, found.halves.shape, found.n_compared) == ((1, 3), (2, 3), 400)
    assert found.seed_agreement == pytest.approx(1)
    assert found.half_agreement == pytest.approx(1)


def test_a_seed_of_its_own_is_seen_in_the_components_that_it_changes():
    found = checked(of_seed=0.6)
    assert found.seeds[0, :2].max() < 0.9
    assert found.seeds[0, 2] == pytest.approx(1)
    # Halves have seeds of their own, which are all above 0: they are turned alike, and agree with each other alone.
    assert found.half_agreement == pytest.approx(1)
    assert found.halves[:, :2].max() < 0.9
    np.testing.assert_allclose(found.by_component(), np.vstack([found.seeds, found.halves]).min(axis=0))


def test_few_rows_are_seen_in_halves_alone():
    found = checked(of_few=0.6)
    np.testing.assert_allclose(found.seeds, 1)
    assert found.halves[:, :2].max() < 0.9


def test_agreement_is_the_one_that_starts_are_compared_by():
    fitted = Known(3, of_seed=0.6).fit(LATENTS)
    other = Known(3, 1, 0, of_seed=0.6).fit(LATENTS)
    expected = component_agreement(fitted.transform(LATENTS), other.transform(LATENTS))
    assert cross_check(fitted, LATENTS).seed_agreement == pytest.approx(expected)


def test_rows_are_told_what_the_fit_is_told_of_them():
    seen = []

    class Told(Known):
        def fit(self, X, y=None):
            super().fit(X, y)
            np.testing.assert_array_equal(np.asarray(X)[:, 0], self.told_)
            seen.append(len(self.told_))
            return self

    fitted = Told(3, 0, 0).fit(LATENTS, LATENTS[:, 0])
    cross_check(fitted, LATENTS, y=LATENTS[:, 0], n_seeds=2)
    assert sorted(seen[1:]) == [200, 200, 400, 400]


def test_what_stands_beside_the_features_goes_with_its_rows():
    depth = np.exp(LATENTS[:, 0])
    batch = pd.DataFrame({"batch": np.where(LATENTS[:, 1] > 0, "a", "b")})
    seen = []

    class Beside(Known):
        def fit(self, X, y=None, *, covariates, size_factors):
            self._check("fit", X, covariates, size_factors)
            return super().fit(X, y)

        def transform(self, X, *, covariates, size_factors):
            self._check("transform", X, covariates, size_factors)
            return super().transform(X)

        def score(self, X, *, covariates, size_factors):
            self._check("score", X, covariates, size_factors)
            return super().score(X)

        def _check(self, what, X, covariates, size_factors):
            seen.append((what, len(X)))
            np.testing.assert_array_equal(np.exp(np.asarray(X)[:, 0]), size_factors)
            np.testing.assert_array_equal(covariates["batch"] == "a", np.asarray(X)[:, 1] > 0)

    known = {"covariates": batch, "size_factors": depth}
    cross_check(Beside(3, 0, 0).fit(LATENTS, **known), LATENTS, **known)
    assert [n for what, n in seen if what == "fit"] == [400, 200, 200, 400]
    assert {what for what, _ in seen} == {"fit", "transform", "score"}


def test_fits_are_kept_and_gone_on_with(tmp_path):
    fitted = PolytopicFactorization(3, random_state=0).fit(X)
    made = []
    first = cross_check(fitted, X, directory=tmp_path, on_fit=made.append)
    assert [fit.kind for fit in made] == ["half", "half", "seed"]
    (tmp_path / "3-components-seed-0.npz").unlink()
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = cross_check(fitted, X, directory=tmp_path)
    np.testing.assert_array_equal(first.seeds, again.seeds)
    np.testing.assert_array_equal(first.halves, again.halves)
    assert all((tmp_path / name).stat().st_mtime_ns == time for name, time in times.items())
    with pytest.raises(DataError, match="is of a fit of other data or with other settings"):
        cross_check(fitted, X + 1, directory=tmp_path)


def test_plain_values_and_back():
    found = checked(of_few=0.2)
    again = CrossCheck.from_dict(found.to_dict())
    np.testing.assert_array_equal(again.seeds, found.seeds)
    np.testing.assert_array_equal(again.halves, found.halves)
    assert again.to_dict() == found.to_dict()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"n_seeds": 0}, ValueError, "n_seeds=0 is out of range"),
        ({"n_seeds": 1.5}, TypeError, "n_seeds"),
        ({"random_state": -1}, ValueError, "random_state=-1 is out of range"),
        ({"X": X[:7]}, ValueError, "n_samples=7 leaves 3 rows in each half, at least 4 are needed for 3 components"),
    ],
)
def test_what_cannot_be_asked(arguments, error, said):
    fitted = PolytopicFactorization(3, random_state=0).fit(X)
    with pytest.raises(error, match=re.escape(said)):
        cross_check(fitted, **{"X": X, **arguments})


def test_an_unfitted_estimator_is_refused():
    with pytest.raises(ValueError, match="not fitted"):
        cross_check(PolytopicFactorization(3), X)


def crossed(seeds=0.99, halves=0.99, between=0.99):
    return CrossCheck(np.full((1, 3), seeds), np.full((2, 3), halves), between, 100, 1.0)


FITTED = SimpleNamespace(
    n_components=3,
    reconstruction_error_=0.1,
    linear_reconstruction_error_=0.3,
    start_agreement_=0.99,
    starts_=[{"finished": True, "agreement": 0.99}] * 2,
)


@pytest.mark.parametrize(
    ("cross", "against", "said"),
    [
        (crossed(), [], "A fit of the same rows from another seed has the same components (agreement 0.990)"),
        (crossed(seeds=0.949), ["seeds"], "has other components (agreement 0.949, below 0.95; least of component(s) 0"),
        (crossed(between=0.899), ["halves"], "fits of the two halves of the rows have other components (agreement"),
        (crossed(halves=0.5), [], "least of component(s) 0 0.50, 1 0.50, 2 0.50"),
    ],
)
def test_the_verdict_takes_other_fits_in(cross, against, said):
    verdict = judge(FITTED, cross=cross)
    assert [sign.name for sign in verdict.signs if sign.side == "against"] == against
    assert verdict.level == ("doubtful" if against else "sound")
    assert said in " ".join(verdict.reasons)


def test_one_network_is_enough_where_another_seed_agrees():
    alone = SimpleNamespace(**{**vars(FITTED), "start_agreement_": None, "starts_": []})
    assert judge(alone).level == "unchecked"
    assert judge(alone, cross=crossed()).level == "sound"


def test_questions_are_kept_apart():
    condition = summarise_sdi(np.concatenate([np.eye(3), -np.eye(3)]))
    alone, both = judge(FITTED), judge(FITTED, cross=crossed(), condition=condition)
    answered = both.by_question()
    assert {name: [sign.name for sign in signs] for name, signs in answered.items()} == {
        "search": ["starts"],
        "data": ["seeds", "halves"],
        "fit": ["reconstruction"],
        "condition": ["influence", "local"],
    }
    assert set(answered) <= set(QUESTIONS)
    # The condition is no evidence: it moves neither the word nor the number.
    assert judge(FITTED, condition=condition).number == alone.number
    assert all(sign.grade is None and sign.side == "neither" for sign in answered["condition"])
    assert "holds at 1 of 1 points" in answered["condition"][0].text
    fails = judge(FITTED, condition=summarise_sdi(np.random.default_rng(0).standard_normal((20, 3))))
    assert fails.level == "sound"
    assert "it is not proven that these components are the only best answer" in " ".join(fails.reasons)
    assert "No data can test it" in ASSUMED
