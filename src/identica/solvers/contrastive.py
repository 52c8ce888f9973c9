"""Generalised contrastive learning: components from which the auxiliary variable of a sample is told, each by itself.

Symbols: u = auxiliary variable, h = encoder, d = n_components, psi_i = function of component i and of u.

References
----------
A. Hyvarinen, H. Sasaki and R. E. Turner, "Nonlinear ICA Using Auxiliary Variables and Generalized Contrastive
Learning", AISTATS 2019, equations (5) to (7).
A. Hyvarinen and H. Morioka, "Unsupervised Feature Extraction by Time-Contrastive Learning and Nonlinear ICA", NeurIPS
2016: the case in which u is a label, told by multinomial logistic regression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.arguments import check_integer, check_real
from identica.criteria import Criterion, JacobianSample, Loss, Penalty
from identica.solvers.conditional import OfContext, PerComponent
from identica.solvers.solver import Solver
from identica.training.plan import MOST
from identica.training.trainer import Trainer

__all__ = ["Contrast", "Contrastive"]

N_OTHERS = 63
"""Other values of a continuous u that a sample's own is told from."""


@final
class Contrast(Penalty):
    """Loss of telling the u that belongs to a sample from others, by r(x, u) = sum_i psi_i(h_i(x), u) + b(u).

    -log ( exp r(x, u) / sum_k exp r(x, u_k) ), divided by the logarithm of the number of candidates u_k, so that it is
    1 at chance where all are as frequent. Candidates are all levels of a label, or the own u and up to 63 others of
    the same batch. With two candidates it is a logistic regression of which of them belongs to x, where equation (5)
    asks of one pair whether it belongs: both have log p(u | x) - log p(u) as an optimum, ours up to a function of x.
    psi_i is a product of functions of h_i and of u, summed over many.

    Parameters
    ----------
    sample : JacobianSample
        Not looked at: no Jacobian is taken.
    n_components, n_context : int
        Sizes of h and of u.
    labelled : bool
        Whether u is a label, one column for each level.
    weight : float
        Against the fraction of variance unexplained.
    n_learnt : int
        Functions of each h_i that are learnt, beside h_i, h_i^2 and |h_i|.
    generator : torch.Generator
        Source of the initial weights.
    """

    n_validated: ClassVar[int] = 4096

    def __init__(
        self,
        sample: JacobianSample,
        n_components: int,
        n_context: int,
        labelled: bool,
        weight: float,
        n_learnt: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(sample)
        self.labelled = labelled
        self.weight = weight
        self.functions = PerComponent(n_components, generator, n_learnt)
        n_products = n_components * self.functions.n_out
        self.factors = OfContext(n_context, n_products, labelled, generator, gain=n_products**-0.5)
        self.offset = OfContext(n_context, 1, labelled, generator, gain=0.1)

    def of_batch(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        batch: Tensor,
        latents: Tensor,
        context: Tensor | None,
        generator: torch.Generator,
    ) -> Loss:
        """Return the weighted loss of all samples of a batch; see :meth:`Penalty.of_batch`."""
        if context is None:
            raise ValueError("no auxiliary variable was given: call fit(X, u)")
        of_latents = self.functions(latents).flatten(1)
        if self.labelled:
            candidates, own = torch.eye(context.shape[1]).to(context), context.argmax(1)
            n_candidates = context.shape[1]
            scores = of_latents @ self.factors(candidates).T + self.offset(candidates).T
        else:
            n_candidates = min(len(context), N_OTHERS + 1)
            factors, offset = self.factors(context), self.offset(context).squeeze(-1)
            steps = torch.randperm(len(context) - 1, generator=generator)[: n_candidates - 1] + 1
            others = (torch.arange(len(context))[:, None] + torch.cat([torch.zeros(1, dtype=torch.long), steps])) % len(
                context
            )
            others = others.to(context.device)
            scores = torch.einsum("np,nkp->nk", of_latents, factors[others]) + offset[others]
            own = torch.zeros(len(context), dtype=torch.long, device=context.device)
        loss = functional.cross_entropy(scores, own) / math.log(max(n_candidates, 2))
        return Loss(self.weight * loss, {"contrast": loss.detach()})

    def forward(
        self, encoder: nn.Module, decoder: nn.Module, inputs: Tensor, latents: Tensor, generator: torch.Generator
    ) -> Loss:
        """Refuse: the loss needs the auxiliary variable; see :meth:`of_batch`."""
        return self.of_batch(encoder, decoder, inputs, latents, None, generator)


@final
@dataclass(frozen=True)
class Contrastive(Solver):
    """Minimises reconstruction plus the loss of generalised contrastive learning, :class:`Contrast`, in one stage.

    Reconstruction keeps the encoder injective, which the theory assumes, and so keeps from it features such as |s_i|
    that tell u as well.

    Parameters
    ----------
    weight : float, default=10
        Of the contrastive loss, which is 1 at chance, against the fraction of variance unexplained.
    n_learnt : int, default=0
        Learnt functions of each component, beside h_i, h_i^2 and |h_i|, which see changes of place and of size. More
        see other changes as well, and need more samples: they overfit.

    Raises
    ------
    TypeError
        If a value is of the wrong type.
    ValueError
        If a number is out of its range.

    References
    ----------
    A. Hyvarinen, H. Sasaki and R. E. Turner, AISTATS 2019.

    Examples
    --------
    >>> Contrastive().weight
    10.0
    """

    weight: float = 10.0
    n_learnt: int = 0

    kind: ClassVar[str] = "contrastive"

    def __post_init__(self) -> None:
        """Check every number."""
        object.__setattr__(self, "weight", check_real("weight", self.weight, at_least=0))
        object.__setattr__(self, "n_learnt", check_integer("n_learnt", self.n_learnt, 0, MOST))

    def value(self, start: Trainer) -> float | None:
        """Return minus the last validation loss; see :meth:`Solver.value`."""
        return -float(start.results["contrast"]["loss"])

    def begin(self, start: Trainer, pause: int | None) -> None:
        """Train up to a pause; see :meth:`Solver.begin`."""
        context = start.data.context
        penalty = Contrast(
            start.jacobian_sample,
            start.n_components,
            0 if context is None else context.shape[1],
            start.data.labelled,
            self.weight,
            self.n_learnt,
            torch.Generator().manual_seed(start.seed),
        )
        objective = start.objective(penalty.to(start.data.train))
        start.minimise("contrast", objective, max_steps=start.training.max_steps, pause=pause)

    def finish(self, start: Trainer, criterion: Criterion) -> None:
        """Train to the end; see :meth:`Solver.finish`."""
        self.begin(start, None)
