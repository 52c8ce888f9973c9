"""What was found for each number of components, on three axes."""

import pytest
from matplotlib.figure import Figure

from identica import plotting


def row(d, unexplained=0.1, n_trusted=1):
    components = [{"agreement_of_seeds": 0.9, "agreement_of_halves": 0.1 * j} for j in range(d)]
    return {
        "n_components": d,
        "unexplained": unexplained,
        "n_trusted": n_trusted,
        "n_found": n_trusted + 1,
        "components": components,
    }


def test_each_axis_shows_its_number_over_the_number_of_components():
    above, middle, below = plotting.choice([row(4, 0.01, 3), row(2, 0.2, 2)], recommended=4, threshold=0.9)
    (line,) = above.get_lines()
    assert (line.get_xdata().tolist(), list(line.get_ydata())) == ([2, 4], [0.2, 0.01])
    seeds, halves, threshold = middle.get_lines()
    assert list(seeds.get_ydata()) == [0.9] * 6
    assert list(halves.get_ydata()) == pytest.approx([0, 0.1, 0, 0.1, 0.2, 0.3])
    assert set(threshold.get_ydata()) == {0.9}
    assert [bar.get_height() for bar in below.patches[:4]] == [2, 3, 1, 1]
    assert [bar.get_y() for bar in below.patches[:4]] == [0, 0, 2, 3]
    marked = [ax.patches[-1] for ax in (above, middle, below)]
    assert all(patch.get_x() == pytest.approx(3.6) and patch.get_width() == pytest.approx(0.8) for patch in marked)


def test_what_is_explained_fully_has_no_logarithm():
    assert plotting.choice([row(1, 0.0)])[0].get_yscale() == "linear"
    assert plotting.choice([row(1, 0.1)])[0].get_yscale() == "log"


def test_draws_on_the_axes_given():
    axes = Figure().subplots(3)
    assert plotting.choice([row(2)], axes=axes) == tuple(axes)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="rows holds nothing: give what was found for one number"):
        plotting.choice([])
    with pytest.raises(ValueError, match="axes holds 2: give three"):
        plotting.choice([row(2)], axes=Figure().subplots(2))
