"""Jacobians of a decoder for a batch of latents, made to be trained through.

All ``n_components`` tangents go through the decoder together, beside one primal pass; see
:mod:`identica.jacobian.tangents` for the rules. Where the decoder ends in a linear layer, features can be sampled
before that layer is applied, and the Gram matrix is had without the Jacobian.

Symbols: n samples, m = n_features, d = n_components; J is (n, m, d). A decoder must treat the samples of a
batch independently (batch normalisation in training mode does not).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from identica.jacobian.sampling import flat_layers, push_sampled
from identica.jacobian.tangents import Pushed, forward_mode, has_rule, push_tangents

ENTRIES_AT_ONCE = 2**20
"""Where every layer is as large as the output, more entries than this leave the processor's cache."""

__all__ = ["gram_matrix", "jacobian", "jacobian_and_gram", "jacobian_beyond", "jacobian_by_forward_mode"]


def jacobian(
    decoder: nn.Module,
    latents: Tensor,
    *,
    features: Tensor | Sequence[int] | None = None,
    components: Tensor | Sequence[int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the decoder's output and its Jacobian J = d decoder(z) / dz at each latent point.

    Parameters
    ----------
    decoder : torch.nn.Module
        Any module that maps (n, n_components) to (n, ...), sample by sample.
    latents : Tensor of shape (n, n_components)
        Points at which to differentiate.
    features : indices of shape (n_rows,), or mask of shape (n_features,), optional
        Output features (flattened) to keep; the others are not computed where the decoder ends in a linear layer, or in
        a convolution for which that costs less.
    components : indices of shape (n_columns,), optional
        Components to differentiate by; the others are not computed.

    Returns
    -------
    output : Tensor of shape (n, ...)
        ``decoder(latents)``; of shape (n, n_rows) if ``features`` is given.
    matrix : Tensor of shape (n, n_features, n_components)
        The Jacobian, output features flattened; only the rows and columns asked for.

    Raises
    ------
    ValueError
        If ``latents`` is not a matrix.

    Examples
    --------
    >>> import torch
    >>> decoder = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    >>> output, matrix = jacobian(decoder, torch.zeros(5, 2))
    >>> output.shape, matrix.shape
    (torch.Size([5, 3]), torch.Size([5, 3, 2]))
    """
    seeds = _seeds(latents, components)
    index = None if features is None else torch.as_tensor(features, device=latents.device)
    if index is not None and index.dtype == torch.bool:
        index = index.nonzero().squeeze(1)
    size = len(latents)
    if not torch.is_grad_enabled() and split_last_linear(decoder)[1] is None:
        entries = seeds.shape[1] * decoder(latents[:1]).numel()
        size = ENTRIES_AT_ONCE // max(1, entries)
    parts = [_push(decoder, part, seeds, index) for part in torch.split(latents, max(1, size))]
    if len(parts) == 1:
        return parts[0]
    return torch.cat([output for output, _ in parts]), torch.cat([matrix.mT for _, matrix in parts]).mT


def gram_matrix(decoder: nn.Module, latents: Tensor) -> Tensor:
    """Return the Gram matrix J'J of the decoder at each latent point, without forming J where it can.

    A decoder x = W h(z) + b that ends in a linear layer has J'J = H' (W'W) H, H the Jacobian of h: the cost
    no longer grows with n_samples * n_features. Elsewhere J is formed and multiplied.

    Parameters
    ----------
    decoder : torch.nn.Module
        Any module that maps (n, n_components) to (n, ...), sample by sample.
    latents : Tensor of shape (n, n_components)
        Points at which to differentiate.

    Returns
    -------
    Tensor of shape (n, n_components, n_components)
        The Gram matrices.

    Raises
    ------
    ValueError
        If ``latents`` is not a matrix.

    Examples
    --------
    >>> import torch
    >>> gram_matrix(torch.nn.Linear(2, 3), torch.zeros(5, 2)).shape
    torch.Size([5, 2, 2])
    """
    last, _, tangents = _push_to_last(decoder, latents)
    return _gram(last, tangents).expand(latents.shape[0], -1, -1)


def jacobian_and_gram(
    decoder: nn.Module, latents: Tensor, *, features: Tensor | Sequence[int] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return output, Jacobian and the Gram matrix of the *whole* Jacobian from one pass of the tangents.

    Parameters
    ----------
    decoder : torch.nn.Module
        Any module that maps (n, n_components) to (n, ...), sample by sample.
    latents : Tensor of shape (n, n_components)
        Points at which to differentiate.
    features : indices of shape (n_rows,), optional
        Output features to keep in the output and the Jacobian; the Gram matrix is of all features.

    Returns
    -------
    output : Tensor of shape (n, ...)
        As :func:`jacobian` returns it.
    matrix : Tensor of shape (n, n_features, n_components)
        As :func:`jacobian` returns it.
    gram : Tensor of shape (n, n_components, n_components)
        As :func:`gram_matrix` returns it.

    Raises
    ------
    ValueError
        If ``latents`` is not a matrix.

    Examples
    --------
    >>> import torch
    >>> output, matrix, gram = jacobian_and_gram(torch.nn.Linear(2, 9), torch.zeros(5, 2), features=[0, 3])
    >>> matrix.shape, gram.shape
    (torch.Size([5, 2, 2]), torch.Size([5, 2, 2]))
    """
    last, primal, tangents = _push_to_last(decoder, latents)
    index = None if features is None else torch.as_tensor(features, device=latents.device)
    output, matrix = _push(nn.Identity() if last is None else last, primal, tangents, index)
    if index is None and (last is None or not _gram_is_cheaper(last, tangents)):
        gram = matrix.mT @ matrix
    else:
        gram = _gram(last, tangents).expand(latents.shape[0], -1, -1)
    return output, matrix, gram


def jacobian_beyond(decoder: nn.Module, latents: Tensor, outward: Tensor) -> Tensor:
    """Return the Jacobian of a decoder that is followed by a matrix, without that of the decoder where it can.

    A decoder x = W h(z) + b that ends in a linear layer is multiplied by the matrix first: V (W H) = (V W) H.

    Parameters
    ----------
    decoder : torch.nn.Module
        Any module that maps (n, n_components) to (n, ...), sample by sample.
    latents : Tensor of shape (n, n_components)
        Points at which to differentiate.
    outward : Tensor of shape (n_rows, n_features)
        V, a matrix of the decoder's output, flattened.

    Returns
    -------
    Tensor of shape (n, n_rows, n_components)
        V J.

    Raises
    ------
    ValueError
        If ``latents`` is not a matrix.

    Examples
    --------
    >>> jacobian_beyond(torch.nn.Linear(2, 9), torch.zeros(5, 2), torch.ones(4, 9)).shape
    torch.Size([5, 4, 2])
    """
    last, primal, tangents = _push_to_last(decoder, latents)
    if last is not None:
        if primal.ndim == 2:
            outward = outward @ last.weight
        else:  # one linear map for each of several positions
            tangents = functional.linear(tangents, last.weight)
    return functional.linear(tangents.flatten(2), outward).expand(len(latents), -1, -1).mT


def jacobian_by_forward_mode(function: Callable[[Tensor], Tensor], latents: Tensor) -> Tensor:
    """Return the Jacobian of any function of a batch by :func:`torch.func.jacfwd`, the slow general road.

    Parameters
    ----------
    function : callable
        Maps (n, n_components) to (n, ...), sample by sample.
    latents : Tensor of shape (n, n_components)
        Points at which to differentiate.

    Returns
    -------
    Tensor of shape (n, n_features, n_components)
        The Jacobian, output features flattened.

    Examples
    --------
    >>> import torch
    >>> jacobian_by_forward_mode(torch.sin, torch.zeros(1, 2))
    tensor([[[1., 0.],
             [0., 1.]]])
    """

    def one(point: Tensor) -> Tensor:
        return function(point[None])[0].flatten()

    with forward_mode():
        matrix: Tensor = torch.func.vmap(torch.func.jacfwd(one), randomness="different")(latents)
    return matrix


def split_last_linear(decoder: nn.Module) -> tuple[nn.Module, nn.Linear | None]:
    """Split a decoder into its body and its last layer, if that is linear.

    Parameters
    ----------
    decoder : torch.nn.Module
        Any module.

    Returns
    -------
    body : torch.nn.Module
        Everything before the last layer; the decoder itself if that is not linear.
    last : torch.nn.Linear or None
        The last layer, or None.
    """
    layers = flat_layers(decoder)
    if layers:
        last = layers[-1]
        if isinstance(last, nn.Linear) and type(last).forward is nn.Linear.forward and has_rule(last):
            return nn.Sequential(*layers[:-1]), last
    return decoder, None


def _push_to_last(decoder: nn.Module, latents: Tensor) -> tuple[nn.Linear | None, Tensor, Tensor]:
    """Return the decoder's last layer, if that is linear, and what comes before it with all tangents."""
    body, last = split_last_linear(decoder)
    return last, *push_tangents(body, latents, _seeds(latents, None))


def _push(module: nn.Module, primal: Tensor, tangents: Tensor, index: Tensor | None) -> Pushed:
    """Push a batch and its tangents through a module, towards all features or some, and bring J into its shape."""
    if index is None:
        output, tangents = push_tangents(module, primal, tangents)
    else:
        output, tangents = push_sampled(module, primal, tangents, index)
    return output, tangents.flatten(2).expand(len(primal), -1, -1).mT


def _gram(last: nn.Linear | None, tangents: Tensor) -> Tensor:
    if last is None:
        tangents = tangents.flatten(2)
        return tangents @ tangents.mT
    return (tangents @ (last.weight.mT @ last.weight)) @ tangents.mT


def _gram_is_cheaper(last: nn.Linear, tangents: Tensor) -> bool:
    """Compare the multiplications of H'(W'W)H with those of J'J."""
    n, d, width = tangents.shape
    n_features = last.out_features
    return width * width * n_features + n * d * width * (width + d) < n * d * d * n_features


def _seeds(latents: Tensor, components: Tensor | Sequence[int] | None) -> Tensor:
    if latents.ndim != 2:
        raise ValueError(
            f"latents has {latents.ndim} dimension(s): a matrix (n, n_components) is needed, "
            "reshape a single point with latents[None]"
        )
    seeds = torch.eye(latents.shape[1], dtype=latents.dtype, device=latents.device)
    if components is not None:
        seeds = seeds[torch.as_tensor(components, device=latents.device)]
    return seeds[None]
