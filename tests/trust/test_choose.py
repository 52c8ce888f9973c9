"""The number of components: what each component's state is, the rule, and fits that are kept and taken up again."""

import warnings
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from identica import DICA, PolytopicFactorization, Training
from identica.datasets import make_mixture
from identica.io import DataError
from identica.trust import (
    ComponentEvidence,
    NumberEvidence,
    SingleFit,
    agreement_by_component,
    choose,
    component_agreement,
    number_evidence,
    recommend,
)
from identica.trust.choosing import planned_fits
from identica.trust.telling import share_told

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.uniform(-1, 1, (400, 3))
STATE = RANDOM.bit_generator.state
X = make_mixture(300, 20, 3, kind="linear", noise=0.05, random_state=0).X


def fit(latents, kind="seed", number=0, **changes):
    latents = np.column_stack(latents)
    d = latents.shape[1]
    values = {
        "n_components": d,
        "kind": kind,
        "number": number,
        "unexplained": 0.1,
        "criterion": 1.0,
        "seconds": 1.0,
        "warnings": (),
        "duplicates": (),
        "doubted": False,
        "latents": latents,
        "strength": np.linspace(2, 1, d),
    }
    return SingleFit(**values | changes)


def four(reference, others, **changes):
    """The reference, a second seed and both halves, which are alike but for the components of their own."""
    return [
        fit(reference, **changes),
        *(
            fit(other(), kind, number, criterion=0.5)
            for kind, number, other in zip(
                ("seed", "half", "half"), (1, 0, 1), others if isinstance(others, list) else [others] * 3, strict=True
            )
        ),
    ]


@pytest.fixture(autouse=True)
def the_same_numbers_in_any_order_of_tests():
    RANDOM.bit_generator.state = STATE


def noise():
    return RANDOM.standard_normal(len(TRUE))


def states(evidence):
    return [each.state for each in evidence.components]


def test_components_that_all_fits_find_are_trusted_up_to_order_sign_and_monotone_change():
    found = number_evidence(four(TRUE.T, lambda: [-TRUE[:, 2], TRUE[:, 0] ** 3, np.exp(TRUE[:, 1])]))
    assert states(found) == ["trusted"] * 3
    assert (found.trusted, found.n_trusted, found.n_found) == ((0, 1, 2), 3, 3)
    assert min(each.agreement_of_halves for each in found.components) == pytest.approx(1)


def test_a_component_of_chance_is_unstable():
    found = number_evidence(four([*TRUE.T, noise()], lambda: [*TRUE.T, noise()]))
    assert states(found) == ["trusted", "trusted", "trusted", "unstable"]
    assert found.components[3].held < 0.3


@pytest.mark.parametrize("disagreeing", [0, 1, 2])
def test_one_fit_that_lacks_a_component_is_enough(disagreeing):
    others = [lambda: TRUE.T] * 3
    others[disagreeing] = lambda: [*TRUE.T[:2], noise()]
    assert states(number_evidence(four(TRUE.T, others)))[:2] == ["trusted"] * 2
    assert states(number_evidence(four(TRUE.T, others)))[2] != "trusted"


def test_components_that_other_fits_hold_mixed_are_found_and_not_trusted():
    def turned():
        return [TRUE[:, 0], TRUE[:, 1] + TRUE[:, 2], TRUE[:, 1] - TRUE[:, 2]]

    found = number_evidence(four(TRUE.T, turned))
    assert states(found) == ["trusted", "mixed", "mixed"]
    assert (found.n_trusted, found.n_found) == (1, 3)
    assert found.components[1].held > 0.95


@pytest.mark.parametrize("doubting", range(4))
def test_a_fit_that_doubts_its_own_components_vouches_for_none(doubting):
    fits = four(TRUE.T, lambda: TRUE.T)
    fits[doubting] = replace(fits[doubting], doubted=True)
    found = number_evidence(fits)
    assert states(found) == ["mixed"] * 3
    assert (found.n_found, found.n_trusted, found.n_doubted) == (3, 0, 1)
    said = recommend([found], np.arange(5)).reason
    assert "find all of them again, and 1 of 4 fits say of their own that single components could be others" in said


