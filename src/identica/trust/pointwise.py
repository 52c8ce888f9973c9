"""Whether single points of the data, each by itself, speak for the same components as all points together.

The guarantee of DICA is pointwise: where the diverse-influence condition holds, the criterion of the Jacobian at each
point is largest in the true components, whatever the other points say. A decoder whose Jacobians would each rather have
other components was held by the other points and by the smoothness of networks, and the guarantee does not speak of it.

Symbols: n points, k rows, d = n_components, J = Jacobian of the decoder, T = change of basis at one point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from identica.criteria import Criterion, LocalGeometry, Volume
from identica.solvers.alignment import climb, inverse_square_root
from identica.training.inspection import draw_latents
from identica.training.trainer import Trainer

__all__ = ["PointwiseAgreement", "of_single_points", "pointwise_agreement"]

N_RESTARTS = 4
N_STEPS = 400
LEARNING_RATE = 0.05
N_POINTS = 16
N_ROWS = 512


@final
@dataclass(frozen=True, eq=False)
class PointwiseAgreement:
    """How the components at single points compare with those of the model.

    Parameters
    ----------
    cosines : ndarray of shape (n_points, n_components)
        |Cosine| between each column of the Jacobian and its match among those that are best at the point alone.
    """

    cosines: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over points and components, in [0, 1]."""
        return float(self.cosines.mean())

    @property
    def of_components(self) -> NDArray[np.float64]:
        """Mean over points, of shape (n_components,)."""
        return np.asarray(self.cosines.mean(axis=0))


def pointwise_agreement(
    jacobians: Tensor, criterion: Criterion, *, generator: torch.Generator, n_restarts: int = N_RESTARTS
) -> PointwiseAgreement:
    """Find the change of basis that is best at each point alone, and compare it with none.

    At each point the criterion of J T is maximised over T from random starts, and the columns of J are matched with
    those of J T, up to order, sign and length.

    Parameters
    ----------
    jacobians : Tensor of shape (n_points, n_rows, n_components)
        Of a decoder, with all rows or a sample, each in the unit in which it is compared.
    criterion : Criterion
        What is to be large.
    generator : torch.Generator
        Source of the starts, on the CPU.
    n_restarts : int, default=4
        Starts at each point, of which the best counts.

    Returns
    -------
    PointwiseAgreement
        A cosine for each point and component.

    Raises
    ------
    ValueError
        If the criterion tells groups of components only, or looks at their deviations, which are not those of a point.

    Examples
    --------
    >>> from identica.criteria import Volume
    >>> rows = torch.cat([torch.eye(2), -torch.eye(2), torch.eye(2)])[None]
    >>> generator = torch.Generator().manual_seed(0)
    >>> round(pointwise_agreement(rows, Volume(1.0), generator=generator).mean, 2)
    1.0
    >>> turned = rows @ torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    >>> round(pointwise_agreement(turned, Volume(1.0), generator=generator).mean, 2)
    0.8
    """
    if criterion.group_size > 1 or criterion.of_deviations:
        raise ValueError(f"{criterion!r} does not tell single components by the Jacobian of one point: use another")
    n_points, _, d = jacobians.shape
    grams = (jacobians.mT @ jacobians).double()
    whitening = torch.stack([inverse_square_root(gram) for gram in grams]).to(jacobians)
    whitened = jacobians @ whitening
    whitened = whitened * (d**0.5 / whitened.square().sum(-1).mean(-1).sqrt())[:, None, None]
    starts = torch.randn(n_restarts, n_points, d, d, generator=generator, dtype=torch.float64)
    turns = torch.linalg.qr(starts).Q.to(jacobians).requires_grad_(True)
    columns = whitened.mT @ whitened

    def value(turned: Tensor) -> Tensor:
        rows = (whitened @ turned).unsqueeze(-3)
        log_volume = 2 * torch.linalg.slogdet(turned).logabsdet.unsqueeze(-1)
        squares = ((columns @ turned) * turned).sum(-2).unsqueeze(-2)
        return criterion.value(LocalGeometry(rows, log_volume, squares))

    climb(value, turns, N_STEPS, LEARNING_RATE)
    with torch.no_grad():
        best = value(turns).argmax(0)
        found = turns[best, torch.arange(n_points)]
        # Columns of J W are orthonormal, so that cosines of columns of J and J T are those of W^-1 and its turns.
        own = torch.linalg.inv(whitening)
        cosines = (_unit_columns(own).mT @ _unit_columns(found)).abs().double().cpu().numpy()
    return PointwiseAgreement(np.stack([_matched(matrix) for matrix in cosines]))


def of_single_points(start: Trainer, criterion: Criterion, seed: int) -> float | None:
    """Return the agreement of a trained start's components with those of some points of its data, each by itself.

    Parameters
    ----------
    start : Trainer
        Trained to the end.
    criterion : Criterion
        What was to be large.
    seed : int
        Of the choice of points and rows, and of the starts of the search.

    Returns
    -------
    float or None
        Mean |cosine| over 16 points and all components, from 512 rows at most; None for other criteria than the volume,
        with which it has not been tested.
    """
    if not isinstance(criterion, Volume):
        return None
    generator = torch.Generator().manual_seed(seed)
    latents = draw_latents(start, N_POINTS, generator)
    with torch.no_grad():
        local = start.sample(len(latents), N_ROWS).at(start.decoder, latents, generator)
    return pointwise_agreement(local.rows, criterion, generator=generator).mean


def _unit_columns(matrix: Tensor) -> Tensor:
    lengths: Tensor = matrix.norm(dim=-2, keepdim=True)
    return matrix / lengths.clamp_min(torch.finfo(matrix.dtype).tiny)


def _matched(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    return np.minimum(cosines[rows, columns], 1.0)
