"""What a fit will train: rows in the coordinates that networks see, and starts with bases and seeds of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from identica.estimators.building import build_framed, find_device
from identica.likelihoods import COUNT_LIKELIHOODS, CountLikelihood, CountNoise, Gaussian
from identica.networks import Dense
from identica.preparation import (
    Basis,
    Context,
    FloatArray,
    Prepared,
    Subspace,
    geodesic_basis,
    noise_edge,
    noise_floor,
    own_units,
    principal_axes,
    principal_subspace,
    split_rows,
    standing_out,
    units_differ,
)
from identica.solvers import Solver
from identica.training.checkpoint import Checkpoint
from identica.training.descent import Data
from identica.training.plan import Training
from identica.training.progress import Progress
from identica.training.trainer import Trainer

if TYPE_CHECKING:
    from identica.estimators.base import ComponentAnalysis

__all__ = ["Plan", "make_plan", "make_starts"]

GEODESIC_BASES = 2
SEED_STEP = 1_000_003
NOISE_ROWS = 1000
"""In which the noise of counts is drawn."""
WIDEST = 1000
"""Up to so many features networks leave the compact space to be refined, which costs time in proportion to them."""


@final
@dataclass(eq=False)
class Plan:
    """What the starts of one fit share.

    Parameters
    ----------
    data : Data
        Rows, as the networks see them at first.
    wide_data : Data or None
        The same as features, where networks of the compact space are widened later.
    standardised : ndarray of shape (n_samples, n_features)
        All rows, as features.
    subspace : Subspace or None
        The compact space, where there is one.
    bases : tuple of Basis
        Where the latents of each start begin.
    seeds : tuple of int
        Of each start.
    linear_error : float
        Reconstruction error of PCA on the validation rows.
    noise_floor : float or None
        Share of the variance that looks like noise, or of the deviance of counts that their noise leaves.
    n_directions : int or None
        Principal directions of residuals of counts that stand out from their noise, as far as they were looked at.
    held_out : ndarray of int
        Rows kept out of the training.
    starts : tuple of Trainer
        All starts, once they are made.
    """

    data: Data
    wide_data: Data | None
    standardised: FloatArray
    subspace: Subspace | None
    bases: tuple[Basis, ...]
    seeds: tuple[int, ...]
    linear_error: float
    noise_floor: float | None
    n_directions: int | None
    held_out: NDArray[np.intp]
    starts: tuple[Trainer, ...] = field(default=())

    def rows_to_compare(self, n_rows: int, fewest: int) -> torch.Tensor:
        """Return rows at which the components of starts are compared: those held out, or the others if these are few.

        Parameters
        ----------
        n_rows : int
            How many at most.
        fewest : int
            Held-out rows that are enough.

        Returns
        -------
        Tensor of shape (n, n_features)
            Standardised features.
        """
        few = len(self.held_out) < fewest
        rows = np.delete(self.standardised, self.held_out, axis=0) if few else self.standardised[self.held_out]
        return torch.as_tensor(rows[:n_rows]).to(self.data.train)


def make_plan(
    estimator: ComponentAnalysis,
    prepared: Prepared,
    training: Training,
    seed: int,
    *,
    solver: Solver,
    context: Context | None = None,
    refit: Plan | None = None,
) -> Plan:
    """Split the rows, find the compact space where the networks have one, and choose where starts begin.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Gives network, number of components and of starts.
    prepared : Prepared
        All rows.
    training : Training
        How to train.
    seed : int
        Of all choices.
    solver : Solver
        Tells whether starts may begin in the compact space, and whether they leave it.
    context : Context, optional
        What is known of each row beside its features.
    refit : Plan, optional
        A plan of the same fit: the rows that it holds out are trained on, too, in a space of the same rank.

    Returns
    -------
    Plan
        Without starts.
    """
    d, n_starts = estimator.n_components, estimator._n_starts
    standardised = prepared.values
    kept, held_out = split_rows(len(standardised), training.validation_fraction, seed)
    seen_rows = held_out if len(held_out) else kept
    validation = standardised[seen_rows]
    if refit is not None:
        kept, held_out = np.arange(len(standardised)), held_out[:0]
    train = standardised[kept]
    device, dtype = find_device(estimator.device), Training.DTYPES[training.dtype]
    mean_square = float(np.mean(np.square(standardised, dtype=np.float64))) * standardised.shape[1]
    network = estimator._architecture
    own = estimator.encoder is not None or estimator.decoder is not None
    seeds = tuple((seed + SEED_STEP * number) % (2**31 - 1) for number in range(n_starts))

    def tensor(values: FloatArray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=dtype, device=device)

    counts = estimator.observed_.counts
    chosen = "free" if estimator.feature_units == "auto" and counts is not None else estimator.feature_units
    free = chosen == "free" or (chosen == "auto" and units_differ(estimator.scale_))
    units = None if free else tensor(own_units(estimator.scale_))
    known = _context_fields(context, kept, seen_rows, tensor) | {"own_units": units, "held_out": len(held_out) > 0}
    direction = estimator.observed_.direction
    if direction is not None:
        known["direction"] = tensor(direction)
    in_features = Data(tensor(train), tensor(validation), Gaussian(mean_square), **known)
    if prepared.counts is not None and standardised.shape[1] <= WIDEST:
        in_features = _counted(estimator, prepared, kept, seen_rows, tensor, known)
    if not isinstance(network, Dense) or network.compact is False or own:
        axes, squared_error = principal_axes(train, validation, d, seed, centred=estimator._centred)
        linear_error = squared_error * standardised.shape[1] / mean_square
        bases = (Basis("principal", axes),) * n_starts
        return Plan(in_features, None, standardised, None, bases, seeds, linear_error, None, None, held_out)

    rank = None if isinstance(network.compact, bool) else network.compact
    if refit is not None and refit.subspace is not None:
        rank = refit.subspace.rank
    noise = 0.0 if counts is None else noise_edge(*train.shape)
    subspace = principal_subspace(train, d, rank=rank, noise=noise, seed=seed)
    coordinates, seen = subspace.project(train), subspace.project(validation)
    outside = subspace.share_left_out(validation, mean_square)
    unit = mean_square * subspace.stretch**2
    linear_error = float(np.square(seen[:, d:], dtype=np.float64).sum()) / len(seen) / unit + outside
    floor, n_directions = noise_floor(train, subspace.variances), None
    if counts is not None:  # the noise of each feature is known, and is its unit; all rows tell, as by default_number
        floor = min(1.0, float(np.count_nonzero(counts.noise)) / mean_square)
        n_directions = standing_out(standardised, d, seed=seed)
    principal = Basis("principal", subspace.principal(d))
    unfolded = [geodesic_basis(coordinates, d, seed + k) for k in range(min(GEODESIC_BASES, n_starts // 2))]
    # Principal axes and unfolded coordinates take turns; where nothing could be unfolded all begin at the axes.
    bases = tuple(
        principal if k % 2 == 0 else (unfolded[(k // 2) % len(unfolded)] or principal) for k in range(n_starts)
    )
    loadings = subspace.axes / subspace.axes.dtype.type(subspace.stretch)
    wide = standardised.shape[1] <= WIDEST
    if isinstance(in_features.likelihood, CountLikelihood):  # PCA in the unit in which the networks will be reported
        rebuilt = in_features.likelihood.in_proportion(tensor(seen[:, :d]) @ tensor(loadings[:, :d]).T)
        linear_error = float(in_features.likelihood.loss(rebuilt, in_features.validation))
        floor = in_features.likelihood.noise_share(in_features.validation[:NOISE_ROWS], np.random.RandomState(seed))
    # Where networks stay in the compact space they would never see the counts themselves.
    if wide and (not solver.compact or (prepared.counts is not None and not solver.widens)):
        bases = tuple(basis.in_features(loadings) for basis in bases)
        return Plan(in_features, None, standardised, None, bases, seeds, linear_error, floor, n_directions, held_out)
    data = Data(
        tensor(coordinates),
        tensor(seen),
        Gaussian(unit),
        loadings=tensor(loadings),
        left_out=subspace.share_left_out(train, mean_square),
        validation_left_out=outside,
        **known,
    )
    wide_data = in_features if wide else None
    return Plan(data, wide_data, standardised, subspace, bases, seeds, linear_error, floor, n_directions, held_out)


def _counted(
    estimator: ComponentAnalysis,
    prepared: Prepared,
    kept: NDArray[np.intp],
    validated: NDArray[np.intp],
    tensor: Callable[[FloatArray], torch.Tensor],
    known: dict[str, Any],
) -> Data:
    """Return the rows as features with their counts and the log means that depth and covariates give."""
    model = estimator.observed_.counts
    if model is None or prepared.counts is None or prepared.design is None:
        raise RuntimeError("rows of counts have no model of counts")
    mean = model.mean
    # Residuals hold the components' variance, too; what is left of it is the feature's own.
    own = (np.square(model.noise) * (mean + model.dispersion * mean**2) - mean) / np.maximum(mean, 1e-12) ** 2
    noise = CountNoise(tensor(model.sensitivity), tensor(np.maximum(own, 0.0)))
    train, validation = (
        tensor(np.hstack([prepared.values[rows], prepared.counts[rows], model.log_mean(prepared.design[rows])]))
        for rows in (kept, validated)
    )
    return Data(train, validation, COUNT_LIKELIHOODS[estimator.likelihood].of(noise, train), **known)


def _context_fields(
    context: Context | None,
    kept: NDArray[np.intp],
    validated: NDArray[np.intp],
    tensor: Callable[[FloatArray], torch.Tensor],
) -> dict[str, Any]:
    if context is None:
        return {}
    return {
        "context": tensor(context.values[kept]),
        "validation_context": tensor(context.values[validated]),
        "labelled": context.levels is not None,
    }


def make_starts(estimator: ComponentAnalysis, plan: Plan, checkpoint: Checkpoint, fingerprint: str) -> list[Trainer]:
    """Build the networks of every start and what trains them.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Gives the architecture.
    plan : Plan
        What they share; learns of them.
    checkpoint : Checkpoint
        Where they put their snapshots.
    fingerprint : str
        Of the fit.

    Returns
    -------
    list of Trainer
        One for each basis.
    """
    training = estimator._training
    name, n_starts = type(estimator).__name__, len(plan.bases)
    starts = []
    for number, (basis, seed) in enumerate(zip(plan.bases, plan.seeds, strict=True)):
        encoder, decoder = build_framed(estimator, basis, seed)
        label = name if n_starts == 1 else f"{name}, start {number + 1} of {n_starts}"
        starts.append(
            Trainer(
                encoder.to(plan.data.train),
                decoder.to(plan.data.train),
                plan.data,
                training,
                seed=seed,
                progress=Progress(int(estimator.verbose), label),
                linear_error=plan.linear_error,
                wide_data=plan.wide_data,
                number=number,
                basis=basis.name,
                checkpoint=checkpoint,
                fingerprint=fingerprint,
            )
        )
    plan.starts = tuple(starts)
    return starts
