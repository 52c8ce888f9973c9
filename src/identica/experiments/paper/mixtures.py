"""What can be identified without independence or sparsity, and what not: mixtures whose condition holds or fails."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from identica.datasets import Mixture, make_mixture
from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec
from identica.experiments.comparison import FAMILIES, build_methods
from identica.experiments.paper.study import Rows, Settings, Study, mean_of, sound
from identica.experiments.tables import markdown_table
from identica.solvers import Staged

__all__ = ["CONDITION_FAILS", "CONDITION_HOLDS", "MIXTURES", "RIVALS"]

CONDITION_HOLDS = ("post-nonlinear", "perturbed")
"""Dense Jacobians whose rows reach into the corners of the ball, and dependent components."""
CONDITION_FAILS = ("isotropic",)
"""Rows without corners."""
RIVALS = ("fastica", "autoencoder", "sparse-jacobian")
METHODS = (*RIVALS, "dica-joint", "dica")


def _plan(settings: Settings, folder: Path) -> BenchmarkPlan:
    return BenchmarkPlan(
        {
            family: DatasetSpec(
                partial(_mixture, **FAMILIES[family]),
                settings.n_samples,
                settings.n_test_samples,
                FAMILIES[family]["n_components"],
            )
            for family in (*CONDITION_HOLDS, *CONDITION_FAILS)
        },
        {name: MethodSpec(partial(_built, name, settings.n_init, settings)) for name in METHODS},
        settings.seeds,
    )


def _mixture(n_samples: int, seed: int, **arguments: Any) -> Mixture:
    return make_mixture(n_samples, **arguments, latents="dependent", random_state=seed)


def _built(name: str, n_init: int, settings: Settings, dataset: DatasetSpec) -> Any:
    built = build_methods([name], dataset.n_components, None, settings.training, 0, n_init=n_init)[name]
    return built.set_params(solver=Staged(restarts=settings.restarts)) if name == "dica" else built


def _section(rows: Rows, folder: Path) -> str:
    families = [
        family
        for family in (*CONDITION_HOLDS, *CONDITION_FAILS)
        if mean_of(sound(rows), "seed", dataset=family) is not None
    ]
    table = [
        {
            "method": method,
            **{family: mean_of(sound(rows), "r2_mean", dataset=family, method=method) for family in families},
        }
        for method in METHODS
    ]
    return (
        "Dependent components (each two of them correlated) and Jacobians without a zero; mean R² of new samples. On "
        f"*{', '.join(CONDITION_FAILS)}* the condition does not hold.\n\n"
        + markdown_table(table, ["method", *families])
    )


MIXTURES = Study(
    "mixtures",
    "Without independence and without sparsity",
    _section,
    "identica reproduce paper --only mixtures",
    _plan,
)
