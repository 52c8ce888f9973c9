"""What is measured beside a fit: other fits of the same data, and the theory's condition at the learned Jacobian."""

from __future__ import annotations

from typing import Any

from identica.trust.other_fits import CrossCheck
from identica.trust.sdi import SDISummary
from identica.trust.signs import AGREEMENT, MIDDLE, Sign, grade_of

__all__ = ["of_halves", "of_influence", "of_local", "of_seeds"]

HALVES = 0.9
"""From here on fits of halves of the rows agree; each has seen half as much as the fit that is judged."""


def of_seeds(cross: CrossCheck) -> Sign:
    """Return whether fits from other seeds have the same components."""
    n_seeds = len(cross.seeds)
    return _of_other_fits(
        "seeds",
        "a fit of the same rows from another seed has"
        if n_seeds == 1
        else f"{n_seeds} fits of the same rows from other seeds have",
        cross.seed_agreement,
        _worst(cross.seeds.min(axis=0), AGREEMENT),
        AGREEMENT,
        "train longer (training.max_steps), use more starts (n_init) or fewer components",
    )


def of_halves(cross: CrossCheck) -> Sign:
    """Return whether fits of halves of the rows have the same components."""
    return _of_other_fits(
        "halves",
        "fits of the two halves of the rows have",
        cross.half_agreement,
        _worst(cross.halves.min(axis=0), HALVES),
        HALVES,
        "use more samples or fewer components",
    )


def _of_other_fits(name: str, fits: str, agreement: float, least: str, enough: float, remedy: str) -> Sign:
    grade = grade_of(agreement, enough)
    if grade >= MIDDLE:
        text = f"{fits[0].upper()}{fits[1:]} the same components (agreement {agreement:.3f}{least})."
        return Sign(name, "for", text, grade)
    text = f"{fits} other components (agreement {agreement:.3f}, below {enough}{least}): {remedy}"
    return Sign(name, "against", text, grade)


def _worst(agreements: Any, enough: float) -> str:
    """Name the components that agree least, where some do not."""
    low = [int(j) for j in agreements.argsort()[:3] if agreements[j] < enough]
    return f"; least of component(s) {', '.join(f'{j} {agreements[j]:.2f}' for j in low)}" if low else ""


def of_influence(condition: SDISummary) -> Sign:
    """Return whether the theory's condition holds at the learned Jacobian, which is no evidence of the truth."""
    plain, symmetric = ([getattr(point, kind) for point in condition.points] for kind in ("plain", "symmetric"))
    holds = sum(
        any(check.condition_1 == check.condition_2 == "holds" for check in pair)
        for pair in zip(plain, symmetric, strict=True)
    )
    margin = condition.gamma(symmetric=True)[1][2]
    facts = (
        f"diverse influence holds at {holds} of {len(plain)} points checked (margin at most {margin:.2f} in the middle)"
    )
    size = condition.unique_up_to
    meaning = (
        f"there these components are the only best answer, up to changes by less than {size:.2g} of them."
        if size is not None
        else "it is not proven that these components are the only best answer; the condition is sufficient, and dense "
        "rows hardly ever meet it."
    )
    return Sign("influence", "neither", f"At the learned Jacobian {facts}: {meaning}")


def of_local(condition: SDISummary) -> Sign:
    """Return how many points are stationary by themselves, which tells of the criterion and how far it has come."""
    share = condition.locally_identifiable
    text = (
        f"By itself, the learned Jacobian is locally identifiable at {share:.0%} of the points checked: this tells how "
        "far a fit with the criterion c_inf has converged (others keep rows in bounds in their mean), and nothing of "
        "the truth."
    )
    return Sign("local", "neither", text)
