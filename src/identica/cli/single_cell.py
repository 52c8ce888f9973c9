"""What is said of simulated cells on the command line, by every command that simulates them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from identica.datasets import Regulon

__all__ = ["CellOptions", "named_as_options"]

OPTIONS = {
    "n_cells": "-n",
    "n_factors": "-d",
    "outlier_share": "--outliers",
    "library_mean": "--library-size",
    "dropout_percentile": "--dropout",
    "n_bins": "--n-bins",
    "cross_talk": "--cross-talk",
    "noise_strength": "--noise-strength",
    "correlation": "--correlation",
    "fold": "--fold",
    "hill": "--hill",
    "n_types": "--types",
    "within_types": "--within-types",
    "n_batches": "--batches",
    "batch_shift": "--batch-shift",
    "doublets": "--doublets",
}
"""What arguments of the library are called on the command line."""
_ARGUMENTS = re.compile(rf"\b({'|'.join(OPTIONS)})\b(=?)")


def _option(argument: re.Match[str]) -> str:
    name, equals = argument.groups()
    # Where no value follows, fold, hill, doublets and correlation are words of English.
    return OPTIONS[name] + (" " if equals else "") if equals or "_" in name else name


@contextmanager
def named_as_options() -> Iterator[None]:
    """Let a complaint about an argument name the option that was typed for it.

    Yields
    ------
    None
        For the length of the block.

    Raises
    ------
    TypeError
        If the block raises one; its sentence has the options in place of the arguments.
    ValueError
        Likewise.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        sentence = _ARGUMENTS.sub(_option, str(error))
        if sentence == str(error):
            raise
        raise (TypeError if isinstance(error, TypeError) else ValueError)(sentence) from error


@dataclass(frozen=True)
class CellOptions:
    """Arguments of :func:`identica.datasets.make_cells`.

    Parameters
    ----------
    n_components : int
        Transcription factors, those with most targets.
    regulon : Path
        The network: a file of TRRUST, or a table with the columns source, target and weight; random by default.
    correlation : float
        Of each two factors' concentrations.
    fold : float
        Ratio of a factor's highest concentration to its lowest.
    cross_talk : float
        Strength of the influences of every factor on every gene.
    hill : float
        Hill coefficient.
    half_responses : str
        One half response for each factor, or one for each edge.
    noise : str
        Noise of the stochastic model; none by default.
    noise_strength : float
        q of that noise; 1 by default.
    outliers : float
        Share of genes with outlying expression; none by default.
    library_size : float
        Mean of the logarithm of a cell's total; as simulated by default.
    dropout : float
        Percentile of expression at which half of the entries are lost; none by default.
    counts : bool
        Whether to draw counts.
    preset : str
        Types, batches, doublets and technical noise that belong together: "clean", "counts" or "10x". Numbers of
        types, batches and doublets that are given, too, go before it.
    types : int
        Cell types about whose means cells vary; those of the preset, or none, by default.
    within_types : float
        Share of the factors' variance that lies within types; 0.5 by default.
    batches : int
        Batches of equal size whose genes are shifted; those of the preset, or none, by default.
    batch_shift : float
        Standard deviation of the logarithm of a gene's factor in a batch; 0.3 by default.
    doublets : float
        Share of cells to which another one is added; that of the preset, or none, by default.
    """

    n_components: Annotated[int, arg(metavar="N", aliases=["-d"])] = 10
    regulon: Annotated[Path | None, arg(metavar="FILE")] = None
    correlation: float = 0.5
    fold: float = 4.0
    cross_talk: float = 0.2
    hill: float = 2.0
    half_responses: Literal["factor", "edge"] = "factor"
    noise: Literal["none", "sp", "spd", "dpd"] = "none"
    noise_strength: Annotated[float | None, arg(metavar="FLOAT")] = None
    outliers: Annotated[float | None, arg(metavar="SHARE")] = None
    library_size: Annotated[float | None, arg(metavar="FLOAT")] = None
    dropout: Annotated[float | None, arg(metavar="PERCENT")] = None
    counts: bool = False
    preset: Literal["clean", "counts", "10x"] | None = None
    types: Annotated[int | None, arg(metavar="N")] = None
    within_types: Annotated[float | None, arg(metavar="SHARE")] = None
    batches: Annotated[int | None, arg(metavar="N")] = None
    batch_shift: Annotated[float | None, arg(metavar="FLOAT")] = None
    doublets: Annotated[float | None, arg(metavar="SHARE")] = None

    def read_regulon(self) -> "Regulon | None":
        """Read the network that is named.

        Returns
        -------
        Regulon or None
            None where none is.
        """
        from identica.datasets import read_regulon

        return None if self.regulon is None else read_regulon(self.regulon)

    def arguments(self) -> dict[str, Any]:
        """Give all but the size and the network as arguments of ``make_cells``.

        Returns
        -------
        dict
            Their values.

        Raises
        ------
        ValueError
            If a strength is given of a noise that is not, or technical noise beside a preset that has its own.
        """
        from identica.datasets import CELL_PRESETS, TechnicalNoise

        if self.noise == "none" and self.noise_strength is not None:
            raise ValueError(
                f"--noise-strength {self.noise_strength:g} was given without --noise: give --noise sp, spd or dpd, or "
                "leave it out"
            )
        given = {
            "--outliers": self.outliers,
            "--library-size": self.library_size,
            "--dropout": self.dropout,
            "--counts": self.counts or None,
        }
        stages = [name for name, value in given.items() if value is not None]
        if stages and self.preset is not None and CELL_PRESETS[self.preset].mean_count is not None:
            raise ValueError(
                f"--preset {self.preset} has technical noise of its own, and was given with {' and '.join(stages)}: "
                "leave out the preset, or these"
            )
        technical = None
        if stages:
            technical = TechnicalNoise(
                outlier_share=self.outliers,
                library_mean=self.library_size,
                dropout_percentile=self.dropout,
                counts=self.counts,
            )
        return {
            "correlation": self.correlation,
            "fold": self.fold,
            "cross_talk": self.cross_talk,
            "hill": self.hill,
            "half_responses": self.half_responses,
            "noise": None if self.noise == "none" else self.noise,
            "noise_strength": self.noise_strength,
            "technical": technical,
            "preset": self.preset,
            "n_types": self.types,
            "within_types": self.within_types,
            "n_batches": self.batches,
            "batch_shift": self.batch_shift,
            "doublets": self.doublets,
        }
