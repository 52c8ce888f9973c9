"""The page in a browser: sliders move what is shown, as Python decodes it, and nothing else happens."""

import numpy as np
import pandas as pd
import pytest
import torch
from methods import QUICK

from identica import DICA, Autoencoder, Convolutional, Dense, PolytopicFactorization
from identica.datasets import make_mixture, make_sprites
from identica.io.pictures import value_range
from identica.networks import ACTIVATIONS
from identica.report import Explorer, Fit, Report, render

pytestmark = pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment", "ignore:.*it overfits")
IMAGES = make_sprites(80, size=9, random_state=0).X
NAMES = ["<script>alert(1)</script>", "a&b", '"quoted"', *(f"gene {i}" for i in range(57))]
TABLE = pd.DataFrame(make_mixture(300, 60, 3, random_state=0).X, columns=NAMES)
COLOURS = np.random.default_rng(0).uniform(size=(60, 6, 5, 3)).astype(np.float32)


def moved_weights(model):
    """Give every layer weights of its own, so that none can be left out unseen."""
    for number, parameter in enumerate(model.decoder_.parameters()):
        generator = torch.Generator().manual_seed(number)
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator).to(parameter)
    return model


def own_decoder(activation, n_components):
    """A user's decoder of the table."""
    with torch.random.fork_rng():
        return torch.nn.Sequential(torch.nn.Linear(n_components, 5), activation, torch.nn.Linear(5, 60))


def fitted(kind):
    """A model of some kind, and the data it was fitted on."""
    if kind == "convolutional":
        network = Convolutional((4,), hidden=8)
        return moved_weights(DICA(2, network=network, training=QUICK, random_state=0).fit(IMAGES)), IMAGES
    if kind == "colour":
        return moved_weights(Autoencoder(2, training=QUICK, random_state=0).fit(COLOURS)), COLOURS
    if kind == "linear":
        return PolytopicFactorization(3, random_state=0).fit(TABLE), TABLE
    if kind == "table":
        return moved_weights(DICA(3, training=QUICK, random_state=0).fit(TABLE)), TABLE
    network = Dense(hidden=(7, 6), activation=kind.removeprefix("dense "))
    return moved_weights(Autoencoder(2, network=network, training=QUICK, random_state=0).fit(IMAGES)), IMAGES


def drawn(X):
    """What is black and what white."""
    low, high = value_range(np.asarray(X))
    return {"low": low, "high": high}


def fit(model, X, name="method"):
    return Fit.from_estimator(
        name, model, seconds=1.0, explorer=Explorer.from_estimator(model, model.transform(X), **drawn(X))
    )


def move(page, component, value, explorer=0):
    """Move a slider as a hand does."""
    slider = page.locator(".explorer").nth(explorer).locator("input[type=range]").nth(component)
    slider.evaluate("(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", value)
    return float(slider.input_value())


def values(page, explorer=0):
    return np.array(page.evaluate(f"identica.explorers[{explorer}].values"))


KINDS = ["linear", "table", "colour", *(f"dense {name}" for name in ACTIVATIONS)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_decodes_as_python_does(show, kind):
    model, X = fitted(kind)
    page = show(fit(model, X))
    latents = model.transform(X)[:1].astype(float)
    names = list(TABLE.columns)
    shown = slice(None)
    if kind in ("linear", "table"):
        features = page.locator(".profile th").all_inner_texts()
        shown = [names.index(name) for name in features]
        assert len(shown) >= 30
    unit = np.ptp(np.asarray(X), axis=None)
    for component, target in [(0, None), (0, 0.9), (1, -0.7), (0, -1.1)]:
        if target is not None:
            latents[0, component] = move(page, component, target)
            assert latents[0, component] == pytest.approx(target, abs=1e-6)
        expected = model.inverse_transform(latents).reshape(1, -1)[0][shown]
        np.testing.assert_allclose(values(page), expected, rtol=0, atol=1e-3 * unit)
    assert np.ptp(model.inverse_transform(latents)) > 0.01 * unit


UNITS = {
    "images": (lambda: Autoencoder(2, training=QUICK, random_state=0), IMAGES.astype(np.float64)),
    "table": (lambda: Autoencoder(3, training=QUICK, random_state=0), TABLE.to_numpy(np.float64)),
    "frames of a table": (
        lambda: Autoencoder(3, decoder=own_decoder(torch.nn.LeakyReLU(0.3), 3), training=QUICK, random_state=0),
        TABLE.to_numpy(np.float64),
    ),
}


@pytest.mark.filterwarnings("ignore:the network leaves:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("unit", [1e45, 1e-45])
@pytest.mark.parametrize("kind", UNITS)
def test_the_page_decodes_in_units_that_single_precision_does_not_reach(show, kind, unit):
    make, X = UNITS[kind]
    X = unit * X
    model = make().fit(X)
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X))
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    end = explorer.payload["ranges"][1][1]
    latents = model.transform(X)[:1]
    latents[0, 1] = move(page, 1, end)
    shown = [int(name) for name in explorer.payload.get("features", range(81))]
    expected = model.inverse_transform(latents).reshape(-1)[shown]
    np.testing.assert_allclose(values(page), expected, rtol=0, atol=1e-3 * np.ptp(X))
    assert np.ptp(expected) > 0.1 * np.ptp(X)


