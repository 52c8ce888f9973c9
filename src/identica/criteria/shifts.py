"""What all features do together, of which depth leaves nothing to be known, taken out of the rows of a Jacobian.

Counts tell how the expression of a cell is shared out among the genes, and not how much of it there is: where a cell's
depth is taken from its own total, a component that raises some genes lowers the shares of all others. In the logarithm
of the mean that adds the same number to every row of the Jacobian. Which number is not identifiable; here the gene in
the middle is the one that does not answer to a component, as where scale factors are medians of ratios.

Symbols: k rows, d = n_components, J_i = row of feature i, g_i = how far feature i follows a cell's depth.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["common_shift", "without_common_shift"]


def common_shift(rows: Tensor, direction: Tensor) -> Tensor:
    """Return v, the weighted median of J_ij / g_i over the rows, with weights g_i, for each component j.

    It is the v for which sum_i |J_ij - g_i v_j| is least.

    Parameters
    ----------
    rows : Tensor of shape (..., k, d)
        J.
    direction : Tensor of shape (k,)
        g, at least 0; rows of 0 do not count.

    Returns
    -------
    Tensor of shape (..., d)
        v; 0 where no row counts.

    References
    ----------
    S. Anders and W. Huber, "Differential expression analysis for sequence count data", Genome Biology 11, 2010,
    equation (5): the median of ratios over genes, of which this is the derivative.

    Examples
    --------
    >>> common_shift(torch.tensor([[1.0], [2.0], [9.0]]), torch.tensor([1.0, 2.0, 1.0]))
    tensor([1.])
    """
    counts = direction > 0
    if not bool(counts.any()):
        return torch.zeros_like(rows[..., 0, :])
    weights = direction[counts]
    # Components before rows: each median is then of numbers that lie beside each other.
    ratios = (rows[..., counts, :] / weights[:, None]).mT.contiguous()
    ordered, order = ratios.sort(-1)
    reached = weights[order].cumsum(-1)
    middle = (reached < reached[..., -1:] / 2).sum(-1, keepdim=True).clamp_max(len(weights) - 1)
    return ordered.gather(-1, middle).squeeze(-1)


def without_common_shift(rows: Tensor, direction: Tensor) -> Tensor:
    """Return J_i - g_i v, with v of :func:`common_shift`.

    Parameters
    ----------
    rows : Tensor of shape (..., k, d)
        J.
    direction : Tensor of shape (k,)
        g, at least 0.

    Returns
    -------
    Tensor of shape (..., k, d)
        The rows that are left.

    Examples
    --------
    >>> without_common_shift(torch.tensor([[1.0], [2.0], [9.0]]), torch.tensor([1.0, 2.0, 1.0])).flatten()
    tensor([0., 0., 8.])
    """
    return rows - direction[:, None] * common_shift(rows, direction).unsqueeze(-2)
