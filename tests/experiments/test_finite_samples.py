"""The study of finite samples finds the rates, floors and sizes its rows were made of, and goes on where it was."""

import csv
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identica import plotting
from identica.cli import main
from identica.experiments import (
    SAMPLE_FAMILIES,
    SAMPLE_SIZES,
    curves_to_markdown,
    draw_curves,
    fall_begins,
    finite_samples,
    fit_power_law,
    sample_curves,
)
from identica.experiments.benchmark import read_rows

FAILED = {"status": "failed", "r2_mean": None}


def row(size, error, *, family="folded", method="dica", seed=0):
    outcome = FAILED if error is None else {"status": "ok", "r2_mean": 1 - error}
    return {"dataset": f"{family}/N={size}", "method": method, "seed": seed, **outcome}


def rows_of(error, sizes=SAMPLE_SIZES, **more):
    return [row(size, error(size), **more) for size in sizes]


# ------------------------------------------------------------------------------------------------ power laws


@pytest.mark.parametrize(
    ("floor", "factor", "rate"), [(0.0, 1.0, 0.5), (0.02, 2.0, 0.5), (0.01, 30.0, 1.0), (0.001, 0.2, 0.2)]
)
def test_a_power_law_is_found_again(floor, factor, rate):
    law = fit_power_law(SAMPLE_SIZES, [floor + factor * size**-rate for size in SAMPLE_SIZES])
    assert (law.floor, law.rate) == pytest.approx((floor, rate), abs=1e-5)
    assert law.factor == pytest.approx(factor, rel=1e-4)
    assert law(700) == pytest.approx(floor + factor * 700**-rate)


noise = st.lists(st.floats(-0.2, 0.2), min_size=len(SAMPLE_SIZES), max_size=len(SAMPLE_SIZES))


@settings(max_examples=20, deadline=None)
@given(noise=noise, scale=st.floats(1e-3, 1e3))
def test_scaling_all_errors_scales_floor_and_factor_and_leaves_the_rate(noise, scale):
    errors = np.exp(noise) * (0.01 + np.array(SAMPLE_SIZES) ** -0.5)
    law, scaled = fit_power_law(SAMPLE_SIZES, errors), fit_power_law(SAMPLE_SIZES, scale * errors)
    assert scaled.rate == pytest.approx(law.rate, abs=1e-3)
    for size in SAMPLE_SIZES:
        assert scaled(size) == pytest.approx(scale * law(size), rel=1e-3)
    assert law.floor <= errors.min() * (1 + 1e-9)
    assert fall_begins(scale * errors) == fall_begins(errors)


def test_no_other_power_law_is_nearer():
    generator = np.random.default_rng(0)
    sizes = np.array(SAMPLE_SIZES, dtype=float)
    errors = np.exp(0.2 * generator.normal(size=len(sizes))) * (0.02 + sizes**-0.5)

    def misfit(law):
        return sum(np.log(law(size) / error) ** 2 for size, error in zip(sizes, errors, strict=True))

    law = fit_power_law(sizes, errors)
    for _ in range(200):
        floor, factor, rate = np.exp(0.3 * generator.normal(size=3))
        other = replace(
            law, floor=min(law.floor * floor, errors.min()), factor=law.factor * factor, rate=law.rate * rate
        )
        assert misfit(law) <= misfit(other)


@pytest.mark.parametrize(
    ("errors", "begins"),
    [([4, 3, 2, 1], 0), ([4, 3.9, 3.7, 1], 2), ([1, 2, 3], 2), ([3, 3, 3], 2), ([3, 1, 2.9, 1], 2), ([5], 0)],
)
def test_the_fall_begins_after_the_plateau(errors, begins):
    assert fall_begins(errors) == begins


