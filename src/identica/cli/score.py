"""identica score."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from identica.cli.options import File, check_seed

if TYPE_CHECKING:
    from identica.io import Table

__all__ = ["Score", "check_rows"]


@dataclass(frozen=True)
class Score:
    """Compare estimated components with the true ones, up to order, sign and maps of single components.

    Writes scores.json: mean R2, mean correlation coefficients, and, from 20 samples on, DCI and InfoMEC.

    Parameters
    ----------
    latents : Path
        Table of the estimated components.
    truth : Path
        Table of the true components of the same samples. Columns that the fit took for its auxiliary variable,
        covariates or size factors are left out, where the estimated components still lie beside the fit's run.json.
    output : Path
        Directory to write into.
    seed : int
        Seed of the split between samples on which R2 is fitted and scored.
    """

    latents: File
    truth: File
    output: Annotated[Path, arg(metavar="DIR")] = Path()
    seed: int = 0

    def run(self) -> None:
        """Run the command."""
        from identica.cli.beside import columns_beside
        from identica.cli.record import auxiliary_column, read_record
        from identica.io import output_directory, read_table, refuse_to_overwrite, write_json
        from identica.metrics import MIN_DCI_SAMPLES, disentanglement_scores, score_components

        check_seed(self.seed)
        refuse_to_overwrite([self.latents, self.truth], [self.output / "scores.json"])
        record = read_record(self.latents.parent / "run.json")
        auxiliary = auxiliary_column(record)
        told = (*(() if auxiliary is None else (auxiliary,)), *columns_beside(record))
        estimated, true = read_table(self.latents), read_table(self.truth, without=told)
        check_rows(estimated, true)
        scores, matching = score_components(true.values, estimated.values, random_state=self.seed)
        if len(true.values) >= MIN_DCI_SAMPLES:
            scores |= disentanglement_scores(true.values, estimated.values, random_state=self.seed)
        order = [None if j < 0 else j for j in matching.order.tolist()]
        with output_directory(self.output) as directory:
            write_json(
                directory / "scores.json",
                {
                    **scores,
                    "r2": matching.scores,
                    "matching": order,
                },
            )
        names = true.feature_names or [str(i) for i in range(true.shape[1])]
        for name, score, match in zip(names, matching.scores, order, strict=True):
            print(f"true component {name}: estimate {match}, R2 {score:.3f}")
        r2, pearson, spearman = (scores[name] for name in ("r2_mean", "mcc_pearson", "mcc_spearman"))
        print(f"mean R2 {r2:.3f}, MCC {pearson:.3f} (Pearson), {spearman:.3f} (Spearman)")
        for title, prefix in (("DCI", "dci_"), ("InfoMEC", "infomec_")):
            parts = [
                f"{name.removeprefix(prefix)} {value:.3f}" for name, value in scores.items() if name.startswith(prefix)
            ]
            if parts:
                print(f"{title}: {', '.join(parts)}")


def check_rows(estimated: "Table", true: "Table") -> None:
    """Make sure that row i of two tables can be the same sample.

    Parameters
    ----------
    estimated, true : Table
        Components found and true ones.

    Raises
    ------
    DataError
        If one holds images, or the numbers or the order of their rows differ.
    """
    from identica.io import DataError

    for table in (estimated, true):
        if table.sample_shape is not None:
            raise DataError(f"{table.path} holds images, and components are a table: give (n_samples, n_components)")
    if len(estimated.values) != len(true.values):
        raise DataError(
            f"{estimated.path} has {len(estimated.values)} rows and {true.path} has {len(true.values)}, "
            "row i of both must be the same sample"
        )
    ours, theirs = estimated.row_names, true.row_names
    if ours is None or theirs is None or ours == theirs:
        return
    if sorted(ours) == sorted(theirs):
        raise DataError(f"{estimated.path} and {true.path} name the same rows in another order, sort one of them")
    i = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    warnings.warn(
        f"{estimated.path} and {true.path} name their rows differently (row {i}: {ours[i]!r} and {theirs[i]!r}): row i "
        "of both is taken to be the same sample",
        stacklevel=1,
    )
