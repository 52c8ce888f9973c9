"""Small data and settings that the tests of the command line share."""

import numpy as np

QUICK = '{"n_init": 1, "network": {"hidden": [8]}, "training": {"max_steps": 40, "batch_size": 32}, "device": "cpu"}'
"""A configuration whose fit takes a moment."""


def small_data(n_samples=60, n_features=6, seed=0):
    """Return a smooth function of two components."""
    generator = np.random.default_rng(seed)
    latents = generator.normal(size=(n_samples, 2))
    return np.tanh(latents @ generator.normal(size=(2, n_features))) + latents @ generator.normal(size=(2, n_features))


def write_small_csv(path, X=None, names=True):
    """Write data as pandas does, with names of rows and features or with neither."""
    X = small_data() if X is None else X
    lines = [",".join(map(repr, row.tolist())) for row in X]
    if names:
        lines = [f"cell_{i},{line}" for i, line in enumerate(lines)]
        lines.insert(0, "," + ",".join(f"gene_{j}" for j in range(X.shape[1])))
    path.write_text("\n".join(lines) + "\n")
    return path
