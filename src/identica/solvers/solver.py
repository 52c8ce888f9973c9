"""What a solver is: the stages in which one start is trained, and how far before starts are compared."""

from __future__ import annotations

import abc
from typing import ClassVar

from identica.criteria import Criterion
from identica.training.trainer import Trainer

__all__ = ["Solver"]


class Solver(abc.ABC):
    """How one start becomes a solution; its subclasses are frozen dataclasses that own what only they use.

    A solver knows neither a method nor a likelihood by name: the criterion is an argument, and the likelihood is asked
    by the objective that the start makes.
    """

    kind: ClassVar[str]
    compact: ClassVar[bool] = False
    """Whether it trains without a penalty at first, so that its starts may begin in the compact space."""
    widens: ClassVar[bool] = False
    """Whether its starts leave the compact space, where there are not too many features."""

    def value(self, start: Trainer) -> float | None:
        """Return by what starts are compared, the larger the better, where it is not the criterion of the Jacobian.

        Parameters
        ----------
        start : Trainer
            One that was trained to its end.

        Returns
        -------
        float or None
            None where it is the criterion.
        """
        return None

    @abc.abstractmethod
    def begin(self, start: Trainer, pause: int | None) -> None:
        """Train the first stage, on whose reconstruction starts are compared.

        Parameters
        ----------
        start : Trainer
            Changed in place; what it has done already is not done again.
        pause : int or None
            Steps of the stage after which to leave it; None ends it.
        """

    @abc.abstractmethod
    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Train all stages to their end.

        Parameters
        ----------
        start : Trainer
            Changed in place; what it has done already is not done again.
        criterion : Criterion
            What is to be large.
        """
