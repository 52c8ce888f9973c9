"""The parameters that methods share, and what is said of them: written once, for signatures and docstrings alike.

Estimators are dataclasses: a parameter is a field, inherited by every method, and its description is put into the
docstring of each where that says ``%(shared)s``.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Any

from identica.arguments import check_choice
from identica.criteria import NAMED_CRITERIA, Criterion
from identica.likelihoods import COUNT_LIKELIHOODS
from identica.solvers import SOLVERS, Solver

__all__ = ["LIKELIHOODS", "check_criterion", "check_parameters", "check_solver", "documented", "refuse_unknown"]

LIKELIHOODS = ("gaussian", "residuals", *COUNT_LIKELIHOODS)
"""What may be said of how data follow the model."""
NETWORK_PARAMETERS = """\
n_init : int or "auto", default="auto"
    Starts: networks of other initial weights, batches and bases, trained side by side in rounds, of which the best is
    kept. "auto" is 8 for dense networks that the library builds and 1 for others.
network : Dense or Convolutional, optional
    Architecture of encoder and decoder; ``Dense()`` if None.
training : Training, optional
    Length and speed of the training of one start; ``Training()`` if None.
encoder, decoder : torch.nn.Module, optional
    Own modules, (n, n_features) -> (n, n_components) and back, on standardised data; copied, then trained.
"""
COMMON_PARAMETERS = """\
standardize : bool, optional
    Whether each feature is brought to unit variance inside; otherwise all are divided by one number. By default
    the features of tables are, the pixels of images are not.
likelihood : {"gaussian", "poisson", "negative-binomial", "residuals"}, default="gaussian"
    How data follow the model. For counts that were not normalised: "poisson" and "negative-binomial" multiply what
    depth and covariates give by the exponential of what the decoder gives, above 1,000 features in their residuals
    alone; "residuals" is Gaussian on these. The Jacobian is then that of the log mean, up to what all features do in
    common, of which depth leaves nothing to be known.
feature_units : {"auto", "own", "free"}, default="auto"
    In which units the criterion compares features: their own, within a factor of three about the median, which finds
    more where all features were measured alike, or such as no positive factor on any feature changes. "auto" takes
    their own unless more than a fifth of the features are further than that factor from the median.
wild_rows : {"drop", "keep"}, default="drop"
    What to do with rows so far out that a few would own the fit: leave them out of it with a warning, or not look.
device : str or torch.device, default="auto"
    Where to compute; "auto" takes a GPU if there is one.
random_state : int, RandomState or None, default=None
    An int makes the result reproducible.
verbose : int, default=0
    1 shows progress on standard error."""
SHARED_ATTRIBUTES = """\
encoder_, decoder_ : torch.nn.Sequential
    Fitted networks, between standardised data and components.
criterion_ : float
    The criterion on held-out rows, at the scales of the components at which it is largest.
volume_efficiency_ : float
    exp(c_2) / sqrt(m / d), the share of the largest possible volume, in (0, 1].
reconstruction_error_, linear_reconstruction_error_ : float
    Fraction of variance unexplained on held-out rows, by the model and by PCA with as many components.
trained_reconstruction_error_ : float or None
    Fraction of variance unexplained on as many rows that were trained on; None where no rows were held out.
noise_floor_ : float or None
    Fraction of variance that looks like noise of one size in every direction, or of the deviance of counts that their
    noise alone leaves; None where the data do not tell.
n_directions_ : int or None
    Of counts, how many principal directions of their residuals stand out from noise, as far as they were looked at:
    no more components can be found. None where that is not known.
starts_ : list of dict
    One record per start: basis, steps, reconstruction error, and of those that were finished the criterion and how far
    their components agree with the best start's.
start_agreement_ : float or None
    Mean matched rank correlation between the components of the best start and those of the other good starts; None
    where there is one start.
verdict_ : Verdict
    What speaks for and against these components, in words, graded.
influence_ : ndarray of shape (n_features, n_components)
    Mean |dx_i / ds_j|, in units of feature i per standard deviation of component j.
component_strength_ : ndarray of shape (n_components,)
    Sum of a component's influences in standardised units, by which components are ordered.
explained_by_feature_ : ndarray of shape (n_features,)
    Share of each feature's variance that the model explains on held-out rows, at most 1; 0 where it is constant.
explained_by_covariates_ : ndarray of shape (n_components,)
    Share of the variance of what the encoder gives for each component that depth, covariates and their squares tell in
    the rows fitted; only where there were such. Components are without what is linear in depth and covariates.
conditioning_ : Conditioning or None
    What was taken out of the components for that; None without depth and covariates.
feature_units_ : ndarray of shape (n_features,)
    Factor of each feature's row of the standardised Jacobian in the criterion.
wild_rows_ : ndarray of int
    Rows that were left out of the fit.
history_ : list of dict
    One record per stage and epoch of the start that is kept.
