"""The volume criterion c_p, which DICA maximises, and its penalty.

Symbols: m = n_features, d = n_components, J = decoder Jacobian, r_i = ||J_i||_1, M_p = power mean of the row norms.
Equation numbers are those of T. H. Nguyen and X. Fu, NeurIPS 2025, arXiv:2510.17040.
"""

from __future__ import annotations

import math
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from identica.criteria.geometry import log_power_mean, log_volume, log_volume_from_gram, row_norms
from identica.criteria.penalty import JacobianSample, Loss, Penalty

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


@final
class Volume(Penalty):
    """The negative volume criterion, -weight(t) * c_p(J); see :func:`identica.criteria.volume_criterion`.

    The weight is held at first, so that the latents can leave the frame that reconstruction happened to give
    them, then falls geometrically, and rests at its last value while the reconstruction settles.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    weight : float
        First weight of c_p against the fraction of variance unexplained.
    p : float
        Exponent of the power mean of the row norms.
    n_epochs : int
        Length of the schedule.
    """

    hold: ClassVar[float] = 0.3
    rest: ClassVar[float] = 0.9
    last: ClassVar[float] = 1 / 75

    def __init__(self, sample: JacobianSample, weight: float, p: float, n_epochs: int) -> None:
        super().__init__(sample)
        self.first_weight = self.weight = weight
        self.p = p
        self.n_epochs = n_epochs

    def begin_epoch(self, epoch: int) -> None:
        """Move the weight; see :meth:`Penalty.begin_epoch`."""
        elapsed = (epoch / self.n_epochs - self.hold) / (self.rest - self.hold)
        self.weight = self.first_weight * self.last ** min(1.0, max(0.0, elapsed))

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return -weight * mean c_p; see :meth:`Penalty.forward`."""
        matrix = self.sample.jacobian(decoder, latents, generator)
        criterion = volume_criterion(matrix, self.p).mean()
        return Loss(-self.weight * criterion, {"criterion": criterion.detach()})
