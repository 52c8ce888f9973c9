"""A comparison says beforehand all that it does, does it the same each time, and scores on new samples."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from identica.datasets import make_mixture
from identica.experiments import FAMILIES, METHODS, Comparison, comparison, run
from identica.metrics import mean_r2
from identica.networks import Dense
from identica.training import Training

SMALL = {"n_samples": 300, "n_test_samples": 100, "n_features": 12, "n_components": 2}
COLUMNS = [
    *("experiment", "method", "seed", "n_components", "n_features", "n_samples"),
    *("r2_mean", "mcc_pearson", "mcc_spearman", "seconds"),
]


class FirstFeatures(TransformerMixin, BaseEstimator):
    """Takes the first two features for components, and keeps what it was given."""

    def __init__(self, random_state=None, shown=None):
        self.random_state = random_state
        self.shown = shown

    def fit(self, X, y=None):
        warnings.warn("not a method", ConvergenceWarning, stacklevel=2)
        warnings.warn("not a method", ConvergenceWarning, stacklevel=2)
        if self.shown is not None:
            self.shown.append((X, self.random_state))
        return self

    def transform(self, X):
        return X[:, :2]

    def __sklearn_clone__(self):
        return FirstFeatures(self.random_state, self.shown)


def test_the_configuration_is_complete_before_anything_runs():
    network, training = Dense(hidden=(7,)), Training(max_steps=9)
    plan = comparison("perturbed", seeds=range(2), network=network, training=training, noise=0.1, verbose=1)
    assert list(plan.methods) == list(METHODS)
    assert plan.data == {**FAMILIES["perturbed"], "latents": "dependent", "noise": 0.1}
    assert plan.seeds == (0, 1)
    for name in ("autoencoder", "sparse-jacobian", "dica-joint", "dica"):
        estimator = plan.methods[name]
        assert (estimator.network, estimator.training, estimator.n_components) == (network, training, 5)
        assert estimator.verbose == 1
    assert plan.methods["dica-joint"].solver == "joint"
    assert plan.methods["dica"].solver == "staged"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"family": "cubist"}, "family 'cubist' is unknown: use linear, post-nonlinear"),
        ({"methods": ["pca", "tsne"]}, "method 'tsne' is unknown: use pca, fastica"),
        ({"methods": []}, "no method was given: use one or more of pca"),
    ],
)
def test_unknown_names_are_told_with_the_known_ones(arguments, message):
    with pytest.raises(ValueError, match=message):
        comparison(**arguments)


def test_each_seed_fits_each_method_to_data_of_its_own():
    shown = []
    mixture = {"kind": "linear", "n_features": 12, "n_components": 2}
    plan = Comparison("toy", make_mixture, mixture, 300, 100, {"first": FirstFeatures(shown=shown)}, seeds=(3, 4))
    seen = []
    outcomes = run(plan, on_outcome=seen.append)
    assert seen == outcomes
    assert [seed for _, seed in shown] == [3, 4]
    data = make_mixture(400, **mixture, random_state=3)
    np.testing.assert_array_equal(shown[0][0], data.X[:300])
    first = outcomes[0]
    assert list(first.row) == COLUMNS
    assert (first.experiment, first.method, first.seed) == ("toy", "first", 3)
    assert (first.n_components, first.n_features, first.n_samples) == (2, 12, 300)
    # Scored on the samples that were not shown.
    assert first.row["r2_mean"] == mean_r2(data.latents[300:], data.X[300:, :2])
    assert first.fit.r2.shape == (2, 2)
    assert first.fit.warnings == ("not a method",)


def test_the_same_configuration_gives_the_same_scores():
    plan = comparison("linear", methods=["pca", "fastica", "polytopic"], **SMALL)
    first, second = ([outcome.fit.scores for outcome in run(plan)] for _ in range(2))
    assert first == second


def test_every_method_runs_and_the_nonlinear_ones_tell_their_story():
    plan = comparison("linear", network=Dense(hidden=(8,)), training=Training(max_steps=64), **SMALL)
    outcomes = {outcome.method: outcome for outcome in run(plan)}
    assert list(outcomes) == list(METHODS)
    for name, outcome in outcomes.items():
        assert 0 <= outcome.row["r2_mean"] <= 1
        assert outcome.row["seconds"] > 0
        if name in ("autoencoder", "sparse-jacobian", "dica-joint", "dica"):
            assert outcome.fit.history
            assert outcome.fit.influence.shape == (12, 2)
            assert outcome.fit.reconstruction_error is not None
    assert outcomes["dica"].fit.restart_agreement is not None
