"""Latent traversals: what becomes of samples when one component moves and the others stay.

Symbols: a anchors, d components, s steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from identica.arguments import check_integer, check_real

__all__ = ["Traversal", "component_ranges", "traverse"]

Array = NDArray[np.floating[Any]]
COVERAGE = 0.98
"""Share of the data between the ends of a component's range: beyond, the decoder only extrapolates."""


class Decodes(Protocol):
    """A fitted model that makes samples of components."""

    def inverse_transform(self, X: Any) -> Array: ...


@final
@dataclass(frozen=True, eq=False)
class Traversal:
    """What samples become as each component moves through the range that the data cover.

    Parameters
    ----------
    values : ndarray of shape (n_anchors, n_components, n_steps, ...)
        Decoded samples, in the units and the shape of the data.
    positions : ndarray of shape (n_components, n_steps)
        Values of the component that moves.
    anchors : ndarray of shape (n_anchors, n_components)
        Components of the samples from which it starts.
    """

    values: Array
    positions: Array
    anchors: Array


def component_ranges(latents: ArrayLike, coverage: float = COVERAGE) -> Array:
    """Return the range of each component that the middle of the data covers.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_components)
        Components of the data.
    coverage : float, default=0.98
        Share of the data between the ends.

    Returns
    -------
    ndarray of shape (n_components, 2)
        Lower and upper ends.

    Raises
    ------
    ValueError
        If coverage is not in (0, 1].

    Examples
    --------
    >>> component_ranges([[0.0], [1.0], [2.0]], coverage=1.0).tolist()
    [[0.0, 2.0]]
    """
    coverage = check_real("coverage", coverage, above=0, at_most=1)
    tail = (1 - coverage) / 2
    return np.asarray(np.quantile(np.asarray(latents, dtype=np.float64), [tail, 1 - tail], axis=0).T)


def traverse(model: Decodes, anchors: ArrayLike, ranges: ArrayLike, n_steps: int = 9) -> Traversal:
    """Move one component of each anchor through its range, the others held, and decode.

    Parameters
    ----------
    model : fitted estimator
        Has ``inverse_transform``.
    anchors : array-like of shape (n_anchors, n_components)
        Components to start from, as ``transform`` gives them.
    ranges : array-like of shape (n_components, 2)
        Ends of each component's way, as :func:`component_ranges` gives them.
    n_steps : int, default=9
        Positions, evenly spaced, both ends included.

    Returns
    -------
    Traversal
        Decoded samples.

    Raises
    ------
    ValueError
        If there are fewer than two steps, or the shapes do not belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> pca = PCA(2).fit(X)
    >>> traverse(pca, pca.transform(X[:3]), [[-1, 1], [-1, 1]], n_steps=5).values.shape
    (3, 2, 5, 4)
    """
    n_steps = check_integer("n_steps", n_steps, 2)
    start, ends = np.asarray(anchors, dtype=np.float64), np.asarray(ranges, dtype=np.float64)
    if start.ndim != 2 or len(start) == 0 or ends.shape != (start.shape[1], 2):
        raise ValueError(
            f"anchors of shape {start.shape} and ranges of shape {ends.shape} do not belong together: give "
            "(n_anchors, n_components) and (n_components, 2)"
        )
    n_anchors, n_components = start.shape
    positions = np.linspace(ends[:, 0], ends[:, 1], n_steps, axis=1)
    latents = np.broadcast_to(start[:, None, None, :], (n_anchors, n_components, n_steps, n_components)).copy()
    moving = np.arange(n_components)
    latents[:, moving, :, moving] = positions[:, None, :]
    decoded = np.asarray(model.inverse_transform(latents.reshape(-1, n_components)))
    return Traversal(decoded.reshape(n_anchors, n_components, n_steps, *decoded.shape[1:]), positions, start)
