"""The diverse-influence condition at many points: the checks of each, and what they come to together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np
from joblib import Parallel, delayed
from numpy.random import RandomState
from numpy.typing import ArrayLike

from identica.arguments import as_array, check_integer, check_real, local_random
from identica.trust.sdi.check import check_sdi
from identica.trust.sdi.clock import Clock
from identica.trust.sdi.local import LocalIdentifiability, local_identifiability
from identica.trust.sdi.result import SDICheck
from identica.trust.sdi.rows import ScaledRows
from identica.trust.sdi.weights import FloatArray, check_jacobian

__all__ = ["SDIPoint", "SDISummary", "summarise_sdi"]

ANSWERS = ("holds", "fails", "undecided")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_SECONDS = 0.01
"""What each check has at least, also where the time is over."""
WANTED = "an array of shape (n_points, n_features, n_components), or (n_features, n_components) for one point"


@final
@dataclass(frozen=True, eq=False)
class SDIPoint:
    """What is known of one Jacobian.

    Parameters
    ----------
    index : int
        Which of those that were given.
    plain, symmetric : SDICheck
        The condition for the hull of the rows, and for that of the rows and their negatives.
    local : LocalIdentifiability
        Whether the components are a strict local maximum of the volume.
    volume_efficiency : float
        In [0, 1], see :func:`summarise_sdi`.
    """

    index: int
    plain: SDICheck
    symmetric: SDICheck
    local: LocalIdentifiability
    volume_efficiency: float

    def to_dict(self) -> dict[str, Any]:
        """Return the answers as plain values.

        Returns
        -------
        dict
            "condition_1", "condition_2", "gamma", the same three under "symmetric", and "locally_identifiable".
        """
        return {
            **self.plain.to_dict(),
            "symmetric": self.symmetric.to_dict(),
            "locally_identifiable": self.local.identifiable,
        }


@final
@dataclass(frozen=True, eq=False)
class SDISummary:
    """What is known of many Jacobians.

    Parameters
    ----------
    points : tuple of SDIPoint
        Those that were checked.
    n_left_out : int
        Points that were to be checked and that the time did not reach.
    """

    points: tuple[SDIPoint, ...]
    n_left_out: int = 0

    @property
    def locally_identifiable(self) -> float:
        """Share of the points that are a strict local maximum of the volume."""
        return float(np.mean([point.local.identifiable for point in self.points]))

    @property
    def volume_efficiency(self) -> tuple[float, ...]:
        """Least, quartiles and largest of the volume efficiency."""
        return _quantiles([point.volume_efficiency for point in self.points])

    def shares(self, condition: int, *, symmetric: bool = False) -> dict[str, float]:
        """Return for which share of the points a condition holds, fails or is undecided.

        Parameters
        ----------
        condition : {1, 2}
            Which.
        symmetric : bool, default=False
            Whether of the symmetric hull.

        Returns
        -------
        dict of float
            By answer.
        """
        check_integer("condition", condition, 1, 2)
        found: list[str] = [
            check.condition_1 if condition == 1 else check.condition_2 for check in self._checks(symmetric)
        ]
        return {answer: found.count(answer) / len(found) for answer in ANSWERS}

    def gamma(self, *, symmetric: bool = False) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return least, quartiles and largest of the lower and of the upper ends of the margin's intervals.

        Parameters
        ----------
        symmetric : bool, default=False
            Whether of the symmetric hull.

        Returns
        -------
        tuple of two tuples of float
            Of five numbers each.
        """
        low, high = zip(*(check.gamma for check in self._checks(symmetric)), strict=True)
        return _quantiles(low), _quantiles(high)

    def corner_size(self, *, symmetric: bool = False) -> float | None:
        """Return up to what changes the components are the only best answer at the points where both parts hold.

        Parameters
        ----------
        symmetric : bool, default=False
            Whether of the symmetric hull.

        Returns
        -------
        float or None
            The largest of :attr:`SDICheck.corner_size` there; None where there is no such point.
        """
        checks = self._checks(symmetric)
        sizes = [each.corner_size for each in checks if each.condition_1 == each.condition_2 == "holds"]
        return max((size for size in sizes if size is not None), default=None)

    @property
    def unique_up_to(self) -> float | None:
        """The larger :meth:`corner_size` of the two hulls; None where nowhere both parts hold for either."""
        sizes = [self.corner_size(symmetric=either) for either in (False, True)]
        return max((size for size in sizes if size is not None), default=None)

    def _checks(self, symmetric: bool) -> list[SDICheck]:
        return [point.symmetric if symmetric else point.plain for point in self.points]

    def to_dict(self) -> dict[str, Any]:
        """Return the answers as plain values.

        Returns
        -------
        dict
            "points", each as :meth:`SDIPoint.to_dict` gives it, and "summary", with the number of each point among
            those given under "indices".
        """
        of_hulls = {name: self._of_hull(symmetric) for name, symmetric in (("plain", False), ("symmetric", True))}
        return {
            "points": [point.to_dict() for point in self.points],
            "summary": {
                "n_points": len(self.points),
                "n_left_out": self.n_left_out,
                "indices": [point.index for point in self.points],
                **of_hulls["plain"],
                "symmetric": of_hulls["symmetric"],
                "locally_identifiable": self.locally_identifiable,
                "volume_efficiency": list(self.volume_efficiency),
            },
        }

    def _of_hull(self, symmetric: bool) -> dict[str, Any]:
        low, high = self.gamma(symmetric=symmetric)
        return {
            "condition_1": self.shares(1, symmetric=symmetric),
            "condition_2": self.shares(2, symmetric=symmetric),
            "gamma_low": list(low),
            "gamma_high": list(high),
            "corner_size": self.corner_size(symmetric=symmetric),
        }


