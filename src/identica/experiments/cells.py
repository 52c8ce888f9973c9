"""The comparison of all methods on simulated single cells, as one configuration."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from identica.datasets import Regulon, make_cells, make_regulon
from identica.experiments.baselines import UnivariateLinearModel, check_installed, is_installed
from identica.experiments.comparison import METHODS, Comparison, build_methods, check_known, check_samples
from identica.networks import Network
from identica.training import Training

__all__ = ["CELL_METHODS", "single_cell"]

CELL_METHODS = (*METHODS, "ulm")
"""Those of every comparison, and the supervised one that is told the network."""


def single_cell(
    n_factors: int = 10,
    *,
    regulon: Regulon | None = None,
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    n_samples: int = 10_000,
    n_test_samples: int = 2_000,
    network: Network | None = None,
    training: Training | None = None,
    n_init: int | str = "auto",
    verbose: int = 0,
    **cells: Any,
) -> Comparison:
    """Return the configuration that looks for transcription factors in simulated expression.

    Parameters
    ----------
    n_factors : int, default=10
        Transcription factors with most targets; the methods look for as many components.
    regulon : Regulon, optional
        The network, the same for all seeds, which draw strengths and cells; by default one that looks like TRRUST's.
    methods : iterable of str, optional
        Some of ``CELL_METHODS``; all by default, without ulm where there is one factor or, with a warning, where
        decoupler is not installed.
    seeds : iterable of int, default=(0,)
        One data set and one fit of each method per seed.
    n_samples, n_test_samples : int
        Cells to fit and to score on.
    network : Dense or Convolutional, optional
        Network of the nonlinear methods; the library's default where not given.
    training : Training, optional
        Their training plan; the library's default where not given.
    n_init : int or "auto", default="auto"
        Starts of each nonlinear method; the library's default where not given.
    verbose : int, default=0
        Whether fits show their progress.
    **cells
        Arguments of :func:`identica.datasets.make_cells`, such as cross_talk, hill, half_responses, fold and noise.

    Returns
    -------
    Comparison
        The configuration, for :func:`run`.

    Raises
    ------
    ValueError
        If a method is unknown, cells are fewer than factors, or ulm is to tell a factor that acts on every gene, as a
        single one does.
    ImportError
        If the method ulm is asked for and decoupler is not installed.

    Examples
    --------
    >>> plan = single_cell(3, methods=["pca", "dica"], seeds=range(2), hill=4)
    >>> list(plan.methods), plan.data["hill"]
    (['pca', 'dica'], 4)
    """
    true = (make_regulon(random_state=0) if regulon is None else regulon).clean().largest(n_factors)
    # Decoupler's model compares a factor's targets with other genes, of which there must be some.
    alone = [name for name, weights in zip(true.factors, true.matrix().T, strict=True) if weights.all()]
    names = list((METHODS if alone else CELL_METHODS) if methods is None else methods)
    if methods is None and "ulm" in names and not is_installed():
        names.remove("ulm")
        warnings.warn(
            "the method ulm is left out, since decoupler is not installed: pip install 'identica[single-cell]'",
            UserWarning,
            stacklevel=2,
        )
    check_known("method", names, CELL_METHODS)
    check_samples(n_samples, n_factors)
    if "ulm" in names and alone:
        raise ValueError(
            f"the method ulm needs genes that a factor does not act on, and {alone[0]!r} acts on all of them: "
            "look for more factors, or leave the method out"
        )
    networks = [name for name in names if name in METHODS]
    built = build_methods(networks, n_factors, network, training, verbose, n_init=n_init)
    if "ulm" in names:
        check_installed()
        built["ulm"] = UnivariateLinearModel(true.to_frame(), true.genes)
    return Comparison(
        experiment="single-cell",
        generator=make_cells,
        data={"n_factors": n_factors, "regulon": true, **cells},
        n_samples=n_samples,
        n_test_samples=n_test_samples,
        methods={name: built[name] for name in names},
        seeds=tuple(seeds),
    )
