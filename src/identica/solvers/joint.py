"""Equation (8) of arXiv:2510.17040 as published: volume, norm and reconstruction together from the first step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

from identica.arguments import check_choice, check_integer, check_real
from identica.criteria import Criterion, JointPenalty
from identica.solvers.solver import Solver
from identica.training.plan import MOST
from identica.training.trainer import Trainer

__all__ = ["Joint"]


@final
@dataclass(frozen=True)
class Joint(Solver):
    """The loss of equation (8) of arXiv:2510.17040 from the first step, with its warm-up; the faithful comparison.

    It counts reconstruction in the likelihood's unit and its weights per component and per feature.

    Parameters
    ----------
    volume_weight : float, default=0.15
        lambda_vol per component, 2 d lambda_vol of equation (8).
    norm_weight : float, default=0.03
        lambda_norm per feature, m lambda_norm of equation (8).
    warmup_epochs : int, optional
        T_w; a third of the epochs if None.
    volume : {"logdet", "trace"}, default="logdet"
        c_vol: exact, or a stochastic surrogate whose gradient is the same where the encoder inverts the decoder (the
        choice of surrogate is ours).

    Raises
    ------
    TypeError
        If a value is of the wrong type.
    ValueError
        If a number is out of its range.

    References
    ----------
    H.-S. Nguyen and X. Fu, "Diverse Influence Component Analysis: A Geometric Approach to Nonlinear Mixture
    Identifiability", NeurIPS 2025, arXiv:2510.17040.

    Examples
    --------
    >>> Joint(warmup_epochs=20).norm_weight
    0.03
    """

    volume_weight: float = 0.15
    norm_weight: float = 0.03
    warmup_epochs: int | None = None
    volume: Literal["logdet", "trace"] = "logdet"

    kind: ClassVar[str] = "joint"

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("volume_weight", "norm_weight"):
            object.__setattr__(self, name, check_real(name, getattr(self, name), at_least=0))
        if self.warmup_epochs is not None:
            object.__setattr__(self, "warmup_epochs", check_integer("warmup_epochs", self.warmup_epochs, 1, MOST))
        check_choice("volume", self.volume, ("logdet", "trace"))

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Train up to a pause; see :meth:`Solver.begin`."""
        steps = start.training.max_steps
        warmup = max(1, start.n_epochs(steps) // 3) if self.warmup_epochs is None else self.warmup_epochs
        # Equation (3) is of the whole Jacobian.
        sample = replace(start.jacobian_sample, whole_volume=True)
        penalty = JointPenalty(sample, self.volume_weight, self.norm_weight, warmup, self.volume)
        start.minimise("joint", start.objective(penalty), max_steps=steps, pause=pause)

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Train to the end; see :meth:`Solver.finish`."""
        self.begin(start, None)
