"""identica report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from identica.cli.options import counted

if TYPE_CHECKING:
    from identica.report import Report as Page

__all__ = ["Report", "page_of"]


@dataclass(frozen=True)
class Report:
    """Write the page of a finished fit again, as report.html beside its other files.

    fit writes one already; this one can be told the true components, of simulated data for instance, and shows how well
    each was found. Without the data it cannot show images beside what the decoder makes of them, as fit's page does.

    Parameters
    ----------
    fitted : Path
        Directory that fit has written into; the data themselves are not needed.
    truth : Path
        Table of the true components of the same samples, row by row; the names of its columns are shown. Columns that
        the fit took for its auxiliary variable, covariates or size factors are left out.
    """

    fitted: Positional[Annotated[Path, arg(metavar="DIR")]]
    truth: Annotated[Path | None, arg(metavar="FILE")] = None

    def run(self) -> None:
        """Run the command."""
        from identica.cli.features import columns_apart
        from identica.cli.record import fault_of_record, read_record
        from identica.cli.score import check_rows
        from identica.io.model_header import examine_model

        model_file = self.fitted / "model.safetensors"
        if model_file.exists():
            examine_model(model_file)  # before anything is imported that takes long
        from identica.estimators import load
        from identica.io import DataError, read_table, refuse_to_overwrite
        from identica.report import write_report

        output = self.fitted / "report.html"
        refuse_to_overwrite([self.truth], [output])
        record = read_record(self.fitted / "run.json")
        if record is None or not {"data", "versions", "warnings"} <= record.keys():
            raise DataError(f"{self.fitted} has no run.json that can be read: give the folder of a finished fit")
        model = load(model_file)
        if (fault := fault_of_record(record, model.n_components)) is not None:
            raise DataError(f"{self.fitted / 'run.json'} is not as a fit writes it ({fault}): fit it again")
        found = read_table(self.fitted / "latents.csv")
        if found.shape[1] != model.n_components:
            raise DataError(
                f"{found.path} has {found.shape[1]} columns and the model {model.n_components} components: they are of "
                "different fits, fit again"
            )
        n_rows = record["data"]["n_samples"]
        if n_rows != found.shape[0]:
            raise DataError(
                f"{found.path} has {found.shape[0]} rows and run.json tells of {n_rows}: they are of different fits, "
                "fit again"
            )
        truth = true_names = None
        if self.truth is not None:
            true = read_table(self.truth, without=columns_apart(model, record))
            check_rows(found, true)
            truth, true_names = true.values, true.feature_names
        page = page_of(model, found.values, record, truth=truth, true_names=true_names, sample_names=found.row_names)
        write_report(output, page)
        print(f"See {output}")


def page_of(model: Any, latents: Any, record: Mapping[str, Any], **known: Any) -> "Page":
    """Describe a fit by its record.

    Parameters
    ----------
    model : fitted estimator
        Of this library.
    latents : ndarray of shape (n_samples, n_components)
        Its components.
    record : mapping
        The content of run.json.
    **known
        Truth, names of its columns and of the samples, and the samples themselves, as
        :func:`identica.report.report_of_fit` takes them.

    Returns
    -------
    Report
        The page's content.
    """
    from identica.cli.beside import in_words
    from identica.cli.record import described
    from identica.report import report_of_fit
    from identica.trust import CrossCheck

    data = record["data"]
    shape = model.sample_shape_
    facts: dict[str, str | int | float] = {
        "data": Path(data["path"]).name,
        "samples fitted": record["n_samples_fitted"],
        "samples held out": record["n_samples_held_out"],
        "features": " x ".join(map(str, shape)) if len(shape) > 1 else data["n_features"],
        "components": model.n_components,
        "method": model.method,
        **({"auxiliary variable": described(record["auxiliary"])} if record.get("auxiliary") else {}),
        **({"covariates": in_words(record["covariates"])} if record.get("covariates") else {}),
        "seed": "none" if record["seed"] is None else record["seed"],
        "identica": record["versions"]["identica"],
    }
    title = f"{counted(model.n_components, 'component')} of {Path(data['path']).name}"
    low, high = data.get("value_range") or (0.0, 1.0)
    other = record.get("cross_check")
    return report_of_fit(
        model,
        latents,
        title=title,
        facts=facts,
        warnings=record["warnings"],
        cross=None if other is None else CrossCheck.from_dict(other),
        low=low,
        high=high,
        **known,
    )
