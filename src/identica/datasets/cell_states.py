"""Concentrations of transcription factors in cells: each its own, alike within bins, or about the centres of types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import ndtr

from identica.arguments import check_integer
from identica.datasets.regulation import FloatArray
from identica.datasets.sampling import draw_latents

__all__ = ["CellTypes", "draw_levels", "draw_types"]


@final
@dataclass(frozen=True, eq=False)
class CellTypes:
    """Centres of cell types, among the normals of the Gaussian copula of the factors.

    Parameters
    ----------
    centres : ndarray of shape (n_types, n_factors)
        Normals.
    within : float
        Share of the variance that cells of one type have about their centre.
    """

    centres: FloatArray
    within: float


def draw_types(n_types: int, n_factors: int, within: float, correlation: float, random: RandomState) -> CellTypes:
    """Draw the centres of types.

    Parameters
    ----------
    n_types, n_factors : int
        Numbers of types and of factors.
    within : float
        Share of the variance within a type.
    correlation : float
        Of each two factors.
    random : RandomState
        Source of randomness.

    Returns
    -------
    CellTypes
        The types.
    """
    return CellTypes(draw_latents("gaussian", n_types, n_factors, correlation, random), within)


def draw_levels(
    n_cells: int,
    n_factors: int,
    n_bins: int | None,
    types: CellTypes | None,
    correlation: float,
    fold: float,
    random: RandomState,
) -> tuple[FloatArray, NDArray[np.intp] | None]:
    """Draw the concentrations at which the factors are held.

    Of a type with the centre c, a cell has the normals sqrt(1 - within) c + sqrt(within) z, whose z has the same
    correlation: over many types each concentration is log-uniform, and over a few it is not.

    Parameters
    ----------
    n_cells, n_factors : int
        Numbers of cells and of factors.
    n_bins : int or None
        Number of bins, whose cells are alike and stand together.
    types : CellTypes or None
        Types, whose cells differ and are mixed; each has the same number of cells but for one.
    correlation : float
        Of each two factors.
    fold : float
        Ratio of the highest concentration to the lowest.
    random : RandomState
        Source of randomness.

    Returns
    -------
    levels : ndarray of shape (n_cells, n_factors)
        Concentrations.
    bins : ndarray of int of shape (n_cells,) or None
        Bin or type of each cell, where there are any.
    """
    if types is not None:
        bins = random.permutation(n_cells) % len(types.centres)
        own = draw_latents("gaussian", n_cells, n_factors, correlation, random)
        normals = np.sqrt(1 - types.within) * types.centres[bins] + np.sqrt(types.within) * own
        return np.exp(np.log(fold) * (ndtr(normals) - 0.5)), bins
    n_states = n_cells if n_bins is None else check_integer("n_bins", n_bins, 1, n_cells)
    scores = draw_latents("dependent", n_states, n_factors, correlation, random) / (2 * np.sqrt(3.0))
    levels = np.exp(np.log(fold) * scores)
    if n_bins is None:
        return levels, None
    bins = np.sort(np.arange(n_cells) % n_bins)
    return levels[bins], bins
