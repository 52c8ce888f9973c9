"""The verdict that a page shows: that of the fit, with what is known here beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identica.trust import Sign, Verdict

if TYPE_CHECKING:
    from identica.report.contents import Fit

__all__ = ["verdict_of"]

FOUND = 0.9
"""Mean R² with true components from which they count as found."""


def verdict_of(fit: Fit) -> Verdict:
    """Return the verdict on a fit, with the truth where it is known, and the warnings that the page shows.

    Parameters
    ----------
    fit : Fit
        What came out.

    Returns
    -------
    Verdict
        That of :func:`identica.trust.judge`; doubtful also where true components are known and were not found, or the
        fit warned. Where the truth is known and was found, little that is explained does no harm.

    Examples
    --------
    >>> from identica.report import Fit
    >>> verdict_of(Fit("dica", 3.2)).level
    'unchecked'
    """
    verdict = fit.verdict or Verdict("unchecked", 0.5, (Sign("compared", "neither", "Nothing was there to disagree."),))
    signs, level = list(verdict.signs), verdict.level
    if "r2_mean" in fit.scores:
        found = fit.scores["r2_mean"] >= FOUND
        outcome = "they were found" if found else "some are still mixed, whatever else speaks for them"
        without = f", {fit.n_unmatched} without an estimate and counted as 0" if fit.n_unmatched else ""
        over = "" if fit.r2 is None else f" over {len(fit.r2)}{without}"
        text = f"The true components are known here, mean R² {fit.scores['r2_mean']:.3f}{over}: {outcome}."
        signs.append(Sign("truth", "for" if found else "against", text))
        if not found:
            level = "doubtful"
        elif level == "unchecked" and any(sign.name == "explained" for sign in signs):
            level = "sound"
    if fit.warnings:
        level = "doubtful"
        signs.append(Sign("warnings", "against", "The fit warned, as shown above."))
    return Verdict(level, verdict.number, tuple(signs))
