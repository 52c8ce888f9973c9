"""The align stage: the one linear change of latents that makes a criterion of the Jacobian largest.

After the reconstruct stage the latents are right up to a smooth map; what a single d x d matrix T can put
right is put right here, from many random starts in one batch. Because log det(T'GT) = log det G + 2 log |det T|, and
the columns of J T have the squared lengths diag(T'GT), a start costs only the rows J_i T.

Symbols: d = n_components, J = decoder Jacobian, G = J'J.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from identica.criteria import Criterion, LocalGeometry, common_shift, log_volume_from_gram
from identica.networks import change_basis
from identica.solvers.grouping import grouped
from identica.training.inspection import draw_latents
from identica.training.trainer import Trainer

__all__ = [
    "ALIGNED",
    "ALIGN_POINTS",
    "ALIGN_ROWS",
    "Alignment",
    "align",
    "align_networks",
    "aligned",
    "climb",
    "find_alignment",
    "inverse_square_root",
    "matched_cosine",
]

ALIGN_POINTS = 64
ALIGN_ROWS = 8192
"""Rows of all Jacobians together."""
GROUPED_SHARE = 4
"""Groups of components that are right by themselves need a fraction of the steps."""
FOLLOW = 20
"""Steps after which a common shift of the rows is brought to its median again."""
SPREAD_POINTS = 4096
"""Data points that tell the covariance of the latents."""


ALIGNED: dict[str, tuple[int, ...]] = {"agreement": (), "reconstruction": ()}
"""What the stage gives beside the criteria of its restarts."""


@final
@dataclass(frozen=True)
class Alignment:
    """What the align stage found.

    Parameters
    ----------
    transform : Tensor of shape (n_components, n_components)
        T: the new Jacobian is J T, the new latents T^-1 z.
    criteria : Tensor of shape (n_restarts,)
        The criterion of each restart, up to a constant that all share.
    agreement : float
        Mean matched |cosine| between the best restart's components and the others'; near 1 where the data tell
        the components apart.
    """

    transform: Tensor
    criteria: Tensor
    agreement: float


def align(
    local: LocalGeometry,
    criterion: Criterion,
    *,
    n_restarts: int,
    generator: torch.Generator,
    n_steps: int = 400,
    learning_rate: float = 0.05,
) -> Alignment:
    """Maximise the criterion of J T over T, from random starts side by side.

    Parameters
    ----------
    local : LocalGeometry
        Jacobians at a few data points, with all rows or a sample.
    criterion : Criterion
        What is to be large.
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
    >>> from identica.criteria import Volume
    >>> rows = torch.cat([torch.eye(2)] * 8)[None] @ torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    >>> generator = torch.Generator().manual_seed(0)
    >>> found = align(LocalGeometry.of(rows), Volume(3.0), n_restarts=4, generator=generator)
    >>> mixed = (rows[0, :2] @ found.transform).abs()
    >>> round(float(mixed.min() / mixed.max()), 2)
    0.0
    """
    matrices = local.rows
    n_points, n_rows, d = matrices.shape
    gram = (matrices.mT @ matrices).mean(0).double()
    whitening = inverse_square_root(gram).to(matrices)
    whitened = (matrices @ whitening).flatten(0, 1)
    # Unit scale for the optimiser: typical rows get norm 1, which no result depends on.
    whitened = whitened * (d**0.5 / whitened.square().sum(-1).mean().sqrt())
    across = whitened.T.contiguous()
    whitened = whitened.unflatten(0, (n_points, n_rows))
    grams = whitened.mT @ whitened
    shift = None if local.direction is None else _Shift(whitened, grams, local.direction, n_restarts)
    covariance = _in_whitened(local, whitening) if criterion.of_deviations else None
    starts = torch.randn(n_restarts, d, d, generator=generator, dtype=torch.float64)
    turns = torch.linalg.qr(starts).Q.to(matrices).requires_grad_(True)

    def value(turned: Tensor, criterion: Criterion = criterion) -> Tensor:
        # Rows beside each other in memory: sums over the few components are then sums of long vectors.
        mixed = turned.mT.reshape(n_restarts * d, d) @ across
        mixed = mixed.reshape(n_restarts, d, n_points, n_rows)
        log_volume = 2 * torch.linalg.slogdet(turned).logabsdet[:, None].expand(-1, n_points)
        squared = grams
        if shift is not None:
            mixed, squared = mixed - shift.of(turned), shift.grams
            log_volume = log_volume + shift.log_volume
        squares = ((squared @ turned[:, None]) * turned[:, None]).sum(-2)
        local = LocalGeometry(mixed.movedim(1, -1), log_volume, squares)
        if covariance is not None:
            inverse, _ = torch.linalg.inv_ex(turned)
            local = replace(local, covariance=inverse @ covariance @ inverse.mT)
        return criterion.value(local)

    if criterion.group_size > 1:
        # Which components belong together is told by how they overlap once each is as good as it can be by itself.
        single = criterion.of_single_components()
        climb(lambda turned: value(turned, single), turns, n_steps, learning_rate)
        with torch.no_grad():
            sizes = (turns.mT @ across).abs()
            turns.copy_(grouped(turns, sizes @ sizes.mT, criterion.group_size))
        n_steps = max(1, n_steps // GROUPED_SHARE)
    if shift is None:
        climb(value, turns, n_steps, learning_rate)
    else:
        # Jacobians of counts are noisy, and more restarts find the best answer by a smoother criterion.
        smooth = criterion.smoothed()
        if smooth != criterion:
            climb(lambda turned: value(turned, smooth), turns, n_steps, learning_rate, follow=shift.follow)
            n_steps, learning_rate = max(1, n_steps // 4), learning_rate / 10
        climb(value, turns, n_steps, learning_rate, follow=shift.follow)
    with torch.no_grad():
        criteria = value(turns)
    best = int(criteria.argmax())
    found = turns.detach()
    others = [matched_cosine(found[best], found[i], criterion.group_size) for i in range(n_restarts) if i != best]
    agreement = sum(others) / len(others) if others else 1.0
    return Alignment(whitening @ found[best], criteria, agreement)


@final
class _Shift:
    """The common shift of all rows, which is free, kept at its median in the components as they turn.

    Parameters
    ----------
    whitened : Tensor of shape (n_points, n_rows, d)
        Rows before they are turned.
    grams : Tensor of shape (n_points, d, d)
        Their Gram matrices.
    direction : Tensor of shape (n_rows,)
        How far each row follows the shift.
    n_restarts : int
        Transforms side by side.
    """

    def __init__(self, whitened: Tensor, grams: Tensor, direction: Tensor, n_restarts: int) -> None:
        self.whitened, self.direction = whitened, direction.to(whitened)
        self._of_all = grams
        self._moved = torch.einsum("pkd,k->pd", whitened, self.direction)
        self.shift = whitened.new_zeros(n_restarts, len(whitened), whitened.shape[-1])
        self._describe()

    def _describe(self) -> None:
        """Compute the Gram matrices of the rows that are left, from sums that do not change."""
        crossed = self._moved[:, :, None] * self.shift[..., None, :]
        own = self.direction.square().sum() * self.shift[..., :, None] * self.shift[..., None, :]
        self.grams = self._of_all - crossed - crossed.mT + own
        self.log_volume = log_volume_from_gram(self.grams)

    def of(self, turned: Tensor) -> Tensor:
        """Return what the shift adds to turned rows, of shape (n_restarts, d, n_points, n_rows)."""
        return (self.shift @ turned).mT[..., None] * self.direction

    def follow(self, turned: Tensor) -> None:
        """Bring the shift to its median in the components of each transform."""
        inverse, _ = torch.linalg.inv_ex(turned)
        for i, (transform, back) in enumerate(zip(turned, inverse, strict=True)):
            self.shift[i] = common_shift(self.whitened @ transform, self.direction) @ back
        self._describe()


def climb(
    value: Callable[[Tensor], Tensor],
    turns: Tensor,
    n_steps: int,
    learning_rate: float,
    *,
    follow: Callable[[Tensor], None] | None = None,
) -> None:
    """Maximise a value of each of several transforms.

    Parameters
    ----------
    value : callable
        Takes ``turns`` and returns one number for each.
    turns : Tensor of shape (..., n_components, n_components)
        Where to begin, changed in place.
    n_steps : int
        Steps of Adam, whose rate falls to 0 as a cosine.
    learning_rate : float
        At the beginning.
    follow : callable, optional
        Called with the transforms every 20 steps and at the end.
    """
    optimiser = torch.optim.Adam([turns], lr=learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
    for step in range(n_steps):
        optimiser.zero_grad(set_to_none=True)
        loss = -value(turns).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if follow is not None and ((step + 1) % FOLLOW == 0 or step + 1 == n_steps):
            with torch.no_grad():
                follow(turns.detach())


def align_networks(
    start: Trainer,
    criterion: Criterion,
    n_restarts: int,
    generator: torch.Generator,
    *,
    n_points: int = ALIGN_POINTS,
    n_rows: int = ALIGN_ROWS,
) -> dict[str, Tensor]:
    """Turn the latents so that the criterion of the decoder's Jacobians at some data points is largest.

    Parameters
    ----------
    start : Trainer
        Holds framed networks, which are changed in place, and the data.
    criterion : Criterion
        What is to be large.
    n_restarts : int
        Random starts.
    generator : torch.Generator
        Source of randomness, on the CPU.
    n_points : int, default=64
        Data points at which to take Jacobians; one serves where they are the same everywhere.
    n_rows : int, default=8192
        Rows of all these Jacobians together.

    Returns
    -------
    dict of str to Tensor
        "criteria" of each start, their "agreement", and the "reconstruction" error on the validation rows.
    """
    alignment = find_alignment(start, criterion, n_restarts, generator, n_points=n_points, n_rows=n_rows)
    return aligned(start, alignment, alignment.transform)


def aligned(start: Trainer, alignment: Alignment, transform: Tensor) -> dict[str, Tensor]:
    """Change the basis of a start's latents and tell what the alignment found.

    Parameters
    ----------
    start : Trainer
        Holds framed networks, which are changed in place.
    alignment : Alignment
        What was found.
    transform : Tensor of shape (n_components, n_components)
        T: the new latents are T^-1 z.

    Returns
    -------
    dict of str to Tensor
        As :func:`align_networks` returns.
    """
    change_basis(start.encoder, start.decoder, transform, torch.zeros(start.n_components))
    return {
        "criteria": alignment.criteria,
        "agreement": torch.tensor(alignment.agreement),
        "reconstruction": torch.tensor(start.validate()),
    }


def find_alignment(
    start: Trainer,
    criterion: Criterion,
    n_restarts: int,
    generator: torch.Generator,
    *,
    n_points: int = ALIGN_POINTS,
    n_rows: int = ALIGN_ROWS,
) -> Alignment:
    """Align the decoder's Jacobians at some data points, and leave the networks as they are.

    Parameters
    ----------
    start, criterion, n_restarts, generator, n_points, n_rows
        As those of :func:`align_networks`.

    Returns
    -------
    Alignment
        What was found.
    """
    many = draw_latents(start, max(n_points, SPREAD_POINTS), generator)
    latents = many[:n_points]
    at_each = max(n_rows // len(latents), 8 * start.n_components)
    with torch.no_grad():
        local = start.sample(len(latents), at_each).at(start.decoder, latents, generator)
        if criterion.of_deviations and len(many) > 1:
            local = replace(local, covariance=many.mT.cov(correction=0).reshape(local.rows.shape[-1], -1))
    return align(local, criterion, n_restarts=n_restarts, generator=generator)


def matched_cosine(first: Tensor, second: Tensor, group_size: int = 1) -> float:
    """Return the mean |cosine| between the columns of two matrices, matched one to one.

    Parameters
    ----------
    first, second : Tensor of shape (n, d)
        Matrices whose columns are compared up to order, sign and length.
    group_size : int, default=1
        Columns beside each other that are compared by the space they span: root mean square of its principal cosines.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> matched_cosine(torch.eye(3), -torch.eye(3)[:, [2, 0, 1]])
    1.0
    """
    spaces = [
        torch.linalg.qr(matrix.reshape(len(matrix), -1, group_size).movedim(1, 0)).Q for matrix in (first, second)
    ]
    squares = torch.einsum("ani,bnj->abij", *spaces).square().sum((-2, -1)) / group_size
    cosines = squares.sqrt().cpu().numpy()
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    return float(cosines[rows, columns].mean())


def _in_whitened(local: LocalGeometry, whitening: Tensor) -> Tensor:
    """Return the covariance of the latents whose Jacobian is J times a matrix."""
    if local.covariance is None:
        return torch.eye(len(whitening)).to(whitening)
    inverse: Tensor = torch.linalg.inv(whitening)
    return inverse @ local.covariance.to(whitening) @ inverse.mT


def inverse_square_root(gram: Tensor) -> Tensor:
    """Return a matrix W with W'GW the identity.

    Parameters
    ----------
    gram : Tensor of shape (n_components, n_components)
        G, symmetric and positive semi-definite; what is singular is lifted by a share of 1e-10.

    Returns
    -------
    Tensor of shape (n_components, n_components)
        W; its columns are eigenvectors.
    """
    values, vectors = torch.linalg.eigh(gram)
    floor = values[-1].clamp_min(torch.finfo(gram.dtype).tiny ** 0.5) * 1e-10
    root: Tensor = vectors / values.clamp_min(floor).sqrt()
    return root
