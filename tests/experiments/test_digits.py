"""The experiment on digits: its configuration, what a reader reads, and what is written."""

import base64
import csv
import json
import re
import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from methods import QUICK
from sklearn.base import BaseEstimator

from identica import Convolutional, Dense, Training
from identica.cli import main
from identica.datasets import LabelledImages, load_digits
from identica.experiments import DIGIT_METHODS, DigitStudy, Reader, digits, read_traversals, reproduce_digits
from identica.experiments.reading import Transformations
from identica.io.pictures import grey_levels, value_range
from identica.metrics import mean_correlation_coefficient

pytestmark = [
    pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
LIGHT = np.arange(4)[:, None, None] * np.ones((1, 5, 5)) * 80.0


def grey(n=400):
    """Images of one grey level each, whose class it is."""
    labels = np.arange(n) % 4
    noise = np.random.default_rng(0).normal(size=(n, 5, 5))
    return LabelledImages(np.clip(LIGHT[labels] + 4 * noise, 0, 255).astype(np.uint8), labels)


class NearestGrey:
    """Reads the nearest of the four grey levels, and is sure of it within 30 of it."""

    def __init__(self, classes=(0, 1, 2, 3)):
        self.classes = np.array(classes)

    def probabilities(self, images):
        far = np.abs(np.asarray(images).mean(axis=(1, 2))[:, None] - LIGHT[:, 0, 0])
        return np.where(far < 30, 0.97, 0.01)


class Lamp:
    """A model of two components: the first is the grey level, the second does nothing."""

    def transform(self, X):
        return np.column_stack([np.asarray(X, dtype=float).mean(axis=(1, 2)), np.zeros(len(X))])

    def inverse_transform(self, latents):
        return latents[:, :1, None] * np.ones((1, 5, 5))


def test_a_reader_reads_what_single_components_do():
    images, reader = grey(), NearestGrey()
    spread = np.column_stack([np.linspace(-25, 265, 400), np.linspace(-1, 1, 400)])
    found = read_traversals(Lamp(), reader, Lamp().transform(images.X[:40]), images.labels[:40], spread)
    assert found.n_anchors.tolist() == [10] * 4
    up = np.triu(np.ones((4, 4)), 1)
    # Brighter classes lie above and darker ones below; the second component turns nothing into anything.
    np.testing.assert_array_equal(found.share[0, 1] > 0.5, up.astype(bool))
    np.testing.assert_array_equal(found.share[0, 0] > 0.5, up.T.astype(bool))
    assert (found.share[1] == 0).all()
    assert found.best(0, 3) == (1.0, found.approach[0, 1, 0, 3], 0, "up")
    assert found.best(3, 0) == (1.0, found.approach[0, 0, 3, 0], 0, "down")
    assert found.approach[0, 1, 0, 3] > 0.9
    assert (found.approach[1] < 0.5).all()
    assert {(row["from"], row["to"]) for row in found.records(0.5)} == {(a, b) for a in range(4) for b in range(4)} - {
        (a, a) for a in range(4)
    }


def test_classes_may_be_any_integers():
    images, names = grey(), np.array([-1, 3, 5, 26])
    spread = np.column_stack([np.linspace(-25, 265, 400), np.zeros(400)])
    given = Lamp(), Lamp().transform(images.X[:40])
    plain = read_traversals(given[0], NearestGrey(), given[1], images.labels[:40], spread)
    named = read_traversals(given[0], NearestGrey(names), given[1], names[images.labels[:40]], spread)
    np.testing.assert_array_equal(named.share, plain.share)
    np.testing.assert_array_equal(named.approach, plain.approach)
    assert named.n_anchors.tolist() == [10] * 4
    assert named.best(-1, 26) == plain.best(0, 3)
    assert named.best(5, 3) == plain.best(2, 1)
    for row, other in zip(named.records(), plain.records(), strict=True):
        assert (row["from"], row["to"]) == (names[other["from"]], names[other["to"]])
    with pytest.raises(ValueError, match="class 0 is not known: use one of -1, 3, 5, 26"):
        named.best(0, 26)


def test_anchors_of_a_class_that_the_reader_never_saw_do_not_count():
    images, reader = grey(), NearestGrey()
    labels = np.where(images.labels == 3, 7, images.labels)
    found = read_traversals(Lamp(), reader, Lamp().transform(images.X[:40]), labels[:40], np.ones((9, 2)))
    assert found.n_anchors.tolist() == [10, 10, 10, 0]


def test_a_reading_must_be_sure_and_stable():
    images, reader = grey(), NearestGrey()
    # A range that ends just where the next class begins: a single position is read as that class.
    spread = np.column_stack([np.linspace(0, 62, 400), np.zeros(400)])
    anchors = images.labels[:40] == 0
    found = read_traversals(
        Lamp(), reader, Lamp().transform(images.X[:40][anchors]), images.labels[:40][anchors], spread
    )
    positions = np.linspace(*np.quantile(spread[:, 0], [0.01, 0.99]), 11)
    assert (positions > 50).sum() == 2
    assert found.share[0, 1, 0, 1] == 1
    shorter = np.column_stack([np.linspace(0, 53, 400), np.zeros(400)])
    assert (np.linspace(*np.quantile(shorter[:, 0], [0.01, 0.99]), 11) > 50).sum() == 1
    found = read_traversals(
        Lamp(), reader, Lamp().transform(images.X[:40][anchors]), images.labels[:40][anchors], shorter
    )
    assert found.share[0, 1, 0, 1] == 0


def test_a_reader_is_fitted_to_real_images():
    images, labels = load_digits()
    reader = Reader(images[:1200], labels[:1200])
    assert reader.accuracy(images[1200:], labels[1200:]) > 0.85
    np.testing.assert_allclose(reader.probabilities(images[:5] + 1000.0), reader.probabilities(0 * images[:5] + 255))


class Half(NearestGrey):
    """Is 70 % sure of what it reads above the darkest class's grey."""

    def probabilities(self, images):
        sure = super().probabilities(images)
        return np.where((np.asarray(images).mean(axis=(1, 2)) > 40)[:, None], np.minimum(sure, 0.7), sure)


def test_seven_in_ten_is_not_sure():
    images = grey()
    spread = np.column_stack([np.linspace(-25, 265, 400), np.zeros(400)])
    found = read_traversals(Lamp(), Half(), Lamp().transform(images.X[:40]), images.labels[:40], spread)
    assert found.n_anchors.tolist() == [10, 0, 0, 0]
    assert not found.share.any()
    np.testing.assert_allclose(found.approach[0, 1, 0], [0, 0.7, 0.7, 0.7])


class Veil:
    """Two components: the first is the grey level, the second keeps it from rising."""

    def inverse_transform(self, latents):
        return np.minimum(latents[:, 0], latents[:, 1])[:, None, None] * np.ones((1, 5, 5))


def test_the_approach_is_the_mean_over_anchors():
    anchors = np.array([[0.0, 300.0]] * 3 + [[0.0, 20.0]])
    spread = np.column_stack([np.linspace(0, 100, 400), np.linspace(0, 20, 400)])
    found = read_traversals(Veil(), NearestGrey(), anchors, np.zeros(4, dtype=int), spread)
    assert found.share[0, 1, 0, 1] == 0.75
    np.testing.assert_allclose(found.approach[0, 1, 0, 1], (3 * 0.97 + 0.01) / 4)


def test_anchors_that_are_not_read_rightly_do_not_count():
    images, reader = grey(), NearestGrey()
    found = read_traversals(
        Lamp(), reader, Lamp().transform(images.X[:40]), (images.labels[:40] + 1) % 4, np.ones((9, 2))
    )
    assert found.n_anchors.tolist() == [0] * 4
    assert not found.share.any()


def test_the_configuration_is_complete_beforehand():
    study = digits(n_components=3, seeds=[5], training=QUICK)
    assert tuple(study.methods) == DIGIT_METHODS
    assert study.methods["dica"].training == QUICK
    assert len(study.images) == 1797
    assert len(digits(n_samples=200).images) == 200
    with pytest.raises(ValueError, match="method 'tsne' is unknown"):
        digits(methods=["tsne"])


def few(n, classes=2):
    """So many images of 3 by 40 pixels."""
    X = np.random.default_rng(0).integers(0, 256, size=(n, 3, 40)).astype(np.uint8)
    return LabelledImages(X, np.arange(n) % classes + 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_samples": 3}, "the 3 images to fit are of 1 class: give images of at least 2"),
        ({"images": few(5)}, "class 5 has 2 of the 5 images to fit: give at least 10 of each class"),
        ({"images": few(5, classes=1)}, "the 5 images to fit are of 1 class: give images of at least 2"),
        ({"n_components": 100}, "n_components=100 exceeds the 64 pixels of an image: use at most 64"),
        ({"images": few(50), "n_components": 50}, "n_components=50 exceeds the 45 images to fit: use at most 45"),
        ({"n_components": 0}, "n_components=0 is out of range: use at least 1"),
    ],
)
def test_what_cannot_be_studied_is_refused_beforehand(arguments, words):
    with pytest.raises(ValueError, match=words):
        digits(**arguments)


