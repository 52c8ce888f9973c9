"""identica simulate."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from identica.cli.options import check_seed

__all__ = ["Simulate"]


@dataclass(frozen=True)
class Simulate:
    """Simulate data whose components are known.

    Writes X.npy, X.csv, latents.npy, jacobians.npy (n_samples, n_features, n_components) and parameters.json.

    Parameters
    ----------
    what : str
        A nonlinear mixture of a few components.
    output : Path
        Directory to write into.
    n_samples : int
        Number of rows.
    n_features : int
        Number of columns.
    n_components : int
        Number of components.
    kind : str
        Kind of mixture.
    latents : str
        Distribution of the components.
    correlation : float
        Of each two components, where they depend on each other; 0.5 by default.
    strength : float
        Of the nonlinear part; by default one that suits the kind.
    noise : float
        In standard deviations of each feature.
    seed : int
        Seed of all randomness.
    """

    what: Positional[Literal["mixture"]]
    output: Annotated[Path, arg(metavar="DIR")]
    n_samples: Annotated[int, arg(metavar="N", aliases=["-n"])] = 1000
    n_features: Annotated[int, arg(metavar="N", aliases=["-m"])] = 50
    n_components: Annotated[int, arg(metavar="N", aliases=["-d"])] = 3
    kind: Literal["linear", "post-nonlinear", "perturbed", "orthogonal", "sparse", "isotropic"] = "post-nonlinear"
    latents: Literal["uniform", "dependent", "gaussian"] = "dependent"
    correlation: Annotated[float | None, arg(metavar="FLOAT")] = None
    strength: Annotated[float | None, arg(metavar="FLOAT")] = None
    noise: float = 0.0
    seed: int = 0

    def run(self) -> None:
        """Run the command."""
        from identica.datasets import make_mixture
        from identica.io import output_directory, write_csv, write_json, write_npy

        check_seed(self.seed)
        X, latents, jacobians = make_mixture(
            self.n_samples,
            self.n_features,
            self.n_components,
            kind=self.kind,
            latents=self.latents,
            correlation=self.correlation,
            strength=self.strength,
            noise=self.noise,
            random_state=self.seed,
        )
        parameters = dataclasses.asdict(self)
        del parameters["output"]
        with output_directory(self.output) as directory:
            write_npy(directory / "X.npy", X)
            write_csv(directory / "X.csv", X, [f"feature_{i}" for i in range(X.shape[1])])
            write_npy(directory / "latents.npy", latents)
            write_npy(directory / "jacobians.npy", jacobians)
            write_json(directory / "parameters.json", parameters)
        print(f"{X.shape[0]} samples, {X.shape[1]} features, {latents.shape[1]} components are in {directory}")
