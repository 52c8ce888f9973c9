"""What the paper claims, the command that tests each claim, and how our numbers decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, final

from identica.experiments.paper import measured
from identica.experiments.paper.study import Rows

__all__ = ["CLAIMS", "NOT_RUN", "Claim", "Finding", "Verdict"]

Verdict = Literal["reproduced", "partly", "not reproduced", "cannot be tested by data", "not run yet"]
NOT_RUN: Verdict = "not run yet"
Numbers = Mapping[str, float]


@final
@dataclass(frozen=True)
class Finding:
    """What came of a claim.

    Parameters
    ----------
    numbers : mapping of str to float
        Ours, by what they are.
    verdict : str
        What they say.
    """

    numbers: Numbers
    verdict: Verdict

    @property
    def written(self) -> str:
        """The numbers in one line."""
        return ", ".join(f"{name} {number:.3f}" for name, number in self.numbers.items())


@final
@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Parameters
    ----------
    text : str
        In our words.
    where : str
        Where it stands in the paper, as far as is known: its text is not at hand.
    study : str or None
        Whose rows decide; None where data cannot.
    ours : callable
        Takes the rows and returns our numbers by name, or None where rows are missing that it needs.
    rule : callable
        Takes the numbers and returns the verdict.
    stated : str, default="none given"
        The paper's number.
    options : str, default=""
        Of the command, beyond the study's name.
    """

    text: str
    where: str
    study: str | None
    ours: Callable[[Rows], Numbers | None]
    rule: Callable[[Numbers], Verdict]
    stated: str = "none given"
    options: str = ""

    @property
    def command(self) -> str:
        """What to type to test it."""
        if self.study is None:
            return "none"
        if self.study == "finite-samples":
            return "see that study"
        return " ".join(filter(None, ("identica reproduce paper --only", self.study, self.options)))

    def judge(self, results: Mapping[str, Rows]) -> Finding:
        """Compare with what studies have come to.

        Parameters
        ----------
        results : mapping of str to rows
            By study, those that there are.

        Returns
        -------
        Finding
            Our numbers and the verdict.
        """
        if self.study is None:
            return Finding({}, "cannot be tested by data")
        numbers = self.ours(results.get(self.study, ()))
        return Finding({}, NOT_RUN) if numbers is None else Finding(numbers, self.rule(numbers))


def _graded(holds: bool, in_part: bool) -> Verdict:
    return "reproduced" if holds else "partly" if in_part else "not reproduced"


def _none(rows: Rows) -> None:
    """Return nothing, for claims that data cannot test."""


_NEVER: Callable[[Numbers], Verdict] = lambda numbers: "cannot be tested by data"  # noqa: E731
_REGULON = "--regulon trrust_rawdata.human.tsv"
_IMAGES = "--data mnist"


def _near(stated: float) -> Callable[[Numbers], Verdict]:
    """Call a number reproduced where all of ours are within 0.1 of it, partly where one is."""

    def rule(numbers: Numbers) -> Verdict:
        far = [abs(numbers[name] - stated) for name in ("lowest", "highest")]
        return _graded(max(far) <= measured.NEAR, abs(numbers["nearest"] - stated) <= measured.NEAR)

    return rule


def _turns(numbers: Numbers) -> Verdict:
    chosen = max(numbers.get("staged", 0.0), numbers.get("joint", 0.0))
    return _graded(chosen >= 0.5, chosen >= 0.1)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Under sufficiently diverse influence every maximiser of J-VolMax has the true components, up to order and "
        "a map of each.",
        "the theorem on (3)-(5)",
        None,
        _none,
        _NEVER,
    ),
    Claim(
        "On simulated single cells DICA finds the transcription factors.",
        "single-cell experiment",
        "order",
        measured.dica_on_cells,
        lambda n: _graded(n["lowest"] >= 0.95, n["median"] >= 0.95),
        "mean R² close to 1",
        _REGULON,
    ),
    Claim(
        "There the L1-penalised Jacobian, in the paper's form, falls far behind.",
        "single-cell experiment, Sparse",
        "order",
        measured.plain_sparse_on_cells,
        _near(measured.SPARSE),
        "0.4544",
        _REGULON,
    ),
    Claim(
        "There the plain autoencoder falls farther behind.",
        "single-cell experiment, Base",
        "order",
        measured.autoencoder_on_cells,
        _near(measured.BASE),
        "0.3381",
        _REGULON,
    ),
    Claim(
        "DICA is above Sparse, and Sparse above Base.",
        "single-cell experiment",
        "order",
        measured.order_on_cells,
        lambda n: _graded(min(n.values()) == 1, max(n.values()) > 0),
        "in that order",
        _REGULON,
    ),
    Claim(
        "By the mean correlation coefficient, too, DICA is above all others.",
        "abstracts of the experiments",
        "order",
        measured.dica_first_by_correlation,
        lambda n: _graded(n["share of data sets"] == 1, n["share of data sets"] >= 0.5),
        options=_REGULON,
    ),
    *(
        Claim(
            f"One component turns a {turn.split()[0]} into a {turn.split()[-1]}.",
            "traversals of MNIST",
            "digits",
            measured.turns(turn),
            _turns,
            "shown as pictures",
            _IMAGES,
        )
        for turn in measured.TURNS
    ),
    Claim(
        "Neither independent components nor a sparse Jacobian are needed.",
        "identifiability under SDI",
        "mixtures",
        measured.where_the_condition_holds,
        lambda n: _graded(
            n["dica"] >= 0.95 and max(n["fastica"], n["sparse-jacobian"]) <= n["dica"] - 0.1, n["dica"] >= 0.9
        ),
    ),
    Claim(
        "The relaxed loss (8), with its warm-up, finds the components.",
        "equation (8)",
        "mixtures",
        measured.joint_where_the_condition_holds,
        lambda n: _graded(n["lowest"] >= 0.95, n["highest"] >= 0.9),
    ),
    Claim(
        "The condition matters: without diverse influence the components are not found.",
        "identifiability under SDI",
        "mixtures",
        measured.where_the_condition_fails,
        lambda n: _graded(
            n["dica, isotropic"] <= n["dica, elsewhere"] - 0.1, n["dica, isotropic"] < n["dica, elsewhere"]
        ),
    ),
    Claim(
        "The error falls with the samples N at least as fast as the square root of 1 / N.",
        "statement (7)",
        "finite-samples",
        measured.error_over_samples,
        lambda n: _graded(n["slowest slope"] <= -0.5, n["steepest slope"] <= -0.5),
        "O(Rademacher complexity + sqrt(ln(1/delta) / N))",
    ),
)
"""All claims, in the order of the page."""