def test_a_function_of_stronger_components_is_split_whether_or_not_it_agrees():
    bend = np.cos(3 * TRUE[:, 1]) + 0.5 * TRUE[:, 1]
    found = number_evidence(four([*TRUE.T, bend], lambda: [*TRUE.T, bend]))
    assert states(found) == ["trusted", "trusted", "trusted", "split"]
    assert (found.components[3].partner, found.n_found) == (1, 3)
    found = number_evidence(four([*TRUE.T, bend], lambda: [*TRUE.T, noise()]))
    assert states(found)[3] == "split"


@pytest.mark.parametrize(("noisy", "state"), [(0.3, "split"), (0.45, "split"), (0.8, "trusted")])
def test_a_component_is_split_from_eighty_percent_on(noisy, state):
    own = noise()
    bend = (TRUE[:, 0] - TRUE[:, 0].mean()) / TRUE[:, 0].std() + noisy * own
    component = number_evidence(four([*TRUE.T, bend], lambda: [*TRUE.T, bend])).components[3]
    assert component.told == pytest.approx(1 / (1 + noisy**2), abs=0.05)
    assert component.state == state


def test_what_one_half_lacks_is_not_held():
    def halves(second):
        return [lambda: TRUE.T, lambda: TRUE.T, second]

    found = number_evidence(four(TRUE.T, halves(lambda: [*TRUE.T[:2], noise()])))
    assert found.components[2].held < 0.3
    assert states(found)[2] == "unstable"


def test_of_a_pair_of_duplicates_the_weaker_is_one():
    reference = [TRUE[:, 0], TRUE[:, 1], TRUE[:, 0] + 0.01 * noise()]
    found = number_evidence(four(reference, lambda: reference, duplicates=((0, 2),), strength=np.array([1, 3, 2.0])))
    assert states(found) == ["duplicate", "trusted", "trusted"]
    assert found.components[0].partner == 2


def test_a_component_that_moves_next_to_nothing_is_empty():
    found = number_evidence(four(TRUE.T, lambda: TRUE.T, strength=np.array([1, 1, 0.001])))
    assert states(found) == ["trusted", "trusted", "empty"]


def test_the_reference_has_the_largest_criterion_of_the_seeds_that_rebuild_the_data():
    fits = four(TRUE.T, lambda: TRUE.T)
    fits += [fit(TRUE.T, "seed", 2, criterion=2.0), fit(TRUE.T, "seed", 3, criterion=9.0, unexplained=0.2)]
    assert number_evidence(fits).reference == 2
    assert number_evidence(fits).criterion == 2.0


def test_warnings_and_seconds_are_counted():
    fits = four(TRUE.T, lambda: TRUE.T, warnings=("it did not converge", "and more"))
    assert (number_evidence(fits).n_fits, number_evidence(fits).n_warned, number_evidence(fits).seconds) == (4, 1, 4.0)


def test_of_blocks_agreement_is_of_the_block_and_its_own_components_split_nothing():
    bent = TRUE[:, 1] + 0.8 * TRUE[:, 0] ** 2
    first = [TRUE[:, 0], TRUE[:, 1], TRUE[:, 2], np.cos(3 * TRUE[:, 2])]
    second = [TRUE[:, 2], np.cos(3 * TRUE[:, 2]), TRUE[:, 0], bent]
    found = number_evidence(four(first, lambda: second), 2)
    assert states(found) == ["trusted"] * 4


def test_agreement_by_component_is_that_of_matched_ones_and_its_mean_the_agreement():
    other = np.column_stack([noise(), -TRUE[:, 0], TRUE[:, 1] + 0.5 * TRUE[:, 2]])
    each = agreement_by_component(TRUE, other)
    assert each[0] == pytest.approx(1)
    assert 0.7 < each[1] < 0.95
    assert each[2] < 0.2
    assert component_agreement(TRUE, other) == pytest.approx(each.mean())


def test_what_others_tell_is_measured_on_rows_left_out():
    assert share_told(noise()[:, None], RANDOM.standard_normal((400, 6)))[0] < 0.05
    told = share_told(np.column_stack([TRUE @ [1, 2, 3], np.sin(3 * TRUE[:, 0]) * TRUE[:, 1], np.ones(400)]), TRUE)
    assert told[0] > 0.99
    assert told[1] > 0.9
    assert told[2] == 0


