"""What a fit itself shows for and against its components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identica.trust.signs import AGREEMENT, MIDDLE, Side, Sign, grade_of

__all__ = ["CLEARLY_POINTWISE", "DEAD", "DOUBTS", "LOOKS", "is_of_counts"]

ANSWERED = 0.985
"""From here on starts agree so closely that restarts which do not are a matter of the search alone."""
POINTWISE = 0.93
"""From here on single points, each by itself, are no reason to ask the restarts where starts agree."""
CLEARLY_POINTWISE = 0.97
"""From here on they speak for the same components as all together: of all signs, that which predicted recovery best."""
LEAST_POINTWISE = 0.85
"""Below this they speak against them, whatever starts say."""
LEAST_OF_LINEAR = 0.95
"""Share of the variance that PCA explains which a network must explain."""
MOST_OF_LINEAR = 0.95
"""Share of what PCA leaves unexplained that a network may leave to have found more."""
MOST_OF_TRAINED = 2.0
"""Times what it leaves of rows it was trained on that a network may leave of held-out rows."""
LEAST_OVERFITTING = 0.005
"""Share of the variance by which the two may differ whatever their ratio."""
SAMPLES_PER_COMPONENT = 10
"""Below this the axes of the data themselves are set by chance; the rule of thumb of regression."""
LIKELY_SAMPLES_PER_COMPONENT = 100
HARDLY_EXPLAINED = 0.05
"""Share of its variance below which a feature is noise to a model."""
MANY = 0.05
"""Share of the features that such may be without being mentioned."""
TECHNICAL = 0.5
"""Share of its variance that depth and covariates tell, from which on a component is technical."""
DEAD = 0.01
"""Share of the mean strength of all components below which one does nothing."""


def is_of_counts(fitted: Any) -> bool:
    """Tell whether a fit is of counts; fits of other kinds than this library's have no likelihood.

    Parameters
    ----------
    fitted : fitted estimator
        Any.

    Returns
    -------
    bool
        Whether its likelihood is another than Gaussian.
    """
    return bool(getattr(fitted, "likelihood", "gaussian") != "gaussian")


def _starts(fitted: Any) -> Sign | None:
    agreement = getattr(fitted, "start_agreement_", None)
    if agreement is None:
        return None
    finished = [record for record in fitted.starts_ if record["finished"]]
    same = sum(record["agreement"] >= AGREEMENT for record in finished)
    counted = f"{same} of the {len(finished)} starts that were trained to the end, out of {len(fitted.starts_)},"
    grade = grade_of(agreement)
    if grade >= MIDDLE:
        text = f"{counted} found these components (agreement {agreement:.3f})."
        return Sign("starts", "for", text, grade)
    text = (
        f"{counted} found these components (agreement {agreement:.3f}, below {AGREEMENT}): another start could have "
        "given others; train longer (training.max_steps), use more starts (n_init) or fewer components"
    )
    return Sign("starts", "against", text, grade)


def _restarts(fitted: Any) -> Sign | None:
    agreement = getattr(fitted, "restart_agreement_", None)
    restarts = getattr(fitted, "restarts_", ())
    if agreement is None or len(restarts) < 2:
        return None
    grade = grade_of(agreement)
    starts = getattr(fitted, "start_agreement_", None)
    points = getattr(fitted, "pointwise_agreement_", None)
    answered = starts is not None and starts >= ANSWERED and (points is None or points >= POINTWISE)
    if starts is not None and (answered or grade >= MIDDLE):
        # Starts that agree after all stages have answered the question that restarts ask before the last one, unless
        # single points do not agree with them: few rows without corners can lead all starts to one wrong answer.
        text = f"{len(restarts)} restarts of the alignment, before the last stage, agree to {agreement:.3f}."
        return Sign("restarts", "neither", text)
    if grade >= MIDDLE and hasattr(fitted, "n_init"):
        text = (
            f"{len(restarts)} restarts of the alignment agree ({agreement:.3f}), but one network was trained: another "
            "start could have given other components, set n_init to 2 or more to see."
        )
        return Sign("restarts", "neither", text)
    if grade >= MIDDLE:
        text = (
            f"{len(restarts)} restarts of the alignment agree ({agreement:.3f}): the criterion singles these "
            "components out."
        )
        return Sign("restarts", "for", text, grade)
    text = (
        f"the {len(restarts)} restarts of the alignment end at different components (agreement {agreement:.3f}, below "
        f"{AGREEMENT}): these data may not tell the components apart, so do not read meaning into single components; "
        "try fewer components or more samples"
    )
    return Sign("restarts", "against", text, grade)


def _points(fitted: Any) -> Sign | None:
    agreement = getattr(fitted, "pointwise_agreement_", None)
    if agreement is None or fitted.n_components == 1:
        return None
    grade = grade_of(agreement, LEAST_POINTWISE)
    facts = f"by itself, a single point of the data speaks for these components to {agreement:.3f}"
    if grade >= MIDDLE:
        clear = agreement >= CLEARLY_POINTWISE
        side: Side = "for" if clear else "neither"
        least = "" if clear else f", at least {CLEARLY_POINTWISE} for a sound answer"
        whole = f"{facts[0].upper()}{facts[1:]} (1 where the method's condition holds{least})."
        return Sign("points", side, whole, grade)
    text = (
        f"{facts} (1 where the method's condition holds, below {LEAST_POINTWISE} here): starts may agree on components "
        "that are not those of the data; use more features, or compare other methods"
    )
    return Sign("points", "against", text, grade)


def _odds(fitted: Any) -> Sign | None:
    if not getattr(fitted, "starts_at_odds_", False):
        return None
    text = (
        "Another start has a larger criterion and rebuilds the data clearly worse; the one that rebuilds them better "
        "was kept."
    )
    return Sign("odds", "neither", text)


def _reconstruction(fitted: Any) -> Sign | None:
    ours, linear = fitted.reconstruction_error_, fitted.linear_reconstruction_error_
    floor = getattr(fitted, "noise_floor_", None)
    kind = "the noise of counts alone" if is_of_counts(fitted) else "noise of one size in all directions"
    noise = "" if floor is None else f", {kind} would leave {floor:.2%}"
    facts = f"leaves {ours:.2%} of the held-out variance unexplained, PCA {linear:.2%}{noise}"
    # Where the mixing is linear PCA is as good, and the components can be right all the same.
    # Of few rows PCA may explain less than nothing, and a network that begins there as much, rounding apart.
    if ours - linear > (1 - LEAST_OF_LINEAR) * abs(1 - linear):
        text = f"the network {facts}: it has not learnt the data, and neither has its Jacobian; train longer"
        return Sign("reconstruction", "against", text, 0.0)
    outcome = (
        "it found more than a linear method can"
        if ours <= MOST_OF_LINEAR * linear
        else "it found about as much as a linear method does (to have found more, it must leave at most "
        f"{MOST_OF_LINEAR:.0%} of what PCA leaves), compare PolytopicFactorization"
    )
    return Sign("reconstruction", "neither", f"The network {facts}: {outcome}.")


def _samples(fitted: Any) -> Sign | None:
    n_samples, d = getattr(fitted, "n_samples_fit_", None), fitted.n_components
    if n_samples is None:
        return None
    each = n_samples / d
    if each < SAMPLES_PER_COMPONENT:
        text = (
            f"{n_samples} samples are too few to tell {d} components apart, whatever else speaks for them: use fewer "
            f"components, or at least {SAMPLES_PER_COMPONENT} samples for each"
        )
        return Sign("samples", "against", text, 0.0)
    few = each < LIKELY_SAMPLES_PER_COMPONENT
    text = f"There are {each:.0f} samples for each component{', which is few' if few else ''}."
    return Sign("samples", "neither" if few else "for", text)


def _overfitting(fitted: Any) -> Sign | None:
    trained, held_out = getattr(fitted, "trained_reconstruction_error_", None), fitted.reconstruction_error_
    if trained is None:
        return None
    facts = f"{held_out:.2%} of the variance of held-out rows unexplained and {trained:.2%} of rows it was trained on"
    if held_out - trained <= LEAST_OVERFITTING or held_out <= MOST_OF_TRAINED * trained:
        return Sign("overfitting", "neither", f"The fit leaves {facts}.")
    text = (
        f"the fit leaves {facts}: it overfits, and its components are less exact than their agreement says; use more "
        "samples or fewer components"
    )
    return Sign("overfitting", "against", text, MIDDLE * MOST_OF_TRAINED * trained / held_out)


def _features(fitted: Any) -> Sign | None:
    explained = getattr(fitted, "explained_by_feature_", None)
    if explained is None:
        return None
    hardly = int(((explained < HARDLY_EXPLAINED) & (explained != 0)).sum())  # constant ones have exactly 0
    if hardly <= MANY * len(explained):
        return None
    text = (
        f"{hardly} of {len(explained)} features are explained by less than {HARDLY_EXPLAINED:.0%} each: the encoder "
        "reads their noise; leave them out (explained_by_feature_) and fit again."
    )
    return Sign("features", "neither", text)


def _wild(fitted: Any) -> Sign | None:
    wild: Sequence[int] = getattr(fitted, "wild_rows_", ())
    if not len(wild):
        return None
    listed = ", ".join(map(str, wild[:10]))
    more = f" and {len(wild) - 10} more" if len(wild) > 10 else ""
    return Sign("wild rows", "neither", f"{len(wild)} wild row(s) were left out of the fit: {listed}{more}.")


def _components(fitted: Any) -> Sign | None:
    strength = getattr(fitted, "component_strength_", None)
    pairs = getattr(fitted, "duplicates_", [])
    faults = [f"components {i} and {j} are nearly functions of each other" for i, j in pairs[:3]]
    if strength is not None and len(strength) > 1:
        dead = [j for j, value in enumerate(strength) if value < DEAD * strength.mean()]
        if dead:
            faults.append(f"component(s) {', '.join(map(str, dead))} hardly move any feature")
    if not faults:
        return None
    return Sign("components", "against", f"{'; '.join(faults)}: use fewer components", 0.25)


def _known(fitted: Any) -> Sign | None:
    shares = getattr(fitted, "explained_by_covariates_", None)
    if shares is None:
        return None
    found = [f"{j} ({share:.2f})" for j, share in enumerate(shares) if share >= TECHNICAL]
    if not found:
        return None
    known = "Depth or covariates" if is_of_counts(fitted) else "Covariates"
    text = (
        f"{known} told much of component(s) {', '.join(found)} (share of the variance) before that was taken out: what "
        "is left of these may be technical, too."
    )
    return Sign("covariates", "neither", text)


def _directions(fitted: Any) -> Sign | None:
    found, d = getattr(fitted, "n_directions_", None), fitted.n_components
    if found is None:
        return None
    if found >= d:
        return Sign("directions", "neither", f"{d} directions or more of these counts stand out from their noise.")
    asked = "component was" if d == 1 else "components were"
    text = (
        f"{found} direction(s) of these counts stand out from their noise, and {d} {asked} asked for: the others are "
        f"noise, or functions of these; {f'use at most {found}, or more' if found else 'give more or deeper'} samples"
    )
    return Sign("directions", "against", text, 0.25)


def _levels(fitted: Any) -> Sign | None:
    levels, d = getattr(fitted, "auxiliary_levels_", None), fitted.n_components
    if levels is None or len(levels) > 2 * d:
        return None
    facts = f"the auxiliary variable has {len(levels)} levels, {d} components are known to be found from {2 * d + 1}"
    if len(levels) > d:
        return Sign("auxiliary", "neither", f"{facts[0].upper()}{facts[1:]} on, from {d + 1} in special cases.")
    text = f"{facts} on and never from fewer than {d + 1}: use a variable with more levels, or fewer components"
    return Sign("auxiliary", "against", text, 0.25)


DOUBTS = (_starts, _restarts, _points)
"""What a fit can doubt its single components by, whatever others have."""
LOOKS = (
    *(*DOUBTS, _odds, _reconstruction, _samples, _overfitting, _features, _wild, _components),
    _directions,
    _known,
    _levels,
)
"""What is looked at, in this order."""
