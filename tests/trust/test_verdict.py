"""Every sign of the verdict has data that must trigger it and data that must not."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from identica import DICA, Training
from identica.datasets import make_mixture
from identica.trust import component_agreement, judge


def record(agreement, finished=True):
    return {"start": 0, "finished": finished, "agreement": agreement}


def fitted(**changes):
    values = {
        "n_components": 3,
        "n_samples_fit_": 1000,
        "reconstruction_error_": 0.1,
        "linear_reconstruction_error_": 0.3,
        "likelihood": "gaussian",
        "noise_floor_": 0.02,
        "start_agreement_": 0.99,
        "starts_": [record(1.0), record(0.99), record(0.0, finished=False)],
        "restart_agreement_": 0.98,
        "restarts_": np.array([1.0, 0.9]),
        "wild_rows_": [],
        "component_strength_": np.array([3.0, 2.0, 1.0]),
        "duplicates_": [],
    }
    return SimpleNamespace(**values | changes)


def sign(verdict, name):
    (found,) = [sign for sign in verdict.signs if sign.name == name]
    return found


def test_nothing_against_them_is_all_that_can_be_said():
    verdict = judge(fitted())
    assert (verdict.level, verdict.warnings) == ("sound", ())
    assert sign(verdict, "starts").text.startswith("2 of the 2 starts that were trained to the end, out of 3,")
    assert verdict.number == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"start_agreement_": 0.949}, "starts", "another start could have given others"),
        ({"start_agreement_": None, "restart_agreement_": 0.949}, "restarts", "end at different components"),
        ({"start_agreement_": 0.984, "restart_agreement_": 0.949}, "restarts", "end at different components"),
        (
            {"start_agreement_": 0.99, "restart_agreement_": 0.949, "pointwise_agreement_": 0.929},
            "restarts",
            "end at different components",
        ),
        ({"pointwise_agreement_": 0.849}, "points", "starts may agree on components that are not those of the data"),
        ({"reconstruction_error_": 0.4}, "reconstruction", "has not learnt the data"),
        ({"n_samples_fit_": 29}, "samples", "29 samples are too few"),
        ({"trained_reconstruction_error_": 0.049}, "overfitting", "10.00% of the variance of held-out rows"),
        ({"duplicates_": [(0, 2)]}, "components", "components 0 and 2 are nearly functions of each other"),
        ({"component_strength_": np.array([3.0, 2.0, 0.001])}, "components", "component\\(s\\) 2 hardly move"),
        ({"n_directions_": 2}, "directions", "2 direction.s. of these counts stand out from their noise, and 3 comp"),
        ({"n_directions_": 0}, "directions", "or functions of these; give more or deeper samples"),
        ({"auxiliary_levels_": ["a", "b", "c"]}, "auxiliary", "has 3 levels, 3 components are known .* from 7 on"),
    ],
)
def test_each_bad_sign_is_enough(changes, name, said):
    verdict = judge(fitted(**changes))
    assert verdict.level == "doubtful"
    assert sign(verdict, name).side == "against"
    assert re.search(said, verdict.warnings[0])
    assert verdict.number < 0.5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start_agreement_": 0.951, "restart_agreement_": 0.951}, "found these components"),
        ({"start_agreement_": 0.985, "restart_agreement_": 0.5}, "before the last stage, agree to 0.500"),
        ({"start_agreement_": None, "restart_agreement_": 0.951}, "the criterion singles these components out"),
        ({"pointwise_agreement_": 0.971, "restart_agreement_": 0.5}, "before the last stage, agree to 0.500"),
        ({"pointwise_agreement_": 0.971}, "By itself, a single point of the data speaks for these components to 0.971"),
        ({"pointwise_agreement_": None}, "found these components"),
        # Linear data: PCA is as good as a network can be, and the components can be right.
        ({"reconstruction_error_": 1e-7, "linear_reconstruction_error_": 1e-9}, "about as much as a linear method"),
        ({"reconstruction_error_": 0.0949, "linear_reconstruction_error_": 0.1}, "found more than a linear method"),
        ({"n_samples_fit_": 31}, "which is few"),
        ({"reconstruction_error_": 0.0949 + 0.04, "linear_reconstruction_error_": 0.1}, "about as much as a linear"),
        ({"n_directions_": 3}, "3 directions or more of these counts stand out"),
        ({"trained_reconstruction_error_": 0.051}, "5.10% of rows it was trained on"),
        ({"reconstruction_error_": 0.0049, "trained_reconstruction_error_": 1e-9}, "0.49% of the variance"),
        (
            {"explained_by_feature_": np.array([0.5, 0.049, -0.1, 0.0, 0.051])},
            "2 of 5 features are explained by less than 5%",
        ),
        ({"wild_rows_": [7, 3]}, "2 wild row\\(s\\) were left out of the fit: 7, 3."),
        ({"auxiliary_levels_": list("abcd")}, "has 4 levels, .* known to be found from 7 on, from 4 in special cases"),
        ({"auxiliary_levels_": list("abcdefg")}, "found these components"),
        ({"starts_at_odds_": True}, "Another start has a larger criterion"),
    ],
)
def test_what_is_no_bad_sign(changes, said):
    verdict = judge(fitted(**changes))
    assert verdict.level == "sound"
    assert re.search(said, " ".join(verdict.reasons))


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"pointwise_agreement_": 0.969}, 0.5 + 0.5 * 0.119 / 0.15),
        ({"pointwise_agreement_": 0.851, "restart_agreement_": 0.951}, 0.5 + 0.5 * 0.001 / 0.15),
        ({"pointwise_agreement_": 0.931, "restart_agreement_": 0.5}, 0.5 + 0.5 * 0.081 / 0.15),
    ],
)
def test_single_points_that_do_not_speak_clearly_keep_an_answer_from_being_sound(changes, number):
    verdict = judge(fitted(**changes))
    assert (verdict.level, verdict.warnings) == ("unchecked", ())
    assert sign(verdict, "points").side == "neither"
    assert "at least 0.97 for a sound answer" in sign(verdict, "points").text
    assert verdict.number == pytest.approx(min(number, 0.9))


@pytest.mark.parametrize("errors", [(0.81, 0.9), (1.03, 1.03)])  # of few rows PCA may explain nothing either
def test_starts_that_agree_on_noise_are_no_good_sign(errors):
    verdict = judge(fitted(reconstruction_error_=errors[0], linear_reconstruction_error_=errors[1]))
    assert verdict.level == "unchecked"
    assert "More than 80% of what varies is something else" in verdict.reasons[-1]


@pytest.mark.parametrize(("error", "level"), [(0.83, "sound"), (0.97, "unchecked")])
def test_of_counts_only_what_is_no_noise_of_theirs_can_be_explained(error, level):
    changes = {"reconstruction_error_": error, "linear_reconstruction_error_": 0.98, "noise_floor_": 0.8}
    counts = fitted(likelihood="poisson", **changes)
    assert judge(counts).level == level
    text = sign(judge(counts), "reconstruction").text
    assert "the noise of counts alone would leave 80.00%" in text
    assert judge(fitted(**changes)).level == "unchecked"


def test_without_starts_and_restarts_nothing_was_checked():
    assert judge(fitted(start_agreement_=None, restart_agreement_=None)).level == "unchecked"


def test_restarts_of_one_network_are_no_good_sign():
    verdict = judge(fitted(start_agreement_=None, restart_agreement_=1.0, n_init=1))
    assert (verdict.level, verdict.number) == ("unchecked", 0.5)
    assert "one network was trained" in sign(verdict, "restarts").text
    assert judge(fitted(start_agreement_=None, restart_agreement_=0.9, n_init=1)).level == "doubtful"


def test_agreement_sees_through_monotone_maps_and_through_nothing_else():
    latents = np.random.default_rng(0).standard_normal((500, 3))
    assert component_agreement(latents, -np.exp(latents[:, [2, 0, 1]])) == pytest.approx(1)
    bent = latents + 1.5 * np.sin(3 * latents)
    assert component_agreement(latents, bent) < 0.95
    assert component_agreement(latents, np.zeros_like(latents)) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment", "ignore:by itself, a single point")
def test_data_without_direction_are_doubted_and_data_with_it_are_not():
    training = Training(max_steps=1500)
    isotropic = make_mixture(3000, 60, 4, kind="isotropic", random_state=0)
    with pytest.warns(Warning, match="another start could have given others"):
        doubted = DICA(4, n_init=4, training=training, random_state=0).fit(isotropic.X)
    assert doubted.verdict_.level == "doubtful"
    with pytest.warns(Warning, match="may not tell the components apart"):
        alone = DICA(4, n_init=1, training=training, random_state=0).fit(isotropic.X)
    assert max(doubted.start_agreement_, alone.restart_agreement_) < 0.95
    assert max(doubted.pointwise_agreement_, alone.pointwise_agreement_) < 0.93
    diverse = make_mixture(3000, 60, 4, random_state=0)
    assert DICA(4, n_init=4, training=training, random_state=0).fit(diverse.X).verdict_.level == "sound"


@pytest.mark.parametrize(("n_samples", "side"), [(200, "against"), (1500, "neither")])
def test_a_fit_of_few_samples_overfits_and_one_of_many_does_not(n_samples, side):
    X = make_mixture(n_samples, 60, 3, kind="folded", random_state=0).X
    method = DICA(3, n_init=1, training=Training(max_steps=600), random_state=0)
    if side == "against":
        with pytest.warns(Warning, match="it overfits, and its components are less exact"):
            method.fit(X)
    else:
        method.fit(X)
    assert sign(method.verdict_, "overfitting").side == side


def test_features_of_noise_are_counted():
    X = make_mixture(1500, 30, 2, random_state=0).X
    noise = np.random.default_rng(0).standard_normal((1500, 5))
    method = DICA(2, n_init=1, training=Training(max_steps=300), random_state=0).fit(np.hstack([X, noise]))
    assert method.explained_by_feature_[:30].min() > 0.5
    assert sign(method.verdict_, "features").text.startswith("5 of 35 features are explained by less than 5% each")