def test_a_few_wild_rows_hide_nothing_that_others_tell():
    targets, inputs = TRUE @ RANDOM.standard_normal((3, 2)), TRUE.copy()
    targets[5], inputs[9] = 1e4, -1e4
    assert share_told(targets, inputs).min() > 0.9


def row(d, unexplained, words):
    """A number of components with as many trusted (t), mixed (m) and other ones (-)."""
    named = {"t": "trusted", "m": "mixed", "-": "unstable"}
    components = tuple(ComponentEvidence(j, 1.0, 1.0, 1.0, 1.0, 0.0, named[word]) for j, word in enumerate(words))
    return NumberEvidence(d, unexplained, 1.0, 0, components, np.empty((0, d)), 4, 0, 0, 1.0)


@pytest.mark.parametrize(
    ("rows", "recommended", "said"),
    [
        # The number that most components of other fits speak for, and of equal ones the least.
        ([(2, 0.3, "tt"), (3, 0.1, "ttt"), (4, 0.1, "ttt-"), (5, 0.1, "tt---")], 3, "larger numbers add none"),
        ([(2, 0.3, "tt"), (3, 0.1, "tm-"), (4, 0.098, "ttt-")], 4, "other fits find 3 of them again, 3 as single"),
        ([(3, 0.1, "tmm"), (4, 0.1, "ttt-")], 3, "find all of them again, 1 as single components"),
        ([(3, 0.1, "mmm"), (4, 0.1, "mmm-")], 3, "none as single components"),
        # What rebuilds the data clearly worse is too few, whatever agrees.
        (
            [(2, 0.3, "tt"), (3, 0.1, "t--"), (4, 0.1, "----")],
            3,
            "fewer than 3 rebuild the held-out rows clearly worse",
        ),
        ([(2, 0.115, "tt"), (3, 0.1, "t--"), (4, 0.1, "----")], 2, "2 components"),
        ([(2, 0.3, "tt"), (3, 0.2, "ttt")], 3, "no larger number was tried, and there may be more"),
        ([(2, 0.3, "--"), (3, 0.1, "---"), (4, 0.1, "----")], 3, "none can be trusted"),
        ([(1, 0.1, "t")], 1, "1 component: "),
        # What is not found counts against a number, half of what is found counts for it.
        ([(3, 0.1, "ttt"), (12, 0.1, "ttttt-------")], 3, "larger numbers add none"),
        ([(3, 0.1, "ttt"), (5, 0.096, "tttt-")], 5, "other fits find 4 of them again"),
        # Of two numbers that are found the larger must rebuild more, for each component by 0.2 % of what is explained.
        ([(3, 0.1, "ttt"), (5, 0.0963, "ttttt")], 5, "no larger number was tried"),
        ([(3, 0.1, "---"), (4, 0.1, "tttt")], 4, "no larger number was tried"),
        ([(3, 0.1, "ttt"), (5, 0.0965, "ttttt")], 3, "of 5 they find 5, which rebuild the held-out rows hardly better"),
        ([(3, 0.1, "ttt"), (4, 0.1, "tttt"), (5, 0.096, "ttttt"), (6, 0.096, "ttt---")], 5, "larger numbers add none"),
        ([(3, 0.9, "ttt"), (4, 0.8997, "tttt")], 4, "4 components"),
    ],
)
def test_the_rule(rows, recommended, said):
    choice = recommend([row(*each) for each in reversed(rows)], np.arange(5))
    assert choice.recommended == recommended
    assert said in choice.reason
    assert [each.n_components for each in choice.rows] == [each[0] for each in rows]
    plain = choice.to_dict()
    assert plain["trusted"] == list(choice.trusted)
    assert [each["n_found"] for each in plain["rows"]] == [len(each[2].replace("-", "")) for each in rows]


LINEAR = PolytopicFactorization(n_restarts=4)


def test_linear_data_have_as_many_as_they_have_whatever_runs_side_by_side():
    choice = choose(LINEAR, X, [2, 3, 4])
    assert choice.recommended == 3
    assert choice.trusted == (0, 1, 2)
    assert choose(LINEAR, X, [3], n_jobs=2).rows[0].components == choice.rows[1].components
    assert len(choice.held_out) == len(choice.best.latents) == 60


