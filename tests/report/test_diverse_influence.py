"""The condition of diverse influence on the page: where it is checked, which numbers, which pictures."""

import re

import numpy as np
import pytest
from influence_cases import k_sign
from methods import QUICK

from identica import DICA, Autoencoder, PolytopicFactorization
from identica.datasets import make_mixture
from identica.estimators import compared_jacobians
from identica.report import DiverseInfluence, Fit, Report, render, report_of_fit
from identica.trust.sdi import check_sdi, summarise_sdi

pytestmark = pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment", "ignore:.*it overfits")
TABLE = make_mixture(200, 30, 3, random_state=0).X * np.geomspace(0.1, 10.0, 30)
"""Features of different sizes, which the fit compares in units of its own."""


@pytest.fixture(scope="module")
def linear():
    """A fit of three components, and its components."""
    model = PolytopicFactorization(3, random_state=0).fit(TABLE)
    return model, model.transform(TABLE)


def section(page):
    """The section as text without tags, with what its figures show."""
    (found,) = re.findall(r"<h2>Diverse influence</h2>.*?</section>", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", found, flags=re.DOTALL).split()), re.findall(
        r'aria-label="([^"]*)"', found
    )


def test_jacobians_are_those_of_six_samples_in_the_units_of_the_fit(linear):
    model, latents = linear
    found = DiverseInfluence.of_fit(model, latents)
    assert len(found.samples) == len(set(found.samples)) == 6
    units = model.feature_units_ / model.scale_
    assert np.ptp(model.feature_units_) > 0.1
    expected = model.jacobian(TABLE[list(found.samples)]) * units[:, None]
    np.testing.assert_allclose(found.jacobians, expected)
    for point in found.summary.points:
        np.testing.assert_allclose(point.plain.gamma, check_sdi(expected[point.index]).gamma, atol=1e-6)
    assert DiverseInfluence.of_fit(model, latents).samples == found.samples


def test_the_page_has_its_numbers_and_pictures(linear):
    model, latents = linear
    page = render(report_of_fit(model, latents, title="", facts={}))
    text, shown = section(page)
    found = DiverseInfluence.of_fit(model, latents)
    assert all(sentence in text for sentence in found.sentences)
    for point in found.summary.points:
        assert f"{found.samples[point.index]} (point {point.index})" in text
    (low, *_), (*_, high) = found.summary.gamma()
    assert f"margin from {low:.3f} to {high:.3f}" in text
    assert shown == [f"polytopic, {words}" for words, _ in found.pictures()]
    assert [words.split(" of point ")[0] for words in shown] == [
        "polytopic, margin of each point",
        "polytopic, rows of either sign",
        "polytopic, polar of the rows of either sign",
    ]
    for said in (
        "is stationary by construction",
        "tells how far it has converged",
        "is the only best one at that sample",
        "agree is evidence",
        "is the assumption, which no data can test",
    ):
        assert said in text
    assert page == render(report_of_fit(model, latents, title="", facts={}))


def test_it_says_where_the_condition_holds_and_what_was_not_reached():
    jacobians = np.stack([k_sign(4, 1), np.concatenate([np.eye(4)] * 2)])
    found = DiverseInfluence(summarise_sdi(jacobians), jacobians, (7, 11))
    one, both = (f"part 1 holds at {n} of 2 points and part 2 holds at {n} of 2 points" for n in (1, 2))
    assert found.sentences == (
        f"Rows as they are: {one}; margin from 0.000 to 1.000.",
        f"Rows of either sign: {both}; margin from 1.000 to 1.000.",
        "Locally identifiable at 2 of 2 points.",
        "Samples, counted from 0: 7 (point 0), 11 (point 1).",
    )
    text, shown = section(render(Report("", {}, (Fit("<b>", 1.0, diverse_influence=found),))))
    assert shown == ["&lt;b&gt;, margin of each point", "&lt;b&gt;, rows of point 0"]
    assert "part 1 holds at 1 of 2 points" in text
    few = summarise_sdi(np.stack([np.random.default_rng(0).normal(size=(200, 8))] * 3), time_limit=1e-3)
    found = DiverseInfluence(few, jacobians, (1, 2, 3))
    assert found.sentences[-1].endswith(f"; {few.n_left_out} more were not reached in time.")
    assert few.n_left_out > 0


def test_networks_have_the_section_too():
    model = DICA(2, n_init=1, training=QUICK, random_state=0).fit(TABLE)
    latents = model.transform(TABLE)
    _, shown = section(render(report_of_fit(model, latents, title="", facts={})))
    assert len(shown) == 3
    found = DiverseInfluence.of_fit(model, latents)
    np.testing.assert_array_equal(found.jacobians, compared_jacobians(model, latents[list(found.samples)]))


def test_it_is_left_out_where_it_makes_no_sense(linear):
    one = PolytopicFactorization(1, random_state=0).fit(TABLE)
    assert DiverseInfluence.of_fit(one, one.transform(TABLE)) is None
    other = Autoencoder(2, n_init=1, training=QUICK, random_state=0).fit(TABLE)
    page = render(report_of_fit(other, other.transform(TABLE), title="", facts={}))
    assert "Diverse influence" not in page
    model, latents = linear
    wide = np.concatenate([latents] * 6, axis=1)
    assert DiverseInfluence.of_fit(model, wide) is None


def test_components_that_act_on_no_feature_have_no_picture(linear, monkeypatch):
    model, latents = linear
    dead = np.ones((6, 30, 3))
    dead[1:, :, 2] = 0.0
    dead[0, 0] = np.nan
    monkeypatch.setattr("identica.report.diverse_influence.compared_jacobians", lambda model, latents: dead)
    assert DiverseInfluence.of_fit(model, latents) is None
    dead[4:] = np.random.default_rng(0).normal(size=(2, 30, 3))
    found = DiverseInfluence.of_fit(model, latents)
    assert (len(found.jacobians), len(found.samples)) == (2, 2)


def test_compared_jacobians_want_components():
    model = PolytopicFactorization(2, random_state=0).fit(TABLE)
    with pytest.raises(ValueError, match=r"components of shape \(4, 3\) were given: \(n_points, 2\) is needed"):
        compared_jacobians(model, np.ones((4, 3)))
