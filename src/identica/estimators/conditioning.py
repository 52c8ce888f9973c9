"""What depth and covariates tell of components, and components without it.

Encoder and decoder take what is known of a sample as a second input u, by which the Jacobian is not taken: components
s = z - u c, and the decoder is given z = s + u c. Reconstructions stay what they were, and the Jacobian is that of the
decoder; the components s are uncorrelated with u.

The depth of a cell is not its total where components move that. If component j changes the logarithm of the total by
t_j, the depth that is left is L - t z. How far t is to be believed is a number between 0 and 1 for all components
together, the one for which depth goes least with them: factors that move a total all go with it as t says, and depth
that comes back as a component is one of many.

Symbols: n samples, d = n_components, q = number of columns that are known, of which depth is the first for counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from identica.criteria import common_shift

__all__ = ["Conditioning", "find_conditioning"]

SIGNIFICANT = 4.0
"""Standard errors by which held-out rows must differ from all rows to count."""
FEWEST_HELD_OUT = 100

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Conditioning:
    """How far components follow what is known of the samples.

    Parameters
    ----------
    coefficients : ndarray of shape (q, d)
        c.
    centre : ndarray of shape (q,)
        Mean of u, so that components keep theirs.
    total : ndarray of shape (d,)
        What is taken off the first column for each unit of a component, t times how far it is believed; 0 where the
        first column is no depth.
    """

    coefficients: Array
    centre: Array
    total: Array

    def known(self, latents: NDArray[np.floating[Any]], design: Array) -> Array:
        """Return u, whose first column is depth without what components do to the total.

        Parameters
        ----------
        latents : ndarray of shape (n, d)
            z, what the encoder gives.
        design : ndarray of shape (n, q)
            Depth and covariates.

        Returns
        -------
        ndarray of shape (n, q)
            Of mean 0 in the rows fitted.
        """
        known = design - self.centre
        known[:, 0] -= latents @ self.total
        return np.asarray(known)

    def without(self, latents: NDArray[np.floating[Any]], design: Array) -> NDArray[np.floating[Any]]:
        """Return components without what depth and covariates tell.

        Parameters
        ----------
        latents : ndarray of shape (n, d)
            z.
        design : ndarray of shape (n, q)
            Depth and covariates.

        Returns
        -------
        ndarray of shape (n, d)
            z - u c, in the precision of z.
        """
        return np.asarray((latents - self.known(latents, design) @ self.coefficients).astype(latents.dtype))

    def in_basis(self, transform: Array, shift: Array) -> Conditioning:
        """Return the same for latents z' with z = T z' + b.

        Parameters
        ----------
        transform : ndarray of shape (d, d)
            T, invertible.
        shift : ndarray of shape (d,)
            b.

        Returns
        -------
        Conditioning
            Of z'.
        """
        centre = self.centre.copy()
        centre[0] += shift @ self.total
        coefficients = np.linalg.solve(transform, self.coefficients.T).T
        return Conditioning(np.asarray(coefficients), centre, np.asarray(self.total @ transform))


def find_conditioning(
    latents: NDArray[np.floating[Any]], design: Array, held_out: NDArray[np.intp], total: Array | None
) -> Conditioning:
    """Regress components on what is known of the samples.

    Parameters
    ----------
    latents : ndarray of shape (n, d)
        z.
    design : ndarray of shape (n, q)
        Depth and covariates.
    held_out : ndarray of int
        Rows that the networks were not trained on. Where they say something else than all rows do, they are believed:
        networks learn the noise of rows that they see.
    total : ndarray of shape (d,) or None
        t, what a unit of each component adds to the logarithm of a sample's total; None where the first column is no
        depth.

    Returns
    -------
    Conditioning
        Of these components.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> batch = random.integers(2, size=(1000, 1)) - 0.5
    >>> latents = random.standard_normal((1000, 2)) + batch * [0.0, 2.0]
    >>> nothing = np.empty(0, dtype=int)
    >>> left = find_conditioning(latents, batch, nothing, None).without(latents, batch)
    >>> bool(abs((batch[:, 0] - batch.mean()) @ left).max() < 1e-9)
    True
    """
    z = latents - latents.mean(axis=0, dtype=np.float64)
    d, q = z.shape[1], design.shape[1]
    found = Conditioning(np.zeros((q, d)), design.mean(axis=0), np.zeros(d))
    if total is not None:
        found = replace(found, total=total * _share_believed(z, design - found.centre, total))
        found = replace(found, centre=found.centre + found.known(latents, design).mean(axis=0))
    known = found.known(latents, design)
    coefficients = np.linalg.lstsq(known, z, rcond=None)[0]
    if len(held_out) >= max(FEWEST_HELD_OUT, 10 * q):
        coefficients = coefficients + _correction(z[held_out] - known[held_out] @ coefficients, known[held_out])
    return replace(found, coefficients=coefficients)


def _share_believed(z: Array, known: Array, total: Array) -> float:
    """Return the share of `total` in [0, 1] for which sum_j |cov(depth, z_j)| is least, covariates taken out."""
    others = known[:, 1:]
    depth, moved = (values - others @ np.linalg.lstsq(others, values, rcond=None)[0] for values in (known[:, 0], z))
    with_total, by_total = moved.T @ depth, moved.T @ (moved @ total)
    # That of |with_total - share * by_total|, summed, as of rows of a Jacobian and what they have in common.
    rows, weights = with_total * np.sign(by_total), np.abs(by_total)
    share = common_shift(torch.as_tensor(rows[:, None]), torch.as_tensor(weights))
    return float(share.clamp(0.0, 1.0))


def _correction(left: Array, known: Array) -> Array:
    """Return coefficients of what held-out rows still tell of components, 0 where chance tells as much."""
    inverse = np.linalg.pinv(known.T @ known)
    more = inverse @ (known.T @ left)
    noise = np.square(left - known @ more).sum(axis=0) / max(1, len(left) - known.shape[1])
    errors = np.sqrt(np.outer(np.maximum(np.diag(inverse), 0.0), noise))
    beyond = (np.abs(more) > SIGNIFICANT * errors).any(axis=0)
    return np.asarray(more * beyond)
