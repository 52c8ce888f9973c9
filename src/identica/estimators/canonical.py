"""The canonical form of fitted components, and what is reported of them.

A fit fixes the components only up to order, sign and scale. Here they get zero mean, unit variance, an order by how
much they influence the features and the sign with which their most influenced feature goes up with them.

Symbols: m = n_features, d = n_components, J = decoder Jacobian in standardised units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from identica.criteria import LocalGeometry, Volume, best_value, common_shift, volume_efficiency
from identica.estimators.conditioning import Conditioning, find_conditioning
from identica.jacobian import jacobian
from identica.networks import change_basis, evaluate

__all__ = ["ENTRIES_AT_ONCE", "Summary", "canonicalise"]

POINTS = 512
"""Data points at which influence and criterion are averaged."""
ENTRIES_AT_ONCE = 2**24
VOLUME_POINTS = 64
VOLUME_ROWS = 2048
DUPLICATE_ROWS = 2000
DUPLICATE = 0.98
"""Rank correlation from which two components count as one."""
LEAST_LEFT = 1e-3
"""Of a component's deviation: what is left of one that covariates tell wholly is not enlarged beyond its inverse."""


@final
@dataclass(frozen=True)
class Summary:
    """What is reported of fitted components.

    Parameters
    ----------
    influence : Tensor of shape (n_features, n_components)
        Mean of |J| over samples, per standard deviation of the component.
    volume_efficiency : float
        Share of the largest possible volume that the Jacobians reach, at p = 2.
    duplicates : list of tuple of int
        Pairs of components that are nearly functions of each other, and components that hardly vary with themselves.
    conditioning : Conditioning or None
        How far what the encoder gives follows depth and covariates; None where nothing is known.
    """

    influence: Tensor
    volume_efficiency: float
    duplicates: list[tuple[int, int]]
    conditioning: Conditioning | None


def canonicalise(
    encoder: nn.Sequential,
    decoder: nn.Sequential,
    rows: Tensor,
    *,
    seed: int,
    group_size: int = 1,
    direction: Tensor | None = None,
    design: NDArray[np.float64] | None = None,
    held_out: NDArray[np.intp] | None = None,
) -> Summary:
    """Change the basis of the latents to the canonical one, in place, and describe the components.

    Parameters
    ----------
    encoder, decoder : torch.nn.Sequential
        Framed networks in float64; what they reconstruct stays as it is.
    rows : Tensor of shape (n_samples, n_features)
        Standardised data.
    seed : int
        Of the choice of data points at which to average.
    group_size : int, default=1
        Components beside each other that stay together, ordered by what they do together.
    direction : Tensor of shape (n_features,), optional
        Of a common shift of the Jacobian's rows that the data do not tell, and that is taken out of what is reported.
    design : ndarray of shape (n_samples, q), optional
        Depth and covariates, what they tell of components is taken out of these.
    held_out : ndarray of int, optional
        Rows that the networks were not trained on.

    Returns
    -------
    Summary
        What is reported.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(rows), generator=generator)[:POINTS]
    few = rows[chosen.to(rows.device)].double()
    latents = evaluate(lambda part: encoder(part.double()), rows)
    with torch.no_grad():
        size, signed, shift = _mean_jacobians(encoder, decoder, few, direction)
        conditioning = None
        if design is not None:
            # A feature that does not answer to a component loses in share what the component adds to the total.
            total = None if shift is None else -shift.cpu().numpy()
            nothing = np.empty(0, dtype=np.intp)
            rows_kept_out = nothing if held_out is None else held_out
            conditioning = find_conditioning(latents.cpu().numpy(), design, rows_kept_out, total)
        mean, whole = latents.mean(0), latents.std(0, unbiased=False)
        deviation = _without(conditioning, latents, design).std(0, unbiased=False).maximum(LEAST_LEFT * whole)
        deviation = torch.where(deviation > 0, deviation, 1.0)
        strength = size.sum(0) * deviation
        together = strength.reshape(-1, group_size).sum(1).repeat_interleave(group_size)
        within = torch.argsort(strength, descending=True, stable=True)
        group = torch.arange(len(strength), device=strength.device) // group_size
        # Sorted by the group's strength, then by the group, and within it by the component's own.
        by_group = within[torch.argsort(group[within], stable=True)]
        order = by_group[torch.argsort(together[by_group], descending=True, stable=True)]
        at_strongest = signed.gather(0, size.argmax(0, keepdim=True)).squeeze(0)
        sign = torch.where(at_strongest < 0, -1.0, 1.0).to(deviation)
        transform = torch.diag(deviation * sign)[:, order]
        change_basis(encoder, decoder, transform, mean)
        if conditioning is not None:
            conditioning = conditioning.in_basis(transform.cpu().numpy(), mean.cpu().numpy())
        influence, *_ = _mean_jacobians(encoder, decoder, few, direction)
        shown = torch.randperm(rows.shape[1], generator=generator)[:VOLUME_ROWS].to(rows.device)
        _, matrices = jacobian(decoder, encoder(few[:VOLUME_POINTS]), features=shown)
        compared = evaluate(lambda part: encoder(part.double()), rows[:DUPLICATE_ROWS])
        duplicates = _duplicates(_without(conditioning, compared, design))
    among = None if direction is None else direction.to(matrices)[shown]
    reached = best_value(Volume(2.0), LocalGeometry.of(matrices, among))
    return Summary(influence, float(volume_efficiency(reached, *matrices.shape[1:])), duplicates, conditioning)


def _without(conditioning: Conditioning | None, latents: Tensor, design: NDArray[np.float64] | None) -> Tensor:
    if conditioning is None or design is None:
        return latents
    return torch.as_tensor(conditioning.without(latents.cpu().numpy(), design[: len(latents)])).to(latents)


def _duplicates(latents: Tensor) -> list[tuple[int, int]]:
    """Return the pairs of components whose ranks follow each other almost exactly."""
    ranks = latents.argsort(0).argsort(0).double()
    d = latents.shape[1]
    correlation = torch.corrcoef(ranks.T).reshape(d, d).abs()
    pairs = (torch.triu(correlation, 1) > DUPLICATE).nonzero()
    return [(int(i), int(j)) for i, j in pairs]


def _mean_jacobians(
    encoder: nn.Module, decoder: nn.Module, few: Tensor, direction: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the means of |J| and of J over samples, each (n_features, n_components), and of the common shift."""
    size = signed = shift = torch.zeros((), dtype=few.dtype, device=few.device)
    for part in torch.split(few, max(1, ENTRIES_AT_ONCE // (few.shape[1] * 16))):
        _, matrix = jacobian(decoder, encoder(part))
        if direction is not None:
            common = common_shift(matrix, direction.to(matrix))
            matrix = matrix - direction.to(matrix)[:, None] * common.unsqueeze(-2)
            shift = shift + common.sum(0)
        size = size + matrix.abs().sum(0)
        signed = signed + matrix.sum(0)
    return size / len(few), signed / len(few), None if direction is None else shift / len(few)
