"""The align stage on an estimator's networks, and what is concluded from how its restarts agree."""

from __future__ import annotations

import warnings
from typing import Protocol

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from identica.criteria import JacobianSample, row_norms
from identica.jacobian import jacobian
from identica.networks import change_basis
from identica.solvers.alignment import Alignment, align, best_scales
from identica.training.trainer import Trainer

__all__ = ["Aligned", "align_networks", "conclude_alignment", "settle_networks"]

ALIGN_POINTS = 64
ALIGN_ROWS = 16384
UNEVENNESS_POINTS = 64
UNEVENNESS_ROWS = 2048
FAR = 0.1
"""By how much the coefficient of variation of the row norms must be less at unit variance for that to be chosen."""
AGREEMENT = 0.95


class Aligned(Protocol):
    """An estimator that has an align stage."""

    n_restarts: int
    restarts_: object
    restart_agreement_: float
    criterion_units_: str


def align_networks(
    trainer: Trainer, p: float, n_restarts: int, generator: torch.Generator, *, n_points: int = ALIGN_POINTS
) -> dict[str, Tensor]:
    """Turn the latents so that the criterion of the decoder's Jacobians at some data points is largest.

    Parameters
    ----------
    trainer : Trainer
        Holds framed networks, which are changed in place, and the data.
    p : float
        Exponent of the power mean of the row norms.
    n_restarts : int
        Random starts.
    generator : torch.Generator
        Source of randomness, on the CPU.
    n_points : int, default=64
        Data points at which to take Jacobians; one serves where they are the same everywhere.

    Returns
    -------
    dict of str to Tensor
        "criteria" of each start, their "agreement", and the "reconstruction" error on the validation rows.
    """
    latents = _draw_latents(trainer, n_points, generator)
    alignment = _align_at(trainer, latents, trainer.data.units, p, n_restarts, generator)
    return {
        "criteria": alignment.criteria,
        "agreement": torch.tensor(alignment.agreement),
        "reconstruction": torch.tensor(trainer.validate()),
    }


def settle_networks(
    trainer: Trainer, p: float, n_restarts: int, generator: torch.Generator, *, n_points: int = ALIGN_POINTS
) -> dict[str, Tensor]:
    """Find out in which units to compare rows; at unit variance, turn the latents once more.

    The criterion wants all rows at one bound, as (4) of arXiv:2510.17040 does. Where rows are far more even with every
    feature at unit variance than in the features' own units, these say nothing about the mixing. Then it is the
    alignment at unit variance, with p of at least 2, that counts; otherwise the latents stay as they are.

    Parameters
    ----------
    trainer : Trainer
        Holds framed networks, which are changed in place, and the data.
    p : float
        Exponent of the power mean of the row norms.
    n_restarts : int
        Random starts.
    generator : torch.Generator
        Source of randomness, on the CPU.
    n_points : int, default=64
        Data points at which to take Jacobians.

    Returns
    -------
    dict of str to Tensor
        Whether "unit_variance" it is, and where it is "criteria" and "agreement" of that alignment.
    """
    latents = _draw_latents(trainer, n_points, generator)
    own = trainer.data.units
    even = torch.ones_like(own)
    if not _unevenness(trainer, latents, own, generator) - _unevenness(trainer, latents, even, generator) > FAR:
        return {"unit_variance": torch.tensor(False)}
    alignment = _align_at(trainer, latents, even, max(p, 2.0), n_restarts, generator)
    return {
        "unit_variance": torch.tensor(True),
        "criteria": alignment.criteria,
        "agreement": torch.tensor(alignment.agreement),
    }


def _draw_latents(trainer: Trainer, n_points: int, generator: torch.Generator) -> Tensor:
    """Encode some data points."""
    trainer.encoder.eval()
    trainer.decoder.eval()
    rows = trainer.data.train
    chosen = torch.randperm(len(rows), generator=generator)[:n_points]
    with torch.no_grad():
        latents: Tensor = trainer.encoder(rows[chosen.to(rows.device)])
    return latents


def _align_at(
    trainer: Trainer, latents: Tensor, units: Tensor, p: float, n_restarts: int, generator: torch.Generator
) -> Alignment:
    """Align at some latents and write what was found into the networks."""
    few = JacobianSample(len(latents), max(ALIGN_ROWS // len(latents), 8 * trainer.n_components), units)
    with torch.no_grad():
        stacked = torch.cat([few.jacobian(trainer.decoder, point, generator) for point in torch.split(latents, 1)])
    alignment = align(stacked, p=p, n_restarts=n_restarts, generator=generator)
    change_basis(trainer.encoder, trainer.decoder, alignment.transform, torch.zeros(trainer.n_components))
    return alignment


def _unevenness(trainer: Trainer, latents: Tensor, units: Tensor, generator: torch.Generator) -> float:
    """Return the coefficient of variation, over features, of the mean L1 norm of the Jacobian's rows."""
    rows = torch.randperm(len(units), generator=generator)[:UNEVENNESS_ROWS].to(units.device)
    with torch.no_grad():
        _, matrices = jacobian(trainer.decoder, latents[:UNEVENNESS_POINTS], features=rows)
    matrices = matrices * units[rows].unsqueeze(-1)
    norms = row_norms(matrices * best_scales(matrices, 2.0)).mean(0)
    return float(norms.std(unbiased=False) / norms.mean().clamp_min(torch.finfo(norms.dtype).tiny))


def conclude_alignment(estimator: Aligned, trainer: Trainer) -> None:
    """Set restarts_, restart_agreement_ and criterion_units_, and warn where the restarts end at different components.

    Parameters
    ----------
    estimator : Aligned
        What has been fitted.
    trainer : Trainer
        Has run the stages "align" and "settle".
    """
    found = trainer.result("align") | trainer.result("settle")  # of the alignment that counts
    estimator.restarts_ = found["criteria"].double().cpu().numpy()
    estimator.restart_agreement_ = float(found["agreement"])
    estimator.criterion_units_ = "unit variance" if trainer.unit_variance else "own"
    if estimator.restart_agreement_ < AGREEMENT:
        warnings.warn(
            f"the {estimator.n_restarts} restarts of the alignment end at different components (agreement "
            f"{estimator.restart_agreement_:.3f}, below {AGREEMENT}): these data may not tell the components apart, "
            "so do not read meaning into single components; try fewer components or more samples",
            ConvergenceWarning,
            stacklevel=4,
        )
