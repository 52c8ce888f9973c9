"""The variational autoencoder whose prior is conditional on an auxiliary variable, iVAE.

Symbols: u = auxiliary variable, z = components, d = n_components, m = n_features.

References
----------
I. Khemakhem, D. P. Kingma, R. P. Monti and A. Hyvarinen, "Variational Autoencoders and Nonlinear ICA: A Unifying
Framework", AISTATS 2020, equations (5) to (8) and (10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.criteria import Criterion, JacobianSample, Loss, Penalty
from identica.solvers.conditional import HIDDEN, OfContext, drawn
from identica.solvers.solver import Solver
from identica.training.trainer import Trainer

__all__ = ["ConditionalBound", "Variational"]

LEAST_NOISE = 1e-3
"""Variance of the noise at least, as a share of the features' variance: without it the bound has no maximum."""
FIRST_NOISE = 0.1


@final
class ConditionalBound(Penalty):
    """Minus the evidence lower bound of x given u, per feature, with p(z | u) a product of normal distributions.

    -E_q log p(x | z) + KL( q(z | x) || p(z | u) ), with q normal around the encoder's output, its deviations given by a
    network of x; p(z_i | u) normal with mean and variance that depend on u; p(x | z) normal around the decoder's
    output with one variance, which is learnt. The paper's q takes u as well; ours does not, so that components of
    samples without u can be computed. Nothing in the identifiability result rests on q.

    Parameters
    ----------
    sample : JacobianSample
        Not looked at: no Jacobian is taken.
    n_inputs, n_components, n_context : int
        Sizes of what the encoder sees, of z and of u.
    labelled : bool
        Whether u is a label, one column for each level.
    unit : float
        Sum of the inputs' variances.
    generator : torch.Generator
        Source of the initial weights.
    """

    reconstructs: ClassVar[bool] = True
    n_validated: ClassVar[int] = 4096

    def __init__(
        self,
        sample: JacobianSample,
        n_inputs: int,
        n_components: int,
        n_context: int,
        labelled: bool,
        unit: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__(sample)
        self.each = unit / n_inputs
        self.hidden = drawn(n_inputs, HIDDEN, generator)
        self.log_variance = drawn(HIDDEN, n_components, generator, gain=0.1)
        self.prior_mean = OfContext(n_context, n_components, labelled, generator, gain=0.1)
        self.prior_log_variance = OfContext(n_context, n_components, labelled, generator, gain=0.1)
        self.log_noise = nn.Parameter(torch.tensor(math.log(FIRST_NOISE)))
        with torch.no_grad():
            self.log_variance.bias.fill_(-2.0)

    def of_batch(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        batch: Tensor,
        latents: Tensor,
        context: Tensor | None,
        generator: torch.Generator,
    ) -> Loss:
        """Return minus the bound of all samples of a batch; see :meth:`Penalty.of_batch`."""
        if context is None:
            raise ValueError("no auxiliary variable was given: call fit(X, u)")
        rows = batch.flatten(1)
        log_variance = self.log_variance(functional.silu(self.hidden(rows))).clamp(-12, 4)
        noise = torch.randn(latents.shape, generator=generator, dtype=latents.dtype).to(latents.device)
        drawn_latents = latents + (log_variance / 2).exp() * noise
        errors = (decoder(drawn_latents).flatten(1) - rows).square().sum(1) / self.each
        variance = self.log_noise.exp() + LEAST_NOISE
        likelihood = -(errors / variance + rows.shape[1] * (variance.log() + math.log(2 * math.pi))) / 2
        mean, prior = self.prior_mean(context), self.prior_log_variance(context).clamp(-12, 12)
        ratio = (log_variance.exp() + (latents - mean).square()) * (-prior).exp()
        divergence = (ratio - 1 + prior - log_variance).sum(1) / 2
        bound = (likelihood - divergence).mean() / rows.shape[1]
        return Loss(-bound, {"bound": bound.detach(), "divergence": divergence.mean().detach()})

    def forward(
        self, encoder: nn.Module, decoder: nn.Module, inputs: Tensor, latents: Tensor, generator: torch.Generator
    ) -> Loss:
        """Refuse: the bound needs the auxiliary variable; see :meth:`of_batch`."""
        return self.of_batch(encoder, decoder, inputs, latents, None, generator)


@final
@dataclass(frozen=True)
class Variational(Solver):
    """Maximises the evidence lower bound of x given u, :class:`ConditionalBound`, in one stage.

    References
    ----------
    I. Khemakhem, D. P. Kingma, R. P. Monti and A. Hyvarinen, AISTATS 2020.

    Examples
    --------
    >>> Variational().kind
    'variational'
    """

    kind: ClassVar[str] = "variational"

    def value(self, start: Trainer) -> float | None:
        """Return the last validation bound; see :meth:`Solver.value`."""
        return -float(start.results["bound"]["loss"])

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Train up to a pause; see :meth:`Solver.begin`."""
        context = start.data.context
        rows = start.data.train.flatten(1)
        penalty = ConditionalBound(
            start.jacobian_sample,
            rows.shape[1],
            start.n_components,
            0 if context is None else context.shape[1],
            start.data.labelled,
            float(rows.double().var(0, correction=0).sum()),
            torch.Generator().manual_seed(start.seed),
        )
        objective = start.objective(penalty.to(start.data.train))
        start.minimise("bound", objective, max_steps=start.training.max_steps, pause=pause)

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Train to the end; see :meth:`Solver.finish`."""
        self.begin(start, None)
