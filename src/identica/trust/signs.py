"""One sign for or against the components of a fit, and the question that it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

__all__ = ["AGREEMENT", "MIDDLE", "QUESTIONS", "Side", "Sign", "grade_of"]

AGREEMENT = 0.95
"""From here on restarts, and starts, agree."""
AGREEMENT_SPAN = 0.05
"""A grade falls from the middle to 0 over so much of an agreement."""
MIDDLE = 0.5
QUESTIONS: Mapping[str, str] = {
    "search": "Did the search end at one answer?",
    "data": "Do the data single these components out?",
    "fit": "Has the network learnt the data?",
    "condition": "Are they the only best answer, by the theory's condition at the learned Jacobian?",
    "truth": "Are they the true ones?",
}
"""What signs answer, each kept apart from the others."""
_QUESTION_OF = {
    **dict.fromkeys(("starts", "restarts", "odds", "compared"), "search"),
    **dict.fromkeys(("seeds", "halves", "points", "samples", "components", "directions", "auxiliary"), "data"),
    **dict.fromkeys(("influence", "local"), "condition"),
    "truth": "truth",
}
"""Of each sign; those that are not named say how good the fit is."""
Side = Literal["for", "against", "neither"]


@final
@dataclass(frozen=True)
class Sign:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What: "starts", "restarts", "reconstruction" and so on.
    side : {"for", "against", "neither"}
        What it speaks for.
    text : str
        A sentence for a reader.
    grade : float or None
        From 0, against, to 1, for; below 0.5 it is against. None where it does not count.
    """

    name: str
    side: Side
    text: str
    grade: float | None = None

    @property
    def of_single_components(self) -> bool:
        """Whether it says that single components could be others, and not that the fit as a whole is a poor one."""
        return self.name in ("starts", "restarts", "seeds", "halves", "points", "components", "auxiliary")

    @property
    def question(self) -> str:
        """Which of ``QUESTIONS`` it answers."""
        return _QUESTION_OF.get(self.name, "fit")


def grade_of(agreement: float, enough: float = AGREEMENT) -> float:
    """Return 1 for an agreement of 1, 0.5 for what is enough, and 0 well below; straight lines between."""
    span = 1.0 - enough if agreement >= enough else AGREEMENT_SPAN
    return min(1.0, max(0.0, MIDDLE + (1.0 - MIDDLE) * (agreement - enough) / span))
