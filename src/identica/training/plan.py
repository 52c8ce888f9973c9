"""How long and how fast to train: the numbers that all methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from identica.arguments import check_choice, check_integer, check_real

__all__ = ["Training"]

MOST = 10**9
"""Steps, rows, epochs or features."""


@final
@dataclass(frozen=True)
class Training:
    """How long and how fast to train; shared by all methods.

    An epoch is one pass over the training rows, or 32 steps where a pass is shorter than that: small data are
    planned in steps, too.

    Parameters
    ----------
    max_steps : int, default=7500
        Steps of all stages together, at most.
    batch_size : int, default=256
        Rows in a step.
    learning_rate : float, optional
        Peak of a schedule that rises over the first steps and falls to zero as a cosine. By default that of the
        method, which is 2e-3 where it does not say otherwise.
    weight_decay : float, default=0.0
        Of AdamW.
    validation_fraction : float, default=0.1
        Share of the rows held out of training; they tell when to stop and what reconstruction to report. With 0,
        the training rows serve.
    patience : int, default=30
        Epochs without a better validation loss after which a stage ends.
    jacobian_share : float, default=1/16
        Share of a batch's rows at which a step takes the Jacobian; at least four rows.
    jacobian_features : int, default=128
        Features, drawn anew at every step, of which it takes the rows; at least six for each component.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training; fitted networks have that of the data.
    refit_samples : int, default=5000
        Where training stopped early and there are no more rows than this, it is repeated on all rows, those held
        out included, for as many steps as were best.
    checkpoint_seconds : float, default=5.0
        Least time between two writings of the checkpoint, if there is one.

    Raises
    ------
    TypeError
        If a value is of the wrong type.
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> Training(max_steps=100).batch_size
    256
    """

    max_steps: int = 7500
    batch_size: int = 256
    learning_rate: float | None = None
    weight_decay: float = 0.0
    validation_fraction: float = 0.1
    patience: int = 30
    jacobian_share: float = 1 / 16
    jacobian_features: int = 128
    dtype: str = "float32"
    refit_samples: int = 5000
    checkpoint_seconds: float = 5.0

    LEARNING_RATE: ClassVar[float] = 2e-3
    LEAST_JACOBIANS: ClassVar[int] = 4
    DTYPES: ClassVar[dict[str, torch.dtype]] = {"float32": torch.float32, "float64": torch.float64}

    def __post_init__(self) -> None:
        """Check every number and give it its plain type."""
        for name in ("max_steps", "batch_size", "patience", "jacobian_features"):
            self._set(name, check_integer(name, getattr(self, name), 1, MOST))
        self._set("refit_samples", check_integer("refit_samples", self.refit_samples, 0, MOST))
        if self.learning_rate is not None:
            self._set("learning_rate", check_real("learning_rate", self.learning_rate, above=0))
        self._set("jacobian_share", check_real("jacobian_share", self.jacobian_share, above=0, at_most=1))
        self._set(
            "validation_fraction", check_real("validation_fraction", self.validation_fraction, at_least=0, below=1)
        )
        for name in ("weight_decay", "checkpoint_seconds"):
            self._set(name, check_real(name, getattr(self, name), at_least=0))
        check_choice("dtype", self.dtype, tuple(self.DTYPES))

    def _set(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)

    @property
    def peak(self) -> float:
        """The learning rate, 2e-3 where none was given."""
        return self.LEARNING_RATE if self.learning_rate is None else self.learning_rate

    def n_jacobians(self, batch_size: int) -> int:
        """Return at how many rows of a batch a step takes the Jacobian.

        Parameters
        ----------
        batch_size : int
            Rows of the batch.

        Returns
        -------
        int
            At least four, or all.
        """
        return min(batch_size, max(self.LEAST_JACOBIANS, round(self.jacobian_share * batch_size)))
