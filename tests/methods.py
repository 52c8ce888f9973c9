"""Every method once, with a training short enough for tests: a new method is a row here."""

from identica import DICA, Autoencoder, Joint, PolytopicFactorization, SparseJacobian, Staged, Training

QUICK = Training(max_steps=48, patience=4)

METHODS = {
    "autoencoder": Autoencoder(2, n_init=2, training=QUICK, random_state=0),
    "sparse-jacobian": SparseJacobian(2, n_init=2, training=QUICK, random_state=0),
    "dica-staged": DICA(2, n_init=3, solver=Staged(restarts=3), training=QUICK, random_state=0),
    "dica-joint": DICA(2, n_init=2, solver="joint", training=QUICK, random_state=0),
    "polytopic": PolytopicFactorization(2, n_restarts=3, random_state=0),
    "dica-trace": DICA(2, n_init=1, solver=Joint(volume="trace"), training=QUICK, random_state=0),
}
