"""MNIST's files: read plain or gzipped, downloaded once, refused where they are not what they say."""

import gzip
import hashlib
import http.server
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from reference import shared

from identica.datasets import digits, fetch_mnist, load_digits, read_mnist
from identica.io import DataError, read_table
from identica.io.idx import read_idx

IMAGES = np.random.default_rng(0).integers(0, 256, size=(7, 5, 4), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def idx(values, code=0x08):
    """An IDX file by its definition."""
    sides = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes([0, 0, code, values.ndim]) + sides + values.astype(values.dtype.newbyteorder(">")).tobytes()


def write_pair(folder, images=IMAGES, labels=LABELS, *, packed=False):
    for name, values in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        content = idx(values)
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize(
    ("dtype", "code"), [("u1", 8), ("i1", 9), ("i2", 0x0B), ("i4", 0x0C), ("f4", 0x0D), ("f8", 0x0E)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_is_read(tmp_path, dtype, code, packed):
    values = np.arange(-6, 6).reshape(2, 3, 2).astype(dtype)
    content = idx(values, code)
    (tmp_path / "x").write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(tmp_path / "x")
    assert read.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no IDX file: its first bytes are missing, where 00 00 and one of 08 09 0b 0c 0d 0e should be"),
        (
            b"\x01\x00\x08\x01" + bytes(8),
            "is no IDX file: its first bytes are 01 00 08 01, where .*; download it again",
        ),
        (b"\x00\x00\x07\x01" + bytes(8), "is no IDX file"),
        (b"\x00\x00\x08\x00", "says that it has 0 dimensions, and 1 to 4 are read: download it again"),
        (b"\x00\x00\x08\x05" + bytes(99), "says that it has 5 dimensions"),
        (b"\x00\x00\x09\x99" + bytes(999), "says that it has 153 dimensions"),
        (idx(IMAGES)[:10], "ends in the middle of its header"),
        (idx(IMAGES)[:-1], r"has 139 bytes of data where its header, which says \(7, 5, 4\), needs 140"),
        (idx(IMAGES) + b"\0", "has 141 bytes of data"),
        (b"\0\0\x08\x02" + b"\xff" * 4 + b"\0" * 4, r"has the shape \(4294967295, 0\), which holds nothing"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "is damaged or cannot be read"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, words):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_idx(tmp_path / "train-images-idx3-ubyte")
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_is_read(tmp_path, packed):
    write_pair(tmp_path, packed=packed)
    X, labels = read_mnist(tmp_path)
    np.testing.assert_array_equal(X, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert len(read_mnist(tmp_path)) == 7


def test_an_archive_is_read(tmp_path):
    np.savez(tmp_path / "some.npz", x=IMAGES, y=LABELS)
    np.testing.assert_array_equal(read_mnist(tmp_path).X, IMAGES)
    np.savez(tmp_path / "some.npz", pixels=IMAGES)
    with pytest.raises(DataError, match="holds the arrays pixels: name images and their classes x and y"):
        read_mnist(tmp_path)
    np.savez(tmp_path / "some.npz")
    with pytest.raises(DataError, match="holds no array: name images"):
        read_mnist(tmp_path)


def test_damaged_archives_are_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, x=IMAGES, y=LABELS)
    whole = path.read_bytes()
    flipped = whole[:200] + bytes([whole[200] ^ 0xFF]) + whole[201:]
    for content, words in (
        (b"nothing", "is not a .npz file or is damaged"),
        (whole[: len(whole) // 2], "is not a .npz file or is damaged"),
        (flipped, "is damaged: Bad CRC-32"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            read_mnist(tmp_path)
    np.savez(path, x=IMAGES.astype(object), y=LABELS)
    with pytest.raises(DataError, match="holds pickled Python objects, which are never loaded"):
        read_mnist(tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "hello")
        archive.writestr("y", "hello")
    with pytest.raises(DataError, match="its member x is not an array"):
        read_mnist(tmp_path)


def test_archives_whose_lengths_differ_are_not_said_to_be_damaged(tmp_path):
    np.savez(tmp_path / "some.npz", x=IMAGES, y=LABELS[:-1])
    words = r"some\.npz: images of shape \(7, 5, 4\) and labels of shape \(6,\) do not belong together: give"
    with pytest.raises(DataError, match=words) as caught:
        read_mnist(tmp_path)
    assert "damaged" not in str(caught.value)


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        read_mnist(tmp_path / "none")
    with pytest.raises(DataError, match="holds neither train-images-idx3-ubyte and train-labels-idx1-ubyte"):
        read_mnist(tmp_path)
    with pytest.raises(ValueError, match="subset='all' is not known"):
        read_mnist(tmp_path, "all")
    write_pair(tmp_path, labels=LABELS[:-1])
    with pytest.raises(DataError, match="do not belong together"):
        read_mnist(tmp_path)
    np.savez(tmp_path / "a.npz", x=IMAGES.astype(float), y=LABELS)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="holds images of float64"):
        read_mnist(tmp_path)


def test_an_idx_file_is_a_table_of_images(tmp_path):
    write_pair(tmp_path, packed=True)
    table = read_table(tmp_path / "train-images-idx3-ubyte.gz")
    assert (table.shape, table.sample_shape, table.values.dtype) == ((7, 20), (5, 4), np.float32)
    np.testing.assert_array_equal(table.named(), IMAGES)
    np.testing.assert_array_equal(table.rows(np.array([2, 5])), IMAGES[[2, 5]])


def test_scikit_learns_digits():
    X, labels = load_digits()
    assert (X.shape, X.dtype, X.max()) == ((1797, 8, 8), np.uint8, 255)
    assert set(labels) == set(range(10))


@pytest.fixture
def server(monkeypatch, tmp_path):
    """Serve both files from this very process, and count what is asked for."""
    source = tmp_path / "source"
    source.mkdir()
    write_pair(source, packed=True)
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((source / self.path[1:]).read_bytes())

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setitem(digits.URLS, "mnist", f"http://127.0.0.1:{running.server_port}/{{name}}.gz")
        for path in source.iterdir():
            known = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
            monkeypatch.setitem(digits.CHECKSUMS, ("mnist", path.stem), known)
        yield asked
        running.shutdown()


def test_downloads_once_and_reads(server, tmp_path):
    for _ in range(2):
        np.testing.assert_array_equal(fetch_mnist(data_home=tmp_path / "cache").X, IMAGES)
    assert sorted(server) == ["/train-images-idx3-ubyte.gz", "/train-labels-idx1-ubyte.gz"]


def test_another_file_than_the_known_one_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setitem(digits.CHECKSUMS, ("mnist", "train-labels-idx1-ubyte"), "md5:" + "0" * 32)
    with pytest.raises(ValueError, match="gives another file than the version that is known"):
        fetch_mnist(data_home=tmp_path / "cache")


def test_offline_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setitem(digits.URLS, "fashion-mnist", "http://127.0.0.1:9/{name}")
    with pytest.raises(OSError, match=r"cannot be downloaded .*call identica\.datasets\.read_mnist"):
        fetch_mnist("fashion-mnist", data_home=tmp_path)


@pytest.mark.parametrize("arguments", [("letters",), ("mnist", "validation")])
def test_unknown_data_are_refused(arguments):
    with pytest.raises(ValueError, match="is not known: use one of"):
        fetch_mnist(*arguments)


def test_real_mnist_is_read():
    X, labels = read_mnist(shared("data/mnist/mnist10k.npz").parent)
    assert X.shape == (10_000, 28, 28)
    assert np.bincount(labels).min() > 800


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_real_fashion_mnist_is_read():
    for subset, count in (("train", 60_000), ("test", 10_000)):
        X, labels = read_mnist(DEBIAN, subset)
        assert X.shape == (count, 28, 28)
        np.testing.assert_array_equal(np.bincount(labels), count // 10)
