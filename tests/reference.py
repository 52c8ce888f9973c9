"""Slow textbook versions of what the library computes fast: the oracles that tests compare with."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
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


def shared(path: str) -> Path:
    """Return a file or folder of reference values that lies beside the checkout; skip the test where it does not."""
    found = Path(__file__).resolve().parents[2] / "shared" / path
    if not found.exists():
        pytest.skip(f"needs {path}, which does not lie beside this checkout")
    return found


def euler_maruyama(network, *, noise, noise_strength, decay, dt, draws, sampled):
    """Run the stochastic model gene by gene, bin by bin and step by step; return the runs and half responses."""
    n_genes, _, n_bins, n_steps = draws.shape
    x = np.zeros((n_genes, n_bins, n_steps + 1))
    half = np.full(len(network.strength), np.nan)

    def production(gene, concentrations):
        total = 0.0
        for e in np.flatnonzero(network.target == gene):
            value, n = concentrations[network.regulator[e]], network.hill[e]
            share = value**n / (half[e] ** n + value**n)
            total += abs(network.strength[e]) * (share if network.strength[e] > 0 else 1 - share)
        return total

    for gene in range(n_genes):
        for e in np.flatnonzero(network.target == gene):
            half[e] = np.mean([x[network.regulator[e], b, sampled].mean() for b in range(n_bins)])
        for b in range(n_bins):
            if gene in network.masters:
                rate = network.rates[list(network.masters).index(gene), b]
                x[gene, b, 0] = rate / decay[gene]
            else:
                x[gene, b, 0] = production(gene, x[:, b][:, sampled].mean(axis=1)) / decay[gene]
            for t in range(n_steps):
                made = rate if gene in network.masters else production(gene, x[:, b, t])
                lost = decay[gene] * x[gene, b, t]
                w = draws[gene, :, b, t]
                if noise == "sp":
                    shake = np.sqrt(made) * w[0]
                elif noise == "spd":
                    shake = (np.sqrt(made) + np.sqrt(lost)) * w[0]
                else:
                    shake = np.sqrt(made) * w[0] + np.sqrt(lost) * w[1]
                step = dt * (made - lost) + np.sqrt(dt) * noise_strength[gene] * shake
                x[gene, b, t + 1] = max(0.0, x[gene, b, t] + step)
    return x, half


def polar_vertices(rows):
    """Vertices of {x: Z x <= 1} by solving for each d of the rows."""
    d = rows.shape[1]
    chosen = rows[np.array(list(itertools.combinations(range(len(rows)), d)), dtype=int).reshape(-1, d)]
    chosen = chosen[np.abs(np.linalg.det(chosen)) > 1e-9] if len(chosen) else chosen
    if not len(chosen):
        return np.empty((0, d))
    points = np.linalg.solve(chosen, np.ones((len(chosen), d, 1)))[..., 0]
    return points[(points @ rows.T).max(axis=1) <= 1 + 1e-8]


def polar_is_bounded(rows):
    """Whether {x: Z x <= 1} is bounded: no ray that d - 1 of the rows leave to it, and no line, stays inside."""
    d = rows.shape[1]
    if np.linalg.matrix_rank(rows) < d:
        return False
    for chosen in itertools.combinations(range(len(rows)), d - 1):
        _, lengths, axes = np.linalg.svd(rows[list(chosen)].reshape(d - 1, d))
        if d == 1 or lengths[-1] > 1e-9:
            for ray in (axes[-1], -axes[-1]):
                if (rows @ ray).max() <= 1e-9:
                    return False
    return True


def in_cone_of_subgradients(rows, target):
    """Distance of a matrix from the sums of Z_i' g over rows and all corners g of the subdifferential of ||Z_i||_1."""
    generators = []
    for row in rows:
        free = np.flatnonzero(row == 0)
        for signs in itertools.product((-1.0, 1.0), repeat=len(free)):
            gradient = np.sign(row)
            gradient[free] = signs
            generators.append(np.outer(row, gradient).ravel())
    return nnls(np.array(generators).T, target.ravel(), maxiter=10_000)[1]
