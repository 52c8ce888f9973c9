"""What speaks for and against single components, in sentences for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from identica.solvers.aligning import AGREEMENT

if TYPE_CHECKING:
    from identica.report.contents import Fit

__all__ = ["Verdict", "judge"]

LEAST_OF_LINEAR = 0.95
"""Share of the variance that PCA explains which a network must explain."""
MOST_OF_LINEAR = 0.95
"""Share of what PCA leaves unexplained that a network may leave to have found more."""
FOUND = 0.9
"""Mean R² with true components from which they count as found."""
MOST_UNEXPLAINED = 0.8
"""Of the held-out variance, where agreement alone tells much: restarts agree on noise, too."""
HEADINGS = {
    "sound": "No sign against reading single components",
    "unchecked": "Not enough was seen to tell these components from others",
    "doubtful": "Do not read meaning into single components",
}


@final
@dataclass(frozen=True)
class Verdict:
    """Whether single components can be trusted, as far as the fit can tell.

    Parameters
    ----------
    level : {"sound", "unchecked", "doubtful"}
        The word on it; never more than that nothing speaks against them.
    reasons : tuple of str
        One sentence for each sign looked at.
    """

    level: Literal["sound", "unchecked", "doubtful"]
    reasons: tuple[str, ...]

    @property
    def heading(self) -> str:
        """The word on it, as a heading."""
        return HEADINGS[self.level]


def judge(fit: Fit) -> Verdict:
    """Weigh the signs that a fit has left of whether its components are the data's own.

    Parameters
    ----------
    fit : Fit
        What came out.

    Returns
    -------
    Verdict
        Doubtful where restarts disagree, the network explains clearly less than PCA, the fit
        warned, or true components are known and were not found; unchecked where there were no restarts, or next to
        nothing is explained and the truth is not known.

    Examples
    --------
    >>> from identica.report import Fit
    >>> judge(Fit("dica", 3.2, restart_agreement=0.99, restarts=(1.0, 1.0))).level
    'sound'
    """
    reasons, doubtful, little = [], bool(fit.warnings), False
    if fit.restart_agreement is not None and fit.restarts:
        agrees = fit.restart_agreement >= AGREEMENT
        doubtful = doubtful or not agrees
        outcome = (
            "the criterion singles these components out"
            if agrees
            else "other components are as good to the criterion as these"
        )
        reasons.append(
            f"{len(fit.restarts)} restarts {'agree' if agrees else 'disagree'} "
            f"({fit.restart_agreement:.3f}; {AGREEMENT} and more is agreement; criterion {max(fit.restarts):.3f} at "
            f"best, {min(fit.restarts):.3f} at worst): {outcome}."
        )
    ours, linear = fit.reconstruction_error, fit.linear_reconstruction_error
    if ours is not None and linear is not None:
        # Where the mixing is linear PCA is as good, and the components can be right all the same.
        worse = 1 - ours < LEAST_OF_LINEAR * max(0.0, 1 - linear)
        doubtful = doubtful or worse
        outcome = (
            "the decoder has not learnt the data, and neither has its Jacobian: train longer"
            if worse
            else "it found more than a linear method can"
            if ours <= MOST_OF_LINEAR * linear
            else "it found about as much as a linear method does (to have found more, it must leave at most "
            f"{MOST_OF_LINEAR:.0%} of what PCA leaves), compare PolytopicFactorization"
        )
        little = ours > MOST_UNEXPLAINED
        reasons.append(
            f"The network leaves {ours:.2%} of the held-out variance unexplained, PCA {linear:.2%}: {outcome}."
        )
    if little:
        reasons.append(f"More than {MOST_UNEXPLAINED:.0%} of what varies is something else than these components.")
    if "r2_mean" in fit.scores:
        found = fit.scores["r2_mean"] >= FOUND
        doubtful = doubtful or not found
        outcome = "they were found" if found else "some are still mixed, whatever else speaks for them"
        without = f", {fit.n_unmatched} without an estimate and counted as 0" if fit.n_unmatched else ""
        over = "" if fit.r2 is None else f" over {len(fit.r2)}{without}"
        reasons.append(f"The true components are known here, mean R² {fit.scores['r2_mean']:.3f}{over}: {outcome}.")
    if fit.warnings:
        reasons.append("The fit warned, as shown above.")
    if doubtful:
        return Verdict("doubtful", tuple(reasons))
    if fit.restart_agreement is None:
        return Verdict("unchecked", (*reasons, "This method makes no restarts that could disagree."))
    if little and "r2_mean" not in fit.scores:
        return Verdict("unchecked", tuple(reasons))
    return Verdict("sound", tuple(reasons))
