"""The comparison of all methods on images of sprites, whose factors are known, as one configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from identica.datasets import SPRITE_FACTORS, make_sprites
from identica.experiments.comparison import METHODS, Comparison, build_methods, check_known, check_samples
from identica.metrics import disentanglement_scores
from identica.networks import Network
from identica.training import Training

__all__ = ["sprites"]


def sprites(
    *,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    n_samples: int = 10_000,
    n_test_samples: int = 2_000,
    network: Network | None = None,
    training: Training | None = None,
    verbose: int = 0,
    **images: Any,
) -> Comparison:
    """Return the configuration that looks for position, size, angle and shade in images of one shape.

    Beside R² it measures disentanglement, completeness and informativeness, see :func:`identica.metrics.dci`.

    Parameters
    ----------
    methods : iterable of str, optional
        Some of ``METHODS``; all by default.
    seeds : iterable of int, default=(0,)
        One data set and one fit of each method per seed.
    n_samples, n_test_samples : int
        Images to fit and to score on.
    network : Dense or Convolutional, optional
        Network of the nonlinear methods; the library's default where not given.
    training : Training, optional
        Their training plan; the library's default where not given.
    verbose : int, default=0
        Whether fits show their progress.
    **images
        Arguments of :func:`identica.datasets.make_sprites`, such as size, shape, correlation and softness.

    Returns
    -------
    Comparison
        The configuration, for :func:`run`.

    Raises
    ------
    ValueError
        If a method is unknown, or images are fewer than factors.

    Examples
    --------
    >>> plan = sprites(methods=["pca", "dica"], shape="ellipse")
    >>> list(plan.methods), plan.data
    (['pca', 'dica'], {'shape': 'ellipse'})
    """
    names = list(METHODS if methods is None else methods)
    check_known("method", names, METHODS)
    check_samples(n_samples, len(SPRITE_FACTORS))
    shape = make_sprites(1, **images, random_state=0).X.shape[1:]
    return Comparison(
        experiment="sprites",
        generator=make_sprites,
        data=images,
        n_samples=n_samples,
        n_test_samples=n_test_samples,
        methods=build_methods(names, len(SPRITE_FACTORS), network, training, verbose, shape),
        seeds=tuple(seeds),
        scores=disentanglement_scores,
    )
