"""The inner loop of the stochastic simulator, compiled when first used."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from identica.machine import threads_kept

__all__ = ["integrate"]

SP, SPD, DPD = range(3)


def integrate(*arguments: Any) -> None:
    """Run some genes of one layer through all steps, in every bin.

    Parameters
    ----------
    *arguments
        out (n, n_bins, n_steps), written in place; earlier (n_kept, n_bins, n_steps), the runs of the regulators, and
        means (n_kept, n_bins) of their cells, from which a gene starts; firsts (n + 1,), where the edges of each gene
        begin; regulator (n_edges,), positions in `earlier`; strength, hill, half_response (n_edges,); constant
        (n, n_bins), production that nothing regulates; draws (n, n_draws, n_bins, n_steps - 1); the noise's number;
        noise strength (n,); decay (n,); dt.

    Raises
    ------
    ImportError
        If numba is not installed.
    """
    with threads_kept():
        _compiled()(*arguments)


@cache
def _compiled() -> Any:
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            "the stochastic simulator needs numba, which is not installed: pip install 'identica[single-cell]'"
        ) from error

    @numba.njit(inline="always")
    def effect(x: float, strength: float, hill: float, half: float) -> float:
        if x <= 0.0:
            share = 0.0
        elif hill == 2.0:
            square = x * x
            share = square / (half * half + square)
        elif hill == 1.0:
            share = x / (half + x)
        else:  # from the ratio, whose power may be infinite but never NaN
            share = 1.0 / (1.0 + (half / x) ** hill)
        return strength * share if strength > 0.0 else -strength * (1.0 - share)

    @numba.njit(parallel=True)
    def run(
        out: Any,
        earlier: Any,
        means: Any,
        firsts: Any,
        regulator: Any,
        strength: Any,
        hill: Any,
        half: Any,
        constant: Any,
        draws: Any,
        noise: int,
        q: Any,
        decay: Any,
        dt: float,
    ) -> None:
        n_genes, n_bins, n_steps = out.shape
        root = math.sqrt(dt)
        for job in numba.prange(n_genes * n_bins):
            i, b = job // n_bins, job % n_bins
            first, last = firsts[i], firsts[i + 1]
            production = np.full(n_steps, constant[i, b])
            start = constant[i, b]
            for e in range(first, last):
                start += effect(means[regulator[e], b], strength[e], hill[e], half[e])
                source = earlier[regulator[e], b]
                for t in range(n_steps - 1):
                    production[t] += effect(source[t], strength[e], hill[e], half[e])
            x = start / decay[i]
            out[i, b, 0] = x
            for t in range(n_steps - 1):
                made, lost = production[t], decay[i] * x
                if noise == SP:
                    shake = math.sqrt(made) * draws[i, 0, b, t]
                elif noise == SPD:
                    shake = (math.sqrt(made) + math.sqrt(lost)) * draws[i, 0, b, t]
                else:
                    shake = math.sqrt(made) * draws[i, 0, b, t] + math.sqrt(lost) * draws[i, 1, b, t]
                x = max(0.0, x + dt * (made - lost) + root * q[i] * shake)
                out[i, b, t + 1] = x

    return run
