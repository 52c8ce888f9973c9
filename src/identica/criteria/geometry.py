"""What a decoder's Jacobian looks like: its volume, its row norms, and the criterion made of both.

Pure functions of a Jacobian J of shape (..., m, d), or of its Gram matrix J'J of shape (..., d, d); one value
per sample. Symbols: m = n_features, d = n_components, J_i = row i = gradient of feature i, r_i = ||J_i||_1,
M_p = power mean of the row norms. Equation numbers are those of the paper [1]_.

References
----------
.. [1] H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear
   Mixture Identifiability", NeurIPS 2025, arXiv:2510.17040.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "l1_norm",
    "log_power_mean",
    "log_volume",
    "log_volume_from_gram",
    "power_mean",
    "row_norms",
]


def log_volume(matrix: Tensor) -> Tensor:
    """Return log det(J'J), the c_vol of equation (8): twice the log volume that the columns of J span.

    Finite, with a finite gradient, also where J is rank-deficient: there the Gram matrix is lifted by a
    jitter that is relative to each column's length, so the value does not depend on units.

    Parameters
    ----------
    matrix : Tensor of shape (..., n_features, n_components)
        Jacobians.

    Returns
    -------
    Tensor of shape (...)
        One value per Jacobian.

    Examples
    --------
    >>> import torch
    >>> log_volume(torch.diag(torch.tensor([1.0, 3.0]))).exp().round()
    tensor(9.)
    """
    return log_volume_from_gram(matrix.mT @ matrix)


def log_volume_from_gram(gram: Tensor) -> Tensor:
    """Return log det of Gram matrices by Cholesky factorisation, see :func:`log_volume`.

    Parameters
    ----------
    gram : Tensor of shape (..., n_components, n_components)
        Symmetric positive semi-definite matrices.

    Returns
    -------
    Tensor of shape (...)
        One value per matrix.

    Examples
    --------
    >>> import torch
    >>> bool(torch.isfinite(log_volume_from_gram(torch.zeros(2, 2))))
    True
    """
    # Columns are brought to unit length first: Cholesky then succeeds whatever the columns' units, and only
    # columns that are truly (nearly) dependent meet the jitter. Powers of two make the scaling exact.
    d = gram.shape[-1]
    limits = torch.finfo(gram.dtype)
    diagonal = gram.detach().diagonal(dim1=-2, dim2=-1)
    # The gradient of a zero column grows as 1 / (floor * eps): it must not overflow.
    floor = (diagonal.amax(-1, keepdim=True) * limits.eps**2).clamp_min(1 / (limits.eps * limits.max))
    exponents = torch.floor(torch.log2(torch.maximum(diagonal, floor)) / 2)
    scale = torch.exp2(-exponents)
    scaled = gram * scale.unsqueeze(-1) * scale.unsqueeze(-2)
    identity = torch.eye(d, dtype=gram.dtype, device=gram.device)
    # The jitter grows only where it must: a positive definite matrix is left exactly as it is.
    factor, info = torch.linalg.cholesky_ex(scaled)
    jitter = d * limits.eps
    lifted = scaled
    for _ in range(4):
        if not bool(info.any()):
            break
        jitter *= 16
        lifted = scaled + jitter * (info > 0).to(gram.dtype)[..., None, None] * identity
        # Matrices that were already fine keep their own entries: their info is zero and adds no jitter.
        factor, again = torch.linalg.cholesky_ex(lifted)
        info = torch.where(again > 0, again, info)
        if not bool(again.any()):
            break
    log_diagonal = torch.log(factor.diagonal(dim1=-2, dim2=-1))
    return 2 * log_diagonal.sum(-1) + 2 * math.log(2) * exponents.sum(-1)


def row_norms(matrix: Tensor) -> Tensor:
    """Return r_i = ||J_i||_1, the L1 norm of each row: how much feature i answers to all components together.

    Parameters
    ----------
    matrix : Tensor of shape (..., n_features, n_components)
        Jacobians.

    Returns
    -------
    Tensor of shape (..., n_features)
        Row norms, bounded in equation (4).

    Examples
    --------
    >>> import torch
    >>> row_norms(torch.tensor([[1.0, -2.0], [0.0, 0.5]]))
    tensor([3.0000, 0.5000])
    """
    return matrix.abs().sum(-1)


def l1_norm(matrix: Tensor) -> Tensor:
    """Return ||J||_1, the sum of all absolute entries: the c_norm of equation (8).

    Parameters
    ----------
    matrix : Tensor of shape (..., n_features, n_components)
        Jacobians.

    Returns
    -------
    Tensor of shape (...)
        One value per Jacobian.

    Examples
    --------
    >>> import torch
    >>> l1_norm(torch.tensor([[1.0, -2.0], [0.0, 0.5]]))
    tensor(3.5000)
    """
    return matrix.abs().sum((-2, -1))


def power_mean(norms: Tensor, p: float) -> Tensor:
    """Return the power mean M_p = (mean_i r_i^p)^(1/p) over the last axis.

    p = 1 is the mean (the total norm of equation (8)), p = infinity the largest (the bound of equation (4)),
    and p = 0 the geometric mean, which ignores the features' units.

    Parameters
    ----------
    norms : Tensor of shape (..., n_features)
        Non-negative numbers.
    p : float
        Exponent in [0, infinity].

    Returns
    -------
    Tensor of shape (...)
        One value per row of norms; finite, with a finite gradient, also where norms are zero.

    Raises
    ------
    ValueError
        If ``p`` is negative or not a number.

    Examples
    --------
    >>> import torch
    >>> r = torch.tensor([1.0, 4.0])
    >>> [round(float(power_mean(r, p)), 3) for p in (0, 1, 2, float("inf"))]
    [2.0, 2.5, 2.915, 4.0]
    """
    return torch.exp(log_power_mean(norms, p))


def log_power_mean(norms: Tensor, p: float) -> Tensor:
    """Return log M_p; see :func:`power_mean`.

    Parameters
    ----------
    norms : Tensor of shape (..., n_features)
        Non-negative numbers.
    p : float
        Exponent in [0, infinity].

    Returns
    -------
    Tensor of shape (...)
        One value per row of norms.

    Raises
    ------
    ValueError
        If ``p`` is negative or not a number.

    Examples
    --------
    >>> import torch
    >>> float(log_power_mean(torch.ones(3), 2))
    0.0
    """
    if not p >= 0:
        raise ValueError(f"p={p} is no exponent of a power mean here: use a number in [0, infinity]")
    tiny = torch.finfo(norms.dtype).tiny ** 0.5
    if p == 0:
        return torch.log(norms.clamp_min(tiny)).mean(-1)
    if p == 1:
        return torch.log(norms.mean(-1).clamp_min(tiny))
    # Divided by the largest norm, which cancels, so that large p neither overflow nor vanish.
    largest = norms.amax(-1, keepdim=True).clamp_min(tiny)
    if math.isinf(p):
        return torch.log(largest.squeeze(-1))
    reference = largest.detach()
    relative = norms / reference
    if p < 1:  # the slope of r^p is infinite at zero
        relative = relative.clamp_min(torch.finfo(norms.dtype).eps)
    mean = relative.pow(p).mean(-1)
    return torch.log(mean.clamp_min(tiny)) / p + torch.log(reference.squeeze(-1))
