"""Penalties on the decoder's Jacobian, each weighted so that it has no units and does not depend on m, d or n.

A penalty is made of the pure functions in :mod:`identica.geometry`, averaged over a few samples of a batch. Symbols:
m = n_features, d = n_components, J = decoder Jacobian; equation numbers are those of arXiv:2510.17040.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.geometry import l1_norm, log_volume, volume_criterion
from identica.jacobian import jacobian
from identica.tangents import push_tangents

__all__ = ["JacobianSample", "Joint", "Loss", "Penalty", "Sparsity", "Volume"]


@final
@dataclass(frozen=True)
class Loss:
    """A loss to minimise and the parts that it is made of.

    Parameters
    ----------
    total : Tensor of shape ()
        What is minimised.
    terms : dict of str to Tensor
        Its parts, unweighted, for the history.
    """

    total: Tensor
    terms: dict[str, Tensor]


@final
@dataclass(frozen=True)
class JacobianSample:
    """How much of the Jacobian a training step looks at, and in which units of the features.

    Parameters
    ----------
    n_samples : int
        Samples of a batch at which the Jacobian is taken.
    n_features : int
        Rows of each Jacobian, drawn anew at every step.
    units : Tensor of shape (n_features of the data,), optional
        Factor of each row; 1 if None.
    """

    n_samples: int
    n_features: int
    units: Tensor | None = None

    def jacobian(self, decoder: nn.Module, latents: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return Jacobians with a sample of their rows, or with all.

        Parameters
        ----------
        decoder : torch.nn.Module
            (n, n_components) -> (n, ...).
        latents : Tensor of shape (n, n_components)
            Points at which to differentiate.
        generator : torch.Generator or None
            Source of the sample, on the CPU; None takes all rows.

        Returns
        -------
        Tensor of shape (n, n_rows, n_components)
            Rows of the Jacobians, in the units asked for.
        """
        rows = None
        if generator is not None:
            with torch.no_grad():
                total = decoder(latents[:1]).numel() if self.units is None else len(self.units)
            rows = self.features(total, generator)
        _, matrix = jacobian(decoder, latents, features=rows)
        if self.units is None:
            return matrix
        return matrix * (self.units if rows is None else self.units[rows.to(self.units.device)]).unsqueeze(-1)

    def features(self, n_features: int, generator: torch.Generator) -> Tensor | None:
        """Draw rows without replacement.

        Parameters
        ----------
        n_features : int
            Rows of the whole Jacobian.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n_rows,) or None
            Indices; None where all rows are taken.
        """
        if n_features <= self.n_features:
            return None
        return torch.randperm(n_features, generator=generator)[: self.n_features]


class Penalty(nn.Module, abc.ABC):
    """A term on the decoder's Jacobian; a method is a penalty and the stages that use it.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    """

    def __init__(self, sample: JacobianSample) -> None:
        super().__init__()
        self.sample = sample

    @abc.abstractmethod
    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the weighted penalty, averaged over a few samples, and its parts.

        Parameters
        ----------
        encoder, decoder : torch.nn.Module
            The networks.
        inputs : Tensor of shape (n, ...)
            The samples at which the Jacobian is taken.
        latents : Tensor of shape (n, n_components)
            ``encoder(inputs)``, which the reconstruction needs as well.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Loss
            The weighted penalty and its parts.
        """

    def begin_epoch(self, epoch: int) -> None:
        """Move the penalty's schedule to an epoch; most penalties have none.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        """

    def end_epoch(self, terms: dict[str, float]) -> None:
        """Take note of an epoch's mean terms; most penalties need not.

        Parameters
        ----------
        terms : dict of str to float
            The means of the terms this penalty returned.
        """

    @property
    def settled(self) -> bool:
        """Whether losses of this and later epochs can be compared with each other."""
        return True


@final
class Volume(Penalty):
    """The negative volume criterion, -weight(t) * c_p(J); see :func:`identica.geometry.volume_criterion`.

    The weight is held at first, so that the latents can leave the frame that reconstruction happened to give
    them, then falls geometrically, and rests at its last value while the reconstruction settles.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    weight : float
        First weight of c_p against the fraction of variance unexplained.
    p : float
        Exponent of the power mean of the row norms.
    n_epochs : int
        Length of the schedule.
    """

    hold: ClassVar[float] = 0.3
    rest: ClassVar[float] = 0.9
    last: ClassVar[float] = 1 / 75

    def __init__(self, sample: JacobianSample, weight: float, p: float, n_epochs: int) -> None:
        super().__init__(sample)
        self.first_weight = self.weight = weight
        self.p = p
        self.n_epochs = n_epochs

    def begin_epoch(self, epoch: int) -> None:
        """Move the weight; see :meth:`Penalty.begin_epoch`."""
        elapsed = (epoch / self.n_epochs - self.hold) / (self.rest - self.hold)
        self.weight = self.first_weight * self.last ** min(1.0, max(0.0, elapsed))

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return -weight * mean c_p; see :meth:`Penalty.forward`."""
        matrix = self.sample.jacobian(decoder, latents, generator)
        criterion = volume_criterion(matrix, self.p).mean()
        return Loss(-self.weight * criterion, {"criterion": criterion.detach()})


@final
class Sparsity(Penalty):
    """The total L1 norm of the Jacobian, per feature: weight * ||J||_1 / (m sqrt(d)).

    With features and latents of unit variance a dense row has a norm of about sqrt(d), so that the penalty is
    about ``weight`` whatever the shape.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    weight : float
        Against the fraction of variance unexplained.
    """

    def __init__(self, sample: JacobianSample, weight: float) -> None:
        super().__init__(sample)
        self.weight = weight

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the weighted mean norm; see :meth:`Penalty.forward`."""
        matrix = self.sample.jacobian(decoder, latents, generator)
        norm = l1_norm(matrix).mean() / (matrix.shape[1] * matrix.shape[2] ** 0.5)
        return Loss(self.weight * norm, {"norm": norm.detach()})


