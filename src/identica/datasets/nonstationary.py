"""Sources whose distribution changes from segment to segment of time, mixed by a random network.

The setting of the literature on nonlinear ICA with auxiliary variables. Equation and section numbers are those of
I. Khemakhem et al., AISTATS 2020.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_choice, check_integer, check_real, local_random
from identica.datasets.mixing import Array
from identica.machine import memory_shortage

__all__ = ["NonstationaryMixture", "make_nonstationary"]

Distribution = Literal["laplace", "gaussian"]
MixingActivation = Literal["leaky-relu", "tanh"]
DEVIATIONS = (0.5, 3.0)
N_TRIED = 1000
"""Random matrices, of which one in four has a condition number that is small enough."""
SLOPE = 0.2
"""Of the leaky rectifier where its argument is negative."""
TANH_SLOPE = 0.1
"""Of the line that is added to tanh, so that it can be inverted."""


@dataclass(frozen=True, eq=False)
class NonstationaryMixture:
    """Observations, the sources behind them, and the segment of each sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Observations.
    latents : ndarray of shape (n_samples, n_components)
        True sources.
    auxiliary : ndarray of int of shape (n_samples,)
        Segment of each sample, from 0.
    deviations : ndarray of shape (n_segments, n_components)
        Standard deviation of each source in each segment.
    means : ndarray of shape (n_segments, n_components)
        Mean of each source in each segment.
    matrices : tuple of ndarray
        Of each layer of the mixing, of shape (n_outputs, n_inputs).
    activation : {"leaky-relu", "tanh"}
        Function between layers.
    """

    X: Array
    latents: Array
    auxiliary: NDArray[np.intp]
    deviations: Array
    means: Array
    matrices: tuple[Array, ...]
    activation: MixingActivation

    def jacobian(self, latents: ArrayLike) -> Array:
        """Return the Jacobian of the mixing, without noise.

        Parameters
        ----------
        latents : array-like of shape (n_samples, n_components)
            Where.

        Returns
        -------
        ndarray of shape (n_samples, n_features, n_components)
            Derivative of each feature by each source.
        """
        mixed = np.asarray(latents, dtype=np.float64) @ self.matrices[0].T
        found = np.broadcast_to(self.matrices[0], (len(mixed), *self.matrices[0].shape)).copy()
        function, derivative = _ACTIVATIONS[self.activation]
        for matrix in self.matrices[1:]:
            found = matrix @ (derivative(mixed)[:, :, None] * found)
            mixed = function(mixed) @ matrix.T
        return found


def make_nonstationary(
    n_samples: int = 40_000,
    n_components: int = 5,
    *,
    n_features: int | None = None,
    n_segments: int = 40,
    n_layers: int = 3,
    distribution: Distribution = "laplace",
    largest_mean: float = 0.0,
    activation: MixingActivation = "leaky-relu",
    noise: float = 0.0,
    random_state: int | RandomState | None = None,
) -> NonstationaryMixture:
    """Generate non-stationary sources and mix them by a network.

    In each segment each source has a standard deviation of its own, drawn uniformly from 0.5 to 3, and may have a mean
    of its own; given the segment, sources are independent. A layer multiplies by a random matrix with columns of unit
    length, whose condition number is among the lowest quarter; all but the last then apply a function to each feature.
    One layer is linear. Samples of all segments take turns, so that each part of the table has all of them.

    Parameters
    ----------
    n_samples : int, default=40000
        Number of samples, at least one for each segment.
    n_components : int, default=5
        Sources.
    n_features : int, optional
        Observed features, at least as many as sources, and as many if None.
    n_segments : int, default=40
        Segments.
    n_layers : int, default=3
        Layers of the mixing network.
    distribution : {"laplace", "gaussian"}, default="laplace"
        Of a source within a segment.
    largest_mean : float, default=0
        Means are drawn uniformly from minus this number to it, for each segment and source.
    activation : {"leaky-relu", "tanh"}, default="leaky-relu"
        Function between layers: a leaky rectifier of slope 0.2, or tanh(x) + 0.1 x.
    noise : float, default=0.0
        Standard deviation of Gaussian noise, in units of each feature's own.
    random_state : int, RandomState or None, default=None
        Seed or generator. Deviations, means and mixing are drawn first: they are the same for all `n_samples`.

    Returns
    -------
    NonstationaryMixture
        Observations, sources and segments.

    Raises
    ------
    TypeError
        If a number is of the wrong type.
    ValueError
        If one is out of its range.

    References
    ----------
    A. Hyvarinen and H. Morioka, "Unsupervised Feature Extraction by Time-Contrastive Learning and Nonlinear ICA",
    NeurIPS 2016, section 5: the kind of data.
    I. Khemakhem, D. P. Kingma, R. P. Monti and A. Hyvarinen, "Variational Autoencoders and Nonlinear ICA: A Unifying
    Framework", AISTATS 2020, section 5.1: 5 sources, 40 segments, 1000 samples in each, deviations; their code has
    means up to 5 and tanh with a line as further settings.

    Examples
    --------
    >>> data = make_nonstationary(200, 3, n_segments=4, random_state=0)
    >>> data.X.shape, data.latents.shape, data.auxiliary[:5].tolist()
    ((200, 3), (200, 3), [0, 1, 2, 3, 0])
    """
    check_choice("distribution", distribution, ("laplace", "gaussian"))
    check_choice("activation", activation, tuple(_ACTIVATIONS))
    largest_mean = check_real("largest_mean", largest_mean, at_least=0.0)
    n_segments = check_integer("n_segments", n_segments, 1)
    n_samples = check_integer("n_samples", n_samples, n_segments)
    n_components = check_integer("n_components", n_components, 1)
    n_layers = check_integer("n_layers", n_layers, 1)
    n_features = check_integer("n_features", n_components if n_features is None else n_features, n_components)
    noise = check_real("noise", noise, at_least=0.0)
    if shortage := memory_shortage(8 * n_samples * n_features):
        raise ValueError(f"n_samples={n_samples} of n_features={n_features} take {shortage}: use fewer")
    random = local_random(random_state)
    deviations = random.uniform(*DEVIATIONS, (n_segments, n_components))
    means = np.zeros(deviations.shape)
    if largest_mean > 0:
        means = random.uniform(-largest_mean, largest_mean, deviations.shape)
    sizes = [n_components] * n_layers + [n_features]
    matrices = [_well_conditioned(n_out, n_in, random) for n_in, n_out in itertools.pairwise(sizes)]
    segments = np.arange(n_samples) % n_segments
    shape = (n_samples, n_components)
    unit = random.laplace(scale=0.5**0.5, size=shape) if distribution == "laplace" else random.standard_normal(shape)
    latents = means[segments] + unit * deviations[segments]
    mixed = latents
    for i, matrix in enumerate(matrices):
        mixed = mixed @ matrix.T
        if i < n_layers - 1:
            mixed = _ACTIVATIONS[activation][0](mixed)
    if noise > 0:
        mixed = mixed + noise * mixed.std(axis=0) * random.standard_normal(mixed.shape)
    return NonstationaryMixture(mixed, latents, segments, deviations, means, tuple(matrices), activation)


_ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "leaky-relu": (lambda x: np.where(x > 0, x, SLOPE * x), lambda x: np.where(x > 0, 1.0, SLOPE)),
    "tanh": (lambda x: np.tanh(x) + TANH_SLOPE * x, lambda x: 1 / np.cosh(x) ** 2 + TANH_SLOPE),
}
"""Each with its derivative."""


def _well_conditioned(n_out: int, n_in: int, random: RandomState) -> Array:
    """Draw a matrix with columns of unit length and a condition number in the lowest quarter of such matrices."""
    tried = random.uniform(-1.0, 1.0, (N_TRIED, n_out, n_in))
    tried /= np.linalg.norm(tried, axis=1, keepdims=True)
    conditions = np.linalg.cond(tried)
    return np.asarray(tried[np.flatnonzero(conditions <= np.quantile(conditions, 0.25))[0]])
