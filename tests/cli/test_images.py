"""Images on the command line: fitted as they are, and traversed."""

import errno
import gzip
import json
import os
import re
import struct

import numpy as np
import pytest
from cli_cases import QUICK
from PIL import Image

from identica import PolytopicFactorization, load
from identica.cli import main
from identica.datasets import make_sprites
from identica.estimators.traversal import component_ranges, traverse

pytestmark = pytest.mark.filterwarnings("ignore:the 32 restarts of the alignment")
IMAGES = (255 * make_sprites(80, size=9, random_state=0).X).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images as an IDX file and as an array, and a convolutional model of them."""
    folder = tmp_path_factory.mktemp("images")
    content = bytes([0, 0, 8, 3]) + struct.pack(">3I", *IMAGES.shape) + IMAGES.tobytes()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    np.save(folder / "images.npy", IMAGES)
    configuration = {**json.loads(QUICK), "network": {"kind": "convolutional", "channels": [4], "hidden": 8}}
    (folder / "quick.json").write_text(json.dumps(configuration))
    words = ["fit", str(folder / "train-images-idx3-ubyte.gz"), "-d", "2", "--config", str(folder / "quick.json")]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder


def test_a_convolutional_model_is_fitted_to_an_idx_file(folder, tmp_path):
    model = load(folder / "out" / "model.safetensors")
    assert model.sample_shape_ == (9, 9)
    assert model.network.kind == "convolutional"
    latents = np.load(folder / "out" / "latents.npy")
    np.testing.assert_allclose(latents, model.transform(IMAGES), atol=1e-6)
    words = ["transform", str(folder / "out" / "model.safetensors"), str(folder / "images.npy")]
    assert main([*words, "--output", str(tmp_path / "again.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), latents)
    record = json.loads((folder / "out" / "run.json").read_text())
    assert record["configuration"]["network"]["kind"] == "convolutional"


def test_traversals_are_what_the_model_decodes(folder, tmp_path):
    model = load(folder / "out" / "model.safetensors")
    words = ["traverse", str(folder / "out" / "model.safetensors"), str(folder / "images.npy"), "--n-steps", "4"]
    assert main([*words, "--anchors", "3", "7", "--output", str(tmp_path / "t")]) == 0
    names = {"influence.png", *(f"traversal_{row}.{ending}" for row in (3, 7) for ending in ("png", "gif"))}
    assert {path.name for path in (tmp_path / "t").iterdir()} == names
    latents = model.transform(IMAGES)
    values = traverse(model, latents[[3, 7]], component_ranges(latents), 4).values
    low, high = np.quantile(IMAGES, [0.001, 0.999])
    enlarge = 64 // 9
    with Image.open(tmp_path / "t" / "traversal_7.png") as picture:
        pixels = np.asarray(picture)[::enlarge, ::enlarge]
    assert pixels.shape == (2 * 11 - 2, 4 * 11 - 2)
    for component, step in np.ndindex(2, 4):
        part = pixels[11 * component : 11 * component + 9, 11 * step : 11 * step + 9]
        expected = 255 * np.clip((values[1, component, step] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(part, expected, atol=0.51)
    with Image.open(tmp_path / "t" / "traversal_3.gif") as film:
        assert film.n_frames == 6  # forth and back
        for frame, step in enumerate((0, 1, 2, 3, 2, 1)):
            film.seek(frame)
            shown = np.asarray(film.convert("L"))[::enlarge, ::enlarge]
            for component in (0, 1):  # side by side
                expected = 255 * np.clip((values[0, component, step] - low) / (high - low), 0, 1)
                np.testing.assert_allclose(shown[:, 11 * component :][:, :9], expected, atol=0.51)
    with Image.open(tmp_path / "t" / "influence.png") as picture:
        shown = np.asarray(picture)[::enlarge, ::enlarge]
    for component in (0, 1):
        expected = 255 * model.influence_[:, component] / model.influence_[:, component].max()
        np.testing.assert_allclose(shown[:, 11 * component :][:, :9].ravel(), expected, atol=0.51)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--anchors", "80"], "anchors 80: give rows of"),
        (["--anchors", "-1"], "anchors -1: give rows of"),
        (["--anchors", *map(str, range(80)), *map(str, range(80, 101))], "anchors names 101 rows: give at most 100"),
        (["--n-steps", "1"], "n_steps=1 is out of range: use from 2 to 1000"),
        (["--n-steps", "100000"], "n_steps=100000 is out of range: use from 2 to 1000"),
        (["--output", "@"], "cannot be"),
    ],
)
def test_impossible_traversals_are_refused(folder, tmp_path, capsys, change, complaint):
    (tmp_path / "@").write_text("a file")
    change = [str(tmp_path / word) if word == "@" else word for word in change]
    words = ["traverse", str(folder / "out" / "model.safetensors"), str(folder / "images.npy")]
    assert main([*words, "--output", str(tmp_path / "t"), *change]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert complaint in message or "directory" in message
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("shape", [(4, 12), (1, 30), (6, 5, 2), (6, 5, 3), (6, 5, 4)])
def test_images_of_any_sides_and_channels_are_drawn(tmp_path, shape):
    generator = np.random.default_rng(0)
    latents, axes = generator.uniform(size=(60, 2)), generator.normal(size=(2, *shape))
    images = np.tensordot(latents, axes, 1).astype(">f4")
    header = bytes([0, 0, 0x0D, images.ndim]) + struct.pack(f">{images.ndim}I", *images.shape)
    data, model = tmp_path / f"some-idx{images.ndim}-float", tmp_path / "out" / "model.safetensors"
    data.write_bytes(header + images.tobytes())
    assert main(["fit", str(data), "-d", "2", "--method", "polytopic", "--output", str(tmp_path / "out")]) == 0
    fitted = load(model)
    assert fitted.sample_shape_ == shape
    np.testing.assert_allclose(fitted.reconstruct(images), images, atol=1e-4)
    assert main(["traverse", str(model), str(data), "--n-steps", "3", "--output", str(tmp_path / "t")]) == 0
    height, width = shape[:2]
    enlarge = 64 // max(height, width)
    with Image.open(tmp_path / "t" / "traversal_0.png") as picture:
        assert picture.mode == ("RGB" if shape == (6, 5, 3) else "L")
        assert picture.size == (enlarge * (3 * (width + 2) - 2), enlarge * (2 * (height + 2) - 2))
        drawn = np.asarray(picture).reshape(*picture.size[::-1], -1)
    values = traverse(fitted, fitted.transform(images[:1]), component_ranges(fitted.transform(images)), 3).values[
        0, 1, 2
    ]
    # Three channels are colours; of any other number the first is shown.
    values = values if shape == (6, 5, 3) else values.reshape(height, width, -1)[..., :1]
    last = drawn[enlarge * (height + 2) :, enlarge * 2 * (width + 2) :][::enlarge, ::enlarge]
    low, high = np.quantile(images, [0.001, 0.999])
    np.testing.assert_allclose(last, 255 * np.clip((values - low) / (high - low), 0, 1), atol=0.51)
    with Image.open(tmp_path / "t" / "traversal_0.gif") as film:
        assert film.size == (enlarge * (2 * (width + 2) - 2), enlarge * height)


def test_a_page_written_again_keeps_black_and_white(folder):
    before = (folder / "out" / "report.html").read_text()
    low, high = np.quantile(IMAGES, [0.001, 0.999])
    assert main(["report", str(folder / "out")]) == 0
    for page in (before, (folder / "out" / "report.html").read_text()):
        (text,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
        payload = json.loads(text)
        assert (payload["low"], payload["high"]) == pytest.approx((low, high))


def test_an_anchor_named_twice_is_drawn_once(folder, tmp_path, capsys):
    words = ["traverse", str(folder / "out" / "model.safetensors"), str(folder / "images.npy"), "--n-steps", "2"]
    assert main([*words, "--anchors", "3", "3", "--output", str(tmp_path / "t")]) == 0
    assert capsys.readouterr().out == f"3 pictures are in {tmp_path / 't'}\n"
    assert main([*words, "--anchors", "5", "3", "5", "--output", str(tmp_path / "t")]) == 0
    assert "5 pictures" in capsys.readouterr().out


@pytest.mark.parametrize("fails_at", range(5))
def test_pictures_are_written_together_or_not_at_all(folder, tmp_path, monkeypatch, capsys, fails_at):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "influence.png").write_text("old")
    synced = []

    def full_disk(descriptor):
        if len(synced) == fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced.append(descriptor)

    monkeypatch.setattr(os, "fsync", full_disk)
    words = ["traverse", str(folder / "out" / "model.safetensors"), str(folder / "images.npy"), "--n-steps", "2"]
    assert main([*words, "--anchors", "0", "1", "--output", str(tmp_path / "t")]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()} == {"influence.png": b"old"}


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (
            IMAGES.reshape(80, 3, 27),
            "holds images of 3 x 27 and the model was fitted on images of 9 x 9, give the same",
        ),
        (IMAGES[:, :5], "holds images of 5 x 9 and the model was fitted on images of 9 x 9, give the same"),
        (IMAGES[..., None], "holds images of 9 x 9 x 1 and the model was fitted on images of 9 x 9, give the same"),
        (
            IMAGES.reshape(80, -1)[:, :40],
            "has 40 features and the model was fitted on 81, the pixels of images of 9 x 9, give the same features",
        ),
    ],
)
@pytest.mark.parametrize("command", ["transform", "traverse"])
def test_images_of_another_shape_are_refused(folder, tmp_path, capsys, command, images, complaint):
    np.save(tmp_path / "other.npy", images)
    words = [command, str(folder / "out" / "model.safetensors"), str(tmp_path / "other.npy")]
    assert main([*words, "--output", str(tmp_path / "out.npy")]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out.npy").exists()


def test_rows_of_pixels_serve_a_model_of_images(folder, tmp_path):
    np.save(tmp_path / "rows.npy", IMAGES.reshape(80, -1))
    words = [str(folder / "out" / "model.safetensors"), str(tmp_path / "rows.npy"), "--output"]
    assert main(["transform", *words, str(tmp_path / "latents.npy")]) == 0
    latents = np.load(folder / "out" / "latents.npy")
    np.testing.assert_allclose(np.load(tmp_path / "latents.npy"), latents, atol=1e-5)
    assert main(["traverse", *words, str(tmp_path / "t"), "--n-steps", "2"]) == 0
    with Image.open(tmp_path / "t" / "traversal_0.png") as picture:
        assert picture.size == (7 * 20, 7 * 20)


def test_a_model_of_a_table_takes_no_images(folder, tmp_path, capsys):
    model = PolytopicFactorization(2, standardize=False, random_state=0).fit(IMAGES.reshape(80, -1).astype(float))
    model.save(tmp_path / "model.safetensors")
    words = ["transform", str(tmp_path / "model.safetensors"), str(folder / "images.npy")]
    assert main([*words, "--output", str(tmp_path / "latents.npy")]) == 2
    assert "holds images of 9 x 9 and the model was fitted on rows of 81 features" in capsys.readouterr().err


def test_a_model_of_a_table_is_not_drawn(folder, tmp_path, capsys):
    np.save(tmp_path / "table.npy", IMAGES.reshape(80, -1)[:, 20:60].astype(float))
    words = ["fit", str(tmp_path / "table.npy"), "-d", "2", "--config", str(folder / "quick.json")]
    (tmp_path / "quick.json").write_text(QUICK)
    words[-1] = str(tmp_path / "quick.json")
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert main(["traverse", str(tmp_path / "out" / "model.safetensors"), str(tmp_path / "table.npy")]) == 2
    assert "was fitted on a table, and images are drawn here" in capsys.readouterr().err


def test_images_are_no_components_to_score(folder, tmp_path, capsys):
    words = ["score", str(folder / "out" / "latents.npy"), str(folder / "images.npy"), "--output", str(tmp_path / "s")]
    assert main(words) == 2
    assert "holds images, and components are a table" in capsys.readouterr().err
