"""The align stage on an estimator's networks, and what is concluded from how its restarts agree."""

from __future__ import annotations

import warnings
from typing import Protocol

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from identica.alignment import align
from identica.networks import change_basis
from identica.penalties import JacobianSample
from identica.trainer import Trainer

__all__ = ["Aligned", "align_networks", "conclude_alignment"]

ALIGN_POINTS = 64
ALIGN_ROWS = 16384
AGREEMENT = 0.95


class Aligned(Protocol):
    """An estimator that has an align stage."""

    n_restarts: int
    restarts_: object
    restart_agreement_: float


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
    encoder, decoder, rows = trainer.encoder, trainer.decoder, trainer.data.train
    n_components = trainer.n_components
    encoder.eval()
    decoder.eval()
    chosen = torch.randperm(len(rows), generator=generator)[:n_points]
    n_rows = max(ALIGN_ROWS // len(chosen), 8 * n_components)
    few = JacobianSample(len(chosen), n_rows, trainer.data.units)
    with torch.no_grad():
        latents = encoder(rows[chosen.to(rows.device)])
        stacked = torch.cat([few.jacobian(decoder, point, generator) for point in torch.split(latents, 1)])
    alignment = align(stacked, p=p, n_restarts=n_restarts, generator=generator)
    change_basis(encoder, decoder, alignment.transform, torch.zeros(n_components))
    return {
        "criteria": alignment.criteria,
        "agreement": torch.tensor(alignment.agreement),
        "reconstruction": torch.tensor(trainer.validate()),
    }


def conclude_alignment(estimator: Aligned, found: dict[str, Tensor]) -> None:
    """Set restarts_ and restart_agreement_, and warn where the restarts end at different components.

    Parameters
    ----------
    estimator : Aligned
        What has been fitted.
    found : dict of str to Tensor
        As `align_networks` returned.
    """
    estimator.restarts_ = found["criteria"].double().cpu().numpy()
    estimator.restart_agreement_ = float(found["agreement"])
    if estimator.restart_agreement_ < AGREEMENT:
        warnings.warn(
            f"the {estimator.n_restarts} restarts of the alignment end at different components (agreement "
            f"{estimator.restart_agreement_:.2f}, below {AGREEMENT}): these data may not tell the components apart, "
            "so do not read meaning into single components; try fewer components or more samples",
            ConvergenceWarning,
            stacklevel=4,
        )
