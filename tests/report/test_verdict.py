"""What the page says of whether to trust single components: the fit's verdict, and what is known here beside it."""

import pytest

from identica.report import Fit, Report, render, verdict_of
from identica.trust import Sign, Verdict

SOUND = Verdict("sound", 0.9, (Sign("starts", "for", "4 of the 4 starts found these components.", 0.9),))
LITTLE = Verdict("unchecked", 0.9, (*SOUND.signs, Sign("explained", "neither", "More than 80% is something else.")))


def fit(**changes):
    return Fit("dica", 1.0, **{"verdict": SOUND, **changes})


def test_the_fit_s_verdict_is_what_the_page_says():
    verdict = verdict_of(fit())
    assert verdict == SOUND
    assert verdict.heading == "No sign against reading single components"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": {"r2_mean": 0.89}}, "some are still mixed"),
        ({"warnings": ("too few",)}, "The fit warned"),
        ({"verdict": Verdict("doubtful", 0.1, SOUND.signs)}, "4 of the 4"),
    ],
)
def test_each_bad_sign_is_enough(changes, said):
    verdict = verdict_of(fit(**changes))
    assert verdict.level == "doubtful"
    assert said in " ".join(verdict.reasons)


def test_where_the_truth_is_known_it_decides():
    assert verdict_of(fit(verdict=LITTLE)).level == "unchecked"
    assert verdict_of(fit(verdict=LITTLE, scores={"r2_mean": 0.95})).level == "sound"
    assert verdict_of(fit(verdict=LITTLE, scores={"r2_mean": 0.5})).level == "doubtful"
    assert "they were found" in verdict_of(fit(scores={"r2_mean": 0.91})).reasons[-1]


def test_without_a_verdict_nothing_was_checked():
    assert verdict_of(fit(verdict=None)).level == "unchecked"


def test_the_page_shows_it_for_what_can_be_judged():
    two = render(Report("Cells", {}, (Fit("pca", 0.1), fit())))
    assert '<div class="verdict sound">' in two
    assert two.count('class="verdict ') == 1
    assert "dica: No sign against" in two
    alone = render(Report("Cells", {}, (Fit("pca", 0.1),)))
    assert '<div class="verdict unchecked">' in alone
