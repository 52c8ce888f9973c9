"""Data sets on which signals are tested: families from those that must be found to those that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from identica.arguments import check_integer
from identica.datasets import make_cells, make_mixture, make_nonstationary
from identica.experiments.benchmark import DatasetSpec
from identica.experiments.comparison import Simulation, check_known

__all__ = ["SEPARATOR", "STUDY_FAMILIES", "Setting", "settings", "study_datasets"]

N_TEST_SAMPLES = 1_000
N_SAMPLES = (300, 1_000, 2_000, 4_000)
NOISE = (0.0, 0.0, 0.3)
"""One of these with equal odds, in units of each feature's deviation."""
LARGEST_D = 10
MOST_FEATURES = 1_000
FEWEST_PER_COMPONENT = 4
SEPARATOR = "/"
"""Between family and number in the name of a data set."""
STRENGTHS: Mapping[str, tuple[float, float]] = {
    "post-nonlinear": (1.0, 10.0),
    "one-sided": (1.0, 10.0),
    "sparse": (1.0, 10.0),
    "isotropic": (1.0, 10.0),
    "perturbed": (0.3, 1.5),
    "additive": (1.0, 5.0),
    "folded": (1.0, 4.0),
    "orthogonal": (0.3, 1.0),
    "compositional": (0.3, 1.0),
}
"""From mild to so strong that methods fail."""
BENT = {"half_responses": "edge", "hill": 4.0, "fold": 16.0}
LAYERS = (2, 3)
STUDY_FAMILIES = ("linear", *STRENGTHS, "cells", "cells-bent", "layers")


@final
@dataclass(frozen=True)
class Setting:
    """One data set of the study.

    Parameters
    ----------
    family : str
        One of ``STUDY_FAMILIES``.
    number : int
        Which of its data sets; also what its seed is made of.
    n_components, n_features, n_samples : int
        Sizes; cells have as many features as their network has genes.
    noise : float
        Deviation of normal noise, in units of each feature's own.
    arguments : mapping of str to object
        Of the function of :mod:`identica.datasets` that makes the data, beside these.
    """

    family: str
    number: int
    n_components: int
    n_features: int
    n_samples: int
    noise: float
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, n_samples: int, seed: int) -> Simulation:
        """Generate the data set.

        Parameters
        ----------
        n_samples : int
            How many, those to score on included.
        seed : int
            With the family and the number, of all that is drawn.

        Returns
        -------
        Mixture, SimulatedCells or NonstationaryMixture
            With the truth.
        """
        own = int(np.random.default_rng([seed, STUDY_FAMILIES.index(self.family), self.number]).integers(2**31 - 1))
        if not self.family.startswith("cells"):
            sizes = {"n_features": self.n_features, "n_components": self.n_components}
            given = {**sizes, "noise": self.noise, "random_state": own, **self.arguments}
            if self.family == "layers":
                return make_nonstationary(n_samples, **given)
            return make_mixture(n_samples, kind=self.family, **given)  # type: ignore[arg-type]
        cells = make_cells(n_samples, self.n_components, random_state=own, **self.arguments)
        drawn = np.random.default_rng(own).standard_normal(cells.X.shape)
        return replace(cells, X=cells.X + self.noise * cells.X.std(axis=0) * drawn)

    @property
    def name(self) -> str:
        """Family and number."""
        return f"{self.family}{SEPARATOR}{self.number}"


def settings(family: str, numbers: Iterable[int]) -> list[Setting]:
    """Draw data sets of a family, each by its number alone.

    The number of components is from 2 to 10, that of features from 4 per component to 1,000 (its logarithm uniform),
    that of samples 300, 1,000, 2,000 or 4,000; one in three has noise of 0.3 of each feature's deviation. Mixtures have
    uniform, dependent or normal components, and a strength from mild to one at which methods fail; cells have
    cross-talk of 0, 0.2 or 1; layers are networks of two or three that mix non-stationary sources.

    Parameters
    ----------
    family : str
        One of ``STUDY_FAMILIES``.
    numbers : iterable of int
        Which.

    Returns
    -------
    list of Setting
        In the order of the numbers.

    Examples
    --------
    >>> [(one.n_components, one.n_samples) for one in settings("folded", range(3))]
    [(10, 2000), (9, 4000), (4, 1000)]
    """
    drawn = []
    for number in numbers:
        check_integer("number", number, 0)
        random = np.random.default_rng([STUDY_FAMILIES.index(family), number])
        d = int(random.integers(2, LARGEST_D + 1))
        m = round(float(np.exp(random.uniform(np.log(FEWEST_PER_COMPONENT * d), np.log(MOST_FEATURES)))))
        n = int(random.choice(N_SAMPLES))
        noise = float(random.choice(NOISE))
        arguments: dict[str, Any] = {}
        if family.startswith("cells"):
            arguments = {"cross_talk": float(random.choice([0.0, 0.2, 1.0])), **(BENT if family != "cells" else {})}
        elif family == "layers":
            arguments = {
                "n_layers": int(random.choice(LAYERS)),
                "activation": str(random.choice(["leaky-relu", "tanh"])),
            }
        else:
            arguments["latents"] = str(random.choice(["uniform", "dependent", "gaussian"]))
        if family in STRENGTHS:
            arguments["strength"] = float(random.uniform(*STRENGTHS[family]))
        if family == "sparse":
            arguments["n_active"] = int(random.integers(1, d))
        if family == "compositional":
            arguments["block_size"] = 1  # larger blocks are found as blocks alone
        drawn.append(Setting(family, number, d, m, n, noise, arguments))
    return drawn


def study_datasets(families: Sequence[str] | None = None, n_each: int = 25) -> dict[str, DatasetSpec]:
    """Return the data sets of the study.

    Parameters
    ----------
    families : sequence of str, optional
        Some of ``STUDY_FAMILIES``; all by default.
    n_each : int, default=25
        Data sets of each family.

    Returns
    -------
    dict of str to DatasetSpec
        By name, the first of each family before any second.

    Raises
    ------
    TypeError
        If ``n_each`` is no integer.
    ValueError
        If a family is unknown or named twice, or ``n_each`` is less than 1.
    """
    chosen = list(STUDY_FAMILIES if families is None else families)
    check_known("family", chosen, STUDY_FAMILIES)
    check_integer("n_each", n_each, 1)
    return {
        setting.name: DatasetSpec(setting, setting.n_samples, N_TEST_SAMPLES, setting.n_components)
        for number in range(n_each)
        for family in chosen
        for setting in settings(family, [number])
    }
