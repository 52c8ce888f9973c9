"""Traversals and influences of images: what stands where, in which unit, under which name."""

import io
import re

import numpy as np
import pytest
from methods import QUICK
from PIL import Image
from sklearn.decomposition import PCA

from identica import Autoencoder
from identica.datasets import make_sprites
from identica.estimators.traversal import component_ranges
from identica.io.pictures import grey_levels
from identica.report import Fit, PictureRow, Pictures, Report, render, report_of_fit

pytestmark = pytest.mark.filterwarnings("ignore:.*it overfits")  # eighty images are few

IMAGES = make_sprites(80, size=9, random_state=0).X
SIDE, N_STEPS = 9, 11
ENLARGED = 1000 // (N_STEPS * SIDE) * SIDE
UNIT = {"low": 0.0, "high": 1.0}


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.fixture(scope="module")
def pca():
    """A model whose components have deviations of their own, and what it makes of the images."""
    flat = IMAGES.reshape(len(IMAGES), -1)
    model = PCA(2).fit(flat)
    latents = model.transform(flat) + np.array([3.0, 0.0])
    model.mean_ = model.mean_ - 3.0 * model.components_[0]
    return model, latents


@pytest.fixture(scope="module")
def network():
    """A network of this library and its components."""
    model = Autoencoder(2, training=QUICK, random_state=0).fit(IMAGES)
    return model, model.transform(IMAGES)


def test_each_step_is_what_the_model_decodes_there(pca):
    model, latents = pca
    drawn = Pictures.from_model(model, latents, (SIDE, SIDE), **UNIT, anchor=3)
    low, high = component_ranges(latents)[1]
    strip = pixels(drawn.rows[1].traversal)
    assert strip.shape == (ENLARGED, N_STEPS * (ENLARGED + 2) - 2)
    for step in (0, 4, 10):
        decoded = model.inverse_transform([[latents[3, 0], low + step / 10 * (high - low)]]).reshape(SIDE, SIDE)
        one = strip[:, step * (ENLARGED + 2) :][:, :ENLARGED]
        by = ENLARGED // SIDE
        np.testing.assert_array_equal(one, np.kron(grey_levels(decoded, 0, 1), np.ones((by, by))))


def test_positions_are_in_deviations_of_the_component(pca, network):
    model, latents = pca
    row = Pictures.from_model(model, latents, (SIDE, SIDE), **UNIT, anchor=3).rows[0]
    standardised = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    np.testing.assert_allclose((row.low, row.high), component_ranges(standardised)[0])
    assert row.own == pytest.approx(standardised[3, 0])
    # Components of this library are standardised: the same numbers as at the sliders.
    model, latents = network
    row = Pictures.from_model(model, latents, (SIDE, SIDE), **UNIT).rows[1]
    assert (row.low, row.high, row.own) == pytest.approx((*component_ranges(latents)[1], latents[0, 1]))


def test_influences_share_one_scale(pca, network):
    # Of a linear model: the loading, per deviation of its component.
    model, latents = pca
    maps = np.abs(model.components_) * latents.std(axis=0)[:, None]
    for (fitted, found), expected in ((pca, maps), (network, network[0].influence_.T)):
        drawn = Pictures.from_model(fitted, found, (SIDE, SIDE), **UNIT)
        assert drawn.most == pytest.approx(expected.max(), rel=1e-5)
        for row, one in zip(drawn.rows, expected, strict=True):
            shown = pixels(row.influence)[:: ENLARGED // SIDE, :: ENLARGED // SIDE]
            np.testing.assert_allclose(shown, 255 * one.reshape(SIDE, SIDE) / expected.max(), atol=0.51)
    assert max(row.max() for row in maps) > 1.2 * min(row.max() for row in maps)


@pytest.mark.parametrize(("own", "mark"), [(-1.0, 0.5 / 11), (1.0, 5.5 / 11), (3.0, 10.5 / 11), (9.0, 10.5 / 11)])
def test_the_mark_stands_below_the_image_of_the_sample(own, mark):
    assert PictureRow("component 0", -1.0, 3.0, own, b"", b"").mark == pytest.approx(mark)


def test_a_component_that_does_not_vary_has_a_mark_too():
    assert PictureRow("component 0", 0.0, 0.0, 0.0, b"", b"").mark == 0.5


def test_the_page_names_components_ends_and_the_sample(network):
    model, latents = network
    names = ["<b>a 7</b>", *map(str, range(79))]
    page = render(report_of_fit(model, latents, title="", facts={}, sample_names=names))
    for (low, high), own, j in zip(component_ranges(latents), latents[0], (0, 1), strict=True):
        text = re.findall(r'<div class="traversal">.*?<img class="influence"', page, flags=re.DOTALL)[j]
        assert [f"{value:.2f}" for value in (own, low, high)] == re.findall(r">(?:at )?(-?\d\.\d\d)<", text)
        assert f"&lt;b&gt;a 7&lt;/b&gt;, component {j} moved from {low:.2f} to {high:.2f}" in text
    assert "The sample is &lt;b&gt;a 7&lt;/b&gt;." in page
    assert f"{model.influence_.max():.3g}, in all rows" in page
    unnamed = Fit("pca", 1.0, pictures=Pictures.from_model(model, latents, (SIDE, SIDE), **UNIT, anchor=5))
    assert "The sample is sample 5." in render(Report("", {}, (unnamed,)))


@pytest.mark.parametrize("width", [1000, 360])
def test_all_images_of_a_row_are_enlarged_alike(show, network, width):
    model, latents = network
    page = show(Fit("dica", 1.0, pictures=Pictures.from_model(model, latents, (SIDE, SIDE), **UNIT)))
    page.set_viewport_size({"width": width, "height": 800})
    row = page.locator(".traversal").first
    strip, mark, influence = (row.locator(part).bounding_box() for part in (".strip img", ".mark", ".influence"))
    assert influence["width"] == pytest.approx(strip["width"] * ENLARGED / (N_STEPS * (ENLARGED + 2) - 2), rel=0.01)
    assert influence["height"] == pytest.approx(influence["width"], rel=0.01)
    low, high = component_ranges(latents)[0]
    share = np.clip((latents[0, 0] - low) / (high - low), 0, 1)
    centre = strip["x"] + strip["width"] * (share * 10 + 0.5) / 11
    assert mark["x"] + mark["width"] / 2 == pytest.approx(centre, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") == width
