"""Every method once, with a training short enough for tests: a new method is a row here."""

import numpy as np

from identica import (
    DICA,
    IMA,
    Autoencoder,
    AuxiliaryICA,
    Compositional,
    Joint,
    PolytopicFactorization,
    SparseJacobian,
    Staged,
    Training,
)

QUICK = Training(max_steps=48, patience=4)
STAGED = Staged(restarts=3)

METHODS = {
    "autoencoder": Autoencoder(2, n_init=2, training=QUICK, random_state=0),
    "sparse-jacobian": SparseJacobian(2, n_init=2, training=QUICK, random_state=0),
    "sparse-jacobian-staged": SparseJacobian(2, n_init=1, solver=STAGED, training=QUICK, random_state=0),
    "dica-staged": DICA(2, n_init=3, solver=STAGED, training=QUICK, random_state=0),
    "dica-joint": DICA(2, n_init=2, solver="joint", training=QUICK, random_state=0),
    "polytopic": PolytopicFactorization(2, n_restarts=3, random_state=0),
    "polytopic-components": PolytopicFactorization(
        2, polytope="max", factor="components", n_restarts=3, random_state=0
    ),
    "dica-trace": DICA(2, n_init=1, solver=Joint(volume="trace"), training=QUICK, random_state=0),
    "ima": IMA(2, n_init=1, solver=STAGED, training=QUICK, random_state=0),
    "compositional": Compositional(2, n_init=1, solver=STAGED, training=QUICK, random_state=0),
    "contrastive": AuxiliaryICA(2, n_init=2, training=QUICK, random_state=0),
    "variational": AuxiliaryICA(2, n_init=1, solver="variational", training=QUICK, random_state=0),
}


def auxiliary_of(method, n_samples):
    """Return what ``fit`` takes beside X: three labels in turn for methods that say that they need them, or None."""
    return np.arange(n_samples) % 3 if method.__sklearn_tags__().target_tags.required else None