@pytest.mark.parametrize("anchor", [0, 2])
def test_frames_are_what_python_decodes(show, anchor):
    model, X = fitted("convolutional")
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X))
    payload = explorer.payload
    assert "layers" not in payload
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    page.get_by_label("start at").select_option(str(anchor))
    low, high = payload["ranges"][1]
    for share in (0.0, 0.5, 1.0):
        target = move(page, 1, low + share * (high - low))
        latents = model.transform(X)[[anchor]].astype(float)
        latents[0, 1] = target
        expected = np.clip(model.inverse_transform(latents).ravel(), payload["low"], payload["high"])
        step = (payload["high"] - payload["low"]) / 255
        np.testing.assert_allclose(values(page), expected, rtol=0, atol=0.51 * step + 1e-6)
    # One component at a time: the other begins at the sample again.
    move(page, 0, payload["ranges"][0][1])
    assert page.evaluate("identica.explorers[0].latents")[1] == pytest.approx(payload["anchors"][anchor][1])


def test_the_canvas_shows_the_values(show):
    model, X = fitted("dense softplus")
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X))
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    seen = []
    for target in (-1.0, 1.0):
        move(page, 0, target)
        bytes_ = page.evaluate("[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 9, 9).data]")
        pixels = bytes_[::4]
        low, high = explorer.payload["low"], explorer.payload["high"]
        expected = 255 * np.clip((values(page) - low) / (high - low), 0, 1)
        np.testing.assert_allclose(pixels, expected, atol=0.51)
        seen.append(pixels)
    assert np.abs(np.subtract(*seen)).max() > 20


def pixels(page, number):
    return page.evaluate(
        f"(() => {{ const c = document.querySelectorAll('canvas')[{number}]; "
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; })()"
    )


@pytest.mark.parametrize("kind", ["dense tanh", "colour", "convolutional"])
def test_the_sample_itself_stands_beside_its_image(show, kind):
    model, X = fitted(kind)
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X), samples=X)
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    for anchor in (0, 4):
        page.get_by_label("start at").select_option(str(anchor))
        move(page, 0, 0.5)
        low, high = explorer.payload["low"], explorer.payload["high"]
        expected = 255 * np.clip((X[anchor] - low) / (high - low), 0, 1)
        rgb = np.reshape(pixels(page, 1), (*X.shape[1:3], 4))[..., :3]
        np.testing.assert_allclose(rgb, np.broadcast_to(expected.reshape(*X.shape[1:3], -1), rgb.shape), atol=1.01)
        assert page.locator("canvas").nth(1).get_attribute("aria-label") == f"sample {anchor} itself"
    without = Explorer.from_estimator(model, model.transform(X), **drawn(X))
    assert show(Fit("method", 1.0, explorer=without)).locator("canvas").count() == 1


def test_what_is_black_and_white_may_be_given_as_the_images_own_integers():
    images = np.rint(255 * IMAGES).astype(np.uint8)
    model = Autoencoder(2, training=QUICK, random_state=0).fit(images)
    explorer = Explorer.from_estimator(model, model.transform(images), low=images.min(), high=images.max())
    page = render(Report("", {}, (Fit("method", 1.0, explorer=explorer),)))
    assert f'"high": {float(images.max())}' in page


def test_large_samples_are_left_out():
    model, _ = fitted("dense tanh")
    latents = np.zeros((9, 2))
    for side, there in ((9, True), (400, False)):
        model.sample_shape_ = (side, side)
        model.scale_, model.mean_ = np.ones(side**2), np.zeros(side**2)
        model.inverse_transform = lambda rows, side=side: np.zeros((len(rows), side, side))
        model.decoder_ = torch.nn.Identity()
        payload = Explorer.from_estimator(model, latents, samples=np.zeros((9, side, side))).payload
        assert ("originals" in payload) is there


