"""What the fits of one number of components say about each of these components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from identica.metrics import r2_matrix
from identica.trust.agreement import agreement_by_component
from identica.trust.signs_of_fit import DEAD
from identica.trust.single_fits import SingleFit
from identica.trust.telling import share_told

__all__ = ["ComponentEvidence", "NumberEvidence", "number_evidence"]

REPLICATED = 0.9
"""Agreement from which on a component counts as found again."""
AS_GOOD = 1.25
NEARLY = 2e-3
"""Fits whose error is at most so many times the least, and so much more, rebuild the data as well as the best."""

TOLD = 0.8
"""Share of its variance from which on a component is a function of stronger ones."""
HELD = 0.9
"""Share of its variance from which on another fit holds a component."""

_PLAIN = ("n_components", "unexplained", "criterion", "reference", "n_fits", "n_warned", "n_doubted", "seconds")

State = Literal["trusted", "mixed", "unstable", "empty", "duplicate", "split"]


@final
@dataclass(frozen=True)
class ComponentEvidence:
    """What speaks for and against one component.

    Parameters
    ----------
    component : int
        Which one, of the reference fit.
    agreement_of_seeds : float
        Its median absolute rank correlation with its match in the fits from other seeds.
    agreement_of_halves : float
        The same with its match in the fits of either half of the rows, the lower of both.
    held : float
        Share of its variance that all components of either half's fit tell together, the lower of both.
    strength : float
        How much it moves the features, relative to the mean of all components.
    told : float
        Share of its variance that all stronger components of the same fit tell together.
    state : {"trusted", "mixed", "unstable", "empty", "duplicate", "split"}
        "empty" where it hardly moves any feature; "duplicate" of a stronger one; "split" where it is nearly a function
        of stronger ones, as where a fit spreads one component over two. Of the others, "trusted" where both agreements
        are 0.9 or more and no fit doubts its own single components; "mixed" where other fits hold it, but not as one
        component, or not beyond such doubt; "unstable" where they do not hold it.
    partner : int or None
        The stronger component that it is a duplicate of, or that tells most of it alone.
    """

    component: int
    agreement_of_seeds: float
    agreement_of_halves: float
    held: float
    strength: float
    told: float
    state: State
    partner: int | None = None


@final
@dataclass(frozen=True, eq=False)
class NumberEvidence:
    """What was found for one number of components.

    Parameters
    ----------
    n_components : int
        The number.
    unexplained : float
        Share of the variance of the held-out rows that the reference fit leaves unexplained.
    criterion : float
        Of the reference fit.
    reference : int
        Which seed's fit that is: the one with the largest criterion among those that rebuild the data as well as any.
    components : tuple of ComponentEvidence
        Of the reference fit.
    latents : ndarray of shape (n_held_out, n_components)
        Its components of the held-out rows.
    n_fits, n_warned : int
        Fits of this number, and how many of them warned.
    n_doubted : int
        How many doubt their own single components, see :class:`SingleFit`.
    seconds : float
        That all these fits took together.
    """

    n_components: int
    unexplained: float
    criterion: float
    reference: int
    components: tuple[ComponentEvidence, ...]
    latents: NDArray[np.floating[Any]]
    n_fits: int
    n_warned: int
    n_doubted: int
    seconds: float

    @property
    def trusted(self) -> tuple[int, ...]:
        """Components that can be trusted."""
        return tuple(each.component for each in self.components if each.state == "trusted")

    @property
    def n_trusted(self) -> int:
        """How many that are."""
        return len(self.trusted)

    @property
    def n_found(self) -> int:
        """How many are trusted or mixed: what other fits find, too, be it as single components or not."""
        return sum(each.state in ("trusted", "mixed") for each in self.components)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the latents as plain values.

        Returns
        -------
        dict
            By the names of the fields, "n_trusted" and "n_found" too.
        """
        plain = {name: getattr(self, name) for name in (*_PLAIN, "n_trusted", "n_found")}
        return plain | {"components": [asdict(each) for each in self.components]}


def number_evidence(fits: Sequence[SingleFit], group_size: int = 1) -> NumberEvidence:
    """Compare the fits of one number of components.

    Parameters
    ----------
    fits : sequence of SingleFit
        Two or more of the kind "seed", one or more of the kind "half".
    group_size : int, default=1
        Components beside each other that belong together, see :func:`agreement_by_component`.

    Returns
    -------
    NumberEvidence
        What was found.
    """
    seeds = sorted((fit for fit in fits if fit.kind == "seed"), key=lambda fit: fit.number)
    halves = [fit for fit in fits if fit.kind == "half"]
    least = min(fit.unexplained for fit in seeds)
    good = [fit for fit in seeds if fit.unexplained <= AS_GOOD * least + NEARLY]
    best = max(good, key=lambda fit: fit.criterion)
    n_doubted = sum(fit.doubted for fit in fits)
    return NumberEvidence(
        n_components=best.n_components,
        unexplained=best.unexplained,
        criterion=best.criterion,
        reference=best.number,
        components=_components(best, [fit for fit in seeds if fit is not best], halves, group_size, n_doubted == 0),
        latents=best.latents,
        n_fits=len(fits),
        n_warned=sum(bool(fit.warnings) for fit in fits),
        n_doubted=n_doubted,
        seconds=sum(fit.seconds for fit in fits),
    )


def _components(
    best: SingleFit, others: Sequence[SingleFit], halves: Sequence[SingleFit], size: int, sure: bool
) -> tuple[ComponentEvidence, ...]:
    """Give each component of the reference fit its state; the strongest first, of equal ones the first."""
    latents, strength = best.latents, np.asarray(best.strength, dtype=np.float64)
    strength = strength / max(strength.mean(), np.finfo(np.float64).tiny)
    of_seeds = np.median([agreement_by_component(latents, fit.latents, size) for fit in others], axis=0)
    of_halves = np.min([agreement_by_component(latents, half.latents, size) for half in halves], axis=0)
    held = np.min([share_told(latents, half.latents) for half in halves], axis=0)
    order = np.argsort(-strength, kind="stable").tolist()
    duplicate_of = {max(pair, key=order.index): min(pair, key=order.index) for pair in best.duplicates}
    found = {}
    for place, j in enumerate(order):
        stronger = [k for k in order[:place] if k // size != j // size]
        told = float(share_told(latents[:, [j]], latents[:, stronger])[0]) if stronger else 0.0
        state: State
        partner = None
        if strength[j] < DEAD:
            state = "empty"
        elif j in duplicate_of:
            state, partner = "duplicate", duplicate_of[j]
        elif told >= TOLD:
            state, partner = "split", stronger[int(r2_matrix(latents[:, [j]], latents[:, stronger])[0].argmax())]
        elif min(of_seeds[j], of_halves[j]) >= REPLICATED:
            # What agrees is in the data; a fit that says its components could be others does not vouch for single ones.
            state = "trusted" if sure else "mixed"
        else:
            state = "mixed" if held[j] >= HELD else "unstable"
        found[j] = ComponentEvidence(
            component=j,
            agreement_of_seeds=float(of_seeds[j]),
            agreement_of_halves=float(of_halves[j]),
            held=float(held[j]),
            strength=float(strength[j]),
            told=told,
            state=state,
            partner=partner,
        )
    return tuple(found[j] for j in sorted(found))
