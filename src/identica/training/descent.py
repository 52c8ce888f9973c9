"""Stochastic gradient descent on one objective over fixed data: batches, schedule, epochs, validation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from identica.likelihoods import Likelihood
from identica.training.objective import Objective

__all__ = ["Data", "Descent"]

EVALUATION_BATCH = 4096


@final
@dataclass(frozen=True)
class Data:
    """Rows to train on and rows to validate on, on the device and in the precision of the training.

    Parameters
    ----------
    train, validation : Tensor of shape (n, rank or n_features)
        Standardised rows, as coordinates in the compact space where there is one.
    likelihood : Likelihood
        How they follow a decoder.
    held_out : bool
        Whether the validation rows are kept out of the training.
    context, validation_context : Tensor of shape (n, n_context), optional
        What is known of each row beside its features, for methods that use it.
    labelled : bool, default=False
        Whether the context is a label: one column per level, one entry of 1 per row.
    loadings : Tensor of shape (n_features, rank), optional
        From coordinates of the compact space to standardised features; None where the networks see features.
    direction : Tensor of shape (n_features,), optional
        Of a common shift of the Jacobian's rows that the data do not tell, see
        :func:`identica.criteria.common_shift`; None where there is no such freedom.
    own_units : Tensor of shape (n_features,), optional
        Units in which the rows of the Jacobian are compared; None for such as do not depend on the user's.
    left_out, validation_left_out : float, default=0.0
        Share of the likelihood's unit that the compact space leaves out of the training and of the validation rows.
    """

    train: Tensor
    validation: Tensor
    likelihood: Likelihood
    held_out: bool
    loadings: Tensor | None = None
    direction: Tensor | None = None
    own_units: Tensor | None = None
    left_out: float = 0.0
    validation_left_out: float = 0.0
    context: Tensor | None = None
    validation_context: Tensor | None = None
    labelled: bool = False

    def trained(self) -> Data:
        """Return the same data with as many of the training rows in the place of the validation rows.

        Returns
        -------
        Data
            To see how far the two differ.
        """
        rows = slice(len(self.validation))
        return replace(
            self,
            validation=self.train[rows],
            validation_context=None if self.context is None else self.context[rows],
            held_out=False,
            validation_left_out=self.left_out,
        )

    def inputs(self, rows: Tensor) -> Tensor:
        """Return what of rows the encoder sees.

        Parameters
        ----------
        rows : Tensor of shape (n, ...)
            Some of ``train`` or ``validation``.

        Returns
        -------
        Tensor of shape (n, rank or n_features)
            Its input.
        """
        return self.likelihood.inputs(rows)

    def coordinates(self, features: Tensor) -> Tensor:
        """Return standardised features as the networks see them.

        Parameters
        ----------
        features : Tensor of shape (n, n_features)
            Rows.

        Returns
        -------
        Tensor of shape (n, rank or n_features)
            In the compact space where there is one.
        """
        if self.loadings is None:
            return features
        # The columns of the loadings are orthogonal and of one length.
        return features @ self.loadings / self.loadings[:, 0].square().sum()


@final
class Descent:
    """AdamW on an objective, with a learning rate that rises over the first steps and falls to zero as a cosine.

    Parameters
    ----------
    objective : Objective
        What to minimise; holds the networks.
    data : Data
        What to train on.
    batch_size : int
        Rows in a step.
    per_epoch : int
        Steps in an epoch.
    n_epochs : int
        Epochs until the learning rate is zero.
    learning_rate : float
        Its peak.
    weight_decay : float
        Of AdamW.
    """

    def __init__(
        self,
        objective: Objective,
        data: Data,
        *,
        batch_size: int,
        per_epoch: int,
        n_epochs: int,
        learning_rate: float,
        weight_decay: float,
    ) -> None:
        self.objective = objective
        self.data = data
        self.batch_size = batch_size
        self.per_epoch = per_epoch
        self.n_steps = n_epochs * per_epoch
        self.learning_rate = learning_rate
        parameters = [parameter for parameter in objective.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)

    def epoch(self, epoch: int, generator: torch.Generator) -> dict[str, float]:
        """Take the steps of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        generator : torch.Generator
            Source of all its randomness.

        Returns
        -------
        dict of str to float
            Means of the loss and of its terms.
        """
        totals: dict[str, Tensor] = {}
        self.objective.train()
        if self.objective.penalty is not None:
            self.objective.penalty.begin_epoch(epoch)
        for i, (batch, context) in enumerate(self._batches(generator)):
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate * self._schedule(epoch * self.per_epoch + i)
            self.optimiser.zero_grad(set_to_none=True)
            loss = self.objective(batch, generator, context)
            loss.total.backward()
            self.optimiser.step()
            for name, value in (("loss", loss.total.detach()), *loss.terms.items()):
                totals[name] = totals[name] + value if name in totals else value
        means = {name: float(value) / self.per_epoch for name, value in totals.items()}
        if self.objective.penalty is not None:
            self.objective.penalty.end_epoch(means)
        return means

    def validate(self, seed: int) -> tuple[float, float]:
        """Return the reconstruction error on the validation rows in the likelihood's unit, and the loss there.

        Parameters
        ----------
        seed : int
            Of the features that the penalty samples: always the same, so that epochs can be compared.

        Returns
        -------
        reconstruction : float
            With what the compact space leaves out.
        loss : float
            The same plus the penalty.
        """
        rows, objective = self.data.validation, self.objective
        objective.eval()
        with torch.no_grad():
            parts = torch.split(rows, EVALUATION_BATCH)
            errors = [float(objective.reconstruction(part)) * len(part) for part in parts]
        reconstruction = sum(errors) / len(rows) + self.data.validation_left_out
        if objective.penalty is None:
            return reconstruction, reconstruction
        generator = torch.Generator().manual_seed(seed)
        # With gradients on: one penalty takes a derivative of the encoder.
        few = slice(objective.penalty.n_validated)
        context = None if self.data.validation_context is None else self.data.validation_context[few]
        inputs = self.data.inputs(rows[few])
        own = objective.penalty.of_batch(
            objective.encoder, objective.decoder, inputs, objective.encoder(inputs), context, generator
        )
        total = float(own.total.detach())
        return reconstruction, total if objective.penalty.reconstructs else reconstruction + total

    def _schedule(self, step: int) -> float:
        """Return the learning rate as a share of its peak."""
        rise = max(1.0, 0.02 * self.n_steps)
        return min(1.0, (step + 1) / rise) * 0.5 * (1 + math.cos(math.pi * step / self.n_steps))

    def _batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor | None]]:
        rows, context = self.data.train, self.data.context
        order = torch.empty(0, dtype=torch.long)
        for _ in range(self.per_epoch):
            while len(order) < self.batch_size:
                order = torch.cat([order, torch.randperm(len(rows), generator=generator)])
            chosen = order[: self.batch_size].to(rows.device)
            yield rows[chosen], None if context is None else context[chosen]
            order = order[self.batch_size :]