@pytest.mark.parametrize(
    ("sizes", "errors", "complaint"),
    [
        ([1, 2, 3], [3, 2, 1], "3 errors at 3 sizes do not tell a rate: give at least 4"),
        ([1, 2, 2, 3], [3, 2, 2, 1], "4 errors at 3 sizes"),
        ([1, 2, 3, 4], [3, 2, 1], "3 errors at 4 sizes"),
        ([1, 2, 3, 4], [3, 2, 1, 0], "must be positive numbers"),
        ([1, 2, 3, 4], [3, 2, 1, np.inf], "must be positive numbers"),
    ],
)
def test_errors_that_tell_no_rate(sizes, errors, complaint):
    with pytest.raises(ValueError, match=complaint):
        fit_power_law(sizes, errors)


# ---------------------------------------------------------------------------------------------------- curves


def test_a_curve_tells_the_rate_and_from_where_on_it_holds():
    # Nothing is learnt from fewer than 1,000 samples.
    (curve,) = sample_curves(rows_of(lambda n: 0.5 if n < 1000 else 0.01 + 15.4 * n**-0.5))
    assert (curve.family, curve.method, curve.sizes) == ("folded", "dica", SAMPLE_SIZES)
    assert curve.falls_from == 1000
    assert (curve.law.rate, curve.law.floor) == pytest.approx((0.5, 0.01), abs=1e-4)
    assert curve.interval is None  # of one seed
    assert curve.beside_bound == ""
    assert list(curve.median) == sorted(curve.median, reverse=True)
    assert curve.low == curve.median == curve.high


def test_seeds_give_the_median_its_range_and_an_interval():
    rows = [r for s, share in enumerate((1.0, 1.3, 0.8)) for r in rows_of(lambda n, c=share: c * n**-0.5, seed=s)]
    (curve,) = sample_curves(rows)
    expected = np.array(SAMPLE_SIZES) ** -0.5
    for values, share in ((curve.low, 0.8), (curve.median, 1.0), (curve.high, 1.3)):
        np.testing.assert_allclose(values, share * expected)
    # All seeds have the same rate, and a seed is drawn with all its sizes.
    assert curve.interval == pytest.approx((0.5, 0.5), abs=1e-4)
    rows = [r for s, rate in enumerate((0.9, 1.0, 1.1)) for r in rows_of(lambda n, p=rate: 30 * n**-p, seed=s)]
    (faster,) = sample_curves(rows)
    assert 0.85 < faster.interval[0] < faster.interval[1] < 1.15
    assert faster.beside_bound == "faster"
    assert replace(faster, interval=(0.1, 0.4)).beside_bound == "slower"
    assert replace(faster, interval=(0.4, 0.6)).beside_bound == "not told apart"
    assert sample_curves(rows) == (faster,)
    assert sample_curves(list(reversed(rows))) == (faster,)


@pytest.mark.parametrize(
    "error", [lambda n: 0.4, lambda n: 0.4 * n**0.05, lambda n: 0.3 + n**-0.5], ids=["flat", "growing", "hardly"]
)
def test_no_rate_is_told_of_what_hardly_falls(error):
    (curve,) = sample_curves([r for seed in range(2) for r in rows_of(error, seed=seed)])
    assert curve.law is curve.interval is curve.falls_from is None


def test_a_failed_fit_counts_as_worse_than_any():
    rows = [r for s in range(3) for r in rows_of(lambda n, s=s: None if (n, s) == (500, 0) else n**-0.5, seed=s)]
    (one,) = sample_curves(rows)
    np.testing.assert_allclose(one.median, np.array(SAMPLE_SIZES) ** -0.5)
    assert (one.n_failed, one.n_seeds) == (1, 3)
    rows = [r | (FAILED if r["dataset"].endswith("=500") and r["seed"] < 2 else {}) for r in rows]
    (two,) = sample_curves(rows)
    assert two.median[1] is None
    assert two.low[1] == two.high[1] == pytest.approx(500**-0.5)
    assert two.law.rate == pytest.approx(0.5, abs=1e-4)
    two, _ = sample_curves(rows + [r | {"method": "polytopic", "r2_mean": 0.0, "status": "ok"} for r in rows])
    assert two.useful_from == 1000
    assert [size for size, *_ in two.points()] == [n for n in SAMPLE_SIZES if n != 500]
    (none,) = sample_curves([r | FAILED for r in rows])
    assert set(none.median) == set(none.low) == {None}
    assert none.law is none.useful_from is None
    assert none.points() == []
    assert "| folded | dica |" in curves_to_markdown([none])
    assert draw_curves([none]).axes[0].lines[:] == []


