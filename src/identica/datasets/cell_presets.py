"""Settings of cells, batches and a sequencer that belong together, by name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, final

import numpy as np

from identica.datasets.technical_noise import TechnicalNoise

__all__ = ["CELL_PRESETS", "CellPreset", "PresetName"]

PresetName = Literal["clean", "counts", "10x"]


@final
@dataclass(frozen=True)
class CellPreset:
    """What a name such as "10x" stands for in :func:`make_cells`, whose arguments these are.

    Parameters
    ----------
    mean_count : float, optional
        Molecules per gene in a cell of the median depth, before dropout; without it depth is left as it is.
    outlier_share, dropout_percentile, counts
        Of :class:`TechnicalNoise`, whose other numbers are its defaults: depth has a log standard deviation of 0.4.
    n_types, within_types, n_batches, batch_shift, doublets
        Of :func:`make_cells`.

    Examples
    --------
    >>> round(CELL_PRESETS["10x"].technical(500).library_mean, 2)
    7.47
    """

    mean_count: float | None = None
    outlier_share: float | None = None
    dropout_percentile: float | None = None
    counts: bool = False
    n_types: int | None = None
    within_types: float | None = None
    n_batches: int | None = None
    batch_shift: float | None = None
    doublets: float | None = None

    def technical(self, n_genes: int) -> TechnicalNoise | None:
        """Give the technical noise for so many genes.

        Parameters
        ----------
        n_genes : int
            Genes over which a cell's molecules are spread.

        Returns
        -------
        TechnicalNoise or None
            None where there is no noise.
        """
        if self.mean_count is None:
            return None
        return TechnicalNoise(
            outlier_share=self.outlier_share,
            library_mean=float(np.log(self.mean_count * n_genes)),
            dropout_percentile=self.dropout_percentile,
            counts=self.counts,
        )


CELL_PRESETS = MappingProxyType(
    {
        "clean": CellPreset(),
        "counts": CellPreset(mean_count=3.5, counts=True),
        "10x": CellPreset(
            mean_count=3.5,
            outlier_share=0.01,
            dropout_percentile=82,
            counts=True,
            n_types=6,
            within_types=0.5,
            n_batches=2,
            batch_shift=0.3,
            doublets=0.05,
        ),
    }
)
"""Presets of :func:`make_cells`. SERGIO's own demonstration has outlier_share and dropout_percentile of "10x"; Splat's
default of batch_shift is 0.1, and 0.05 is about what a 10x lane of 6,000 cells has of doublets."""