def test_some_of_many_images_are_drawn_from_all_classes():
    images = load_digits()
    order = np.argsort(images.labels, kind="stable")
    study = digits(LabelledImages(images.X[order], images.labels[order]), 3, n_samples=400)
    assert np.bincount(study.images.labels).min() > 20
    again = digits(LabelledImages(images.X[order], images.labels[order]), 3, n_samples=400)
    np.testing.assert_array_equal(study.images.X, again.images.X)


def test_the_best_component_turns_most_anchors_and_only_then_comes_nearest():
    share, approach = np.zeros((2, 3, 2, 2, 2))
    approach[0, 0, 0, 1] = 0.9
    share[1, 1, 0, 1], approach[1, 1, 0, 1] = 0.1, 0.2
    found = Transformations(share, approach, np.array([5, 5]), np.array([3, 9]))
    assert found.best(3, 9) == (0.1, 0.2, 1, "up")
    share[:] = 0
    assert found.best(3, 9) == (0.0, 0.9, 0, "down")


@pytest.mark.parametrize("network", [Dense((512, 512)), Convolutional()])
def test_the_page_stays_light_at_the_size_of_mnist(tmp_path, network):
    labels = np.arange(600) % 10
    X = np.random.default_rng(0).integers(0, 255, (600, 28, 28)).astype(np.uint8)
    study = digits(LabelledImages(X, labels), 10, seeds=[0], network=network, training=Training(max_steps=2))
    reproduce_digits(study, tmp_path, verbose=0)
    assert (tmp_path / "report.html").stat().st_size < 8e6