def test_seeds_that_were_not_run_do_not_count():
    rows = rows_of(lambda n: n**-0.5) + rows_of(lambda n: n**-0.5, sizes=(250, 500), seed=1)
    (curve,) = sample_curves(rows)
    assert None not in curve.median
    assert curve.n_failed == 0


@pytest.mark.parametrize(
    ("errors", "rival", "useful"),
    [
        ((0.5, 0.1, 0.05, 0.01), (0.5, 0.2, 0.2, 0.2), 500),
        ((0.05, 0.2, 0.05, 0.01), (0.5, 0.5, 0.5, 0.5), 1000),  # an early success that does not last
        ((0.05, 0.05, 0.05, 0.05), (0.04, 0.05, 0.06, None), 1000),  # as good is not better; one that fails is worse
        ((0.05, 0.05, 0.05, 0.2), (0.5, 0.5, 0.5, 0.5), None),
        ((0.05, 0.05, 0.05, None), (0.5, 0.5, 0.5, 0.5), None),
    ],
)
def test_a_method_is_of_use_where_it_stays_good_and_better_than_the_linear_one(errors, rival, useful):
    sizes = (250, 500, 1000, 2000)
    rows = [row(n, e) for n, e in zip(sizes, errors, strict=True)]
    rows += [row(n, e, method="polytopic") for n, e in zip(sizes, rival, strict=True)]
    curve, linear = sample_curves(rows)
    assert curve.useful_from == useful
    # The linear one has to be good alone.
    assert linear.useful_from == (None if max(e or 1 for e in rival) > 0.1 else 250)
    # Without it, nothing is known of it.
    assert sample_curves([r for r in rows if r["method"] == "dica"])[0].useful_from is None


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "no row was given: run the study first"),
        ([row(500, 0.1), row(500, 0.2)], "folded/N=500, dica, seed 0 occurs twice"),
        ([row(500, 0.1) | {"dataset": "folded"}], "'folded' does not say its number of samples"),
        ([row("many", 0.1)], "does not say its number of samples"),
    ],
)
def test_rows_of_no_study(rows, complaint):
    with pytest.raises(ValueError, match=complaint):
        sample_curves(rows)


def test_markdown_and_picture_show_every_family_and_method():
    rows = [
        r
        for family in ("linear", "folded")
        for method, error in (("dica", lambda n: 0.01 + n**-0.5), ("polytopic", lambda n: 0.4))
        for r in rows_of(error, family=family, method=method)
    ]
    curves = sample_curves(rows)
    text = curves_to_markdown(curves)
    assert "| folded | dica | 0.073 | 0.055 |" in text
    assert "| linear | dica | 1 | 250 | 0.500 |  |  |  | 0.010 | 250 |" in text
    assert "| linear | polytopic | 1 |  |" in text
    figure = draw_curves(curves)
    assert [ax.get_title() for ax in figure.axes] == ["linear", "folded"]
    for ax in figure.axes:
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert [line.get_label() for line in ax.lines] == ["dica", "polytopic", "slope -0.5"]
        (x, y) = ax.lines[-1].get_data()
        assert np.log(y[1] / y[0]) / np.log(x[1] / x[0]) == pytest.approx(-0.5)
        assert y[0] < ax.lines[0].get_ydata()[0]


def test_a_curve_without_points_keeps_its_colour():
    points = [(10, 0.5, 0.4, 0.6), (100, 0.2, 0.1, 0.3)]
    (line,) = plotting.errors_by_size({"dica": [], "pca": points}).lines
    assert (line.get_label(), line.get_color()) == ("pca", plotting.COLORS[1])
    with pytest.raises(ValueError, match="no curve has a point: give one or more"):
        plotting.errors_by_size({"dica": []})
    with pytest.raises(ValueError, match="'dica' has a number that is not positive"):
        plotting.errors_by_size({"dica": [(10, 0.5, 0.0, 0.6)]})


# ------------------------------------------------------------------------------------------------------- runs