@final
class Joint(Penalty):
    """The penalty of equation (8), with its two schedules.

    -lambda_vol(t) c_vol + lambda_norm c_norm(t), where lambda_vol grows linearly over the warm-up epochs and
    c_norm is ||J||_1 while it lasts, softplus(||J||_1 - C) after, C the mean of ||J||_1 over its last ten
    epochs. The weights are per component and per feature: lambda_vol = volume_weight / (2 d),
    lambda_norm = norm_weight / m.

    Parameters
    ----------
    sample : JacobianSample
        How much of the Jacobian to look at.
    volume_weight, norm_weight : float
        Weights free of units, of m and of d.
    warmup_epochs : int
        T_w.
    volume : {"logdet", "trace"}
        c_vol exactly, or the stochastic surrogate 2 v' J_g J_f v with the encoder's Jacobian J_g held fixed,
        whose gradient is that of log det J'J where the encoder inverts the decoder. The choice of surrogate
        is ours.
    """

    average_over: int = 10
    bound: Tensor

    def __init__(
        self,
        sample: JacobianSample,
        volume_weight: float,
        norm_weight: float,
        warmup_epochs: int,
        volume: Literal["logdet", "trace"],
    ) -> None:
        super().__init__(sample)
        self.volume_weight = volume_weight
        self.norm_weight = norm_weight
        self.warmup_epochs = warmup_epochs
        self.volume = volume
        self.epoch = 0
        self.register_buffer("bound", torch.zeros((), dtype=torch.float64))

    @property
    def settled(self) -> bool:
        """Whether the warm-up is over."""
        return self.epoch >= self.warmup_epochs

    def begin_epoch(self, epoch: int) -> None:
        """Move both schedules; see :meth:`Penalty.begin_epoch`."""
        self.epoch = epoch

    def end_epoch(self, terms: dict[str, float]) -> None:
        """Add to C in the last warm-up epochs; see :meth:`Penalty.end_epoch`."""
        n_averaged = min(self.average_over, self.warmup_epochs)
        if self.warmup_epochs - n_averaged <= self.epoch < self.warmup_epochs:
            self.bound += terms["norm"] / n_averaged

    def forward(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        inputs: Tensor,
        latents: Tensor,
        generator: torch.Generator,
    ) -> Loss:
        """Return the penalty of equation (8) at the current epoch; see :meth:`Penalty.forward`."""
        if self.volume == "logdet":
            matrix = self.sample.jacobian(decoder, latents, None)
            volume = log_volume(matrix).mean()
        else:
            matrix = self.sample.jacobian(decoder, latents, generator)
            volume = _trace_surrogate(encoder, decoder, inputs, generator)
        d = matrix.shape[2]
        volume = volume / (2 * d)
        norm = l1_norm(matrix).mean() / matrix.shape[1]
        # softplus with beta = m is softplus(||J||_1 - C) / m, exactly
        excess = norm - self.bound.to(norm.dtype)
        bounded = functional.softplus(excess, beta=inputs[0].numel()) if self.settled else norm
        weight = self.volume_weight * min(1.0, (self.epoch + 1) / max(self.warmup_epochs, 1))
        total = -weight * volume + self.norm_weight * bounded
        return Loss(total, {"volume": volume.detach(), "norm": norm.detach()})


def _trace_surrogate(encoder: nn.Module, decoder: nn.Module, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean of 2 v' J_g J_f v over the samples, one Gaussian probe v each, J_g held fixed."""
    inputs = inputs.detach().requires_grad_(True)
    latents = encoder(inputs)
    probe = torch.randn(latents.shape, generator=generator, dtype=latents.dtype).to(latents.device)
    (pulled,) = torch.autograd.grad(latents, inputs, probe, retain_graph=True)
    pushed = push_tangents(decoder, latents, probe.unsqueeze(1))[1].squeeze(1)
    return 2 * (pulled * pushed).flatten(1).sum(-1).mean()
