"""Ranks, tests and critical differences against closed forms and published numbers; what the page says."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from identica.experiments.benchmark import (
    PartialRank,
    average_ranks,
    critical_difference,
    friedman_test,
    indistinct_groups,
    leaderboard,
    write_leaderboard,
)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
TABLES = hnp.arrays(np.float64, SHAPES, elements=st.sampled_from([-np.inf, *range(-5, 6)]))


def rows_of(scores, *, score="recovery"):
    """Return rows from scores by (data set, method), one per seed; None for a failure, "no" for not applicable."""
    rows = []
    for (dataset, method), values in scores.items():
        for seed, value in enumerate(values):
            status = "failed" if value is None else "not applicable" if value == "no" else "ok"
            found = value if status == "ok" else None
            row = {"dataset": dataset, "method": method, "seed": seed, "status": status, "seconds": None}
            rows.append({**row, **({"seconds": 2.0 + seed} if status == "ok" else {}), score: found})
    return rows


SCORES = {
    ("a", "best"): (0.9, 0.8, 0.7),
    ("a", "middle"): (0.5, 0.6, 0.4),
    ("a", "frail"): (0.95, None, None),
    ("a", "choosy"): ("no", "no", "no"),
    ("b", "best"): (0.7, 0.7, 0.7),
    ("b", "middle"): (0.6, 0.5, 0.5),
    ("b", "frail"): (0.9, None, 0.8),
    ("b", "choosy"): (0.1, 0.2, 0.3),
}


# --------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize(
    ("alpha", "published"),
    [
        (0.05, (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)),
        (0.10, (1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920)),
    ],
)
def test_critical_values_are_those_of_demsars_table(alpha, published):
    # JMLR 7, 2006, table 5(a), for 2 to 10 methods.
    for n_methods, q in enumerate(published, start=2):
        n_datasets = 7
        factor = np.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets))
        assert critical_difference(n_methods, n_datasets, alpha=alpha) / factor == pytest.approx(q, abs=1.1e-3)


def test_demsars_example():
    # Section 3.2.2: four methods on 14 data sets, average ranks 3.143, 2.000, 2.893 and 1.964.
    ranks = np.array([3.143, 2.000, 2.893, 1.964])
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    assert critical_difference(4, 14, alpha=0.1) == pytest.approx(1.12, abs=5e-3)
    # At the level 0.1 the first differs from the second and the fourth, and nothing else is told.
    assert indistinct_groups(ranks, critical_difference(4, 14, alpha=0.1)) == ((3, 1, 2), (2, 0))


def test_friedmans_statistic_is_its_closed_form():
    scores = np.random.default_rng(0).normal(size=(9, 5))
    n_datasets, k = scores.shape
    ranks = average_ranks(scores)
    expected = 12 * n_datasets / (k * (k + 1)) * (np.square(ranks).sum() - k * (k + 1) ** 2 / 4)
    statistic, p_value = friedman_test(scores)
    assert statistic == pytest.approx(expected)
    assert 0 < p_value < 1
    assert friedman_test(np.zeros((4, 3))) == (0.0, 1.0)


@given(TABLES)
def test_average_ranks_have_one_sum_and_do_not_see_monotone_maps(scores):
    k = scores.shape[1]
    ranks = average_ranks(scores)
    assert ranks.sum() == pytest.approx(k * (k + 1) / 2)
    assert np.all((ranks >= 1) & (ranks <= k))
    # Another map for every data set.
    maps = itertools.cycle((np.arctan, lambda x: x**3, lambda x: 2 * x - 7))
    np.testing.assert_array_equal(average_ranks([map_(row) for map_, row in zip(maps, scores, strict=False)]), ranks)


@given(hnp.arrays(np.float64, st.integers(1, 7), elements=st.integers(1, 7)), st.floats(0.1, 5))
def test_groups_are_the_largest_sets_within_the_difference(ranks, difference):
    groups = indistinct_groups(ranks, difference)
    for group in groups:
        assert len(group) > 1
        assert np.ptp(ranks[list(group)]) < difference
        assert not any(set(group) < set(other) for other in groups)
    together = {frozenset(pair) for group in groups for pair in itertools.combinations(group, 2)}
    for i, j in itertools.combinations(range(len(ranks)), 2):
        assert (frozenset((i, j)) in together) == (abs(ranks[i] - ranks[j]) < difference)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average_ranks([[np.nan, 1]]), r"scores of shape \(1, 2\) cannot be ranked: give one row per data set"),
        (lambda: average_ranks([]), "cannot be ranked"),
        (lambda: friedman_test([[1, 2], [3, 4]]), "2 methods on 2 data sets are too few .* at least 3 on 2"),
        (lambda: critical_difference(1, 5), "n_methods=1 is out of range: use at least 2"),
        (lambda: critical_difference(2, 5, alpha=1), "alpha=1 is out of range"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -------------------------------------------------------------------------------------------------- leaderboard


def test_medians_ranks_and_failures():
    board = leaderboard(rows_of(SCORES))
    assert board.methods == ("best", "frail", "middle", "choosy")
    # On a the frail one is last; on b its median is that of 0.9, 0.8 and a failure. The choosy one is not for a.
    assert dict(board.ranks) == {"best": 1.5, "frail": 2.0, "middle": 2.5, "choosy": None}
    assert board.partial == {"choosy": PartialRank(1, 4.0, 4, 4)}
    frail = board.entries["b", "frail"]
    assert (frail.median, frail.low, frail.high, frail.n_failed, frail.n_seeds) == (0.8, 0.8, 0.9, 1, 3)
    assert board.entries["a", "frail"].median is None
    assert board.entries["a", "frail"].low == 0.95
    assert board.entries["a", "choosy"].absent == "not applicable"
    best = board.entries["a", "best"]
    assert (best.low, best.lower_quartile, best.median, best.upper_quartile, best.high) == pytest.approx(
        (0.7, 0.75, 0.8, 0.85, 0.9)
    )
    assert best.seconds == board.seconds("best") == 3.0
    assert [board.n_failed(method) for method in board.methods] == [0, 3, 0, 0]
    assert board.critical_difference == critical_difference(3, 2)
    assert board.groups == (("best", "frail", "middle"),)
    assert board.statistic is not None


def test_less_is_better_where_it_is():
    scores = {("a", "good"): (0.1,), ("a", "bad"): (0.9,), ("a", "silent"): (np.inf,)}
    rows = rows_of(scores, score="reconstruction_error")
    rows[-1]["reconstruction_error"] = None
    board = leaderboard(rows, score="reconstruction_error")
    assert board.methods == ("good", "bad", "silent")
    assert board.entries["a", "silent"].n_failed == 0


def test_one_method_on_one_data_set_is_a_leaderboard():
    board = leaderboard(rows_of({("a", "only"): (0.5,)}))
    assert (board.ranks, board.critical_difference, board.groups, board.p_value) == ({"only": 1.0}, None, (), None)


def test_tests_and_ranks_are_those_of_the_methods_for_all_data_sets():
    alone = leaderboard(rows_of({pair: values for pair, values in SCORES.items() if pair[1] != "choosy"}))
    board = leaderboard(rows_of(SCORES))
    for name in ("statistic", "p_value", "critical_difference", "groups", "ranked"):
        assert getattr(board, name) == getattr(alone, name)


def test_a_method_for_some_data_sets_is_told_with_its_rank_there():
    # "two" is for b and c, "one" for c alone, "none" for no data set.
    table = {
        "pca": (0.5, 0.5, 0.5),
        "ica": (0.6, 0.6, 0.6),
        "two": ("no", 0.9, 0.5),
        "one": ("no", "no", None),
        "none": ("no", "no", "no"),
    }
    board = leaderboard(rows_of({(d, m): (values[i],) for m, values in table.items() for i, d in enumerate("abc")}))
    assert board.methods == ("ica", "pca", "two", "one", "none")
    # On b it is first of three; on c it shares the ranks 2 and 3 of four, and the failure is last.
    assert board.partial == {
        "two": PartialRank(2, 1.75, 3, 4),
        "one": PartialRank(1, 4.0, 4, 4),
        "none": PartialRank(0, None, 0, 0),
    }
    assert board.sentences()[0] == (
        "Ranks are of medians of recovery over 1 seed, averaged over 3 data sets, among the 2 methods that are for all "
        "of them."
    )
    assert board.sentences()[-3:] == (
        "two is for 2 of 3 data sets, where its average rank is 1.75 among the 3 to 4 methods.",
        "one is for 1 of 3 data sets, where its average rank is 4.00 among the 4 methods.",
        "none is for no data set of this board.",
    )


def test_without_a_method_for_all_data_sets_nothing_is_ranked_overall(tmp_path):
    board = leaderboard(rows_of({("a", "x"): (0.5,), ("b", "x"): ("no",), ("a", "y"): ("no",), ("b", "y"): (0.5,)}))
    assert dict(board.ranks) == {"x": None, "y": None}
    assert (board.statistic, board.p_value, board.critical_difference, board.groups) == (None, None, None, ())
    assert board.sentences() == (
        "Numbers are medians of recovery over 1 seed; no method is for every data set, so that none has an overall "
        "rank and nothing is tested.",
        "x is for 1 of 2 data sets, where it is the only method.",
        "y is for 1 of 2 data sets, where it is the only method.",
    )
    write_leaderboard(board, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<svg" not in page
    assert "no method is for every data set" in page


def test_the_only_method_for_all_data_sets_has_a_rank_that_says_nothing():
    board = leaderboard(rows_of({("a", "x"): (0.5,), ("b", "x"): (0.5,), ("a", "y"): ("no",), ("b", "y"): (0.9,)}))
    assert dict(board.ranks) == {"x": 1.0, "y": None}
    assert (board.p_value, board.critical_difference, board.groups) == (None, None, ())
    assert board.sentences() == (
        "Ranks are of medians of recovery over 1 seed, averaged over 2 data sets; only x is for all of them, so "
        "that its rank says nothing.",
        "y is for 1 of 2 data sets, where its average rank is 1.00 among the 2 methods.",
    )


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        ((None, "no"), "not applicable"),
        (("no", 0.5), None),
        ((None, None), None),
        (("no", "no"), "not applicable"),
    ],
)
def test_what_fails_before_it_can_be_told_not_applicable_is_not_for_the_data_set(values, absent):
    board = leaderboard(rows_of({("a", "x"): (0.5, 0.5), ("a", "y"): values}))
    assert board.entries["a", "y"].absent == absent


def test_a_method_that_was_not_run_everywhere_is_not_ranked_overall(tmp_path):
    rows = rows_of({("a", "x"): (0.5,), ("b", "x"): (0.6,), ("a", "y"): (0.4,), ("b", "y"): (0.5,), ("a", "z"): (0.9,)})
    board = leaderboard([*rows, {"dataset": "b", "method": "z", "seed": 0, "status": "not run"}], remarks=["The end."])
    assert board.methods == ("x", "y", "z")
    assert board.partial == {"z": PartialRank(1, 1.0, 3, 3)}
    assert board.sentences()[0].endswith("among the 2 methods that have fits on all of them.")
    assert board.sentences()[-2:] == (
        "z has fits on 1 of 2 data sets, where its average rank is 1.00 among the 3 methods.",
        "The end.",
    )
    assert "| z | – | 0.900 | not run |" in board.to_markdown()
    write_leaderboard(board, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<small>not run</small>" in page
    assert "The end." in page


def test_data_sets_may_have_different_numbers_of_seeds():
    table = {"a": 3, "b": 2, "c": 3}
    board = leaderboard(rows_of({(d, m): (0.5,) * n for d, n in table.items() for m in ("x", "y")}))
    assert board.entries["b", "x"].n_seeds == 2
    assert board.sentences()[:2] == (
        "Ranks are of medians of recovery over seeds, averaged over 3 data sets.",
        "Numbers of seeds differ: 3 on a and c; 2 on b.",
    )


def test_incomplete_or_doubled_rows_are_refused():
    rows = rows_of(SCORES)
    with pytest.raises(
        ValueError, match="data set 'b', method 'choosy' and seed 2 is missing, which another method has"
    ):
        leaderboard(rows[:-1])
    with pytest.raises(ValueError, match="data set 'a', method 'best' and seed 0 occurs twice"):
        leaderboard([*rows, rows[0]])
    with pytest.raises(ValueError, match="no row was given"):
        leaderboard([])
    for name in ("status", "recovery"):
        with pytest.raises(ValueError, match=f"a row has no '{name}': pass rows such as run_benchmark returns"):
            leaderboard([{key: value for key, value in rows[0].items() if key != name}])
    with pytest.raises(ValueError, match="score='beauty' is not known: use one of recovery"):
        leaderboard(rows, score="beauty")


def test_markdown_has_one_line_per_method_and_what_the_tests_found():
    lines = leaderboard(rows_of(SCORES)).to_markdown().splitlines()
    assert lines[0] == "| method | rank | a | b | failed | seconds |"
    assert lines[2] == "| best | 1.500 | 0.800 [0.700, 0.900] | 0.700 [0.700, 0.700] | 0 | 3.0 |"
    assert lines[3] == "| frail | 2.000 | – | 0.800 [0.800, 0.900] | 3 | 2.5 |"
    assert lines[5].startswith("| choosy | – | not applicable | 0.200")
    assert any(line.startswith("Friedman's test: chi-squared") for line in lines)
    assert any(line.endswith("Nemenyi's test: best, frail, middle.") for line in lines)
    assert lines[-1] == "choosy is for 1 of 2 data sets, where its average rank is 4.00 among the 4 methods."


# --------------------------------------------------------------------------------------------------------- page


def test_the_page_is_whole_and_says_all(tmp_path):
    board = leaderboard(rows_of(SCORES))
    given = {
        "notes": {"a": "Linear <data>.", "b": "", "elsewhere": "Not shown."},
        "method_notes": {"choosy": "Told u."},
        "command": "identica benchmark --seeds '3'",
        "title": "<T>",
    }
    write_leaderboard(board, tmp_path / "page.html", **given)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>&lt;T&gt;</h1>" in page
    assert "Linear &lt;data&gt;." in page
    assert "Not shown" not in page
    assert re.findall(r"<h2>(.*?)</h2>", page)[-3:] == ["Data sets", "Methods", "Made by"]
    assert "<dt>choosy</dt><dd>Told u.</dd>" in page
    assert "identica benchmark --seeds &#39;3&#39;" in page
    assert page.count("2 of 3 failed") == 1
    assert page.count("not applicable") == 1
    text = re.sub(r"<[^>]*>", "", page)
    assert "best 1.50" in text
    assert '<th scope="row">choosy</th><td>–</td>' in page
    assert "choosy is for 1 of 2 data sets" in text
    # 0.8 of the deepest colour, and none where there is no median.
    assert "--depth: 36" in page
    assert len(re.findall(r'class="cold"', page)) == 2
    assert not re.findall(r"(?:src|href)=", page.replace("xlink:href", ""))
    assert "<script" not in page
    assert "http:" not in page
    write_leaderboard(board, tmp_path / "again.html", **given)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_on_the_page_of_times_the_fastest_has_the_deepest_colour(tmp_path):
    rows = rows_of({("a", "slow"): (0.5,), ("a", "fast"): (0.4,)})
    for row, seconds in zip(rows, (40.0, 10.0), strict=True):
        row["seconds"] = seconds
    write_leaderboard(leaderboard(rows, score="seconds"), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"--depth: (\d+)", page) == ["45", "11"]
    assert "of which less is better" in page
    assert "Made by" not in page