def _quantiles(values: Any) -> tuple[float, ...]:
    return tuple(np.quantile(values, QUANTILES).tolist())


def summarise_sdi(
    jacobians: ArrayLike,
    *,
    tol: float = 1e-4,
    time_limit: float = 60.0,
    n_points: int | None = None,
    n_jobs: int = 1,
    random_state: int | RandomState | None = 0,
    on_point: Callable[[SDIPoint, int, int], None] | None = None,
) -> SDISummary:
    r"""Check the diverse-influence condition and local identifiability at many points.

    The volume efficiency of a point, with Z = J diag(w) of :func:`fit_weights`, is

    .. math:: \det(Z^\top Z)^{1 / (2 d)} / \sqrt{m / d} \in [0, 1],

    the volume as a share of the largest that m rows in the ball can span.

    Parameters
    ----------
    jacobians : array-like of shape (n_points, n_features, n_components) or (n_features, n_components)
        Of the mixing or the decoder, at points drawn from the data.
    tol : float, default=1e-4
        From 1e-6 to 1e-2, see :func:`check_sdi` and :func:`local_identifiability`.
    time_limit : float, default=60.0
        Seconds for all points together, kept as far as :func:`check_sdi` keeps its own. What one point leaves goes
        to those after it. Points are taken in random order; those that the time does not reach are left out, but for
        one.
    n_points : int, optional
        How many of the points to look at, drawn at random; all by default.
    n_jobs : int, default=1
        Points that are checked side by side, each in a process of its own.
    random_state : int, RandomState or None, default=0
        Of the draw and of all searches.
    on_point : callable, optional
        Called with each point that is done, how many are, and how many there are.

    Returns
    -------
    SDISummary
        The points in their order.

    Raises
    ------
    ValueError
        If a Jacobian cannot be checked, or another argument is out of range.
    TypeError
        If an argument is of the wrong kind.

    Examples
    --------
    >>> signed = np.concatenate([np.eye(3), -np.eye(3)])
    >>> summary = summarise_sdi([signed, 2 * signed])
    >>> summary.shares(1)
    {'holds': 1.0, 'fails': 0.0, 'undecided': 0.0}
    """
    given = as_array("jacobians", jacobians, WANTED)
    if given.ndim == 2:
        given = given[None]
    if given.ndim != 3 or given.size == 0:
        raise ValueError(f"jacobians has shape {given.shape}: pass {WANTED}, without empty axes")
    random = local_random(random_state)
    tolerance = check_real("tol", tol, at_least=1e-6, at_most=1e-2)
    clock = Clock(check_real("time_limit", time_limit, above=0.0))
    workers = check_integer("n_jobs", n_jobs, 1)
    number = len(given) if n_points is None else check_integer("n_points", n_points, 1, len(given))
    chosen = random.permutation(len(given))[:number]
    checked = [check_jacobian(given[index], f"jacobian {index}") for index in chosen.tolist()]
    seeds = random.randint(2**31 - 1, size=len(chosen)).tolist()

    def tasks() -> Iterator[Any]:
        # Read one by one as workers become free, so that each point has its share of the time left by then.
        for done, (index, jacobian) in enumerate(zip(chosen.tolist(), checked, strict=True)):
            if done and clock.over:
                return
            rounds = math.ceil((len(chosen) - done) / workers)
            yield delayed(_check_point)(index, jacobian, tolerance, clock.left / rounds, seeds[done])

    found = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="n_jobs", batch_size=1)(tasks())
    points = []
    for point in cast("Iterator[SDIPoint]", found):
        points.append(point)
        if on_point is not None:
            on_point(point, len(points), len(chosen))
    points.sort(key=lambda point: point.index)
    return SDISummary(tuple(points), len(chosen) - len(points))


def _check_point(index: int, jacobian: FloatArray, tol: float, seconds: float, seed: int) -> SDIPoint:
    """Check one point: what needs no limit first, then either hull for half of the time that is left."""
    clock = Clock(seconds)
    local = local_identifiability(jacobian, tol=tol, random_state=seed)
    efficiency = ScaledRows.of(jacobian, symmetric=False).volume_efficiency
    limit = max(LEAST_SECONDS, clock.left / 2)
    plain = check_sdi(jacobian, tol=tol, time_limit=limit, random_state=seed)
    limit = max(LEAST_SECONDS, clock.left)
    symmetric = check_sdi(jacobian, symmetric=True, tol=tol, time_limit=limit, random_state=seed)
    return SDIPoint(index, plain, symmetric, local, efficiency)
