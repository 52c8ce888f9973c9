"""What a benchmark is: data sets, methods and seeds, whose combinations are its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final
from urllib.parse import quote

from sklearn.base import BaseEstimator

from identica.arguments import check_integer, check_list
from identica.experiments.benchmark.fingerprint import digest
from identica.experiments.comparison import Simulation
from identica.metrics import MIN_DCI_SAMPLES

__all__ = ["BenchmarkPlan", "Cell", "DatasetSpec", "MethodSpec"]

LONGEST = 80
"""Letters of a name in a file's name, of which file systems allow some 255 in all."""
MAX_SEED = 2**32 - 1
BLOCKS_WANTED = "groups of indices from 0, such as ((0, 1), (2, 3))"


@final
@dataclass(frozen=True)
class Cell:
    """One method fitted to one data set from one seed.

    Parameters
    ----------
    dataset, method : str
        Their names.
    seed : int
        Of the data and of the fit.

    Examples
    --------
    >>> Cell("linear", "PCA/2", 0).name
    'linear+PCA%2F2+0'
    """

    dataset: str
    method: str
    seed: int

    @property
    def name(self) -> str:
        """A name for a file, which no other cell has."""
        # Quoted text holds no plus sign.
        return "+".join((quote(self.dataset, safe=""), quote(self.method, safe=""), str(self.seed)))