def test_the_name_of_the_image_says_what_is_decoded(show):
    model, X = fitted("dense tanh")
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X), anchor_names=[f"a {i}" for i in range(6)])
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    canvas = page.locator("canvas")
    assert canvas.get_attribute("aria-label") == "decoded image of a 0"
    move(page, 1, 0.5)
    assert canvas.get_attribute("aria-label") == "decoded image of a 0, component 1 at 0.50"
    move(page, 0, -0.25)
    assert canvas.get_attribute("aria-label") == "decoded image of a 0, component 0 at -0.25, component 1 at 0.50"
    page.get_by_label("start at").select_option("3")
    assert canvas.get_attribute("aria-label") == "decoded image of a 3"


def test_a_long_name_of_a_feature_can_be_read_whole(show):
    page = show(fit(*fitted("table")))
    names = page.locator(".profile th")
    assert [cell.get_attribute("title") for cell in names.all()] == names.all_inner_texts()


def test_on_a_narrow_page_sliders_come_before_many_features(show):
    page = show(fit(*fitted("table")))
    tops = {}
    for width in (1000, 360):
        page.set_viewport_size({"width": width, "height": 800})
        tops[width] = [page.locator(part).bounding_box()["y"] for part in (".controls", ".view")]
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert tops[360][0] < tops[360][1]
    assert tops[1000][0] == pytest.approx(tops[1000][1], abs=20)


def test_keys_move_a_slider_and_a_button_brings_it_back(show):
    model, X = fitted("table")
    page = show(fit(model, X))
    start = values(page)
    slider = page.get_by_label("component 1")
    slider.focus()
    before = float(slider.input_value())
    for key in ("ArrowRight", "ArrowRight", "PageUp", "ArrowLeft"):
        page.keyboard.press(key)
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    expected = min(high, min(high, before + 7 * (high - low) / 40) - (high - low) / 40)
    assert float(slider.input_value()) == pytest.approx(expected, abs=1e-6)
    assert slider.get_attribute("aria-valuetext") == f"{float(slider.input_value()):.2f}"
    assert np.abs(values(page) - start).max() > 0.01
    page.get_by_role("button", name="back to the start").click()
    np.testing.assert_allclose(values(page), start)
    page.get_by_label("start at").select_option("2")
    np.testing.assert_allclose(page.evaluate("identica.explorers[0].latents"), model.transform(X)[2], atol=1e-6)


def test_each_key_moves_a_slider_its_own_way(show):
    page = show(fit(*fitted("table")))
    slider = page.get_by_label("component 0")
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    ways = {"ArrowRight": 1, "ArrowUp": 1, "ArrowLeft": -1, "ArrowDown": -1, "PageUp": 5, "PageDown": -5}
    for key, way in ways.items():
        before = move(page, 0, (low + high) / 2)
        slider.focus()
        page.keyboard.press(key)
        assert float(slider.input_value()) - before == pytest.approx(way * (high - low) / 40, abs=1e-6)
        assert page.evaluate("identica.explorers[0].latents[0]") == pytest.approx(float(slider.input_value()))


def test_bars_and_numbers_say_how_far_features_are_from_their_mean(show):
    model, X = fitted("table")
    page = show(fit(model, X))
    latents = model.transform(X)[:1].astype(float)
    latents[0, 0] = move(page, 0, 1.3)
    deviations = ((model.inverse_transform(latents) - model.mean_) / model.scale_)[0]
    rows = page.locator(".profile tr").all()
    assert len(rows) >= 30
    signs = set()
    for row in rows:
        expected = deviations[list(TABLE.columns).index(row.locator("th").inner_text())]
        shown = float(row.locator(".value").inner_text())
        assert shown == pytest.approx(expected, abs=0.011)
        bar, cell = row.locator(".bar"), row.locator("td").first.bounding_box()
        box = bar.bounding_box()
        middle, width = cell["x"] + cell["width"] / 2, min(3, abs(expected)) / 6 * cell["width"]
        assert box["width"] == pytest.approx(width, abs=0.05 * cell["width"])
        assert (box["x"] + box["width"] / 2 < middle) == (expected < 0) or abs(expected) < 0.3
        signs.add((expected < 0, "down" in bar.get_attribute("class").split()))
    assert signs == {(True, True), (False, False)}