durations_ : dict of str to float
    Seconds per stage of the start that is kept, and of all other work.
observed_ : Observed
    What was learned of depth, covariates and noise before any component.
n_features_in_, feature_names_in_, mean_, scale_
    Of the data; of counts, means at depth 1 and the units in which networks see them."""
_OWNERS = {
    "restarts": "the solver: solver=Staged(restarts=...)",
    "n_restarts": "the solver: solver=Staged(restarts=...)",
    "weight": "the solver: solver=Staged(weight=...)",
    "volume_weight": "the solver: solver=Staged(weight=...) or solver=Joint(volume_weight=...)",
    "norm_weight": "the solver: solver=Joint(norm_weight=...)",
    "warmup_epochs": "the solver: solver=Joint(warmup_epochs=...)",
    "volume": "the solver: solver=Joint(volume=...)",
    "p": "the criterion: criterion=Volume(p=...)",
    "norm_power": "the criterion: criterion=Volume(p=...)",
    "hidden": "the network: network=Dense(hidden=...)",
    "activation": "the network: network=Dense(activation=...)",
    "compact": "the network: network=Dense(compact=...)",
    "max_steps": "the training: training=Training(max_steps=...)",
    "batch_size": "the training: training=Training(batch_size=...)",
    "learning_rate": "the training: training=Training(learning_rate=...)",
}


def documented(cls: type, *, networks: bool) -> None:
    """Put the descriptions of shared parameters and attributes into a class's docstring.

    Parameters
    ----------
    cls : type
        A method; its docstring says ``%(shared)s`` and ``%(attributes)s`` where they belong.
    networks : bool
        Whether it has the parameters of trained networks.
    """
    shared = (NETWORK_PARAMETERS if networks else "") + COMMON_PARAMETERS
    for mark, text in (("%(shared)s", shared), ("%(attributes)s", SHARED_ATTRIBUTES)):
        cls.__doc__ = (cls.__doc__ or "").replace(f"    {mark}", indent(text, "    "))


def check_parameters(estimator: Any) -> None:
    """Make sure that all parameters of an estimator can be used.

    Parameters
    ----------
    estimator : ComponentAnalysis
        Any.

    Raises
    ------
    ValueError
        If one is out of its range.
    TypeError
        If one is of the wrong kind.
    """
    check_choice("likelihood", estimator.likelihood, LIKELIHOODS)
    estimator._validate_params()
    for name in ("n_components", "n_init"):
        if isinstance(getattr(estimator, name, None), bool):
            raise TypeError(f"{name}={getattr(estimator, name)} is not a number: give how many")
    estimator._solver()
    estimator._criterion()


def refuse_unknown(cls: type, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    """Refuse a parameter that a method does not have, and say whose it is.

    Parameters
    ----------
    cls : type
        The method.
    given, known : mapping
        By name.

    Raises
    ------
    TypeError
        If a name is not known.
    """
    for name in given:
        if name not in known:
            where = f"it belongs to {_OWNERS[name]}" if name in _OWNERS else f"it has {', '.join(known)}"
            raise TypeError(f"{cls.__name__} has no parameter {name!r}: {where}")


def check_solver(solver: object, *allowed: type[Solver], others: tuple[str, ...] = ()) -> Solver:
    """Return the solver that a user has chosen.

    Parameters
    ----------
    solver : object
        A solver or the name of one.
    *allowed : type
        Those that the method has.
    others : tuple of str, default=()
        Names that the method knows beside these, for messages.

    Returns
    -------
    Solver
        With its parameters.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If the name is unknown.
    """
    names = [*others, *(cls.kind for cls in allowed)]
    objects = " or ".join(f"{cls.__name__}(...)" for cls in allowed)
    if isinstance(solver, str):
        if solver not in SOLVERS or SOLVERS[solver] not in allowed:
            raise ValueError(f"solver={solver!r} is not known here: use one of {', '.join(names)}, or {objects}")
        return SOLVERS[solver]()
    if type(solver) not in allowed:
        raise TypeError(f"solver={solver!r} is no solver of this method: use {objects}, or one of {', '.join(names)}")
    return solver  # type: ignore[return-value]


def check_criterion(criterion: object) -> Criterion:
    """Return the criterion that a user has chosen.

    Parameters
    ----------
    criterion : object
        A Criterion or the name of one.

    Returns
    -------
    Criterion
        With its parameters.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If the name is unknown.
    """
    if isinstance(criterion, str):
        if criterion not in NAMED_CRITERIA:
            raise ValueError(f"criterion={criterion!r} is not known: use one of {', '.join(NAMED_CRITERIA)}")
        return NAMED_CRITERIA[criterion]
    if not isinstance(criterion, Criterion):
        raise TypeError(
            f"criterion={criterion!r} is no criterion: use Volume(p) or one of {', '.join(map(repr, NAMED_CRITERIA))}"
        )
    return criterion
