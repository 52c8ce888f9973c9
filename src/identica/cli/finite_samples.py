"""identica reproduce finite-samples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from identica.cli.options import check_jobs, fits_are_kept, retyped

__all__ = ["ReproduceFiniteSamples"]


@dataclass(frozen=True)
class ReproduceFiniteSamples:
    """Find out how the error of methods falls with the number of samples.

    Writes results.csv, finite-samples.md, finite-samples.svg, and a file in cells/ for each fit as soon as it is done:
    run the same command again to go on after an interruption, or with more seeds, sizes, families or methods. With the
    directory finite-samples in that of `identica reproduce paper`, the last run becomes a part of its page.

    Parameters
    ----------
    output : Path
        Directory to write into.
    seeds : int
        How many, from 0.
    jobs : int
        Fits side by side, each on one thread.
    families : tuple of str
        Kinds of mixture: some of linear, post-nonlinear, folded and perturbed; all where not given.
    sizes : tuple of int
        Numbers of samples to fit; 250 to 50000 where not given.
    methods : tuple of str
        Some of the methods; dica, sparse-jacobian and polytopic, the linear one, where not given.
    n_init : int
        Starts of methods that train networks.
    max_steps : int
        Steps of each start, at most.
    rerun : bool
        Run again what failed, and what was fitted with other settings.
    """

    output: Annotated[Path, arg(metavar="DIR")] = Path("identica-finite-samples")
    seeds: int = 5
    jobs: Annotated[int, arg(metavar="N")] = 1
    families: Annotated[tuple[str, ...] | None, arg(metavar="NAME ...")] = None
    sizes: Annotated[tuple[int, ...] | None, arg(metavar="N ...")] = None
    methods: Annotated[tuple[str, ...] | None, arg(metavar="NAME ...")] = None
    n_init: Annotated[int, arg(metavar="N")] = 2
    max_steps: Annotated[int, arg(metavar="N")] = 3000
    rerun: bool = False

    def run(self) -> None:
        """Run the command.

        Raises
        ------
        ValueError
            If what is given is not possible.
        """
        from identica.arguments import check_integer
        from identica.experiments import finite_samples, reproduce_finite_samples

        check_integer("seeds", self.seeds, 1)
        check_jobs(self.jobs)
        plan = finite_samples(
            families=self.families,
            sizes=self.sizes,
            methods=self.methods,
            seeds=range(self.seeds),
            n_init=self.n_init,
            max_steps=self.max_steps,
        )
        with fits_are_kept(self.output):
            text = reproduce_finite_samples(
                plan, self.output, n_jobs=self.jobs, rerun=self.rerun, command=self._typed()
            )
        print(text)
        print(f"\nSee {self.output / 'finite-samples.svg'}")

    def _typed(self) -> str:
        """Return the command that gives these results."""
        words = ("identica", "reproduce", "finite-samples")
        return retyped(words, self, ("families", "sizes", "methods", "seeds", "n_init", "max_steps", "output"))