def test_sliders_say_where_they_stand_and_reach_every_start(show):
    model, X = fitted("table")
    latents = model.transform(X).astype(float)
    latents[1] = latents.max(axis=0) + 4  # beyond what the rest cover
    latents[2] = latents.min(axis=0) - 4
    page = show(Fit("method", 1.0, explorer=Explorer.from_estimator(model, latents)))
    for anchor in (1, 2, 0):
        page.get_by_label("start at").select_option(str(anchor))
        for j, slider in enumerate(page.locator("input[type=range]").all()):
            assert float(slider.input_value()) == pytest.approx(latents[anchor, j], abs=1e-6)
        assert [float(text) for text in page.locator(".slider output").all_inner_texts()] == pytest.approx(
            latents[anchor].tolist(), abs=0.0051
        )
        np.testing.assert_allclose(page.evaluate("identica.explorers[0].latents"), latents[anchor])


@pytest.mark.parametrize("n_channels", [2, 3, 4])
def test_three_channels_are_colours_and_of_others_the_first_is_shown(show, n_channels):
    X = np.random.default_rng(0).uniform(size=(60, 6, 5, n_channels)).astype(np.float32)
    model = moved_weights(Autoencoder(2, training=QUICK, random_state=0).fit(X))
    explorer = Explorer.from_estimator(model, model.transform(X), **drawn(X))
    page = show(Fit.from_estimator("method", model, seconds=1.0, explorer=explorer))
    low, high = explorer.payload["low"], explorer.payload["high"]
    shares = np.clip((values(page).reshape(6, 5, n_channels) - low) / (high - low), 0, 1)
    expected = shares if n_channels == 3 else np.repeat(shares[..., :1], 3, axis=-1)
    np.testing.assert_allclose(np.reshape(pixels(page, 0), (6, 5, 4))[..., :3], 255 * expected, atol=0.51)


def test_every_method_has_its_own_explorer(show):
    first, other = fitted("table"), fitted("linear")
    page = show(fit(*first, name="one"), fit(*other, name="two"))
    assert page.locator("summary").all_inner_texts()[:2] == ["one", "two"]
    page.locator("summary").first.click()
    still = values(page, 1)
    move(page, 0, 0.5, explorer=0)
    np.testing.assert_array_equal(values(page, 1), still)


def test_names_stay_text(show):
    model, X = fitted("table")
    page = show(fit(model, X), feature_names=tuple(NAMES))
    assert page.locator("h1").inner_text() == "A <b>title</b>"
    assert page.locator("h1 b").count() == 0
    shown = page.locator(".profile th").all_inner_texts()
    assert set(shown) <= set(NAMES)
    explorer = Explorer.from_estimator(
        model, model.transform(X), **drawn(X), anchor_names=["</script><script>alert(2)</script>", "<!--"]
    )
    page = show(Fit.from_estimator("<i>m</i>", model, seconds=1.0, explorer=explorer))
    options = page.locator("option").all_inner_texts()
    assert options[:2] == ["</script><script>alert(2)</script>", "<!--"]
    assert page.locator("summary i").count() == 0


@pytest.mark.parametrize(("scheme", "darkness"), [("light", lambda grey: grey > 200), ("dark", lambda grey: grey < 60)])
def test_the_page_follows_the_reader_s_light(show, scheme, darkness):
    page = show(fit(*fitted("linear")), scheme=scheme)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.querySelector('.slider label')).color")
    grey, text = (np.mean([int(part) for part in c.strip("rgb()").split(",")[:3]]) for c in (colour, ink))
    assert darkness(grey)
    assert abs(grey - text) > 120


def test_large_decoders_come_as_frames_of_bounded_size():
    X = np.random.default_rng(0).uniform(size=(40, 90, 90)).astype(np.float32)
    model = Autoencoder(2, network=Dense(compact=False), training=QUICK, random_state=0).fit(X)
    payload = Explorer.from_estimator(model, model.transform(X), **drawn(X)).payload
    assert "layers" not in payload
    assert 0.5e6 < len(payload["frames"]["data"]) < 4.2e6


@pytest.mark.filterwarnings("ignore:.*it has not learnt the data")
def test_an_activation_with_settings_of_its_own_is_not_embedded():
    payloads = []
    for activation in (torch.nn.LeakyReLU(0.3), torch.nn.LeakyReLU()):
        model = Autoencoder(2, decoder=own_decoder(activation, 2), training=QUICK, random_state=0).fit(TABLE)
        payloads.append(Explorer.from_estimator(model, model.transform(TABLE)).payload)
    assert payloads[0]["frames"]["kind"] == "float32"
    assert "layers" in payloads[1]
