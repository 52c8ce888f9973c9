"""Independent mechanism analysis: the columns of the Jacobian as orthogonal as the data allow.

References
----------
L. Gresele, J. von Kügelgen, V. Stimper, B. Schölkopf and M. Besserve, "Independent mechanism analysis, a new concept?",
NeurIPS 2021, equation (10): the contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from identica.criteria.criterion import Criterion
from identica.criteria.local import LocalGeometry

__all__ = ["IndependentMechanism", "independent_mechanism_contrast"]


def independent_mechanism_contrast(column_squares: Tensor, log_volume: Tensor) -> Tensor:
    """Return sum_j log ||J[:, j]|| - log det(J'J) / 2: 0 where the columns are orthogonal, more elsewhere (Hadamard).

    Parameters
    ----------
    column_squares : Tensor of shape (..., d)
        Squared lengths of the columns.
    log_volume : Tensor of shape (...)
        log det J'J.

    Returns
    -------
    Tensor of shape (...)
        At least 0.

    Examples
    --------
    >>> float(independent_mechanism_contrast(torch.tensor([4.0, 9.0]), torch.tensor(36.0).log()))
    0.0
    """
    tiny = torch.finfo(column_squares.dtype).tiny
    return (column_squares.clamp_min(tiny).log().sum(-1) - log_volume) / 2


@final
@dataclass(frozen=True)
class IndependentMechanism(Criterion):
    """The negative contrast of independent mechanism analysis, per component."""

    kind: ClassVar[str] = "independent-mechanism"

    def value(self, local: LocalGeometry) -> Tensor:
        """Return minus the mean contrast; see :meth:`Criterion.value`."""
        contrast = independent_mechanism_contrast(local.column_squares, local.log_volume)
        return -contrast.mean(-1) / local.rows.shape[-1]
