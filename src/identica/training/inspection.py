"""What can be seen of a start from outside: latents of some rows, what it explains, how far it had come."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from identica.training.trainer import Trainer

__all__ = ["draw_latents", "error_at", "explained_by_feature", "share_explained"]

EXPLAINED_ROWS = 1024


def draw_latents(start: Trainer, n_points: int, generator: torch.Generator) -> Tensor:
    """Encode some of the training rows.

    Parameters
    ----------
    start : Trainer
        Holds networks and data.
    n_points : int
        How many, at most.
    generator : torch.Generator
        Source of the choice, on the CPU.

    Returns
    -------
    Tensor of shape (n, n_components)
        Their latents.
    """
    start.encoder.eval()
    start.decoder.eval()
    rows = start.data.train
    chosen = torch.randperm(len(rows), generator=generator)[:n_points]
    with torch.no_grad():
        latents: Tensor = start.encoder(start.data.inputs(rows[chosen.to(rows.device)]))
    return latents


def explained_by_feature(start: Trainer) -> Tensor:
    """Return the share of each feature's variance that the networks explain on the validation rows.

    Parameters
    ----------
    start : Trainer
        Holds networks and data.

    Returns
    -------
    Tensor of shape (n_features,)
        1 for a feature that is rebuilt perfectly; 0 for one that is constant there.
    """
    start.encoder.eval()
    start.decoder.eval()
    with torch.no_grad():
        rows = start.data.inputs(start.data.validation[:EXPLAINED_ROWS])
        errors, target = start.decoder(start.encoder(rows)).flatten(1) - rows.flatten(1), rows.flatten(1)
        if start.data.loadings is not None:
            errors, target = errors @ start.data.loadings.T, target @ start.data.loadings.T
    return share_explained(errors, target)


def share_explained(errors: Tensor, rows: Tensor) -> Tensor:
    """Return the share of each feature's variance that a reconstruction explains.

    Parameters
    ----------
    errors, rows : Tensor of shape (n, ...)
        Of the reconstruction, and data.

    Returns
    -------
    Tensor of shape (n_features,)
        1 for a feature that is rebuilt perfectly; 0 for one that is constant.
    """
    errors, rows = errors.flatten(1), rows.flatten(1)
    left, whole = errors.square().mean(0), (rows - rows.mean(0)).square().mean(0)
    tiny = torch.finfo(whole.dtype).tiny
    return torch.where(whole > tiny, 1 - left / whole.clamp_min(tiny), 0.0)


def error_at(start: Trainer, step: int) -> float:
    """Return the last validation reconstruction that the history has, up to a number of steps of the first stage.

    Parameters
    ----------
    start : Trainer
        Holds the history.
    step : int
        Steps.

    Returns
    -------
    float
        Infinity where nothing has been trained.
    """
    if not start.history:
        return math.inf
    # A pause comes at the end of an epoch: the first record's step is the length of one.
    stage, length = start.history[0]["stage"], start.history[0]["step"]
    seen = [r["validation_reconstruction"] for r in start.history if r["stage"] == stage and r["step"] - length < step]
    return float(seen[-1]) if seen else math.inf