def test_ten_of_each_class_are_enough(tmp_path):
    X, labels = few(22)
    labels[np.random.default_rng(0).permutation(22)] = [4, 5] * 11
    study = digits(LabelledImages(X, labels), 20, methods=["pca"], seeds=[0])
    assert "pca" in reproduce_digits(study, tmp_path)
    with pytest.raises(ValueError, match="class 5 has 9 of the 19 images to fit: give at least 10"):
        Reader(X[:19], np.array([4, 5] * 9 + [4]))


class Average(BaseEstimator):
    """Two components by two pixels, mixed in another way for each seed, and the average image back."""

    fitted: ClassVar[list[np.ndarray]] = []

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X):
        self.fitted.append(X)
        self.average_ = X.mean(axis=0)
        return self

    def transform(self, X):
        pixels = X.reshape(len(X), -1)[:, :2].astype(float)
        return np.column_stack([pixels[:, 0], pixels[:, 1] + self.random_state * pixels[:, 0]])

    def inverse_transform(self, latents):
        return np.broadcast_to(self.average_, (len(latents), *self.average_.shape))


@pytest.fixture
def averaged(tmp_path, monkeypatch):
    """The experiment with the model above at three seeds, and all that went into its parts."""
    X = np.random.default_rng(1).integers(50, 200, size=(200, 5, 5)).astype(np.uint8)
    study = DigitStudy(LabelledImages(X, np.arange(200) % 4), {"average": Average()}, (0, 1, 2))
    seen = SimpleNamespace(fitted=[], anchors=[], X=X, folder=tmp_path)
    monkeypatch.setattr(Average, "fitted", seen.fitted)

    def reader(images, labels):
        seen.read = images
        made = NearestGrey()
        made.accuracy = lambda images, labels: setattr(seen, "judged", images) or 0.5
        return made

    def traversals(model, reader, start, labels, latents):
        seen.anchors.append(start)
        seen.ranges = latents
        return read_traversals(model, reader, start, labels, latents)

    module = sys.modules[reproduce_digits.__module__]  # a function has its name
    monkeypatch.setattr(module, "Reader", reader)
    monkeypatch.setattr(module, "read_traversals", traversals)
    reproduce_digits(study, tmp_path, verbose=0)
    return seen