def test_the_plan_covers_every_family_size_method_and_seed():
    plan = finite_samples(seeds=range(2), n_init=3, max_steps=77)
    assert len(plan.cells) == len(SAMPLE_FAMILIES) * len(SAMPLE_SIZES) * 3 * 2
    data = plan.datasets["folded/N=5000"]
    assert (data.n_samples, data.n_test_samples, data.n_components) == (5000, 2000, 5)
    assert data.generate(7, 0).X.shape == (7, 200)
    built = {name: method.build(data) for name, method in plan.methods.items()}
    assert {built[name].n_init for name in ("dica", "sparse-jacobian")} == {3}
    assert {built[name].training.max_steps for name in ("dica", "sparse-jacobian")} == {77}
    # All sizes of a seed share a mixing.
    small, large = plan.datasets["linear/N=250"].generate(30, 4), plan.datasets["linear/N=500"].generate(60, 4)
    np.testing.assert_array_equal(small.mixing(large.latents), large.X)
    first, again, other = (finite_samples(n_init=n).fingerprints() for n in (2, 2, 3))
    assert first == again
    assert first["linear/N=250", "dica"] != other["linear/N=250", "dica"]
    assert first["linear/N=250", "polytopic"] == other["linear/N=250", "polytopic"]


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"families": ["magic"]}, ValueError, "family 'magic' is unknown: use linear, post-nonlinear, folded"),
        ({"families": []}, ValueError, "no family was given"),
        ({"methods": ["magic"]}, ValueError, "method 'magic' is unknown: use pca"),
        ({"sizes": []}, ValueError, "no size was given: use one or more, such as 250, 500, 1000"),
        ({"sizes": [500, 500]}, ValueError, "size 500 is given twice"),
        ({"sizes": [4]}, ValueError, "n_samples=4 is less than the 5 components"),
        ({"sizes": [50.5]}, TypeError, "sizes=50.5 is not an integer"),
        ({"seeds": []}, ValueError, "no seed was given"),
        ({"n_init": 0}, ValueError, "n_init=0 is out of range"),
        ({"max_steps": 0}, ValueError, "max_steps=0 is out of range"),
    ],
)
def test_plans_that_are_not_possible(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        finite_samples(**arguments)


def test_the_command_writes_all_and_goes_on_where_it_was(tmp_path, capsys):
    words = ["reproduce", "finite-samples", "--output", str(tmp_path), "--methods", "polytopic", "--sizes", "250"]
    assert main([*words, "--seeds", "1", "--families", "linear"]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("linear/N=250 polytopic 0: R² 0.")
    assert shown.err.count("\n") == 1
    (first,) = read_rows(tmp_path)
    assert main([*words, "500", "--seeds", "2", "--families", "linear"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 3  # the fits that were not there
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["dataset"], r["seed"]) for r in rows] == [
        *[("linear/N=250", "0"), ("linear/N=250", "1"), ("linear/N=500", "0"), ("linear/N=500", "1")]
    ]
    assert first in read_rows(tmp_path)
    text = (tmp_path / "finite-samples.md").read_text(encoding="utf-8")
    assert text.strip() in shown.out
    assert "| linear | polytopic | 0." in text
    picture = ElementTree.parse(tmp_path / "finite-samples.svg")
    assert picture.getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--seeds", "0"], "seeds=0 is out of range: use at least 1"),
        (["--jobs", "0"], "jobs=0 is out of range: use from 1 to"),
        (["--families", "magic"], "family 'magic' is unknown: use linear, post-nonlinear, folded"),
        (["--families"], "no family was given: use one or more of linear"),
        (["--methods", "magic"], "method 'magic' is unknown: use pca"),
        (["--sizes", "2"], "n_samples=2 is less than the 3 components"),
        (["--sizes"], "no size was given"),
        (["--sizes", "many"], "--sizes: 'many' is not possible, give a whole number"),
        (["--n-init", "0"], "n_init=0 is out of range: use at least 1"),
    ],
)
def test_bad_input(refused, words, complaint):
    refused(["reproduce", "finite-samples", "--output", "out", *words], complaint)
