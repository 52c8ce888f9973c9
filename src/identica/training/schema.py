"""What tensors of a checkpoint must be: those of the fit that goes on from it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from identica.io import DataError

__all__ = ["TRAINED", "check_like", "check_result"]

TRAINED: dict[str, tuple[int, ...]] = {"best_step": (), "undone": (), "loss": (), "early": ()}
"""What a stage that was trained gives, by name and shape."""


def check_like(what: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Make sure that tensors of a checkpoint are like those of the fit that goes on from it.

    Parameters
    ----------
    what : str
        Whose they are, for the message.
    found, wanted : mapping of str to Tensor
        By name.

    Raises
    ------
    DataError
        If names, shapes or types differ, or a number is not finite.
    """
    for name, tensor in wanted.items():
        if name not in found:
            raise DataError(_unlike(what, f"{name} is missing"))
        if found[name].shape != tensor.shape or found[name].dtype != tensor.dtype:
            given, needed = (f"{each.dtype} of shape {tuple(each.shape)}" for each in (found[name], tensor))
            raise DataError(_unlike(what, f"{name} is {given}, and {needed} is needed"))
        if not bool(found[name].isfinite().all()):
            raise DataError(_unlike(what, f"{name} has values that are not finite"))
    others = [name for name in found if name not in wanted]
    if others:
        raise DataError(_unlike(what, f"{others[0][:80]} is not known"))


def check_result(stage: str, found: Mapping[str, Tensor] | None, gives: Mapping[str, tuple[int, ...]]) -> None:
    """Make sure that a checkpoint has of a stage what that stage gives.

    Parameters
    ----------
    stage : str
        Its name.
    found : mapping of str to Tensor or None
        What the checkpoint has.
    gives : mapping of str to tuple of int
        Shapes by name.

    Raises
    ------
    DataError
        If names or shapes differ, or they hold no real numbers.
    """
    what = f"the stage {stage}"
    for name, shape in gives.items():
        if found is None or name not in found:
            raise DataError(_unlike(what, f"{name} is missing"))
        if found[name].shape != shape or found[name].is_complex():
            raise DataError(_unlike(what, f"{name} has the shape {tuple(found[name].shape)}, and {shape} is needed"))
    others = [name for name in found or () if name not in gives]
    if others:
        raise DataError(_unlike(what, f"{others[0][:80]} is not known"))


def _unlike(what: str, fault: str) -> str:
    return (
        f"the checkpoint does not fit to this fit, of {what} {fault}: delete it and start the fit anew without resuming"
    )
