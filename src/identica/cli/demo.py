"""identica demo."""

from dataclasses import dataclass
from pathlib import Path

from identica.cli.options import check_seed

__all__ = ["Demo"]


@dataclass(frozen=True)
class Demo:
    """Simulate single cells whose transcription factors no linear method finds and compare all methods on them.

    Needs no input and no network, and takes a few minutes. Writes results.csv, r2_heatmaps.png and
    report.html.

    Parameters
    ----------
    output : Path
        Directory to write into.
    seed : int
        Seed of the data and of the fits.
    """

    output: Path = Path("identica-demo")
    seed: int = 0

    def run(self) -> None:
        """Run the command."""
        from identica.experiments import demo

        check_seed(self.seed)
        demo(self.output, seed=self.seed)
