"""The page says how a method was set: what every reader asks, and what is not as by default."""

import pytest
from torch import nn

from identica import (
    DICA,
    Autoencoder,
    AuxiliaryICA,
    Convolutional,
    Dense,
    PolytopicFactorization,
    SparseJacobian,
    Staged,
    Training,
)
from identica.report.settings import settings

DEFAULTS = {
    "network": "dense, hidden 128-128, activation softplus",
    "steps, at most": 7500,
    "batch size": 256,
    "standardised": "each feature by itself",
}


@pytest.mark.parametrize(
    ("estimator", "shape", "changed"),
    [
        (DICA(3, random_state=7, device="cpu", verbose=0), (60,), {}),
        (DICA(3), (8, 8), {"standardised": "all features by one number"}),
        (DICA(3, standardize=True), (8, 8), {}),
        (
            DICA(criterion="c_inf", solver=Staged(weight=0.25)),
            (60,),
            {"criterion": "c_inf", "solver": "Staged(restarts=32, weight=0.25)"},
        ),
        (DICA(training=Training(checkpoint_seconds=1.0)), (60,), {}),
        (
            SparseJacobian(weight=2, training=Training(max_steps=30, batch_size=8, learning_rate=0.0001)),
            (60,),
            {"steps, at most": 30, "batch size": 8, "weight": "2", "learning rate": "0.0001"},
        ),
        (AuxiliaryICA(training=Training(max_steps=30)), (60,), {"steps, at most": 30}),
        (AuxiliaryICA(training=Training(learning_rate=0.002)), (60,), {"learning rate": "0.002"}),
        (
            Autoencoder(network=Convolutional((4, 8), hidden=9, activation="tanh"), standardize=False),
            (60,),
            {
                "network": "convolutional, channels 4-8, hidden 9, activation tanh",
                "standardised": "all features by one number",
            },
        ),
        (
            Autoencoder(network=Dense((5,)), decoder=nn.Linear(2, 60)),
            (60,),
            {"network": "dense, hidden 5, activation softplus, own decoder"},
        ),
        (
            Autoencoder(encoder=nn.Linear(60, 2), decoder=nn.Linear(2, 60)),
            (60,),
            {"network": "own encoder and decoder"},
        ),
    ],
)
def test_it_says_how_a_method_was_set(estimator, shape, changed):
    estimator.sample_shape_ = shape
    assert settings(estimator) == DEFAULTS | changed


def test_a_linear_method_has_no_training_to_speak_of():
    estimator = PolytopicFactorization(2, criterion="c_inf")
    estimator.sample_shape_ = (60,)
    assert settings(estimator) == {
        "network": "linear",
        "standardised": "each feature by itself",
        "criterion": "c_inf",
    }
