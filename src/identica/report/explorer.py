"""What the page needs to decode components by itself: the decoder's weights, or frames where these are too many.

A decoder of linear and pointwise layers is written out layer by layer; of a table only the features that components
move most. For any other decoder, or one that is too large, what it makes of each component's way is computed
beforehand. Weights and frames stay in standardised units, where single precision serves whatever the data's own are;
the page brings what it decodes back by scale and mean, in double precision.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from identica.estimators import ComponentAnalysis
from identica.estimators.traversal import component_ranges, traverse
from identica.io.pictures import grey_levels
from identica.networks.layers import ACTIVATIONS, Beside
from identica.preparation import Observed

__all__ = ["Explorer", "share_of_page"]

Array = NDArray[np.floating[Any]]
MOST_BYTES = 3 * 2**20
"""Of one method's weights, or of its frames where its decoder is larger, before they are encoded."""
PAGE_BYTES = 9 * 2**19
"""The same of all methods of one page, which is to weigh less than 8 MB with its pictures."""
MOST_FEATURES = 40
"""Of a table's features shown."""
N_ANCHORS = 6
N_FRAMES = 13
ORIGINAL_BYTES = 2**19
"""Above this the samples themselves are not embedded."""
NAMES: dict[type[nn.Module], str] = {kind: name for name, kind in ACTIVATIONS.items()}


class Fitted(Protocol):
    """A fitted estimator of this library."""

    decoder_: nn.Sequential
    mean_: Array
    scale_: Array
    observed_: Observed
    influence_: Array
    sample_shape_: tuple[int, ...]

    def inverse_transform(self, X: Any) -> Array: ...


@final
@dataclass(frozen=True, eq=False)
class Explorer:
    """Components that a reader can move in the page.

    Parameters
    ----------
    payload : dict
        Plain values, for JSON: ranges, anchors, the shape of images or the names of features, and "layers" or "frames".
    """

    payload: dict[str, Any]

    @classmethod
    def from_estimator(
        cls,
        estimator: Fitted,
        latents: Array,
        *,
        low: float = 0.0,
        high: float = 1.0,
        anchors: Sequence[int] = range(N_ANCHORS),
        anchor_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
        samples: NDArray[Any] | None = None,
        max_bytes: int = MOST_BYTES,
    ) -> Self:
        """Take from a fitted estimator what the page needs.

        Parameters
        ----------
        estimator : fitted estimator
            Of this library.
        latents : ndarray of shape (n_samples, n_components)
            Components of data, as ``transform`` gives them, which say how far each goes.
        low, high : float
            Of images, what is drawn black and what white, as :func:`identica.io.pictures.value_range` finds them.
        anchors : sequence of int, default=range(6)
            Samples from which a reader can start; those that there are.
        anchor_names : sequence of str, optional
            What to call the anchors; "sample 0" and so on by default.
        feature_names : sequence of str, optional
            Names of the features; those of the fit, or numbers, by default.
        samples : ndarray of shape (n_samples, ...), optional
            Images of the same samples; those of the anchors are shown beside what the decoder makes of them.
        max_bytes : int, default=3 MiB
            Of the decoder's weights, above which frames are computed beforehand, and of these; what base64 adds, a
            third, not counted.

        Returns
        -------
        Explorer
            A few megabytes at most.
        """
        anchors = [i for i in anchors if i < len(latents)]
        shape = estimator.sample_shape_ if len(estimator.sample_shape_) > 1 else None
        scale, mean = (np.asarray(values, dtype=np.float64) for values in (estimator.scale_, estimator.mean_))
        shown = np.arange(len(mean)) if shape is not None else _most_influenced(estimator.influence_, estimator.scale_)
        names = getattr(estimator, "feature_names_in_", feature_names)
        called = [f"sample {i}" for i in anchors] if anchor_names is None else anchor_names
        payload: dict[str, Any] = {
            "components": [f"component {j}" for j in range(latents.shape[1])],
            "ranges": component_ranges(latents).tolist(),
            "anchors": latents[anchors].astype(float).tolist(),
            "anchor_names": [str(name) for name, _ in zip(called, anchors, strict=False)],
            "shape": shape,
        }
        if shape is None:
            payload["features"] = [str(i) if names is None else str(names[i]) for i in shown]
        else:
            payload["low"], payload["high"] = float(low), float(high)
            if samples is not None and len(anchors) * math.prod(shape) <= ORIGINAL_BYTES:
                levels = grey_levels(np.asarray(samples)[anchors], low, high)
                payload["originals"] = _encoded(levels, "u1")
        units = {"mean": _encoded(mean[shown], "<f8"), "scale": _encoded(scale[shown], "<f8")}
        # What stands for a logarithm is not features times a scale.
        layers = None if estimator.observed_.log_link else _layers(estimator.decoder_, shown)
        if layers is not None and _size(layers) <= max_bytes:
            payload |= units | {"layers": layers}
        elif shape is not None:
            payload |= _frames(estimator, latents[anchors], payload, max_bytes)
        else:
            rows = traverse(estimator, latents[anchors], payload["ranges"], N_FRAMES).values[..., shown]
            standardised = _encoded((rows - mean[shown]) / scale[shown], "<f4")
            payload |= units | {"frames": {"kind": "float32", "n_steps": N_FRAMES, "data": standardised}}
        return cls(payload)


