"""The align stage: the one linear change of latents that makes the Jacobian's volume criterion largest.

After the reconstruct stage the latents are right up to a smooth map; what a single d x d matrix T can put
right is put right here, from many random starts in one batch. Because
log det(T'GT) = log det G + 2 log |det T|, a start costs only the row norms of J T.

Symbols: d = n_components, J = decoder Jacobian, c_p as in :func:`identica.criteria.volume_criterion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from identica.criteria import log_power_mean, row_norms, volume_criterion

__all__ = ["Alignment", "align", "best_criterion", "best_scales", "matched_cosine"]


@final
@dataclass(frozen=True)
class Alignment:
    """What the align stage found.

    Parameters
    ----------
    transform : Tensor of shape (n_components, n_components)
        T: the new Jacobian is J T, the new latents T^-1 z.
    criteria : Tensor of shape (n_restarts,)
        Mean c_p of each restart, up to a constant that all share.
    agreement : float
        Mean matched |cosine| between the best restart's components and the others'; near 1 where the data tell
        the components apart.
    """

    transform: Tensor
    criteria: Tensor
    agreement: float


def align(
    matrices: Tensor,
    *,
    p: float,
    n_restarts: int,
    generator: torch.Generator,
    n_steps: int = 400,
    learning_rate: float = 0.05,
) -> Alignment:
    """Maximise the mean of c_p(J T) over T, from random starts side by side.

    Parameters
    ----------
    matrices : Tensor of shape (n_points, n_features, n_components)
        Jacobians at a few data points; a sample of their rows serves as well.
    p : float
        Exponent of the power mean of the row norms.
    n_restarts : int
        Number of starts.
    generator : torch.Generator
        Source of randomness, on the CPU.
    n_steps : int, default=400
        Optimisation steps.
    learning_rate : float, default=0.05
        Of Adam, on the entries of a transform whose columns begin at unit size.

    Returns
    -------
    Alignment
        The best restart's transform, the criterion of each and how far they agree.

    Examples
    --------
    >>> rows = torch.cat([torch.eye(2)] * 8)[None] @ torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    >>> found = align(rows, p=3.0, n_restarts=4, generator=torch.Generator().manual_seed(0))
    >>> mixed = (rows[0, :2] @ found.transform).abs()
    >>> round(float(mixed.min() / mixed.max()), 2)
    0.0
    """
    d = matrices.shape[-1]
    gram = (matrices.mT @ matrices).mean(0).double()
    whitening = _inverse_square_root(gram).to(matrices)
    whitened = (matrices @ whitening).flatten(0, 1)
    # Unit scale for the optimiser: typical rows get norm 1, which no result depends on.
    whitened = whitened * (d**0.5 / whitened.square().sum(-1).mean().sqrt())
    starts = torch.randn(n_restarts, d, d, generator=generator, dtype=torch.float64)
    turns = torch.linalg.qr(starts).Q.to(matrices).requires_grad_(True)
    shape = (matrices.shape[0], -1, n_restarts, d)

    def criterion(turned: Tensor) -> Tensor:
        mixed = (whitened @ turned.permute(1, 0, 2).reshape(d, n_restarts * d)).reshape(shape)
        size = log_power_mean(row_norms(mixed).movedim(1, -1), p).mean(0)
        log_volume: Tensor = torch.linalg.slogdet(turned).logabsdet / d
        return log_volume - size

    optimiser = torch.optim.Adam([turns], lr=learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
    for _ in range(n_steps):
        optimiser.zero_grad(set_to_none=True)
        loss = -criterion(turns).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        criteria = criterion(turns)
    best = int(criteria.argmax())
    found = turns.detach()
    others = [matched_cosine(found[best], found[i]) for i in range(n_restarts) if i != best]
    agreement = sum(others) / len(others) if others else 1.0
    return Alignment(whitening @ found[best], criteria, agreement)


def matched_cosine(first: Tensor, second: Tensor) -> float:
    """Return the mean |cosine| between the columns of two matrices, matched one to one.

    Parameters
    ----------
    first, second : Tensor of shape (n, d)
        Matrices whose columns are compared up to order, sign and length.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> matched_cosine(torch.eye(3), -torch.eye(3)[:, [2, 0, 1]])
    1.0
    """
    first = first / first.norm(dim=0, keepdim=True)
    second = second / second.norm(dim=0, keepdim=True)
    cosines = (first.mT @ second).abs().cpu().numpy()
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    return float(cosines[rows, columns].mean())


def _inverse_square_root(gram: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(gram)
    floor = values[-1].clamp_min(torch.finfo(gram.dtype).tiny ** 0.5) * 1e-10
    root: Tensor = vectors / values.clamp_min(floor).sqrt()
    return root


def best_scales(matrices: Tensor, p: float) -> Tensor:
    """Return the scales of the components at which the mean of c_p(J diag(scales)) is largest.

    A component's scale is not identifiable, so that a criterion which compares fits must not depend on it. In
    the logarithms of the scales the problem is convex: the one maximum is found by L-BFGS.

    Parameters
    ----------
    matrices : Tensor of shape (n_points, n_features, n_components)
        Jacobians.
    p : float
        Exponent of the power mean of the row norms.

    Returns
    -------
    Tensor of shape (n_components,)
        Positive numbers with geometric mean 1.

    Examples
    --------
    >>> best_scales(torch.diag(torch.tensor([2.0, 0.5]))[None], 3.0).round(decimals=3)
    tensor([0.5000, 2.0000])
    """
    sizes = matrices.detach().abs().double()
    # A component that does nothing would otherwise be scaled up for ever.
    limits = torch.finfo(torch.float64)
    sizes = sizes.clamp_min((sizes.max() * limits.eps**2).clamp_min(limits.tiny**0.5))
    logarithms = (-sizes.mean((0, 1)).log()).requires_grad_(True)
    optimiser = torch.optim.LBFGS([logarithms], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        norms = sizes @ logarithms.exp()
        value = log_power_mean(norms, p).mean() - logarithms.mean()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = logarithms.detach()
    return (found - found.mean()).exp().to(matrices.dtype)


def best_criterion(matrices: Tensor, p: float) -> Tensor:
    """Return the mean of c_p at the scales of the components at which it is largest.

    Parameters
    ----------
    matrices : Tensor of shape (n_points, n_features, n_components)
        Jacobians.
    p : float
        Exponent of the power mean of the row norms.

    Returns
    -------
    Tensor of shape ()
        The criterion.
    """
    return volume_criterion(matrices * best_scales(matrices, p), p).mean()
