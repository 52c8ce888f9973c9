"""Compositionality: each feature is influenced by the latents of one block, such as those of one object.

Symbols: k = blocks of latents, a_ik = Euclidean norm of the part of row i of J that belongs to block k.

References
----------
J. Brady, R. S. Zimmermann, Y. Sharma, B. Schölkopf, J. von Kügelgen and W. Brendel, "Provably Learning Object-Centric
Representations", ICML 2023, equation (7): the contrast sum_i sum_(k<l) a_ik a_il.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from identica.arguments import check_integer
from identica.criteria.criterion import Criterion
from identica.criteria.local import LocalGeometry

__all__ = ["Compositionality", "block_norms", "compositional_overlap"]


def block_norms(rows: Tensor, block_size: int) -> Tensor:
    """Return a_ik, the norm of each row of a Jacobian within each block of latents, in an orthonormal frame of it.

    a_ik^2 = J_i^k (J^k' J^k)^-1 J_i^k' with J^k the columns of block k: what a linear change of the latents within a
    block leaves as it is. Without the frame, columns of one block could fall together at no cost. For blocks of one
    latent it is |J_ik| / ||J_k||.

    Parameters
    ----------
    rows : Tensor of shape (..., k, d)
        Rows of Jacobians.
    block_size : int
        Latents of a block, which lie beside each other; d is a multiple of it.

    Returns
    -------
    Tensor of shape (..., k, d / block_size)
        Norms, with a finite gradient also where they are zero; the squares of a column sum to the size of a block.

    Examples
    --------
    >>> block_norms(torch.tensor([[0.0, 3.0], [5.0, 4.0]]), 1)
    tensor([[0.0000, 0.6000],
            [1.0000, 0.8000]])
    """
    limits = torch.finfo(rows.dtype)
    if block_size == 1:
        return rows.abs() / rows.square().sum(-2, keepdim=True).clamp_min(limits.tiny).sqrt()
    blocks = rows.reshape(*rows.shape[:-1], -1, block_size).movedim(-2, -3)
    gram = blocks.mT @ blocks
    identity = torch.eye(block_size).to(rows)
    lift = gram.diagonal(dim1=-2, dim2=-1).sum(-1).clamp_min(limits.tiny**0.5)[..., None, None] * identity
    factor = torch.linalg.cholesky(gram + 64 * limits.eps * lift)
    framed: Tensor = torch.linalg.solve_triangular(factor, blocks.mT, upper=False)
    return framed.square().sum(-2).clamp_min(limits.tiny).sqrt().mT


def compositional_overlap(norms: Tensor) -> Tensor:
    """Return the mean over pairs of blocks of sum_i a_ik a_il / block_size: 0 where no feature has two blocks.

    The terms of the contrast, each divided by what it can be at most (Cauchy and Schwarz), so that it changes neither
    with the units of all features nor with the latents of a block, by whose scale the contrast itself could be made
    small.

    Parameters
    ----------
    norms : Tensor of shape (..., k, n_blocks)
        As :func:`block_norms` returns.

    Returns
    -------
    Tensor of shape (...)
        In [0, 1]; 0 where there is one block.

    Examples
    --------
    >>> round(float(compositional_overlap(block_norms(torch.tensor([[1.0, 0.0], [1.0, 1.0]]), 1))), 3)
    0.707
    """
    n_blocks = norms.shape[-1]
    if n_blocks == 1:
        return norms.sum((-2, -1)) * 0
    squares = norms.square().sum((-2, -1))
    # All pairs at once: (sum_k a_ik)^2 holds each pair twice and the squares, whose sum over rows is block_size.
    both = norms.sum(-1).square().sum(-1) - squares
    return both / (squares * (n_blocks - 1))


@final
@dataclass(frozen=True)
class Compositionality(Criterion):
    """The negative overlap of the blocks' influences, see :func:`compositional_overlap`, over all points together.

    With J^k the columns of block k and b its size, it is minus the mean over points and over pairs k < l of

        sum_i a_ik a_il / b,   a_ik^2 = J_i^k (J^k' J^k)^-1 J_i^k'.

    The metric :func:`identica.metrics.compositional_contrast` has a_ik^2 = J_i^k J_i^k', the norm of the gradient
    itself, with pairs summed or, normalised, divided by the two blocks' norms. It scores given components, while
    here an optimiser looks for them: it could lower the norms by a smaller scale, and the normalised form by columns
    of a block that fall together, neither of which brings blocks apart. Minus the criterion is the normalised metric
    of Jacobians whose blocks have been replaced by orthonormal bases of them; for blocks of one latent it is the
    normalised metric of the Jacobians.

    Parameters
    ----------
    block_size : int, default=1
        Latents of a block.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is less than 1.
    """

    block_size: int = 1

    kind: ClassVar[str] = "compositionality"

    def __post_init__(self) -> None:
        """Check the size."""
        object.__setattr__(self, "block_size", check_integer("block_size", self.block_size, 1))

    @property
    def group_size(self) -> int:
        """The size of a block: within it, any change of the latents is as good."""
        return self.block_size

    def of_single_components(self) -> Criterion:
        """Return the criterion of blocks of one; see :meth:`Criterion.of_single_components`."""
        return Compositionality()

    def value(self, local: LocalGeometry) -> Tensor:
        """Return minus the mean overlap; see :meth:`Criterion.value`."""
        return -compositional_overlap(block_norms(local.rows, self.block_size)).mean(-1)
