"""Which components belong together: an order of the columns of a transform in which groups lie beside each other."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["grouped"]


def grouped(transforms: Tensor, overlaps: Tensor, group_size: int) -> Tensor:
    """Order the columns of transforms so that those which overlap most lie beside each other, in groups of one size.

    A group begins with the two components that overlap most of all that are left, and takes the one that overlaps most
    with those it has until it is full.

    Parameters
    ----------
    transforms : Tensor of shape (n_transforms, d, d)
        Matrices, whose columns stand for components.
    overlaps : Tensor of shape (n_transforms, d, d)
        sum_i |J_ij| |J_il| of components j and l, with their sizes on the diagonal.
    group_size : int
        Components of a group; d is a multiple of it.

    Returns
    -------
    Tensor of shape (n_transforms, d, d)
        With columns in another order.

    Examples
    --------
    >>> overlaps = torch.tensor(
    ...     [[1.0, 0.0, 0.9, 0.1], [0.0, 1.0, 0.1, 0.8], [0.9, 0.1, 1.0, 0.0], [0.1, 0.8, 0.0, 1.0]]
    ... )
    >>> grouped(torch.eye(4)[None], overlaps[None], 2)[0].argmax(0).tolist()
    [0, 2, 1, 3]
    """
    lengths = overlaps.diagonal(dim1=-2, dim2=-1).clamp_min(torch.finfo(overlaps.dtype).tiny).sqrt()
    cosines = (overlaps / (lengths.unsqueeze(-1) * lengths.unsqueeze(-2))).cpu()
    ordered = torch.empty_like(transforms)
    for k, matrix in enumerate(cosines):
        ordered[k] = transforms[k][:, _order(matrix, group_size)]
    return ordered


def _order(cosines: Tensor, group_size: int) -> list[int]:
    left = list(range(len(cosines)))
    order: list[int] = []
    while left:
        among = cosines[left][:, left].fill_diagonal_(-1.0)
        first = left[int(among.amax(1).argmax())]
        group = [first]
        left.remove(first)
        while len(group) < group_size:
            nearest = max(left, key=lambda j: float(cosines[j, group].sum()))
            group.append(nearest)
            left.remove(nearest)
        order += group
    return order
