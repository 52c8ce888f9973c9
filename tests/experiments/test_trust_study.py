"""The study of signals: its data sets, the areas under its curves, and its page."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from identica import DICA, Dense, Training
from identica.cli import main
from identica.experiments.benchmark import Cell, read_rows
from identica.experiments.trust_study import (
    NOT_SEEN,
    SIGNALS,
    STUDY_FAMILIES,
    Setting,
    Signals,
    combination_on_unseen,
    draw_recovery,
    score_signal,
    settings,
    signals_to_markdown,
    study_datasets,
    threshold_on_unseen,
    trust_study,
)
from identica.metrics import mean_r2
from identica.solvers import Staged

quietly = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("family", STUDY_FAMILIES)
def test_every_family_gives_data_of_the_sizes_that_it_says(family):
    for one in settings(family, range(3)):
        data = one(60, 0)
        assert data.X.shape[0] == len(data.latents) == 60
        assert data.latents.shape[1] == one.n_components
        assert family.startswith("cells") or data.X.shape[1] == one.n_features
        assert np.isfinite(data.X).all()
        assert data.jacobian(data.latents[:2]).shape == (2, data.X.shape[1], one.n_components)


def test_a_data_set_depends_on_its_number_and_seed_alone():
    (first,), (again,), (other,) = settings("folded", [3]), settings("folded", [1, 3])[1:], settings("folded", [4])
    assert first == again != other
    np.testing.assert_array_equal(first(30, 0).X, again(30, 0).X)
    assert not np.array_equal(first(30, 0).X, first(30, 1).X)


def test_settings_cover_what_they_should():
    drawn = [one for family in STUDY_FAMILIES for one in settings(family, range(60))]
    assert {one.n_components for one in drawn} == set(range(2, 11))
    assert {one.n_samples for one in drawn} == {300, 1000, 2000, 4000}
    assert 0.2 < np.mean([one.noise > 0 for one in drawn]) < 0.45
    assert max(one.n_features for one in drawn) > 900
    assert all(one.n_features >= 4 * one.n_components for one in drawn)


def test_noise_of_cells_is_of_the_size_asked_for():
    plain, noisy = (Setting("cells", 0, 3, 0, 300, noise, {"cross_talk": 0.2}) for noise in (0.0, 0.5))
    added = noisy(2000, 0).X - plain(2000, 0).X
    np.testing.assert_allclose(added.std(axis=0) / plain(2000, 0).X.std(axis=0), 0.5, rtol=0.1)


def test_the_area_counts_pairs_and_is_told_within_families_too():
    fits = [("a", 0.95, 0.9), ("a", 0.99, 0.4), ("a", 0.2, 0.5), ("b", 0.95, 0.3), ("b", 0.3, 0.1), ("c", 0.1, 0.0)]
    rows = [{"family": family, "r2_mean": r2, "seen": seen} for family, r2, seen in fits]
    found = score_signal([*rows, {"family": "a", "r2_mean": 0.1, "seen": None}], "seen")
    # Of the nine pairs of a recovered and another fit, .4 and .3 are below .5.
    assert found.area == pytest.approx(7 / 9)
    assert (found.n_fits, found.n_recovered) == (6, 3)
    assert found.within == pytest.approx((0.5 + 1.0) / 2)
    assert found.worst == "a"
    assert found.low <= found.area <= found.high
    alone = score_signal(rows[:2], "seen")
    assert alone.area is alone.low is alone.within is alone.worst is None
    assert score_signal([], "seen").area is None


@given(pairs=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_area_is_that_of_scikit_learn(pairs):
    rows = [{"family": "a", "r2_mean": float(good), "seen": seen} for good, seen in pairs]
    good, seen = zip(*pairs, strict=True)
    expected = roc_auc_score(good, seen) if 0 < sum(good) < len(good) else None
    assert score_signal(rows, "seen").area == (None if expected is None else pytest.approx(expected))


def fits_of(signal_of):
    """Six families of twenty fits; half of each recovered the components."""
    random = np.random.default_rng(0)
    rows = []
    for family in "abcdef":
        for k in range(20):
            good = k % 2 == 0
            rows.append({"family": family, "r2_mean": 0.95 if good else 0.5, **signal_of(good, random)})
    return rows


def test_a_threshold_is_tried_where_it_was_not_chosen():
    rows = fits_of(lambda good, random: {"seen": random.uniform(0.6, 1) if good else random.uniform(0, 0.4)})
    score = threshold_on_unseen(rows, "seen")
    assert 0.4 < score.threshold < 0.65
    assert (score.area, score.n_wrong_passed, score.n_right_doubted, score.n_right) == (1.0, 0, 0, 60)
    # In one family all signals are higher: its own threshold would tell, that of the others passes everything.
    for one in rows[:20]:
        one["seen"] += 1.0
    shifted = threshold_on_unseen(rows, "seen")
    assert (shifted.n_wrong_passed, shifted.n_right_doubted) == (10, 0)
    assert threshold_on_unseen(rows[:20], "seen") is None
    assert threshold_on_unseen([{**one, "r2_mean": 0.95} for one in rows], "seen") is None


def test_a_combination_tells_more_than_its_signals_where_their_errors_differ():
    rows = fits_of(lambda good, random: {name: good + random.normal() for name in ("first", "second", "third")})
    alone = threshold_on_unseen(rows, "first")
    together = combination_on_unseen(rows, ("first", "second", "third"))
    assert together.area > alone.area + 0.05
    assert together.n_wrong_passed + together.n_right_doubted < alone.n_wrong_passed + alone.n_right_doubted
    assert combination_on_unseen(rows[:20], ("first", "second")) is None


def row(dataset, r2, verdict="sound", **changes):
    seen = dict.fromkeys((*SIGNALS, *NOT_SEEN), r2)
    family = dataset.split("/")[0]
    return {"dataset": dataset, "family": family, "status": "ok", "r2_mean": r2, "verdict": verdict, **seen, **changes}


def test_the_page_names_what_was_wrong_without_a_sign():
    rows = [row("a/0", 0.99), row("a/1", 0.5), row("b/0", 0.3, "doubtful"), row("b/1", 0.95, "doubtful")]
    rows.append({"dataset": "b/2", "status": "failed"})
    text = signals_to_markdown(rows, "identica reproduce trust")
    assert text.startswith("4 data sets of 2 families, each fitted five times (1 failed)")
    assert "of 2. Command: `identica reproduce trust`." in text
    assert "| a | 2 | 1 | 0.745 | 2 | 1 | 0 |" in text
    assert "| b | 2 | 1 | 0.625 | 0 | 0 | 1 |" in text
    # The true mixing of a/0 and b/1 has the largest volume at single points, which here is what was recovered.
    assert "to 0.95 or more, in 2 data sets; DICA recovered 2 of these, and 0 of the other 2. Areas:" in text
    for line in ("| all data | sound | 2 | 1 |", "| all data | doubtful | 2 | 1 |", "| it is not | sound | 1 | 0 |"):
        assert line in text
    assert "in 1 of the 2 fits that are called sound; 1 of these are not recovered" in text
    wrong = text.split("## Not recovered, and no sign against it")[1]
    assert "a/1" in wrong
    assert "b/0" not in wrong
    assert [ax.get_ylabel() for ax in draw_recovery(rows).axes] == ["mean R²"] * 9
    assert signals_to_markdown([{"status": "failed"}]) == "None of 1 fits is there."


@pytest.mark.slow
@quietly
def test_every_signal_is_measured(tmp_path):
    (setting,) = settings("linear", [5])
    data = setting(700, 0)
    method = DICA(
        setting.n_components,
        n_init=2,
        solver=Staged(restarts=2),
        network=Dense(hidden=(8,)),
        training=Training(max_steps=60),
        random_state=0,
    ).fit(data.X[:400])
    found = Signals(setting)(Cell("linear/5", "dica", 0), method, data, 400)
    assert set(SIGNALS) | set(NOT_SEEN) <= set(found)
    assert found["r2_mean"] == pytest.approx(mean_r2(data.latents[400:], method.transform(data.X[400:])))
    assert found["start_agreement"] == method.start_agreement_
    assert 0 <= found["symmetric_margin"] <= 1
    assert found["margin"] <= found["symmetric_margin"] + 1e-6


@pytest.mark.slow
@quietly
def test_the_command_goes_on_where_it_was(tmp_path, capsys):
    words = ["reproduce", "trust", "--families", "cells-bent", "--each", "1", "--max-steps", "20"]
    assert main([*words, "--output", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert "1 data sets of 1 families" in out
    assert err.count("cells-bent/0: R² ") == 1
    assert {path.name for path in tmp_path.iterdir()} >= {"results.csv", "signals.md", "signals.svg", "plan.json"}
    assert main([*words, "--output", str(tmp_path)]) == 0
    assert "cells-bent/0" not in capsys.readouterr().err
    assert len(read_rows(tmp_path)) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--families", "square"], "family 'square' is unknown: use linear, "),
        (["--each", "0"], "n_each=0 is out of range: use at least 1"),
        (["--max-steps", "0"], "max_steps=0 is out of range"),
        (["--jobs", "0"], "jobs=0 is out of range: use from 1 to"),
        (["--seed", "-1"], "seed -1 is not allowed"),
    ],
)
def test_what_cannot_be_asked_for(words, complaint, capsys):
    assert main(["reproduce", "trust", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_the_plan_names_each_data_set_once():
    plan = trust_study(["linear", "cells"], 3)
    assert len(plan.cells) == 6
    assert list(study_datasets(["cells"], 2)) == ["cells/0", "cells/1"]
    assert len(set(plan.fingerprints().values())) == 6