def rows_of(images):
    return {image.tobytes() for image in images}


def test_what_is_held_out_is_fitted_by_nobody(averaged):
    held_out = rows_of(averaged.judged)
    assert len(held_out) == 20
    for fitted in (*averaged.fitted, averaged.read):
        assert rows_of(fitted) == rows_of(averaged.X) - held_out
    assert len(averaged.fitted) == 3
    # The first component at seed 0 is a pixel, by which anchors are known.
    unseen, start = (Average(0).transform(averaged.judged), averaged.anchors[0])
    assert set(map(tuple, start)) == set(map(tuple, unseen))
    np.testing.assert_array_equal(averaged.ranges, Average(2).transform(averaged.fitted[0]))


def test_the_average_image_explains_nothing(averaged):
    with (averaged.folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    np.testing.assert_allclose([float(row["unexplained"]) for row in rows], 1.0)
    assert {row["n_samples"] for row in rows} == {"180"}


def test_turns_are_pairs_of_classes_of_which_half_of_the_anchors_turn():
    module = sys.modules[reproduce_digits.__module__]
    share = np.zeros((2, 2, 3, 3))
    share[0, 1, 0, 1], share[1, 0, 0, 1] = 0.5, 0.9  # one pair, whichever component
    share[1, 1, 2, 0], share[0, 0, 1, 2] = 0.5, 0.49
    found = Transformations(share, share, np.full(3, 10), np.arange(3))
    images = LIGHT[:3] + 1.0
    row = module._row("method", 0, images, images, images, found, {"0 to 1": (0, 1)}, 1.0)
    assert row["turns"] == 2
    assert (row["0 to 1"], row["0 to 1 by"]) == (0.9, "1 down")


def test_starts_of_the_sliders_are_called_by_their_class(tmp_path):
    images = load_digits()
    study = digits(images, 3, methods=["autoencoder"], seeds=[0], n_samples=500, training=QUICK)
    reproduce_digits(study, tmp_path, verbose=0)
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', (tmp_path / "report.html").read_text())
    payload = json.loads(text)
    assert len(set(payload["anchor_names"])) == 10
    size = 64
    originals = np.frombuffer(base64.b64decode(payload["originals"]), np.uint8).reshape(-1, size)
    low, high = value_range(study.images.X)
    levels = grey_levels(study.images.X, low, high).reshape(-1, size)
    for name, own in zip(payload["anchor_names"], originals, strict=True):
        (there, *_) = np.flatnonzero((levels == own).all(axis=1))
        assert name == f"a {study.images.labels[there]}"


def test_agreement_is_the_mean_over_pairs_of_seeds(averaged):
    found = [Average(seed).transform(averaged.judged) for seed in range(3)]
    pairs = [mean_correlation_coefficient(found[a], found[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert max(pairs) - min(pairs) > 0.05
    header, _, line = (averaged.folder / "summary.md").read_text().splitlines()
    summary = dict(zip(header.split(" | "), line.split(" | "), strict=True))
    assert summary["agreement"] == f"{np.mean(pairs):.3f}"


def test_everything_is_written(tmp_path, capsys):
    study = digits(n_components=3, n_samples=500, training=QUICK)
    summary = reproduce_digits(study, tmp_path)
    assert capsys.readouterr().err.count("3 to 9") == 8
    assert all(name in summary for name in DIGIT_METHODS)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["seed"]) for row in rows] == [(m, s) for s in "01" for m in DIGIT_METHODS]
    assert {row["n_features"] for row in rows} == {"64"}
    assert all(0 < float(row["unexplained"]) < 1 for row in rows)
    page = (tmp_path / "report.html").read_text()
    assert "Most frequent transformations" in page
    assert page.count('class="explorer"') == 3
    assert page.count('<div class="traversal">') == page.count('<img class="influence"') == 3 * len(DIGIT_METHODS)
    assert len(page) < 8e6
    assert "| agreement |" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "transformations.csv").is_file()


@pytest.mark.parametrize(
    ("classes", "names", "claims"),
    [
        ((0, 1, 2), (1, 3, 5), ()),
        ((0, 1, 2), (-1, 0, 6), ("0 to 6",)),
        ((0, 1, 2, 3, 4, 5, 6, 8, 9), (0, 1, 2, 3, 4, 5, 6, 8, 9), ("3 to 9", "0 to 6")),
    ],
    ids=["odd", "below-zero", "without-7"],
)
def test_any_classes_are_read(tmp_path, capsys, monkeypatch, classes, names, claims):
    monkeypatch.setattr("identica.experiments.reading.CONFIDENT", 0.2)  # of a quick fit's blurred images it never is
    X, labels = load_digits()
    here = np.flatnonzero(np.isin(labels, classes))[:600]
    renamed = np.array(names)[np.searchsorted(classes, labels[here])]
    study = digits(LabelledImages(X[here], renamed), 3, methods=["autoencoder"], seeds=[0], training=QUICK)
    summary = reproduce_digits(study, tmp_path)
    shown = capsys.readouterr().err
    for claim in ("3 to 9", "0 to 6"):
        assert [claim in text for text in (summary, shown)] == [claim in claims] * 2
    with (tmp_path / "results.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert [key for key in row if " to " in key] == [f"{c}{what}" for c in claims for what in ("", " nearest", " by")]
    with (tmp_path / "transformations.csv").open() as file:
        turned = list(csv.DictReader(file))
    assert turned
    assert {int(row[end]) for row in turned for end in ("from", "to")} <= set(names)
    assert all(f"a {name}" in (tmp_path / "report.html").read_text() for name in names)


def test_the_command_reads_a_folder_and_images_can_be_traversed(tmp_path, capsys):
    images, labels = load_digits()
    np.savez(tmp_path / "some.npz", x=images[:300], y=labels[:300])
    words = ["reproduce", "digits", "--data", str(tmp_path), "-d", "2", "--methods", "pca", "--seeds", "1"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    assert "pca" in capsys.readouterr().out
    assert main(["reproduce", "digits", "--data", str(tmp_path / "none"), "--output", str(tmp_path / "o")]) == 2
    assert "is no folder, give the one that holds the images" in capsys.readouterr().err
    assert main([*words, "--output", str(tmp_path / "o"), "-n", "30"]) == 2
    message = capsys.readouterr().err
    assert "images to fit" in message
    assert message.count("\n") == 1
    assert not (tmp_path / "o").exists()
