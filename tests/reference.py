"""Slow textbook versions of what the library computes fast: the oracles that tests compare with."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def jacobian(function: Callable[[Tensor], Tensor], latents: Tensor) -> Tensor:
    """Differentiate a function of a batch sample by sample with reverse-mode autograd, (n, m, d)."""

    def one(point: Tensor) -> Tensor:
        return function(point[None])[0].flatten()

    return torch.stack(
        [torch.autograd.functional.jacobian(one, point, create_graph=True) for point in latents.unbind()]
    )


def log_volume(matrix: Tensor) -> Tensor:
    """log det(J'J) of one matrix by LU decomposition."""
    return torch.linalg.slogdet(matrix.T @ matrix).logabsdet


def row_norms(matrix: Tensor) -> list[float]:
    """||J_i||_1 of one matrix."""
    return [sum(abs(float(entry)) for entry in row) for row in matrix]


def power_mean(norms: list[float], p: float) -> float:
    """Power mean of positive numbers."""
    if p == 0:
        return math.exp(sum(math.log(norm) for norm in norms) / len(norms))
    if math.isinf(p):
        return max(norms)
    return (sum(norm**p for norm in norms) / len(norms)) ** (1 / p)


def volume_criterion(matrix: Tensor, p: float) -> float:
    """c_p of one matrix."""
    return float(log_volume(matrix)) / (2 * matrix.shape[1]) - math.log(power_mean(row_norms(matrix), p))