def share_of_page(methods: Iterable[object]) -> int:
    """Return how many bytes each of several methods has on one page.

    Parameters
    ----------
    methods : iterable of estimator
        Those of this library have sliders.

    Returns
    -------
    int
        For `max_bytes` of :meth:`Explorer.from_estimator`.

    Examples
    --------
    >>> from identica import Autoencoder
    >>> share_of_page([Autoencoder()]) > share_of_page([Autoencoder()] * 3) > 2**20
    True
    """
    n_methods = sum(isinstance(method, ComponentAnalysis) for method in methods)
    return min(MOST_BYTES, PAGE_BYTES // max(1, n_methods))


def _most_influenced(influence: Array, scale: Array) -> NDArray[np.intp]:
    """Choose the features that some component moves most, as many for each, in their own order."""
    relative = influence / np.where(scale > 0, scale, 1.0)[:, None]
    most = math.ceil(MOST_FEATURES / influence.shape[1])
    return np.unique(np.argsort(-relative, axis=0, kind="stable")[:most])


def _layers(module: nn.Module, shown: NDArray[np.intp]) -> list[dict[str, Any]] | None:
    """Write a decoder out, its last layer for some features; None where that cannot be."""
    layers = _written(module)
    if layers is None or layers[-1]["kind"] != "linear":
        return None
    last = layers[-1]
    last["weight"], last["bias"] = last["weight"][shown], last["bias"][shown]
    return [_packed(layer) for layer in layers]


def _written(module: nn.Module) -> list[dict[str, Any]] | None:
    if type(module) is nn.Sequential:
        parts = [_written(child) for child in module]
        return None if any(part is None for part in parts) else [layer for part in parts for layer in part or []]
    if type(module) is Beside:
        body = _written(module.body)
        return None if body is None else [{"kind": "beside", "body": body}]
    if type(module) is nn.Linear:
        weight = module.weight.detach().double().cpu().numpy()
        bias = np.zeros(len(weight)) if module.bias is None else module.bias.detach().double().cpu().numpy()
        return [{"kind": "linear", "weight": weight, "bias": bias}]
    # An activation with other settings than its own defaults is not what the page computes.
    name = NAMES.get(type(module))
    return [{"kind": name}] if name is not None and repr(module) == repr(ACTIVATIONS[name]()) else None


def _packed(layer: dict[str, Any]) -> dict[str, Any]:
    if layer["kind"] == "beside":
        return {"kind": "beside", "body": [_packed(part) for part in layer["body"]]}
    if layer["kind"] != "linear":
        return layer
    n_out, n_in = layer["weight"].shape
    weight, bias = (_encoded(layer[name], "<f4") for name in ("weight", "bias"))
    return {"kind": "linear", "n_in": n_in, "n_out": n_out, "weight": weight, "bias": bias}


def _encoded(values: NDArray[Any], dtype: Literal["u1", "<f4", "<f8"]) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def _size(layers: list[dict[str, Any]]) -> int:
    return sum(_size(v["body"]) if v["kind"] == "beside" else len(v.get("weight", "")) * 3 // 4 for v in layers)


def _frames(estimator: Fitted, anchors: Array, payload: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Decode each component's way, for as many anchors as the page may weigh."""
    d, pixels = anchors.shape[1], math.prod(estimator.sample_shape_)
    n_steps = max(2, min(N_FRAMES, max_bytes // (d * pixels)))
    n_anchors = max(1, min(len(anchors), max_bytes // (d * pixels * n_steps)))
    values = traverse(estimator, anchors[:n_anchors], payload["ranges"], n_steps).values
    levels = grey_levels(values, payload["low"], payload["high"])
    return {
        "anchors": payload["anchors"][:n_anchors],
        "anchor_names": payload["anchor_names"][:n_anchors],
        "frames": {"kind": "uint8", "n_steps": n_steps, "data": _encoded(levels, "u1")},
    }
