"""Decoder and latents to output, Jacobian and Gram matrix, made to be trained through."""

from __future__ import annotations

from identica.jacobian.matrix import (
    gram_matrix,
    jacobian,
    jacobian_and_gram,
    jacobian_beyond,
    jacobian_by_forward_mode,
    split_last_linear,
)
from identica.jacobian.sampling import flat_layers, push_sampled, rearranges, sampled_rule
from identica.jacobian.tangents import Pushed, forward_mode, has_rule, push_tangents, tangent_rule

__all__ = [
    "Pushed",
    "flat_layers",
    "forward_mode",
    "gram_matrix",
    "has_rule",
    "jacobian",
    "jacobian_and_gram",
    "jacobian_beyond",
    "jacobian_by_forward_mode",
    "push_sampled",
    "push_tangents",
    "rearranges",
    "sampled_rule",
    "split_last_linear",
    "tangent_rule",
]
