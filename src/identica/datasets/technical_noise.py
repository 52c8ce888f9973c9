"""Technical noise of single-cell sequencing, in SERGIO's order: outlier genes, library size, dropout, counts.

Source: P. Dibaeinia and S. Sinha, "SERGIO: a single-cell expression simulator guided by gene regulatory networks",
Cell Systems 11, 2020; the stages follow Splat (L. Zappia et al., Genome Biology 18, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from scipy.special import expit

from identica.arguments import check_real, local_random
from identica.datasets.regulation import FloatArray

__all__ = ["TechnicalNoise"]

LARGEST_MEAN = 1e15
LARGEST_LOGARITHM = 100.0
"""A total of e^100 molecules is no total: who gives more has not given a logarithm."""


STAGES = {
    "outlier_share": ("outlier_mean", "outlier_sd"),
    "library_mean": ("library_sd",),
    "dropout_percentile": ("dropout_shape",),
}
"""What switches a stage on, and the numbers that are of no use without it."""


@final
@dataclass(frozen=True)
class TechnicalNoise:
    """Which stages of technical noise to apply; a stage whose parameters are None is left out.

    Parameters
    ----------
    outlier_share : float, optional
        Probability that a gene is an outlier, whose expression is multiplied by a log-normal number.
    outlier_mean, outlier_sd : float
        Of the logarithm of that number.
    library_mean : float, optional
        Mean of the natural logarithm of a cell's total expression, at most 100.
    library_sd : float
        Its standard deviation.
    dropout_percentile : float, optional
        Percentile of ln(1 + x) over all entries at which half of them are lost.
    dropout_shape : float
        Steepness k: an entry is kept with probability 1 / (1 + exp(-k (ln(1 + x) - midpoint))).
    counts : bool
        Whether each entry becomes a Poisson count of that mean.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If it is out of range, or belongs to a stage that is left out.

    Examples
    --------
    >>> TechnicalNoise(dropout_percentile=50, counts=True).apply(np.ones((2, 3)), random_state=0).shape
    (2, 3)
    """

    outlier_share: float | None = None
    outlier_mean: float = 0.8
    outlier_sd: float = 1.0
    library_mean: float | None = None
    library_sd: float = 0.4
    dropout_percentile: float | None = None
    dropout_shape: float = 6.5
    counts: bool = False

    def __post_init__(self) -> None:
        """Check every number."""
        if self.outlier_share is not None:
            check_real("outlier_share", self.outlier_share, at_least=0, at_most=1)
        if self.library_mean is not None:
            check_real("library_mean", self.library_mean, at_most=LARGEST_LOGARITHM)
        if self.dropout_percentile is not None:
            check_real("dropout_percentile", self.dropout_percentile, at_least=0, at_most=100)
        check_real("outlier_mean", self.outlier_mean, at_most=LARGEST_LOGARITHM)
        for name in ("outlier_sd", "library_sd", "dropout_shape"):
            check_real(name, getattr(self, name), at_least=0)
        if not isinstance(self.counts, bool | np.bool_):
            raise TypeError(f"counts={self.counts!r} is not possible: give True or False")
        for switch, names in STAGES.items():
            for name in names:
                if getattr(self, switch) is None and getattr(self, name) != getattr(type(self), name):
                    raise ValueError(
                        f"{name}={getattr(self, name):g} was given without {switch}, and does nothing alone: give "
                        f"{switch}, too, or leave it out"
                    )

    def apply(self, X: ArrayLike, *, random_state: int | RandomState | None = None) -> FloatArray:
        """Return expression as a sequencer would give it.

        Parameters
        ----------
        X : array-like of shape (n_cells, n_genes)
            Clean expression, not negative.
        random_state : int, RandomState or None, default=None
            Seed or generator.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            With the noise of all stages that are chosen.

        Raises
        ------
        ValueError
            If X is no table of finite numbers that are not negative, or what comes out is infinite, too large for
            counts, or nothing.
        """
        random = local_random(random_state)
        result = np.array(X, dtype=np.float64)
        if result.ndim != 2 or not result.size:
            raise ValueError(f"X has the shape {result.shape}: give a table of cells by genes with some of each")
        if not np.isfinite(result).all() or result.min() < 0:
            raise ValueError("X has values that are negative, infinite or NaN: expression is finite and not negative")
        if self.outlier_share is not None:
            result = self.add_outliers(result, random)
        if self.library_mean is not None:
            result = self.set_library_sizes(result, random)
        if self.dropout_percentile is not None:
            result = np.where(random.random_sample(result.shape) < self.kept(result), result, 0.0)
        if not np.isfinite(result).all():
            raise ValueError("the noise makes expression infinite: use smaller outlier_sd, library_mean or library_sd")
        if not self.counts:
            return result
        if not result.max() < LARGEST_MEAN:
            raise ValueError(f"expression reaches {result.max():.3g}, too much for counts: use a smaller library_mean")
        counts = random.poisson(result).astype(np.float64)
        if result.any() and not counts.any():
            raise ValueError(
                f"the noise leaves no expression in any cell: use a larger library_mean, the mean logarithm of totals, "
                f"which is {self.library_mean}, or leave counts out"
            )
        return counts

    def add_outliers(self, X: FloatArray, random: RandomState) -> FloatArray:
        """Multiply the expression of some genes by large numbers.

        Parameters
        ----------
        X : ndarray of shape (n_cells, n_genes)
            Expression.
        random : RandomState
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            Expression.
        """
        chosen = random.random_sample(X.shape[1]) < (self.outlier_share or 0.0)
        return X * np.where(chosen, random.lognormal(self.outlier_mean, self.outlier_sd, X.shape[1]), 1.0)

    def set_library_sizes(self, X: FloatArray, random: RandomState) -> FloatArray:
        """Give each cell a log-normal total.

        Parameters
        ----------
        X : ndarray of shape (n_cells, n_genes)
            Expression.
        random : RandomState
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            Expression; cells without any stay as they are.
        """
        sizes = random.lognormal(self.library_mean or 0.0, self.library_sd, len(X))
        totals = X.sum(axis=1)
        return X * (sizes / np.where(totals > 0, totals, 1.0))[:, None]

    def kept(self, X: FloatArray) -> FloatArray:
        """Return the probability that each entry is not lost.

        Parameters
        ----------
        X : ndarray of shape (n_cells, n_genes)
            Expression.

        Returns
        -------
        ndarray of shape (n_cells, n_genes)
            1 / (1 + exp(-k (ln(1 + x) - midpoint))).
        """
        logarithms = np.log1p(X)
        middle = np.percentile(logarithms, self.dropout_percentile or 0.0)
        return np.asarray(expit(self.dropout_shape * (logarithms - middle)))
