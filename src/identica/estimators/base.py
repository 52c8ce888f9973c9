"""What all methods share: data in, networks, many starts, components out in a canonical form, a verdict on them.

Symbols: m = n_features, d = n_components, J = decoder Jacobian.
"""

from __future__ import annotations

import abc
import os
import time
import warnings
from dataclasses import KW_ONLY, dataclass, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from identica.arguments import MOST_STARTS
from identica.criteria import Criterion, Volume
from identica.estimators.building import build_framed, find_device
from identica.estimators.canonical import canonicalise
from identica.estimators.fitted import FittedNetworks
from identica.estimators.parameters import LIKELIHOODS, check_parameters, documented, refuse_unknown
from identica.estimators.plain_values import fingerprint
from identica.estimators.plan import Plan, make_plan, make_starts
from identica.io import check_output_file
from identica.likelihoods import COUNT_LIKELIHOODS
from identica.networks import Affine, Convolutional, Dense, Network, into_features
from identica.preparation import (
    Context,
    Covariates,
    FloatArray,
    Observed,
    Prepared,
    check_counts,
    check_features_used,
    check_observations,
    check_size_factors,
    fit_counts,
    fit_covariates,
    log_depth,
    share_of_known,
    standardise,
    wild_rows,
    without_covariates,
)
from identica.solvers import Solver
from identica.solvers.starts import Found, repeat_on_all_rows, run_starts
from identica.training.checkpoint import Checkpoint, find_snapshots
from identica.training.inspection import share_explained
from identica.training.passes import widen
from identica.training.plan import Training
from identica.trust import compare_starts, judge, of_single_points

__all__ = ["ComponentAnalysis", "NetworkAnalysis"]

AUTO_STARTS = 8
COMPARED_ROWS = 2000
MOST_TOLD = 20_000
"""Rows on which it is looked how much of components covariates tell."""
FEWEST_COMPARED = 100
"""With fewer held-out rows the starts are compared on training rows."""