@final
@dataclass(frozen=True, eq=False)
class DatasetSpec:
    """A data set of the benchmark.

    Parameters
    ----------
    generate : callable
        Simulates data: called with the number of samples and a seed, it returns something that has `X` (n_samples, ...)
        and `latents` (n_samples, n_true), and may have `auxiliary` (n_samples,) or (n_samples, k), variables that some
        methods are told beside `X`.
    n_samples, n_test_samples : int
        Samples to fit and to score on, which are generated together.
    n_components : int
        Components to look for.
    blocks : tuple of tuple of int, optional
        Indices of components that belong together, for methods that are told so.
    note : str, default=""
        One sentence on the data, for readers of the leaderboard.
    measure : callable, optional
        What to measure in place of the scores of components, where these are not known: called with the cell, the
        fitted estimator, the data and the number of samples fitted, it returns numbers or text by name, which become
        further columns of the row. Its `repr` tells one from another.

    Raises
    ------
    TypeError
        If a size is no integer, or blocks are no groups of integers.
    ValueError
        If a size is less than 1, or 20 for the samples to score on; if blocks do not have each index from 0 on once.
    """

    generate: Callable[[int, int], Simulation]
    n_samples: int
    n_test_samples: int
    n_components: int
    blocks: tuple[tuple[int, ...], ...] | None = None
    note: str = ""
    measure: Callable[[Cell, Any, Any, int], Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        for name, at_least in (("n_samples", 1), ("n_test_samples", MIN_DCI_SAMPLES), ("n_components", 1)):
            check_integer(name, getattr(self, name), at_least)
        if self.blocks is not None:
            blocks = check_list("blocks", self.blocks, BLOCKS_WANTED)
            together = [i for block in blocks for i in check_list("a block", block, BLOCKS_WANTED)]
            for i in together:
                check_integer("a component of a block", i, 0)
            if sorted(together) != list(range(len(together))) or not together:
                raise ValueError(f"blocks={self.blocks!r} does not have each true component once: pass {BLOCKS_WANTED}")


@final
@dataclass(frozen=True, eq=False)
class MethodSpec:
    """A method of the benchmark.

    Parameters
    ----------
    build : callable
        Called with a data set's specification, it returns an unfitted estimator, whose `random_state` each cell sets,
        or None where the method is not for this data set.
    uses_auxiliary : bool, default=False
        Whether it is fitted as ``fit(X, auxiliary)``. It is then not for data sets without auxiliary variables.
    note : str, default=""
        One sentence on the method, for readers of the leaderboard.
    """

    build: Callable[[DatasetSpec], BaseEstimator | None]
    uses_auxiliary: bool = False
    note: str = ""


@final
@dataclass(frozen=True, eq=False)
class BenchmarkPlan:
    """All that decides the outcome of a benchmark.

    Parameters
    ----------
    datasets : mapping of str to DatasetSpec
        By name.
    methods : mapping of str to MethodSpec
        By name.
    seeds : tuple of int
        Each method is fitted to each data set once per seed.

    Raises
    ------
    TypeError
        If a seed is no integer, a name no text, or a specification of another type.
    ValueError
        If there is no data set, method or seed, a seed occurs twice or is out of range, or names cannot be told apart
        in names of files.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from identica.datasets import make_mixture
    >>> linear = DatasetSpec(lambda n, seed: make_mixture(n, 20, 2, kind="linear", random_state=seed), 200, 100, 2)
    >>> plan = BenchmarkPlan({"linear": linear}, {"pca": MethodSpec(lambda data: PCA(data.n_components))}, (0, 1))
    >>> [cell.name for cell in plan.cells]
    ['linear+pca+0', 'linear+pca+1']
    """

    datasets: Mapping[str, DatasetSpec]
    methods: Mapping[str, MethodSpec]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_specs("data set", "datasets", self.datasets, DatasetSpec)
        _check_specs("method", "methods", self.methods, MethodSpec)
        object.__setattr__(self, "seeds", tuple(check_list("seeds", self.seeds, "seeds such as (0, 1, 2)")))
        if not self.seeds:
            raise ValueError("no seed was given: use one or more, such as seeds=(0, 1, 2)")
        for seed in self.seeds:
            check_integer("seed", seed, 0, MAX_SEED)
            if self.seeds.count(seed) > 1:
                raise ValueError(f"seed {seed} is given twice: use each seed once")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations, every data set and method with the first seed before any with the next."""
        return tuple(
            Cell(dataset, method, seed) for seed in self.seeds for dataset in self.datasets for method in self.methods
        )

    def fingerprints(self) -> dict[tuple[str, str], str]:
        """Tell specifications apart.

        Returns
        -------
        dict of (str, str) to str
            By data set and method, two digests of 12 letters: of the data set and of the method as it is built for it.
            Seeds, notes, `verbose` and `n_jobs` have no part in them.
        """
        found = {}
        for dataset, data in self.datasets.items():
            given = (data.generate, data.n_samples, data.n_test_samples, data.n_components, data.blocks)
            of_data = digest(given if data.measure is None else (*given, repr(data.measure)))
            for method, spec in self.methods.items():
                found[dataset, method] = f"{of_data}-{_digest_of_method(spec, data)}"
        return found


def _digest_of_method(method: MethodSpec, data: DatasetSpec) -> str:
    try:
        built: object = method.build(data)
    except Exception as error:  # noqa: BLE001  (whatever it raises, its cells fail with it)
        built = f"{type(error).__name__}: {error}"
    return digest((built, method.uses_auxiliary))


def _check_specs(what: str, argument: str, specs: Mapping[str, Any], kind: type) -> None:
    if not isinstance(specs, Mapping):
        raise TypeError(f"{argument} is of type {type(specs).__name__}: pass a dictionary of {kind.__name__} by name")
    seen: dict[str, str] = {}
    for name, spec in specs.items():
        if not isinstance(name, str):
            raise TypeError(f"the {what} {name!r} has no text for a name: use names such as {str(name)!r}")
        if not isinstance(spec, kind):
            raise TypeError(f"the {what} {name!r} is of type {type(spec).__name__}: pass a {kind.__name__}")
        quoted = quote(name, safe="")
        if not 1 <= len(quoted) <= LONGEST:
            raise ValueError(f"{what} {name!r} has {len(quoted)} letters in the name of a file: use 1 to {LONGEST}")
        # Some file systems do not tell capitals from small letters.
        other = seen.setdefault(quoted.lower(), name)
        if other != name:
            raise ValueError(
                f"{what} {name!r} and {other!r} differ in capitals alone: use names that differ in letters"
            )
    if not seen:
        raise ValueError(f"no {what} was given: use one or more")
