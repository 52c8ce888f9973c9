"""Modularity, compactness and explicitness of estimated components, in units of information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.stats import entropy, rankdata
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from identica.arguments import check_integer
from identica.metrics._validation import Array, check_components
from identica.metrics.prediction import linear_r2
from identica.metrics.regression import MIN_SAMPLES

__all__ = ["InfoMEC", "infomec"]

N_BINS = 20
SAMPLES_PER_BIN = 5
CHANCE_DEVIATIONS = 4
"""By how many standard deviations information must exceed that expected by chance for a component to be active."""


@final
@dataclass(frozen=True, eq=False)
class InfoMEC:
    """How components and factors correspond, and how plainly the factors can be read.

    Parameters
    ----------
    modularity : float
        In [0, 1]: 1 where each active component is informative of one factor alone; 0 where none is active.
    compactness : float
        In [0, 1]: 1 where one active component alone is informative of each factor; a factor of which none is
        informative counts as 0.
    explicitness : float
        In [0, 1]: 1 where each factor is a linear function of the components.
    nmi : ndarray of shape (n_components, n_factors)
        Share of each factor's entropy that each component has, above chance.
    active : ndarray of bool, of shape (n_components,)
        Components that are informative of some factor; the others do not enter modularity and compactness.
    """

    modularity: float
    compactness: float
    explicitness: float
    nmi: Array
    active: NDArray[np.bool_]


def infomec(
    true: ArrayLike, estimated: ArrayLike, *, n_bins: int | None = None, random_state: int | RandomState | None = 0
) -> InfoMEC:
    """Measure modularity, compactness and explicitness by information.

    With factors s_j, components z_i, d factors and D active components,

        NMI_ij        = (I(s_j; z_i) - E_ij) / (H(s_j) - E_ij), at least 0,
        modularity    = mean over active i of (max_j NMI_ij / sum_j NMI_ij - 1/d) / (1 - 1/d),
        compactness   = mean over j of (max_i NMI_ij / sum_i NMI_ij - 1/D) / (1 - 1/D), active i alone,
        explicitness  = mean over j of (H_V(s_j) - H_V(s_j | z)) / H_V(s_j).

    H and I are those of `n_bins` quantile bins of s_j and of z_i, cut by their ranks (ties share a bin). E_ij is
    the mean of I over all orders of the samples, which is what independent variables would have: so they have
    NMI 0 on average, and equal bins have 1. Component i is active where I(s_j; z_i) - E_ij is, for some j, more than
    4 standard deviations of I under independence (by its chi-squared limit); a constant one never is.

    H_V is the least mean cost of predicting s_j with the Gaussian family N(a'z + b, 1/2), without a'z where nothing
    is given; its cost is the squared error, plus a constant that is left out. So the explicitness is the
    mean of :func:`linear_r2`, R^2 of a linear regression of s_j on all components.

    NMI does not change with strictly increasing maps of single factors and components, nor with decreasing ones but
    for the few samples on the edge of a bin; the explicitness changes with all but linear ones.

    The paper differs in this: its NMI of continuous z is a nearest-neighbours estimate, with factors that are
    discrete, and is not corrected for chance; it prunes components by their range, a twentieth of the largest, which
    depends on their units; its explicitness is that of the samples fitted on, here of samples held out.

    Parameters
    ----------
    true : array-like of shape (n_samples, n_factors)
        Continuous factors.
    estimated : array-like of shape (n_samples, n_components)
        Components of the same samples.
    n_bins : int, optional
        Bins of each factor and component, at least 2 and with at least 5 samples to a bin; by default 20, or as many as
        there are samples for.
    random_state : int, RandomState or None, default=0
        Draws the folds of the explicitness; the information needs no random numbers.

    Returns
    -------
    InfoMEC
        The three numbers, the matrix and the active components. Where there is one factor, or one active component,
        the measure that compares several is 1.

    Raises
    ------
    ValueError
        If an input is no finite matrix, if the two differ in length or have fewer than 10 rows, if a factor is
        constant, or if `n_bins` is out of range.
    TypeError
        If an input does not hold real numbers, or `n_bins` is no integer.

    References
    ----------
    K. Hsu, W. Dorrell, J. C. R. Whittington, J. Wu and C. Finn, "Disentanglement via latent quantization",
    NeurIPS 2023: the three measures.
    N. X. Vinh, J. Epps and J. Bailey, "Information theoretic measures for clusterings comparison", Journal of
    Machine Learning Research 11, 2010: the correction for chance.
    Y. Xu, S. Zhao, J. Song, R. Stewart and S. Ermon, "A theory of usable information under computational
    constraints", ICLR 2020: information under a predictive family, and its Gaussian case.

    Examples
    --------
    >>> s = np.random.default_rng(0).uniform(size=(400, 2))
    >>> found = infomec(s, np.column_stack([2 * s[:, 1], s[:, 0], np.zeros(400)]))
    >>> found.modularity > 0.95, found.compactness > 0.95, round(found.explicitness, 6), found.active.tolist()
    (True, True, 1.0, [True, True, False])
    """
    if n_bins is not None:
        check_integer("n_bins", n_bins, 2)
    factors, components = check_components(true, estimated, min_samples=MIN_SAMPLES)
    most = len(factors) // SAMPLES_PER_BIN
    n_bins = min(N_BINS, most) if n_bins is None else int(n_bins)
    if n_bins > most:
        raise ValueError(
            f"n_bins={n_bins} leaves fewer than {SAMPLES_PER_BIN} of {len(factors)} samples to a bin: "
            f"use at most {most}"
        )
    binned_factors, binned_components = _quantile_bins(factors, n_bins), _quantile_bins(components, n_bins)
    nmi = np.zeros((components.shape[1], factors.shape[1]))
    informative = np.zeros(nmi.shape, dtype=np.bool_)
    for i, component in enumerate(binned_components.T):
        for j, factor in enumerate(binned_factors.T):
            nmi[i, j], informative[i, j] = _information_above_chance(factor, component)
    active = np.asarray(informative.any(axis=1))
    # What chance would give must not look like the whole of what is known of a factor that nobody has.
    counted = np.where(informative.any(axis=0), nmi, 0.0)[active]
    return InfoMEC(
        modularity=_mean_concentration(counted),
        compactness=_mean_concentration(counted.T),
        explicitness=float(linear_r2(factors, components, random_state=random_state).mean()),
        nmi=nmi,
        active=active,
    )


def _quantile_bins(values: Array, n_bins: int) -> NDArray[np.intp]:
    # Ranks less a half are in the middle of their sample's share of the quantiles.
    return np.asarray((rankdata(values, axis=0) - 0.5) * n_bins / len(values), dtype=np.intp)


def _information_above_chance(factor: NDArray[np.intp], component: NDArray[np.intp]) -> tuple[float, bool]:
    """Return the share of the factor's entropy that the component has, and whether chance would not give it."""
    counts = contingency_matrix(factor, component)
    n_rows, n_columns = counts.shape
    by_chance = expected_mutual_information(counts, len(factor))
    information = mutual_info_score(None, None, contingency=counts) - by_chance
    # Under independence, 2 n I has a chi-squared limit; with few samples to a cell I varies less than in it.
    deviation = np.sqrt((n_rows - 1) * (n_columns - 1) / 2) / len(factor)
    share = information / (entropy(counts.sum(axis=1)) - by_chance)
    return float(np.clip(share, 0.0, 1.0)), bool(information > CHANCE_DEVIATIONS * deviation)


def _mean_concentration(shares: Array) -> float:
    """Return how far the rows' sums are in one entry each, from 0 for equal entries to 1; empty rows have 0."""
    n_rows, n_columns = shares.shape
    if shares.size == 0:
        return 0.0
    totals = shares.sum(axis=1)
    largest = np.divide(shares.max(axis=1), totals, out=np.zeros(n_rows), where=totals > 0)
    if n_columns == 1:
        return float((totals > 0).mean())
    return float(np.clip((largest - 1 / n_columns) / (1 - 1 / n_columns), 0.0, 1.0).mean())
