"""The scales of the components, which are not identifiable, at which a criterion is largest."""

from __future__ import annotations

import torch
from torch import Tensor

from identica.criteria.criterion import Criterion
from identica.criteria.local import LocalGeometry

__all__ = ["best_scales", "best_value"]


def best_scales(criterion: Criterion, local: LocalGeometry) -> Tensor:
    """Return the scales of the components at which a criterion of J diag(scales) is largest, found by L-BFGS.

    A component's scale is not identifiable, so that a criterion which compares fits must not depend on it. In the
    logarithms of the scales the volume criteria are concave: there is one maximum.

    Parameters
    ----------
    criterion : Criterion
        What is to be large.
    local : LocalGeometry
        Jacobians at a few points.

    Returns
    -------
    Tensor of shape (n_components,)
        Positive numbers with geometric mean 1.

    Examples
    --------
    >>> from identica.criteria.volume import Volume
    >>> best_scales(Volume(3.0), LocalGeometry.of(torch.diag(torch.tensor([2.0, 0.5]))[None])).round(decimals=3)
    tensor([0.5000, 2.0000])
    """
    rows = local.rows.detach().double()
    sizes = rows.abs()
    # A component that does nothing would otherwise be scaled up for ever.
    limits = torch.finfo(torch.float64)
    sizes = sizes.clamp_min((sizes.max() * limits.eps**2).clamp_min(limits.tiny**0.5))
    sizes = torch.where(rows < 0, -sizes, sizes)
    columns = local.column_squares.detach().double()
    covariance = None if local.covariance is None else local.covariance.detach().double()
    fixed = LocalGeometry(sizes, local.log_volume.detach().double(), columns, covariance)
    logarithms = (-sizes.abs().mean((0, 1)).log()).requires_grad_(True)
    optimiser = torch.optim.LBFGS([logarithms], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -criterion.value(fixed.scaled(logarithms.exp()))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = logarithms.detach()
    return (found - found.mean()).exp().to(local.rows.dtype)


def best_value(criterion: Criterion, local: LocalGeometry) -> Tensor:
    """Return a criterion at the scales of the components at which it is largest.

    Parameters
    ----------
    criterion : Criterion
        What is to be large.
    local : LocalGeometry
        Jacobians at a few points.

    Returns
    -------
    Tensor of shape ()
        The criterion.
    """
    return criterion.value(local.scaled(best_scales(criterion, local)))
