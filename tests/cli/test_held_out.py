"""The comparison with PCA measures both in the units of the file."""

import numpy as np
import pytest

from identica import DICA, Training
from identica.cli.held_out import reconstruction_beside_pca
from identica.io import read_table


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pca_of_as_many_components_as_features_rebuilds_counts(tmp_path):
    random = np.random.default_rng(0)
    X = random.poisson(random.lognormal(1.5, 0.5, (300, 4)) * random.lognormal(0, 0.3, (300, 1))).astype(float)
    np.save(tmp_path / "counts.npy", X)
    table = read_table(tmp_path / "counts.npy")
    model = DICA(4, likelihood="poisson", n_init=1, training=Training(max_steps=40), random_state=0).fit(X[:250])
    rows = np.arange(300)
    shares = reconstruction_beside_pca(model, table, rows[:250], rows[250:], 0)
    for unit in ("standardised_units", "own_units"):
        assert shares[unit]["pca"] < 1e-9
        assert 0.05 < shares[unit]["model"] < 1
