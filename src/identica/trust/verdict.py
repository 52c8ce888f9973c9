"""What speaks for and against the components of a fit, in words, graded.

One function reads a fitted estimator; the report, the command line and the warning of ``fit`` all show what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

from identica.trust.other_fits import CrossCheck
from identica.trust.sdi import SDISummary
from identica.trust.signs import MIDDLE, QUESTIONS, Sign
from identica.trust.signs_beside import of_halves, of_influence, of_local, of_seeds
from identica.trust.signs_of_fit import LOOKS, is_of_counts

__all__ = ["ASSUMED", "Verdict", "judge"]

MOST_UNEXPLAINED = 0.8
"""Of the held-out variance, where agreement alone tells little: starts agree on noise, too. Of counts, whose noise is
known, that of the variance which is no such noise."""
HEADINGS = {
    "sound": "No sign against reading single components",
    "unchecked": "Not enough was seen to tell these components from others",
    "doubtful": "Do not read meaning into single components",
}
ASSUMED = (
    "Assumed, and tested by none of these: that no other mixing which gives the same data has a larger criterion than "
    "the true one. No data can test it."
)
Level = Literal["sound", "unchecked", "doubtful"]


@final
@dataclass(frozen=True)
class Verdict:
    """Whether single components can be trusted, as far as the fit can tell.

    Parameters
    ----------
    level : {"sound", "unchecked", "doubtful"}
        The word on it; never more than that nothing speaks against them.
    number : float
        The least grade of all signs, in [0, 1].
    signs : tuple of Sign
        All that was looked at.
    """

    level: Level
    number: float
    signs: tuple[Sign, ...]

    @property
    def heading(self) -> str:
        """The word on it, as a heading."""
        return HEADINGS[self.level]

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence for each sign."""
        return tuple(sign.text for sign in self.signs)

    def by_question(self) -> dict[str, tuple[Sign, ...]]:
        """Return the signs by the question that they answer.

        Returns
        -------
        dict of str to tuple of Sign
            Keys as in ``QUESTIONS``, without those that no sign answers.
        """
        found = {name: tuple(sign for sign in self.signs if sign.question == name) for name in QUESTIONS}
        return {name: signs for name, signs in found.items() if signs}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a fit must warn of: one sentence per sign that speaks against the components."""
        return tuple(sign.text for sign in self.signs if sign.side == "against")


def judge(fitted: Any, *, cross: CrossCheck | None = None, condition: SDISummary | None = None) -> Verdict:
    """Weigh the signs that a fit has left of whether its components are the data's own.

    Four questions are kept apart, see ``QUESTIONS``. That starts and restarts agree tells what the search found. That
    fits from other seeds and of halves of the rows agree, and single points with all of them, is evidence that the data
    single the components out. The theory's condition at the learned Jacobian tells whether the answer is the only best
    one there; it is no evidence for or against the answer, nor is local identifiability: a learned Jacobian is
    stationary by construction, in the mean over points. What remains is assumed, see ``ASSUMED``.

    Parameters
    ----------
    fitted : fitted estimator
        Of this library, fresh from ``fit`` or loaded from a file.
    cross : CrossCheck, optional
        What other fits of the same data say, see :func:`cross_check`.
    condition : SDISummary, optional
        The check of its Jacobians, see :func:`identica.trust.sdi.summarise_sdi`.

    Returns
    -------
    Verdict
        Doubtful where one sign is against; unchecked where one network was trained and no other fit is given, neither
        starts nor restarts could disagree, single points speak for the components to less than 0.97, or next to nothing
        is explained.

    Examples
    --------
    >>> from identica import PolytopicFactorization
    >>> from identica.datasets import make_mixture
    >>> X = make_mixture(500, 40, 2, kind="linear", random_state=0).X
    >>> judge(PolytopicFactorization(2, random_state=0).fit(X)).level
    'sound'
    """
    signs = [sign for look in LOOKS if (sign := look(fitted)) is not None]
    if cross is not None:
        signs += [of_seeds(cross), of_halves(cross)]
    if condition is not None:
        signs += [of_influence(condition), of_local(condition)]
    grades = [sign.grade for sign in signs if sign.grade is not None]
    number = min(grades, default=MIDDLE)
    names = {sign.name for sign in signs if sign.grade is not None}
    if any(sign.side == "against" for sign in signs):
        return Verdict("doubtful", number, tuple(signs))
    if not names & {"starts", "restarts", "seeds"}:
        nothing = Sign("compared", "neither", "No other fit of these data was there to compare with.")
        return Verdict("unchecked", number, (*signs, nothing))
    if _unexplained(fitted) > MOST_UNEXPLAINED:
        little = Sign(
            "explained",
            "neither",
            f"More than {MOST_UNEXPLAINED:.0%} of what varies is something else than these components.",
        )
        return Verdict("unchecked", number, (*signs, little))
    if any(sign.name == "points" and sign.side != "for" for sign in signs):
        return Verdict("unchecked", number, tuple(signs))
    return Verdict("sound", number, tuple(signs))


def _unexplained(fitted: Any) -> float:
    """Return the share left unexplained, of what is no noise where counts tell how much that is."""
    error, floor = float(fitted.reconstruction_error_), getattr(fitted, "noise_floor_", None)
    if not is_of_counts(fitted) or floor is None or floor >= 1:
        return error
    return (error - float(floor)) / (1 - float(floor))
