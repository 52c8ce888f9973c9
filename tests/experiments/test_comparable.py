"""Cells of several runs in one directory: those that make a complete board, and what is said of the others."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identica.experiments.benchmark import comparable_rows, leaderboard

CELLS = list(itertools.product("abc", "xyz", range(3)))


def rows_of(*cells, fingerprint="f-g"):
    return [
        {"dataset": d, "method": m, "seed": s, "status": "ok", "seconds": 1.0, "recovery": 0.5}
        | {"fingerprint": fingerprint}
        for d, m, s in cells
    ]


def grid(datasets, methods, n_seeds):
    return set(itertools.product(datasets, methods, range(n_seeds)))


def found(cells):
    """Return the cells shown, the data sets and methods that were not run, and the remarks."""
    chosen = comparable_rows(rows_of(*sorted(cells)))
    cells = {(row["dataset"], row["method"], row["seed"]) for row in chosen.rows if row["status"] == "ok"}
    return cells, {(row["dataset"], row["method"]) for row in chosen.rows if row["status"] != "ok"}, chosen.remarks


def test_a_complete_board_stays_as_it_is():
    rows = rows_of(*sorted(grid("abc", "xyz", 3)))
    chosen = comparable_rows(rows)
    assert list(chosen.rows) == rows
    assert chosen.remarks == ()


def test_data_sets_may_have_different_seeds():
    cells = grid("ab", "xy", 3) | grid("c", "xy", 1)
    assert found(cells) == (cells, set(), ())


@pytest.mark.parametrize(
    ("cells", "shown", "not_run", "remark"),
    [
        # More seeds of one method.
        (
            grid("abc", "xyz", 2) | grid("abc", "x", 4),
            grid("abc", "xyz", 2),
            set(),
            "12 of the 36 fits of all methods on all data sets and seeds here are missing; 6 finished fits (x) are "
            "left out, since not all have the same data sets and seeds.",
        ),
        # A further method on one data set, from the same seeds.
        (
            grid("abc", "xy", 2) | grid("b", "z", 2),
            grid("abc", "xy", 2) | grid("b", "z", 2),
            {("a", "z"), ("c", "z")},
            "4 of the 18 fits of all methods on all data sets and seeds here are missing.",
        ),
        # The same, from fewer.
        (
            grid("abc", "xy", 2) | grid("b", "z", 1),
            grid("abc", "xy", 2),
            set(),
            "5 of the 18 fits of all methods on all data sets and seeds here are missing; 1 finished fit (z) is left "
            "out, since not all have the same data sets and seeds.",
        ),
        # A further data set for one method.
        (
            grid("ab", "xyz", 2) | grid("c", "z", 2),
            grid("ab", "xyz", 2),
            set(),
            "4 of the 18 fits of all methods on all data sets and seeds here are missing; 2 finished fits (z) are left "
            "out, since not all have the same data sets and seeds.",
        ),
        # A run that was stopped in its second seed: the data set a is done, b half.
        (
            grid("abc", "xyz", 1) | grid("a", "xyz", 2) | grid("b", "x", 2),
            grid("abc", "xyz", 1) | grid("a", "xyz", 2),
            set(),
            "2 of the 15 fits of all methods on all data sets and seeds here are missing; 1 finished fit (x) is left "
            "out, since not all have the same data sets and seeds.",
        ),
        # As much is lost with either: a method that is left out comes back, where a data set could not.
        (
            grid("ab", "x", 2) | grid("a", "y", 2),
            grid("ab", "x", 2) | grid("a", "y", 2),
            {("b", "y")},
            "2 of the 8 fits of all methods on all data sets and seeds here are missing.",
        ),
        # A run that was stopped in its first seed.
        (
            grid("ab", "xyz", 1) | grid("c", "x", 1),
            grid("ab", "xyz", 1),
            set(),
            "2 of the 9 fits of all methods on all data sets and seeds here are missing; 1 finished fit (x) is left "
            "out, since not all have the same data sets and seeds.",
        ),
    ],
)
def test_the_largest_complete_block_is_shown(cells, shown, not_run, remark):
    assert found(cells) == (shown, not_run, (remark,))


# A slow machine may take long over one board, which is no fault.
@settings(deadline=None)
@given(st.sets(st.sampled_from(CELLS), min_size=1))
def test_whatever_there_is_the_board_is_complete_and_every_cell_is_accounted_for(cells):
    shown, not_run, remarks = found(cells)
    assert shown <= cells
    left_out = cells - shown
    assert bool(left_out) == any("left out" in remark for remark in remarks)
    if shown:
        board = leaderboard(comparable_rows(rows_of(*sorted(cells))).rows)
        assert board.ranked
        assert {pair for pair, entry in board.entries.items() if entry.absent} == not_run
    # With nested seeds, as the command gives them, something is always shown.
    filled = {(d, m, s) for d, m, last in cells for s in range(last + 1)}
    assert found(filled)[0]


def test_other_specifications_are_left_out():
    rows = [*rows_of(*sorted(grid("ab", "xy", 1))), *rows_of(("c", "x", 0), fingerprint="old-old")]
    allowed = dict.fromkeys(itertools.product("abc", "xy"), "f-g")
    chosen = comparable_rows(rows, allowed)
    assert {row["dataset"] for row in chosen.rows} == {"a", "b"}
    assert chosen.remarks == ("1 fit of another specification of the data set or the method (c) is left out.",)
    # Nor are those that the plan does not know.
    del allowed["b", "x"], allowed["b", "y"]
    assert {row["dataset"] for row in comparable_rows(rows, allowed).rows} == {"a"}
    assert comparable_rows(rows, {}).rows == ()