@dataclass(eq=False, repr=False)
class ComponentAnalysis(FittedNetworks, abc.ABC):
    """Base of all methods: an autoencoder whose decoder's Jacobian is shaped by a criterion and a solver.

    A method is a dataclass: its fields are its hyper-parameters, those here are shared by all. It says in ``_solver``
    how its networks are trained and in ``_criterion`` what is to be large.
    """

    n_components: int = 2
    _: KW_ONLY
    standardize: bool | None = None
    likelihood: str = "gaussian"
    feature_units: str = "auto"
    wild_rows: str = "drop"
    device: str | torch.device = "auto"
    random_state: Any = None
    verbose: int = 0

    method: ClassVar[str]
    identifies: ClassVar[bool] = True
    """Whether the method claims that single components mean something."""
    follows_counts: ClassVar[bool] = True
    """Whether it can train on the likelihood of counts, and not on their residuals alone."""
    default_learning_rate: ClassVar[float] = Training.LEARNING_RATE
    """Of the training where that gives none."""
    network: ClassVar[Any] = None
    training: ClassVar[Any] = None
    encoder: ClassVar[Any] = None
    decoder: ClassVar[Any] = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "standardize": ["boolean", None],
        "likelihood": [StrOptions(set(LIKELIHOODS))],
        "feature_units": [StrOptions({"auto", "own", "free"})],
        "wild_rows": [StrOptions({"drop", "keep"})],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Complete the docstring of a method."""
        super().__init_subclass__(**kwargs)
        documented(cls, networks="n_init" in {name for base in cls.__mro__ for name in vars(base)})

    def __new__(cls, *args: Any, **given: Any) -> Self:
        """Refuse parameters of others by name."""
        refuse_unknown(cls, given, {field.name: None for field in fields(cls)})
        made: Self = super().__new__(cls)
        return made

    @abc.abstractmethod
    def _solver(self) -> Solver:
        """Return how one start is trained."""

    def _criterion(self) -> Criterion:
        """Return what is to be large, or for methods that maximise nothing what is reported."""
        return Volume()

    def _wrap_encoder(self, encoder: nn.Module) -> nn.Module:
        """Put layers behind the encoder that the method needs; none here."""
        return encoder

    def _context(self, y: Any, n_samples: int) -> Context | None:
        """Return what is known of each sample beside X, for methods that use it."""
        return None

    @property
    def _architecture(self) -> Network | Affine:
        architecture: Network | Affine = self.network or Dense()
        return architecture

    @property
    def _training(self) -> Training:
        training: Training = self.training or Training()
        if training.learning_rate is None:
            return replace(training, learning_rate=self.default_learning_rate)
        return training

    @property
    def _n_starts(self) -> int:
        return 1

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        covariates: Any = None,
        size_factors: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> Self:
        """Fit the components of a table.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or (n_samples, height, width[, channels])
            Observations, in any units; images have a height and a width.
        y : None
            Ignored, but by methods that say what it is for them.
        covariates : array-like or DataFrame of shape (n_samples,) or (n_samples, n_covariates), optional
            What is known of each sample and shall not come back as a component: labels, such as a batch (text,
            categories, booleans, whole numbers), or floating-point numbers. What features are linear in, counts in
            their logarithm, is taken out. Components that go with a covariate lose what they share with it.
        size_factors : array-like of shape (n_samples,), optional
            For likelihoods of counts: the depth of each sample, up to a number; its total if None. Where it is given,
            later calls need it, too.
        checkpoint : path, optional
            File that is written every few seconds and when the fit is interrupted (Ctrl-C), so that it can go on.
            It stays when the fit is complete: delete it once the result is saved.
        resume : bool, default=False
            Whether to go on from the checkpoint, if it is there, to the same result that an uninterrupted fit has.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, or a checkpoint belongs to another fit.
        TypeError
            If a parameter is of the wrong kind, or an own encoder or decoder does not map the shapes that it should.
        """
        began = time.perf_counter()
        check_parameters(self)
        solver, criterion = self._solver(), self._criterion()
        if checkpoint is not None:
            check_output_file(checkpoint)
        X = check_observations(self, X, fitting=True)
        if self.n_components > X.shape[1]:
            raise ValueError(
                f"n_components={self.n_components} exceeds n_features={X.shape[1]}: the decoder must be injective, "
                f"use at most {X.shape[1]}"
            )
        context = self._context(y, len(X))
        depths = self._checked_depths(X, size_factors)
        described, described_values = (None, None) if covariates is None else fit_covariates(covariates, len(X))
        if described is not None:
            described.warn_of_few_samples(len(X))
        snapshots = find_snapshots(checkpoint, resume)
        if self.random_state is not None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        else:  # never from NumPy's global state
            known = [snapshot.seed for snapshot in snapshots.values()]
            seed = known[0] if known else int(np.random.default_rng().integers(2**31 - 1))
        training = self._training
        keeper = Checkpoint(None if checkpoint is None else Path(checkpoint), training.checkpoint_seconds, snapshots)
        print_of_fit = "" if checkpoint is None else fingerprint(self, X, context, described_values, depths)
        if self.likelihood != "gaussian":
            prepared = self._prepared_counts(X, depths, described, described_values, seed)
        else:
            prepared = self._prepared_numbers(X, described, described_values)
        if context is not None and len(self.wild_rows_):
            context = replace(context, values=np.delete(context.values, self.wild_rows_, axis=0))
        plan = make_plan(self, prepared, training, seed, context=context, solver=solver)
        starts = make_starts(self, plan, keeper, print_of_fit)
        for start in starts:
            if start.number in snapshots:
                if start.is_wider(snapshots[start.number]):
                    widen(start)
                start.resume(snapshots[start.number])
        side_by_side = max(1, torch.get_num_threads())
        # Dense networks are too small for more than one thread.
        n_threads = 1 if isinstance(self._architecture, Dense) else max(1, side_by_side // len(starts))
        found = run_starts(
            starts, solver, criterion, keeper, n_side_by_side=min(side_by_side, len(starts)), n_threads=n_threads
        )
        best = found.best
        if len(prepared.values) <= training.refit_samples and best.stopped_early:
            # Few rows: how long to train is known now, so those held out are better used than kept.
            again = make_plan(self, prepared, training, seed, context=context, solver=solver, refit=plan)
            networks = build_framed(self, again.bases[best.number], plan.seeds[best.number])
            repeat_on_all_rows(
                found, networks, again.data, again.wide_data, solver, criterion, keeper, n_threads=n_threads
            )
        self._conclude(found, plan, prepared)
        self.durations_ = best.durations
        self.durations_["other"] = max(0.0, time.perf_counter() - began - sum(best.durations.values()))
        self.verdict_ = judge(self)
        for sign in self.verdict_.signs:
            # A method that claims nothing of single components need not warn that other starts have others.
            if sign.side == "against" and (self.identifies or not sign.of_single_components):
                warnings.warn(sign.text, ConvergenceWarning, stacklevel=2)
        return self

    def _checked_depths(self, X: FloatArray, size_factors: Any) -> NDArray[np.float64] | None:
        """Make sure that a likelihood of counts has counts, and return the depths that were given."""
        if self.likelihood == "gaussian":
            if size_factors is not None:
                raise ValueError(
                    "size_factors are depths of counts, and likelihood='gaussian' is of none: choose 'poisson', "
                    "'negative-binomial' or 'residuals', or leave them out"
                )
            return None
        if self.likelihood in COUNT_LIKELIHOODS and not self.follows_counts:
            raise ValueError(
                f"{type(self).__name__} has no likelihood {self.likelihood!r}: use 'residuals' for counts, or DICA"
            )
        check_counts(X, self.likelihood, getattr(self, "feature_names_in_", None))
        return check_size_factors(size_factors, len(X))

    def _prepared_counts(
        self,
        X: FloatArray,
        depths: NDArray[np.float64] | None,
        known: Covariates | None,
        values: FloatArray | None,
        seed: int,
    ) -> Prepared:
        """Model counts without components and return their residuals; sets observed_, mean_ and scale_."""
        counts = fit_counts(X, self.n_components, size_factors=depths, covariates=values, seed=seed)
        check_features_used(counts, self.n_components)
        followed = self.likelihood in COUNT_LIKELIHOODS
        self.wild_rows_ = np.empty(0, dtype=np.intp)
        self.mean_, self.scale_ = counts.mean.astype(X.dtype), counts.scale.astype(X.dtype)
        self.observed_ = Observed(
            self.mean_, self.scale_, counts, known, log_link=followed, depths_given=depths is not None
        )
        self.n_samples_fit_ = len(X)
        design = counts.design(log_depth(X, counts.mean_depth, depths)[0], values)
        return Prepared(counts.residuals(X, design), X if followed else None, design)

    def _prepared_numbers(self, X: FloatArray, known: Covariates | None, values: FloatArray | None) -> Prepared:
        """Leave out wild rows, with a warning, and standardise the others; sets observed_, mean_ and scale_."""
        self.wild_rows_ = np.empty(0, dtype=np.intp)
        if self.wild_rows == "drop":
            wild = wild_rows(X)
            if len(wild):
                warnings.warn(wild.sentence(), UserWarning, stacklevel=3)
                X = np.delete(X, wild.rows, axis=0)
                self.wild_rows_ = wild.rows
                values = None if values is None else np.delete(values, wild.rows, axis=0)
        names = getattr(self, "feature_names_in_", None)
        standardised = standardise(X, per_feature=self.scaled_by_feature_, names=names, centre=self._centred)
        self.mean_, self.scale_ = standardised.mean, standardised.scale
        self.n_samples_fit_ = len(X)
        if values is None:
            self.observed_ = Observed(self.mean_, self.scale_)
            return Prepared(standardised.values)
        left, effects = without_covariates(standardised.values, values)
        self.observed_ = Observed(self.mean_, self.scale_, covariates=known, effects=effects)
        return Prepared(left, design=values.astype(np.float64))

    def _conclude(self, found: Found, plan: Plan, prepared: Prepared) -> None:
        """Set everything that is reported of a fit."""
        standardised = prepared.values
        best = found.best
        self.history_ = best.history
        self.criterion_, self.reconstruction_error_ = found.criteria[0], found.errors[0]
        self.trained_reconstruction_error_ = found.trained_errors[0] if plan.data.held_out else None
        self.linear_reconstruction_error_ = plan.linear_error
        self.noise_floor_, self.n_directions_ = plan.noise_floor, plan.n_directions
        seen = plan.rows_to_compare(COMPARED_ROWS, FEWEST_COMPARED)
        compared = compare_starts(found, plan.starts, seen, group_size=self._criterion().group_size)
        self.starts_, self.start_agreement_ = compared.records, compared.agreement
        self.starts_at_odds_ = found.at_odds
        loadings = best.data.loadings
        self.rank_ = None if loadings is None else loadings.shape[1]
        aligned = best.latest("align")
        if aligned is not None:
            self.restarts_ = aligned["criteria"].double().cpu().numpy()
            self.restart_agreement_ = float(aligned["agreement"])
            if isinstance(self, NetworkAnalysis):
                refined = best.latest("refine")
                self.refined_ = refined is not None and not bool(refined["undone"])
                self.pointwise_agreement_ = of_single_points(best, self._criterion(), plan.seeds[0])
        if best.units is not None:
            self.feature_units_ = best.units.double().cpu().numpy()
        encoder, decoder = best.encoder.eval().double(), best.decoder.eval().double()
        if loadings is not None:
            encoder, decoder = into_features(encoder, decoder, loadings.double())
        # In float64, then everything takes the precision of the data.
        rows = torch.as_tensor(standardised, device=find_device(self.device))
        summary = canonicalise(
            encoder,
            decoder,
            rows,
            seed=plan.seeds[0],
            group_size=self._criterion().group_size,
            direction=best.data.direction,
            design=prepared.design,
            held_out=plan.held_out if best.data.held_out else None,
        )
        self.conditioning_ = summary.conditioning
        self.encoder_, self.decoder_ = encoder.to(rows.dtype).eval(), decoder.to(rows.dtype).eval()
        with torch.no_grad():
            seen = seen.to(rows)
            self.explained_by_feature_ = share_explained(self.decoder_(self.encoder_(seen)) - seen, seen).cpu().numpy()
            if prepared.design is not None and summary.conditioning is not None:
                latents = self.encoder_(rows[:MOST_TOLD]).cpu().numpy()
                known = summary.conditioning.known(latents, prepared.design[:MOST_TOLD])
                self.explained_by_covariates_ = share_of_known(latents, known)
        influence = summary.influence.cpu().numpy()
        self.component_strength_ = influence.sum(axis=0).astype(standardised.dtype)
        self.influence_ = (influence * self.scale_[:, None]).astype(standardised.dtype)
        self.duplicates_ = summary.duplicates
        self.volume_efficiency_ = summary.volume_efficiency


@dataclass(eq=False, repr=False)
class NetworkAnalysis(ComponentAnalysis):
    """Base of the methods that train networks."""

    _: KW_ONLY
    n_init: int | str = "auto"
    network: Network | None = None  # type: ignore[misc]
    training: Training | None = None  # type: ignore[misc]
    encoder: nn.Module | None = None  # type: ignore[misc]
    decoder: nn.Module | None = None  # type: ignore[misc]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ComponentAnalysis._parameter_constraints,
        "n_init": [Interval(Integral, 1, MOST_STARTS, closed="both"), StrOptions({"auto"})],
        "network": [Dense, Convolutional, None],
        "training": [Training, None],
        "encoder": [nn.Module, None],
        "decoder": [nn.Module, None],
    }

    @property
    def _n_starts(self) -> int:
        if not isinstance(self.n_init, str):
            return int(self.n_init)
        own = self.encoder is not None or self.decoder is not None
        return AUTO_STARTS if isinstance(self._architecture, Dense) and not own else 1