def test_what_a_batch_does_is_no_component():
    batch = np.repeat(["a", "b"], 150)
    shifted = X + 3 * X.std() * np.outer(batch == "b", np.random.default_rng(1).standard_normal(20))
    assert choose(LINEAR, shifted, [3, 4]).recommended == 4
    told = choose(LINEAR, shifted, [3, 4], covariates=batch)
    assert (told.recommended, told.trusted) == (3, (0, 1, 2))


def test_networks_are_fitted_from_clones_those_of_many_components_first():
    X = make_mixture(400, 20, 2, random_state=0).X
    told = []
    dica = DICA(n_init=1, training=Training(max_steps=60), random_state=5)
    choice = choose(dica, X, [2, 3], on_fit=told.append)
    assert not hasattr(dica, "encoder_")
    assert {(each.n_components, each.kind, each.number) for each in told} == {
        (d, kind, number) for d in (2, 3) for kind in ("seed", "half") for number in (0, 1)
    }
    assert [each.n_components for each in told] == [3] * 4 + [2] * 4  # what takes longest first
    assert [row.n_fits for row in choice.rows] == [4, 4]


def test_of_very_many_rows_five_thousand_are_held_out_and_halves_share_the_others():
    plan, held_out = planned_fits(40_000, [2, 3], 2, 0, 0.2)
    assert len(held_out) == 5_000
    assert [len(each.rows) for each in plan] == [35_000, 35_000, 17_500, 17_500] * 2
    first, second = (set(each.rows.tolist()) for each in plan[2:4])
    assert not first & second
    assert not (first | second) & set(held_out.tolist())


class Noting(BaseEstimator):
    """Keeps what it was fitted to; its components are columns."""

    seen: ClassVar[list] = []

    def __init__(self, n_components=2, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        if self.n_components == 3:
            warnings.warn("it did not converge", ConvergenceWarning, stacklevel=2)
        Noting.seen.append((self.n_components, self.random_state, set(X[:, 0].tolist()), y))
        self.criterion_, self.duplicates_ = 1.0, []
        self.component_strength_ = np.ones(self.n_components)
        return self

    def transform(self, X):
        return X[:, : self.n_components]

    def score(self, X):
        return 0.5


@pytest.fixture
def seen():
    Noting.seen.clear()
    return Noting.seen


NUMBERED = np.column_stack([np.arange(300.0), RANDOM.standard_normal((300, 4))])


def test_no_fit_sees_the_held_out_rows_and_the_halves_share_none(seen):
    choice = choose(Noting(), NUMBERED, [2], y=np.arange(300), n_seeds=3, test_fraction=0.25)
    *whole, first, second = (rows for _, _, rows, _ in seen)
    assert len(choice.held_out) == 75
    assert all(rows == set(range(300)) - set(choice.held_out) for rows in whole)
    assert first | second == whole[0]
    assert not first & second
    assert abs(len(first) - len(second)) <= 1
    assert all(set(y) == rows for _, _, rows, y in seen)
    assert len({seed for _, seed, _, _ in seen}) == 5


def test_warnings_of_fits_are_caught_and_counted():
    choice = choose(Noting(), NUMBERED, [2, 3])  # where a warning would be an error
    assert [row.n_warned for row in choice.rows] == [0, 4]


def test_finished_fits_are_taken_up_and_others_added(seen, tmp_path):
    first = choose(Noting(), NUMBERED, [2, 3], directory=tmp_path)
    assert len(seen) == len(list(tmp_path.iterdir())) == 8
    (tmp_path / "3-components-half-1.npz").unlink()
    told = []
    again = choose(Noting(), NUMBERED, [2, 3], directory=tmp_path, on_fit=told.append)
    assert (len(seen), len(told)) == (9, 8)
    assert again.to_dict()["rows"][0] == first.to_dict()["rows"][0]
    choose(Noting(), NUMBERED, [2, 4], n_seeds=3, directory=tmp_path)
    assert [n for n, *_ in seen[9:]] == [4] * 5 + [2]


def test_a_fit_that_is_interrupted_leaves_those_before_it(seen, tmp_path, monkeypatch):
    fit = Noting.fit

    def stop(self, X, y=None):
        if len(seen) == 3:
            raise KeyboardInterrupt
        return fit(self, X, y)

    monkeypatch.setattr(Noting, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        choose(Noting(), NUMBERED, [2], directory=tmp_path)
    monkeypatch.setattr(Noting, "fit", fit)
    choose(Noting(), NUMBERED, [2], directory=tmp_path)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"X": NUMBERED + 1e-9}, {}),
        ({"estimator": LINEAR}, {}),
        ({"y": np.ones(300)}, {}),
        ({"covariates": np.arange(300) % 2}, {}),
        ({"size_factors": np.ones(300)}, {}),
        ({}, {"random_state": 1}),
        ({}, {"test_fraction": 0.3}),
    ],
)
def test_fits_of_other_data_or_settings_are_refused(tmp_path, changes, options):
    choose(Noting(), NUMBERED, [2], directory=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    values = {"estimator": Noting(), "X": NUMBERED, "n_components": [2]} | changes | options
    with pytest.raises(DataError, match="is of a fit of other data or with other settings: give another directory"):
        choose(**values, directory=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"text"])
