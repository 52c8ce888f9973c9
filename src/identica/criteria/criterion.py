"""What a criterion is: a number, to be made large, of the decoder's Jacobians at a few points."""

from __future__ import annotations

import abc
from typing import ClassVar

from torch import Tensor

from identica.criteria.local import LocalGeometry

__all__ = ["Criterion"]


class Criterion(abc.ABC):
    """What a solver makes as large as the data allow; its subclasses are frozen dataclasses.

    A criterion is a pure function of Jacobians and its final class, in one file. Solvers ask for :meth:`value` alone:
    in training with gradients, in alignment for many changes of basis side by side, at the end for the report.
    """

    kind: ClassVar[str]
    of_deviations: ClassVar[bool] = False
    """Whether it looks at the deviations of the latents, beside their Jacobian."""

    @property
    def group_size(self) -> int:
        """How many components beside each other it tells from the others only together; 1 where each by itself."""
        return 1

    def of_single_components(self) -> Criterion:
        """Return the same criterion for groups of one component, from which an alignment of groups begins.

        Returns
        -------
        Criterion
            Itself where groups have one component.
        """
        return self

    def smoothed(self) -> Criterion:
        """Return a smoother criterion of much the same best answer, from which an alignment of noisy Jacobians begins.

        Returns
        -------
        Criterion
            Itself where there is none.
        """
        return self

    @abc.abstractmethod
    def value(self, local: LocalGeometry) -> Tensor:
        """Return the criterion of Jacobians at n points.

        Parameters
        ----------
        local : LocalGeometry
            With rows of shape (..., n, k, d).

        Returns
        -------
        Tensor of shape (...)
            One number for all n points together, the larger the better.
        """
