"""What a report says, as plain values: no estimator, no page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from identica.report.diverse_influence import DiverseInfluence
from identica.report.explorer import Explorer
from identica.report.pictures import Pictures
from identica.trust import CrossCheck, Verdict, judge

__all__ = ["Fit", "Report"]


@dataclass(frozen=True, eq=False)
class Fit:
    """What one method found, and the signs by which to judge it.

    Parameters
    ----------
    method : str
        The name shown.
    seconds : float
        Time of the fit.
    scores : mapping of str to float, default={}
        Measured against the truth, where it is known: "r2_mean", "mcc_pearson", "mcc_spearman".
    r2 : ndarray of shape (n_true, n_components), optional
        R² of each true component given each estimated one, where the truth is known.
    true_names : tuple of str, optional
        Names of the true components, where they have some.
    reconstruction_error : float, optional
        Held-out fraction of variance that the fit leaves unexplained.
    linear_reconstruction_error : float, optional
        The same of PCA with as many components.
    volume_efficiency : float, optional
        In (0, 1]; 1 where each feature follows one component, in balance.
    restart_agreement : float, optional
        Mean matched absolute cosine between the components of the best restart and those of the others.
    restarts : tuple of float, default=()
        Criterion that each restart reached.
    start_agreement : float, optional
        Mean matched rank correlation between the components of the best start and those of the other good ones.
    starts : tuple of mappings, default=()
        What each start came to.
    verdict : Verdict, optional
        What the fit says for and against its components.
    durations : mapping of str to float, default={}
        Seconds of each stage.
    history : tuple of mappings, default=()
        One record per stage and epoch.
    influence : ndarray of shape (n_features, n_components), optional
        Mean absolute Jacobian in the features' units.
    warnings : tuple of str, default=()
        What the fit warned of.
    explorer : Explorer, optional
        Components that the reader can move.
    pictures : Pictures, optional
        Traversals and influences of images.
    diverse_influence : DiverseInfluence, optional
        Whether the theory's condition on the Jacobian holds at a few samples.
    """

    method: str
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)
    r2: NDArray[np.float64] | None = None
    true_names: tuple[str, ...] | None = None
    reconstruction_error: float | None = None
    linear_reconstruction_error: float | None = None
    volume_efficiency: float | None = None
    restart_agreement: float | None = None
    restarts: tuple[float, ...] = ()
    start_agreement: float | None = None
    starts: tuple[Mapping[str, Any], ...] = ()
    verdict: Verdict | None = None
    durations: Mapping[str, float] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()
    influence: NDArray[np.float64] | None = None
    warnings: tuple[str, ...] = ()
    explorer: Explorer | None = None
    pictures: Pictures | None = None
    diverse_influence: DiverseInfluence | None = None

    @property
    def n_unmatched(self) -> int:
        """How many true components have no estimate, because fewer were fitted."""
        return 0 if self.r2 is None else max(0, self.r2.shape[0] - self.r2.shape[1])

    @classmethod
    def from_estimator(
        cls,
        method: str,
        estimator: BaseEstimator,
        *,
        seconds: float,
        scores: Mapping[str, float] | None = None,
        r2: NDArray[np.float64] | None = None,
        true_names: tuple[str, ...] | None = None,
        warnings: tuple[str, ...] = (),
        cross: CrossCheck | None = None,
        explorer: Explorer | None = None,
        pictures: Pictures | None = None,
        diverse_influence: DiverseInfluence | None = None,
    ) -> Self:
        """Read from a fitted estimator what it has; scikit-learn's decompositions serve too.

        Parameters
        ----------
        method : str
            The name shown.
        estimator : fitted estimator
            An attribute that it does not have is left out of the report.
        seconds : float
            Time of the fit.
        scores, r2, true_names, warnings, explorer, pictures, diverse_influence
            As in the class.
        cross : CrossCheck, optional
            What other fits of the same data say, for the verdict.

        Returns
        -------
        Fit
            The values, copied out of the estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from identica.report import Fit
        >>> Fit.from_estimator("PCA", PCA(1).fit(np.eye(3)), seconds=0.01).restarts
        ()
        """
        condition = None if diverse_influence is None else diverse_influence.summary
        influence = getattr(estimator, "influence_", None)
        return cls(
            method=method,
            seconds=seconds,
            scores=dict(scores or {}),
            r2=r2,
            true_names=true_names,
            reconstruction_error=_number(estimator, "reconstruction_error_"),
            linear_reconstruction_error=_number(estimator, "linear_reconstruction_error_"),
            volume_efficiency=_number(estimator, "volume_efficiency_"),
            restart_agreement=_number(estimator, "restart_agreement_"),
            restarts=tuple(float(value) for value in _sequence(estimator, "restarts_")),
            start_agreement=_number(estimator, "start_agreement_"),
            starts=tuple(_sequence(estimator, "starts_")),
            verdict=judge(estimator, cross=cross, condition=condition)
            if getattr(estimator, "identifies", False)
            else None,
            durations=dict(getattr(estimator, "durations_", None) or {}),
            history=tuple(_sequence(estimator, "history_")),
            influence=None if influence is None else np.array(influence, dtype=np.float64),
            warnings=warnings,
            explorer=explorer,
            pictures=pictures,
            diverse_influence=diverse_influence,
        )


@dataclass(frozen=True, eq=False)
class Report:
    """One page: what was fitted on what, and what came out.

    Parameters
    ----------
    title : str
        The page's heading.
    facts : mapping of str to str, int or float
        What was fitted on what: data, their size, seed, configuration.
    fits : tuple of Fit
        One per method, in the order shown; at least one.
    feature_names : tuple of str, optional
        Names of the features, shown in the influence maps.
    feature_scale : ndarray of shape (n_features,), optional
        Standard deviation of each feature. Influences are divided by it, so that features with different
        units can be compared.
    tables : tuple of (str, str, sequence of mappings), default=()
        Further tables: heading, explanation, rows of which each has the same columns.

    Raises
    ------
    ValueError
        If there is no fit.

    Examples
    --------
    >>> from identica.report import Fit, Report
    >>> Report("Cells", {"samples": 700}, (Fit("dica", 3.2),)).fits[0].method
    'dica'
    """

    title: str
    facts: Mapping[str, str | int | float]
    fits: tuple[Fit, ...]
    feature_names: tuple[str, ...] | None = None
    feature_scale: NDArray[np.float64] | None = None
    tables: tuple[tuple[str, str, Sequence[Mapping[str, str | int | float | None]]], ...] = ()

    def __post_init__(self) -> None:
        if not self.fits:
            raise ValueError("a report needs at least one Fit, none was given: pass fits=(Fit(...),)")


def _number(estimator: BaseEstimator, attribute: str) -> float | None:
    value = getattr(estimator, attribute, None)
    return None if value is None or not np.isfinite(value) else float(value)


def _sequence(estimator: BaseEstimator, attribute: str) -> Any:
    value = getattr(estimator, attribute, None)
    return () if value is None else value