def test_a_damaged_fit_is_named(tmp_path, damage):
    choose(Noting(), NUMBERED, [2], directory=tmp_path)
    (tmp_path / "2-components-seed-0.npz").write_bytes(damage)
    with pytest.raises(DataError, match=r"2-components-seed-0\.npz does not hold the finished fit of its name: remove"):
        choose(Noting(), NUMBERED, [2], directory=tmp_path)


def test_what_does_not_change_a_fit_does_not_matter(seen, tmp_path):
    quick = DICA(n_init=1, training=Training(max_steps=4))
    few = X[:, :6]
    choose(quick, few, [2], directory=tmp_path)
    told = []
    choose(
        quick.set_params(verbose=1, n_components=4, random_state=3), few, [2], directory=tmp_path, on_fit=told.append
    )
    assert len(told) == 4
    with pytest.raises(DataError, match="other settings"):
        choose(quick.set_params(n_init=2), few, [2], directory=tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"n_components": 3}, TypeError, "n_components is of type int, not a list: pass a list of numbers"),
        ({"n_components": []}, ValueError, "n_components holds no number: pass a list of numbers, as range"),
        ({"n_components": [2, 0]}, ValueError, r"n_components\[1\]=0 is out of range: use at least 1"),
        ({"n_components": [2, 2.5]}, TypeError, r"n_components\[1\]=2.5 is not an integer"),
        ({"n_components": [2, 3, 2]}, ValueError, r"n_components=\[2, 3, 2\] names a number twice: pass each once"),
        ({"n_components": [6]}, ValueError, "n_components=6 exceeds n_features=5: .*, try at most 5"),
        ({"n_seeds": 1}, ValueError, "n_seeds=1 is out of range: use at least 2"),
        ({"random_state": None}, TypeError, "random_state=None is not an integer"),
        ({"test_fraction": 1.0}, ValueError, "test_fraction=1 is out of range"),
        ({"test_fraction": 0.1}, ValueError, "leave 30 rows held out and 135 in each half to fit, at least 50 and 3"),
        ({"X": NUMBERED[0]}, ValueError, r"X has the shape \(5,\): give \(n_samples, n_features\), or images"),
        ({"y": np.ones(3)}, ValueError, r"y has the shape \(3,\) and X has 300 samples: give one value for each"),
        ({"covariates": np.ones((3, 1))}, ValueError, "covariates .*300"),
        ({"size_factors": np.ones(3)}, ValueError, r"size_factors have the shape \(3,\) and X has 300 samples"),
        (
            {"covariates": np.where(np.arange(300) < 3, "few", "many"), "test_fraction": 0.5, "random_state": 1},
            ValueError,
            r"\(one of the fits is made to 75 of the samples alone: leave rare levels out, or join them\)",
        ),
        ({"estimator": "dica"}, TypeError, "estimator='dica' is no estimator that has n_components and random_state"),
        ({"estimator": DICA}, TypeError, "DICA'> is no estimator that has n_components and random_state: give one"),
        ({"estimator": DICA(criterion="c_3"), "X": X}, ValueError, "c_3"),
    ],
)
def test_bad_input(changes, error, said, tmp_path):
    values = {"estimator": Noting(), "X": NUMBERED, "n_components": [2]} | changes
    with pytest.raises(error, match=said):
        choose(**values, directory=tmp_path / "fits")
