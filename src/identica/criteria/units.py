"""In which unit each feature counts: its own or one that does not depend on the user's, shared by copies, 0 for noise.

Symbols: n points, k features, d = n_components, J_in = row of feature i at point n.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["row_units"]

ALIKE = 0.995
"""Squared cosine above which features count as copies of one another, the more the nearer to 1."""
SAMPLE = 4096
"""Features among which copies are looked for at once."""
N_STEPS = 50
SMALL = 1e-6


def row_units(rows: Tensor, explained: Tensor, *, transform: Tensor | None = None, own: Tensor | None = None) -> Tensor:
    """Return the factor by which each row of the Jacobian is multiplied before a criterion looks at it.

    The factor of feature i is e_i / (n_i h_i). Its length h_i is measured in the metric of Tyler's scatter S of all
    rows (Tyler, 1987), the fixed point of

        h_i^2 = mean_n J_in S^-1 J_in',    S = d mean_i ( mean_n J_in' J_in / h_i^2 ),

    which does not change when a feature is multiplied by a number, and turns with the latents when these do. Once
    components are known up to a smooth change, as J T, it is measured in them: h_i = mean_n ||J_in T||_1, so that all
    features have one bound in (4) of arXiv:2510.17040. e_i is the share of the feature's variance that the model
    explains, and n_i = sum_k max(0, (c_ik - 0.995) / (1 - 0.995)) the number of its copies, with c_ik the squared
    cosine between features i and k over all points, in the metric of S; in the mean that gives S a feature counts
    1 / n_i. So a feature that was measured sixty times has one vote, and a feature of noise has none.

    Parameters
    ----------
    rows : Tensor of shape (n, k, d)
        Rows of the Jacobians of all features at n points.
    explained : Tensor of shape (k,)
        Share of each feature's variance that the model explains; what is negative counts as 0.
    transform : Tensor of shape (d, d), optional
        T, the change of basis of an alignment; Tyler's scatter serves where there is none yet.
    own : Tensor of shape (k,), optional
        Units to keep in place of 1 / h_i; the factor is then proportional to own_i e_i / n_i.

    Returns
    -------
    Tensor of shape (k,)
        At least 0, with mean 1 of (factor * h_i).

    References
    ----------
    D. E. Tyler, "A Distribution-Free M-Estimator of Multivariate Scatter", Annals of Statistics 15, 1987.

    Examples
    --------
    >>> rows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 5.0]])[None]
    >>> units = row_units(rows, torch.ones(3))
    >>> sizes = (units[:, None] * rows[0]).abs().sum(1)
    >>> [round(float(size / sizes[0]), 3) for size in sizes]
    [1.0, 1.0, 2.0]
    """
    rows = rows.double()
    n_points, _, d = rows.shape
    tiny = torch.finfo(rows.dtype).tiny ** 0.5
    moments = torch.einsum("nki,nkj->kij", rows, rows) / n_points
    sizes = moments.diagonal(dim1=-2, dim2=-1).sum(-1)
    active = (explained > SMALL) & (sizes > sizes.max() * SMALL**2)
    if int(active.sum()) < d:  # nothing is known of what counts
        return torch.ones_like(explained)
    moments = moments[active] / sizes[active, None, None]
    identity = torch.eye(d, dtype=rows.dtype, device=rows.device)
    votes = torch.ones(len(moments), dtype=rows.dtype, device=rows.device)
    for _ in range(2):  # copies are told in a metric that they must not have made
        metric = _tyler(moments, votes / votes.sum(), identity)
        directions = (rows[:, active] @ torch.linalg.cholesky(metric)).movedim(0, 1).flatten(1)
        votes = 1 / _copies(directions / directions.norm(dim=1, keepdim=True).clamp_min(tiny))
    lengths = torch.einsum("kij,ij->k", moments, metric).clamp_min(tiny).sqrt() * sizes[active].sqrt()
    if transform is not None:
        lengths = (rows[:, active] @ transform.double()).abs().sum(-1).mean(0).clamp_min(tiny) * d**0.5
    share = explained[active].double().clamp(0, 1) * votes
    units = torch.zeros_like(sizes)
    if own is not None:
        units[active] = share / share.mean() * own[active].double()
        return units.to(explained.dtype)
    units[active] = share / share.mean() / lengths * (d**0.5)
    return units.to(explained.dtype)


def _tyler(moments: Tensor, weights: Tensor, identity: Tensor) -> Tensor:
    """Return the inverse of Tyler's scatter of features with weights that sum to 1."""
    metric = identity
    for _ in range(N_STEPS):
        lengths = torch.einsum("kij,ij->k", moments, metric).clamp_min(torch.finfo(moments.dtype).tiny ** 0.5)
        scatter = len(identity) * (moments * (weights / lengths)[:, None, None]).sum(0)
        metric = torch.linalg.inv(scatter + SMALL * scatter.diagonal().mean() * identity)
    return metric


def _copies(directions: Tensor) -> Tensor:
    """Return how many features have nearly the same direction as each, itself included."""
    among = directions[:: -(-len(directions) // SAMPLE)]
    each = len(directions) / len(among)
    near = [((part @ among.T).square() - ALIKE).clamp_min(0).sum(1) for part in torch.split(directions, SAMPLE)]
    return (torch.cat(near) * each / (1 - ALIKE)).clamp_min(1.0)
