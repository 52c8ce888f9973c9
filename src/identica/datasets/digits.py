"""MNIST and Fashion-MNIST, from a folder or downloaded, and scikit-learn's digits, which need neither."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from identica.arguments import check_choice
from identica.io.arrays import checked_array, open_npz
from identica.io.budget import Budget
from identica.io.errors import DataError
from identica.io.idx import read_idx

__all__ = ["MNIST_KINDS", "LabelledImages", "fetch_mnist", "load_digits", "read_mnist"]

_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_NAMES = (("x", "y"), ("images", "labels"))
URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{name}.gz",
}
MNIST_KINDS = tuple(URLS)
CHECKSUMS = {
    ("mnist", "train-images-idx3-ubyte"): "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    ("mnist", "train-labels-idx1-ubyte"): "md5:d53e105ee54ea40749a09fcbcd1e9432",
    ("mnist", "t10k-images-idx3-ubyte"): "md5:9fb629c4189551a2d022fa330f9573f3",
    ("mnist", "t10k-labels-idx1-ubyte"): "md5:ec29112dd5afa0611ce80d1b7f02629c",
    ("fashion-mnist", "train-images-idx3-ubyte"): "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    ("fashion-mnist", "train-labels-idx1-ubyte"): "md5:25c81989df183df01b3e8a0aad5dffbe",
    ("fashion-mnist", "t10k-images-idx3-ubyte"): "md5:bef4ecab320f06d8554ea6380940ec79",
    ("fashion-mnist", "t10k-labels-idx1-ubyte"): "md5:bb300cfdad3c16e7a12a480ee83cd310",
}


@final
@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and their classes.

    Parameters
    ----------
    X : ndarray of uint8 of shape (n_samples, height, width)
        Grey levels.
    labels : ndarray of int of shape (n_samples,)
        Classes; any integers.
    """

    X: NDArray[np.uint8]
    labels: NDArray[np.intp]

    def __post_init__(self) -> None:
        if self.X.ndim != 3 or self.labels.shape != (len(self.X),):
            raise ValueError(
                f"images of shape {self.X.shape} and labels of shape {self.labels.shape} do not belong together: give "
                "(n_samples, height, width) and (n_samples,)"
            )

    def __iter__(self) -> Iterator[Any]:
        """Unpack as ``X, labels``."""
        return iter((self.X, self.labels))

    def __len__(self) -> int:
        return len(self.X)


def load_digits() -> LabelledImages:
    """Return scikit-learn's 1,797 handwritten digits of 8 by 8 pixels, which come with it.

    Returns
    -------
    LabelledImages
        Grey levels from 0 to 255.

    References
    ----------
    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    return LabelledImages(np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.intp))


def read_mnist(folder: str | os.PathLike[str], subset: str = "train") -> LabelledImages:
    """Read MNIST, Fashion-MNIST or what has their form from a folder.

    Parameters
    ----------
    folder : str or path
        Holds the IDX files of that subset, plain or gzipped, or else one .npz file with the arrays x and y, or
        images and labels. Or that file itself.
    subset : {"train", "test"}, default="train"
        Which of the IDX files.

    Returns
    -------
    LabelledImages
        All of them.

    Raises
    ------
    ValueError
        If the subset is unknown.
    DataError
        If the files are missing, damaged, too large, or do not belong together.
    """
    check_choice("subset", subset, tuple(_FILES))
    folder = Path(folder)
    if folder.is_file() and folder.suffix == ".npz":
        return _read_archive(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder, give the one that holds the images")
    found = [next((p for p in (folder / f"{n}.gz", folder / n) if p.is_file()), None) for n in _FILES[subset]]
    if all(path is not None for path in found):
        images, labels = (read_idx(path) for path in found if path is not None)
        return _labelled(folder, images, labels)
    archives = sorted(folder.glob("*.npz"))
    if len(archives) == 1:
        return _read_archive(archives[0])
    raise DataError(
        f"{folder} holds neither {' and '.join(_FILES[subset])}, plain or as .gz, nor exactly one .npz file: give the "
        "folder with the images"
    )


def _read_archive(path: Path) -> LabelledImages:
    with open_npz(path) as arrays:
        names = next((names for names in _NAMES if set(names) <= set(arrays.files)), None)
        if names is None:
            held = f"the arrays {', '.join(arrays.files)}" if arrays.files else "no array"
            raise DataError(f"{path} holds {held}: name images and their classes x and y, or images and labels")
        images, labels = (checked_array(arrays, name, path, Budget.default()) for name in names)
    return _labelled(path, images, labels)


def _labelled(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> LabelledImages:
    if images.dtype != np.uint8 or labels.dtype.kind not in "iu":
        raise DataError(f"{path} holds images of {images.dtype} and labels of {labels.dtype}: both must be integers, "
                        "the images of one byte")  # fmt: skip
    try:
        return LabelledImages(images, labels.astype(np.intp))
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def fetch_mnist(
    kind: str = "mnist", subset: str = "train", data_home: str | os.PathLike[str] | None = None
) -> LabelledImages:
    """Download MNIST or Fashion-MNIST, once, and read it.

    MNIST's images are reported to be under CC BY-SA 3.0, Fashion-MNIST's are under the MIT licence.

    Parameters
    ----------
    kind : {"mnist", "fashion-mnist"}, default="mnist"
        Which.
    subset : {"train", "test"}, default="train"
        60,000 or 10,000 images.
    data_home : str or path, optional
        Folder that keeps the files, in one of the kind's own; the system's cache by default.

    Returns
    -------
    LabelledImages
        All of them.

    Raises
    ------
    ValueError
        If kind or subset is unknown, or a file that came is not the one that is known.
    OSError
        If the download fails.

    References
    ----------
    Y. LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86, 1998;
    H. Xiao et al., "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017,
    arXiv:1708.07747.
    """
    from identica.datasets.download import download

    check_choice("kind", kind, MNIST_KINDS)
    check_choice("subset", subset, tuple(_FILES))
    paths = [
        download(
            URLS[kind].format(name=name),
            CHECKSUMS[kind, name],
            f"{kind}/{name}.gz",
            data_home,
            "put a copy into a folder and call identica.datasets.read_mnist",
        )
        for name in _FILES[subset]
    ]
    return read_mnist(paths[0].parent, subset)
