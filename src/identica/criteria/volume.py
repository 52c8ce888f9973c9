"""Volume criteria: how large a volume the columns of the Jacobian span for the size of its rows.

Symbols: m = n_features, d = n_components, J = decoder Jacobian, r_i = ||J_i||_1, M_p = power mean of the row norms.
Equation numbers are those of H.-S. Nguyen and X. Fu, NeurIPS 2025, arXiv:2510.17040.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar, final

import torch
from torch import Tensor

from identica.criteria.criterion import Criterion
from identica.criteria.geometry import log_power_mean, log_volume, log_volume_from_gram, row_norms
from identica.criteria.local import LocalGeometry
from identica.criteria.polytopes import gauge

__all__ = ["Volume", "volume_criterion", "volume_efficiency"]


def volume_criterion(matrix: Tensor, p: float = 1.0, *, gram: Tensor | None = None) -> Tensor:
    """Return c_p(J) = log det(J'J) / (2 d) - log M_p(r(J)), which DICA maximises.

    The volume that the columns of J span, per component, against the size of its rows. It does not change
    when J is multiplied by a number, so that neither the bound C of equation (4) nor units matter. For p >= 2
    it is at most log(m / d) / 2, reached where the rows are balanced multiples of the axes.

    Parameters
    ----------
    matrix : Tensor of shape (..., n_features, n_components)
        Jacobians; a sample of their rows serves as well.
    p : float, default=1.0
        Exponent of the power mean of the row norms, in [0, infinity].
    gram : Tensor of shape (..., n_components, n_components), optional
        Gram matrices of the whole Jacobians, where ``matrix`` holds a sample of the rows only.

    Returns
    -------
    Tensor of shape (...)
        One value per Jacobian.

    Raises
    ------
    ValueError
        If ``p`` is negative or not a number.

    Examples
    --------
    >>> import torch
    >>> float(volume_criterion(torch.eye(4)))
    0.0
    """
    volume = log_volume(matrix) if gram is None else log_volume_from_gram(gram)
    return volume / (2 * matrix.shape[-1]) - log_power_mean(row_norms(matrix), p)


def volume_efficiency(criterion: Tensor, n_features: int, n_components: int) -> Tensor:
    """Return exp(c_p) / sqrt(m / d): the volume reached as a share of the largest possible one, for p >= 2.

    Parameters
    ----------
    criterion : Tensor
        Values of :func:`volume_criterion` with p >= 2.
    n_features, n_components : int
        Shape of the Jacobian.

    Returns
    -------
    Tensor
        Numbers in (0, 1], comparable across data sets.

    Examples
    --------
    >>> import torch
    >>> float(volume_efficiency(volume_criterion(torch.eye(4)), 4, 4))
    1.0
    """
    return torch.exp(criterion) / math.sqrt(n_features / n_components)


SMOOTH = 2.0
"""Exponent from which on few rows of noise no longer set the maximum."""


@final
@dataclass(frozen=True)
class Volume(Criterion):
    """The volume criterion c_p of :func:`volume_criterion`, each row in its feature's unit (see :func:`row_units`).

    "c_1" has the total norm of equation (8), "c_inf" the bound (4) on every row.

    Parameters
    ----------
    p : float, default=1.0
        Exponent of the power mean of the row norms, in [0, infinity].
    polytope : str, default="l1"
        In which rows are held, see :func:`identica.criteria.gauge`, which takes the place of the L1 norm.

    Raises
    ------
    ValueError
        If p is out of its range, or the polytope unknown.
    """

    p: float = 1.0
    polytope: str = "l1"

    kind: ClassVar[str] = "volume"

    def __post_init__(self) -> None:
        """Check the exponent."""
        check_exponent(self.p)
        gauge(torch.zeros(1), self.polytope)

    def smoothed(self) -> Criterion:
        """Return c_2 for a smaller exponent; see :meth:`Criterion.smoothed`."""
        return Volume(max(self.p, SMOOTH), self.polytope)

    def value(self, local: LocalGeometry) -> Tensor:
        """Return the mean of c_p over the points; see :meth:`Criterion.value`."""
        sizes = log_power_mean(gauge(local.rows, self.polytope), self.p)
        return (local.log_volume / (2 * local.rows.shape[-1]) - sizes).mean(-1)


def check_exponent(p: object) -> None:
    """Refuse what is no exponent of a power mean.

    Raises
    ------
    ValueError
        If it is no number from 0 to infinity.
    """
    if isinstance(p, bool) or not isinstance(p, Real) or not float(p) >= 0:
        raise ValueError(f"p={p!r} is no exponent of a power mean: use a number from 0 to infinity")
