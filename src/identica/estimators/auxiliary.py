"""Nonlinear ICA with an auxiliary variable: components that are independent given a label, a time or a view."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self, final

from torch import nn

from identica.estimators.base import NetworkAnalysis
from identica.estimators.parameters import check_solver
from identica.networks import of_unit_variance
from identica.preparation import Context, encode_context
from identica.solvers import Contrastive, Solver, Variational

__all__ = ["AuxiliaryICA"]


@final
@dataclass(eq=False, repr=False)
class AuxiliaryICA(NetworkAnalysis):
    """Nonlinear ICA with an auxiliary variable u: p(s | u) is a product over components, each of which changes with u.

    With ``solver="contrastive"``, generalised contrastive learning: the encoder h is such that the u of a sample is
    told from others by r(x, u) = sum_i psi_i(h_i(x), u) + b(u), while the decoder reconstructs. With
    ``solver="variational"``, iVAE: the evidence lower bound of x given u. Only the fit needs u.

    It finds components whose distributions change enough with u, at 2 d + 1 values of it or more (theorem 1 of
    Hyvarinen et al.). It must fail where the distribution of the components does not change with u, or where they are
    dependent given u.

    Parameters
    ----------
    n_components : int, default=2
        Number of components d; may be the number of features.
    solver : {"contrastive", "variational"}, Contrastive or Variational, default="contrastive"
        How to fit: :class:`identica.Contrastive` or :class:`identica.Variational`.
    %(shared)s

    Attributes
    ----------
    auxiliary_levels_ : list or None
        Levels of u where it is a label; None where it is continuous.
    auxiliary_name_ : str or None
        Name of u where it came as a column of pandas; None where it has no name that is text.
    %(attributes)s

    Notes
    -----
    The learning rate is 0.01, and not 0.002, where ``training`` gives none.

    ``criterion_`` is minus the contrastive loss plus reconstruction, or the bound per feature, on held-out rows.

    References
    ----------
    A. Hyvarinen, H. Sasaki and R. E. Turner, "Nonlinear ICA Using Auxiliary Variables and Generalized Contrastive
    Learning", AISTATS 2019.
    I. Khemakhem, D. P. Kingma, R. P. Monti and A. Hyvarinen, "Variational Autoencoders and Nonlinear ICA: A Unifying
    Framework", AISTATS 2020.

    Examples
    --------
    >>> from identica import Training
    >>> from identica.datasets import make_nonstationary
    >>> data = make_nonstationary(2000, 2, n_segments=5, n_layers=1, random_state=0)
    >>> ica = AuxiliaryICA(2, n_init=1, training=Training(max_steps=300), random_state=0)
    >>> ica.fit(data.X, data.auxiliary).transform(data.X).shape
    (2000, 2)
    """

    _: KW_ONLY
    solver: str | Solver = "contrastive"

    method: ClassVar[str] = "auxiliary-ica"
    # What tells u is faint in each sample: at lower rates most starts stay near the principal axes.
    default_learning_rate: ClassVar[float] = 1e-2
    follows_counts: ClassVar[bool] = False

    def _solver(self) -> Solver:
        return check_solver(self.solver, Contrastive, Variational)

    def _wrap_encoder(self, encoder: nn.Module) -> nn.Module:
        if isinstance(self._solver(), Variational):
            return encoder  # the prior holds the scales
        return of_unit_variance(encoder, self.n_components)

    def fit(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Fit the components of a table.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or images
            Observations.
        y : array-like of shape (n_samples,) or (n_samples, n_auxiliary)
            The auxiliary variable u: one column of labels (integers, booleans, text, dates or categories), such as
            segments of time, or one or more of numbers, such as another view. Combine several labels into one column,
            which has a level for each combination that occurs. The name is that of scikit-learn, so that pipelines
            pass it on.
        **options
            ``covariates``, ``size_factors``, ``checkpoint`` and ``resume``, as of all methods.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        TypeError
            If there are other options, such as ``u``.
        """
        for name in options:
            if name not in ("covariates", "size_factors", "checkpoint", "resume"):
                raise TypeError(
                    f"{type(self).__name__}.fit has no parameter {name!r}, it has X, y, covariates, size_factors, "
                    "checkpoint and resume: pass u as y, in fit(X, u) or fit(X, y=u)"
                )
        return super().fit(X, y, **options)

    def _context(self, y: Any, n_samples: int) -> Context | None:
        context = encode_context(y, n_samples, type(self).__name__)
        self.auxiliary_levels_ = context.levels
        name = getattr(y, "name", None)
        self.auxiliary_name_ = name if isinstance(name, str) else None
        return context

    def __sklearn_tags__(self) -> Any:
        """Say that fit needs u."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
