"""Other libraries' methods, in the form in which experiments compare them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from identica.machine import threads_kept

__all__ = ["UnivariateLinearModel", "as_rows", "check_installed", "is_installed"]


def as_rows(shape: tuple[int, ...]) -> FunctionTransformer:
    """Return what lets a method of tables see images as rows, and gives images back.

    Parameters
    ----------
    shape : tuple of int
        (height, width) or (height, width, channels) of an image.

    Returns
    -------
    FunctionTransformer
        First step of a pipeline.
    """
    return FunctionTransformer(_flattened, _shaped, inv_kw_args={"shape": shape}, check_inverse=False)


def _flattened(images: NDArray[Any]) -> NDArray[Any]:
    return images.reshape(len(images), -1).astype(np.float32)


def _shaped(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return rows.reshape(len(rows), *shape)


def is_installed() -> bool:
    """Tell whether decoupler is there.

    Returns
    -------
    bool
        Whether the method ulm can be used.
    """
    spec = find_spec("decoupler")
    return spec is not None and spec.origin is not None  # else it is a folder that was left when it was removed


def check_installed() -> None:
    """Make sure, before any long work, that decoupler is there.

    Raises
    ------
    ImportError
        If it is not.
    """
    if not is_installed():
        raise ImportError(
            "the method ulm needs decoupler, which is not installed: pip install 'identica[single-cell]', or choose "
            "other methods"
        )


@final
class UnivariateLinearModel(TransformerMixin, BaseEstimator):
    """Activities of transcription factors by decoupler's univariate linear model, given the true network.

    It is told which genes each factor acts on and with which sign, which the other methods have to do without.
    An activity is the t value of the slope of a cell's expression, each gene standardised over cells, on the
    factor's weights.

    Parameters
    ----------
    net : DataFrame
        With the columns source, target and weight.
    genes : sequence of str
        Names of the features, in order.

    References
    ----------
    P. Badia-i-Mompel et al., "decoupleR: ensemble of computational methods to infer biological activities from omics
    data", Bioinformatics Advances 2, 2022.
    """

    def __init__(self, net: pd.DataFrame, genes: tuple[str, ...]) -> None:
        self.net = net
        self.genes = genes

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Remember means and standard deviations of the genes.

        Parameters
        ----------
        X : array-like of shape (n_cells, n_genes)
            Expression.
        y : None
            Ignored.

        Returns
        -------
        UnivariateLinearModel
            Itself.

        Raises
        ------
        ValueError
            If no gene varies.
        """
        values = np.asarray(X, dtype=np.float64)
        if not np.ptp(values, axis=0).any():
            raise ValueError("no gene's expression varies from cell to cell: ulm needs some that does")
        self.scaler_ = StandardScaler().fit(values)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Give the activities of cells.

        Parameters
        ----------
        X : array-like of shape (n_cells, n_genes)
            Expression.

        Returns
        -------
        ndarray of shape (n_cells, n_factors)
            One column per factor, by name.
        """
        with threads_kept():
            import decoupler

        values = self.scaler_.transform(np.asarray(X, dtype=np.float64))
        frame = pd.DataFrame(values, index=[str(i) for i in range(len(values))], columns=list(self.genes))
        with threads_kept():
            scores, _ = decoupler.mt.ulm(data=frame, net=self.net, tmin=1)
        return np.asarray(scores.sort_index(axis=1), dtype=np.float64)
