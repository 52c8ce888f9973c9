"""What the paper claims, the study that tests each claim, and how our numbers decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, final

from identica.experiments.paper import measured
from identica.experiments.paper.results import Results
from identica.experiments.paper.study import Rows

__all__ = ["CLAIMS", "INCOMPLETE", "NOT_RUN", "Claim", "Finding", "Verdict"]

Verdict = Literal["reproduced", "partly", "not reproduced", "consistent", "not decided", "incomplete", "not run yet"]
INCOMPLETE: Verdict = "incomplete"
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
    progress : str, default=""
        How far the study is, where it is not complete.
    """

    numbers: Numbers
    verdict: Verdict
    progress: str = ""

    @property
    def written(self) -> str:
        """The numbers in one line."""
        numbers = ", ".join(f"{name} {number:.3f}" for name, number in self.numbers.items())
        return f"{numbers} ({self.progress})".strip() if self.progress else numbers


@final
@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Parameters
    ----------
    text : str
        In our words.
    where : str
        Where it stands in the paper, as far as is known: its whole text is not at hand.
    stated : str
        The paper's number.
    study : str
        Whose rows decide.
    ours : callable
        Takes the rows and returns our numbers by name, or None where rows are missing that it needs.
    rule : callable
        Takes the numbers and returns the verdict.
    reproduced, partly : str
        What the rule asks for, in words.
    """

    text: str
    where: str
    stated: str
    study: str
    ours: Callable[[Rows], Numbers | None]
    rule: Callable[[Numbers], Verdict]
    reproduced: str
    partly: str

    def judge(self, results: Mapping[str, Results]) -> Finding:
        """Compare with what studies have come to; a study that is not complete gives numbers and no verdict.

        Parameters
        ----------
        results : mapping of str to Results
            By study, those that there are.

        Returns
        -------
        Finding
            Our numbers and the verdict.
        """
        found = results.get(self.study)
        if found is None or not found.rows:
            return Finding({}, NOT_RUN)
        numbers = self.ours(found.rows)
        if not found.complete:
            return Finding(numbers or {}, INCOMPLETE, found.progress)
        if numbers is None:
            return Finding({}, INCOMPLETE, f"{found.progress}, too few for a number")
        return Finding(numbers, self.rule(numbers))


def _graded(holds: bool, in_part: bool) -> Verdict:
    return "reproduced" if holds else "partly" if in_part else "not reproduced"


def _near(stated: float) -> Callable[[Numbers], Verdict]:
    """Call a number reproduced where all of ours are within 0.1 of it, partly where one is."""

    def rule(numbers: Numbers) -> Verdict:
        far = [abs(numbers[name] - stated) for name in ("lowest", "highest")]
        return _graded(max(far) <= measured.NEAR, abs(numbers["nearest"] - stated) <= measured.NEAR)

    return rule


def _shares(numbers: Numbers) -> Verdict:
    """Ask shares of settings to be whole, or each at least a half."""
    return _graded(min(numbers.values()) == 1, min(numbers.values()) >= 0.5)


def _turns(numbers: Numbers) -> Verdict:
    chosen = max(numbers.get("staged", 0.0), numbers.get("joint", 0.0))
    return _graded(chosen >= 0.5, chosen >= 0.1)


UNKNOWN = "none known"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Under sufficiently diverse influence every maximiser of J-VolMax has the true components, up to order and "
        "a map of each.",
        "Assumption 3.1; the theorem on (3)-(5)",
        "all components",
        "mixtures",
        measured.dica_where_the_condition_holds,
        # A fit that fails may have missed the maximum, and no fit proves a theorem.
        lambda n: "consistent" if n["lowest"] >= 0.95 else "not decided",
        "*consistent*, as data prove no theorem: DICA at least 0.95 on both families with diverse influence",
        "*not decided*: below",
    ),
    Claim(
        "No auxiliary variable, no independent components and no sparse Jacobian are needed.",
        "abstract",
        UNKNOWN,
        "mixtures",
        measured.where_the_condition_holds,
        lambda n: _graded(
            n["dica"] >= 0.95 and max(n["fastica"], n["sparse-jacobian"]) <= n["dica"] - 0.1, n["dica"] >= 0.9
        ),
        "on dependent components and Jacobians without a zero, told nothing else: DICA at least 0.95 on both families "
        "with diverse influence, the best of FastICA and Sparse 0.1 below",
        "DICA at least 0.9",
    ),
    Claim(
        "The condition matters: without diverse influence the components are not found.",
        "Assumption 3.1, which is said to suffice; that it is needed is our question",
        UNKNOWN,
        "mixtures",
        measured.where_the_condition_fails,
        lambda n: _graded(n["dica isotropic"] <= n["dica elsewhere"] - 0.1, n["dica isotropic"] < n["dica elsewhere"]),
        "on *isotropic* DICA is 0.1 below the lower of the other families",
        "below it",
    ),
    Claim(
        "The relaxed loss (8), with its warm-up, finds the components.",
        "equation (8)",
        UNKNOWN,
        "mixtures",
        measured.joint_where_the_condition_holds,
        lambda n: _graded(n["lowest"] >= 0.95, n["highest"] >= 0.9),
        "`dica-joint` at least 0.95 on both families with diverse influence",
        "0.9 on one",
    ),
    Claim(
        "On synthetic mixtures DICA is above all others, by R² and by the mean correlation coefficient.",
        "synthetic experiments",
        UNKNOWN,
        "mixtures",
        measured.dica_first_on_mixtures,
        _shares,
        "on both families with diverse influence, by both scores",
        "on one by each score",
    ),
    Claim(
        "The error falls with the samples N at least as fast as the square root of 1 / N.",
        "statement (7)",
        "O(Rademacher complexity + sqrt(ln(1/delta) / N))",
        "finite-samples",
        measured.error_over_samples,
        lambda n: _graded(n["slowest slope"] <= -0.5, n["steepest slope"] <= -0.5),
        "slope of log(1 - R²) over log N, mean over seeds, at most -0.5 on all four families",
        "on one",
    ),
    Claim(
        "On simulated single cells DICA finds the transcription factors.",
        "single-cell experiment, DICA",
        "mean R² close to 1",
        "order",
        measured.dica_on_cells,
        lambda n: _graded(n["lowest"] >= 0.95, n["median"] >= 0.95),
        "at least 0.95 in all settings",
        "0.95 at their median",
    ),
    Claim(
        "There the L1-penalised Jacobian, in the paper's form, falls far behind.",
        "single-cell experiment, Sparse",
        f"mean R² {measured.SPARSE}",
        "order",
        measured.plain_sparse_on_cells,
        _near(measured.SPARSE),
        "the plain penalty within 0.1 of it in all settings, with both weights",
        "in one",
    ),
    Claim(
        "There the plain autoencoder falls farther behind.",
        "single-cell experiment, Base",
        f"mean R² {measured.BASE}",
        "order",
        measured.autoencoder_on_cells,
        _near(measured.BASE),
        "within 0.1 of it in all settings",
        "in one",
    ),
    Claim(
        "DICA is above Sparse, and Sparse above Base.",
        "single-cell experiment",
        f"1 > {measured.SPARSE} > {measured.BASE}",
        "order",
        measured.order_on_cells,
        lambda n: _graded(min(n.values()) == 1, max(n.values()) > 0),
        "in all settings, with either form of the penalty",
        "in one",
    ),
    Claim(
        "By the mean correlation coefficient, too, DICA is above all others.",
        "single-cell experiment",
        UNKNOWN,
        "order",
        measured.dica_first_by_correlation,
        _shares,
        "in all settings",
        "in half of them",
    ),
    *(
        Claim(
            f"One component turns a {turn.split()[0]} into a {turn.split()[-1]}.",
            "traversals of MNIST",
            "shown as pictures",
            "digits",
            measured.turns(turn),
            _turns,
            "half of all held-out anchors, by the chosen setting of the better solver",
            "a tenth",
        )
        for turn in measured.TURNS
    ),
)
"""All claims, in the order of the page."""
