"""The number of components that fits of many numbers speak for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from identica.trust.evidence import NumberEvidence

__all__ = ["Choice", "recommend"]

NOT_FOUND = 0.5
"""What a component that is not found counts against a number, where one that is found counts 1 for it."""
CLEARLY_WORSE = 0.02
"""Share of the variance explained by more components that a number may miss."""
LEAST_GAIN = 0.002
"""Share of the variance explained that each component must add for a larger number to be better."""


@final
@dataclass(frozen=True, eq=False)
class Choice:
    """How many components the data have, as far as fits can tell.

    Recommended is the number with the most components that other fits find again, as single components ("trusted") or
    spread over several ("mixed"), less half of those that they do not; of equal ones the least; among those that
    rebuild the held-out rows about as well as any larger number does. A component beyond those of the data adds none:
    it is a function of others, empty, or does not come out again from other rows. Where many are beyond, a function
    that folds others strongly can pass for one more, so what is not found counts against a number. And components that
    are each cut into two, as a cosine and a sine are, come out again like any others: so a larger number must rebuild
    the held-out rows better than a smaller one of which any are found, by 0.2 % of the variance explained for each
    component that it has more.

    Parameters
    ----------
    recommended : int
        The number.
    reason : str
        Why, in a sentence.
    rows : tuple of NumberEvidence
        What was found for each number, in ascending order.
    held_out : ndarray of int
        Rows that no fit has seen.
    """

    recommended: int
    reason: str
    rows: tuple[NumberEvidence, ...]
    held_out: NDArray[np.intp]

    @property
    def best(self) -> NumberEvidence:
        """What was found for the recommended number."""
        return next(row for row in self.rows if row.n_components == self.recommended)

    @property
    def trusted(self) -> tuple[int, ...]:
        """Components of the recommended number's reference fit that can be trusted."""
        return self.best.trusted

    def to_dict(self) -> dict[str, Any]:
        """Return all but arrays as plain values.

        Returns
        -------
        dict
            "recommended", "reason", "trusted" and "rows".
        """
        return {
            "recommended": self.recommended,
            "reason": self.reason,
            "trusted": list(self.trusted),
            "rows": [row.to_dict() for row in self.rows],
        }


def recommend(rows: Sequence[NumberEvidence], held_out: NDArray[np.intp]) -> Choice:
    """Apply the rule, see :class:`Choice`.

    Parameters
    ----------
    rows : sequence of NumberEvidence
        One or more, in any order.
    held_out : ndarray of int
        Rows that no fit has seen.

    Returns
    -------
    Choice
        The number recommended, and why.
    """
    rows = sorted(rows, key=lambda row: row.n_components)
    able = [row for k, row in enumerate(rows) if not _clearly_worse(row, rows[k + 1 :])]
    best = able[0]
    passed: list[NumberEvidence] = []
    for row in able[1:]:
        if _score(row) > _score(best):
            if best.n_found == 0 or _gains(row, best, rows):
                best, passed = row, []
            else:
                passed.append(row)
    return Choice(best.n_components, _reason(best, able, rows, passed), tuple(rows), held_out)


def _score(row: NumberEvidence) -> float:
    return row.n_found - NOT_FOUND * (row.n_components - row.n_found)


def _gains(row: NumberEvidence, smaller: NumberEvidence, rows: Sequence[NumberEvidence]) -> bool:
    """Tell whether the components that a number has more rebuild something."""
    explained = 1.0 - min(other.unexplained for other in rows)
    more = row.n_components - smaller.n_components
    return smaller.unexplained - row.unexplained >= LEAST_GAIN * more * max(0.0, explained)


def _clearly_worse(row: NumberEvidence, larger: Sequence[NumberEvidence]) -> bool:
    least = min((other.unexplained for other in larger), default=row.unexplained)
    return row.unexplained - least > CLEARLY_WORSE * max(0.0, 1.0 - least)


def _reason(
    best: NumberEvidence,
    able: Sequence[NumberEvidence],
    rows: Sequence[NumberEvidence],
    passed: Sequence[NumberEvidence],
) -> str:
    number = f"{best.n_components} component{'s' * (best.n_components > 1)}"
    if best.n_found == 0:
        said = [
            f"{number}: the least number that rebuilds the held-out rows about as well as any larger one tried; other "
            "fits find no component again with any of them, so that none can be trusted"
        ]
    else:
        found = "all" if best.n_found == best.n_components else best.n_found
        said = [
            f"{number}: other fits find {found} of them again, {best.n_trusted or 'none'} as single components, which "
            "can be trusted"
        ]
        if best.n_doubted:
            said[0] = (
                f"{number}: other fits find {found} of them again, and {best.n_doubted} of {best.n_fits} fits say of "
                "their own that single components could be others, so that none can be trusted"
            )
        if passed:
            most = max(passed, key=_score)
            said.append(
                f"of {most.n_components} they find {most.n_found}, which rebuild the held-out rows hardly better: "
                "components cut into parts"
            )
        elif best is not rows[-1]:
            said.append("larger numbers add none")
        elif best.n_found == best.n_components:
            said.append("no larger number was tried, and there may be more")
    if able[0] is not rows[0]:
        said.append(f"fewer than {able[0].n_components} rebuild the held-out rows clearly worse")
    return "; ".join(said) + "."
