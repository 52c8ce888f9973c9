"""What the page says of whether to trust single components."""

import pytest

from identica.report import Fit, Report, judge, render

GOOD = {
    "restarts": (1.0, 0.9),
    "restart_agreement": 0.99,
    "reconstruction_error": 0.1,
    "linear_reconstruction_error": 0.3,
}


def fit(**changes):
    return Fit("dica", 1.0, **{**GOOD, **changes})


def test_nothing_against_them_is_all_that_can_be_said():
    verdict = judge(fit())
    assert verdict.level == "sound"
    assert verdict.heading == "No sign against reading single components"
    assert "2 restarts agree (0.990;" in verdict.reasons[0]
    assert "criterion 1.000 at best, 0.900 at worst" in verdict.reasons[0]
    assert verdict.reasons[1].startswith("The network leaves 10.00% of the held-out variance unexplained, PCA 30.00%")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"restart_agreement": 0.949}, "2 restarts disagree"),
        ({"reconstruction_error": 0.4}, "has not learnt the data"),
        ({"scores": {"r2_mean": 0.89}}, "some are still mixed"),
        ({"warnings": ("too few",)}, "The fit warned"),
    ],
)
def test_each_bad_sign_is_enough(changes, said):
    verdict = judge(fit(**changes))
    assert verdict.level == "doubtful"
    assert said in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"restart_agreement": 0.95}, "restarts agree"),
        # Linear data: PCA is as good as a network can be, and the components can be right.
        ({"reconstruction_error": 1e-7, "linear_reconstruction_error": 1e-9}, "about as much as a linear method"),
        # 95 % of what PCA leaves is the most that counts as less.
        ({"reconstruction_error": 0.4250, "linear_reconstruction_error": 0.4271}, "about as much as a linear method"),
        ({"reconstruction_error": 0.0951, "linear_reconstruction_error": 0.1}, "about as much as a linear method"),
        ({"reconstruction_error": 0.0949, "linear_reconstruction_error": 0.1}, "found more than a linear method"),
        ({"scores": {"r2_mean": 0.91}}, "they were found"),
    ],
)
def test_what_is_no_bad_sign(changes, said):
    verdict = judge(fit(**changes))
    assert verdict.level == "sound"
    assert said in " ".join(verdict.reasons)


@pytest.mark.parametrize(("ours", "linear"), [(0.8743, 0.8802), (0.9879, 1.0275), (0.81, 0.95)])
def test_restarts_that_agree_on_noise_are_no_good_sign(ours, linear):
    verdict = judge(fit(reconstruction_error=ours, linear_reconstruction_error=linear))
    assert verdict.level == "unchecked"
    assert "More than 80% of what varies is something else" in " ".join(verdict.reasons)
    # Where the truth is known it decides.
    assert judge(fit(reconstruction_error=ours, scores={"r2_mean": 0.95})).level == "doubtful"
    known = fit(reconstruction_error=ours, linear_reconstruction_error=linear, scores={"r2_mean": 0.95})
    assert judge(known).level == "sound"


def test_without_restarts_nothing_was_checked():
    assert judge(fit(restarts=(), restart_agreement=None)).level == "unchecked"
    assert judge(fit(restarts=(), restart_agreement=None, warnings=("too few",))).level == "doubtful"


def test_the_page_shows_it_for_what_can_be_judged():
    two = render(Report("Cells", {}, (Fit("pca", 0.1), fit())))
    assert '<div class="verdict sound">' in two
    assert two.count('class="verdict ') == 1
    assert "dica: No sign against" in two
    alone = render(Report("Cells", {}, (Fit("pca", 0.1),)))
    assert '<div class="verdict unchecked">' in alone
