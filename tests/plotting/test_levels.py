"""Scores by level: one line per method, gaps where there is no score."""

import numpy as np
import pytest

from identica import plotting


def test_each_method_is_a_line_over_the_levels():
    ax = plotting.levels([0, 0.5, 2], {"a": [1.0, np.nan, 0.5], "b": [0.1, 0.2, 0.3]}, xlabel="cross-talk")
    np.testing.assert_equal([line.get_ydata() for line in ax.get_lines()], [[1.0, np.nan, 0.5], [0.1, 0.2, 0.3]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.5", "2"]
    assert ax.get_xlabel() == "cross-talk"


def test_many_methods_are_told_apart():
    lines = plotting.levels([0], {str(i): [0.5] for i in range(12)}).get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12


def test_scores_that_do_not_belong_to_the_levels_are_refused():
    with pytest.raises(ValueError, match=r"'a' has scores of shape \(1,\): give one for each of 2"):
        plotting.levels([0, 1], {"a": [0.5]})
    with pytest.raises(ValueError, match="no scores were given"):
        plotting.levels([0, 1], {})
