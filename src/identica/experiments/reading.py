"""What a classifier of real images reads in traversals: which class turns into which as one component moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from identica.estimators.traversal import Decodes, component_ranges, traverse

__all__ = ["Reader", "Transformations", "check_classes", "read_traversals"]

N_STEPS = 11
CONFIDENT = 0.9
"""Probability from which a reading counts."""
STABLE = 2
"""Neighbouring positions that must be read alike."""
LEAST_OF_A_CLASS = 10
"""Images; of fewer the perceptron could not set some of each class aside, to know when to stop."""
DIRECTIONS = ("down", "up")


def check_classes(labels: NDArray[np.intp]) -> None:
    """Make sure, before any long work, that images are enough to learn their classes from.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Their classes.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or few images of one.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"the {len(labels)} images to fit are of {len(classes)} class: give images of at least 2")
    rarest = counts.argmin()
    if counts[rarest] < LEAST_OF_A_CLASS:
        raise ValueError(
            f"class {classes[rarest]} has {counts[rarest]} of the {len(labels)} images to fit: give at least "
            f"{LEAST_OF_A_CLASS} of each class, or leave that one out"
        )


@final
class Reader:
    """A multilayer perceptron that tells the class of an image, fitted to real ones.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width)
        Real images.
    labels : ndarray of int of shape (n_samples,)
        Their classes.
    seed : int
        Of its weights.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or few images of one.
    """

    def __init__(self, images: NDArray[Any], labels: NDArray[np.intp], seed: int = 0) -> None:
        check_classes(labels)
        self.scale = max(float(np.max(images)), 1e-12)
        self.model = MLPClassifier((200,), early_stopping=True, n_iter_no_change=5, random_state=seed)
        self.model.fit(self._rows(images), labels)

    @property
    def classes(self) -> NDArray[np.intp]:
        """The classes that it was fitted to, in the order of its probabilities."""
        return np.asarray(self.model.classes_)

    def probabilities(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Return how sure it is of each class.

        Parameters
        ----------
        images : ndarray of shape (n_samples, height, width)
            Real or decoded images; what lies outside the range of real ones is cut off.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities.
        """
        return np.asarray(self.model.predict_proba(self._rows(images)))

    def accuracy(self, images: NDArray[Any], labels: NDArray[np.intp]) -> float:
        """Return the share of images that it reads rightly.

        Parameters
        ----------
        images : ndarray of shape (n_samples, height, width)
            Images that it was not fitted to.
        labels : ndarray of int of shape (n_samples,)
            Their classes.

        Returns
        -------
        float
            In [0, 1].
        """
        return float(np.mean(self.classes[self.probabilities(images).argmax(axis=1)] == labels))

    def _rows(self, images: NDArray[Any]) -> NDArray[np.float64]:
        return np.clip(np.asarray(images, dtype=np.float64).reshape(len(images), -1) / self.scale, 0, 1)


@final
@dataclass(frozen=True, eq=False)
class Transformations:
    """How often each class turns into each other one.

    Parameters
    ----------
    share : ndarray of shape (n_components, 2, n_classes, n_classes)
        Of the anchors of a class (third axis) whose own reconstruction is read rightly and surely, the share that is
        read surely and stably as another (fourth axis) somewhere on the way down or up (second axis).
    approach : ndarray of shape (n_components, 2, n_classes, n_classes)
        How near the others come: of the same anchors, the mean of the largest probability that is read stably for the
        other class on the way.
    n_anchors : ndarray of int of shape (n_classes,)
        Anchors of each class that are read so.
    classes : ndarray of int of shape (n_classes,)
        What the classes are called, in the order of the axes.
    """

    share: NDArray[np.float64]
    approach: NDArray[np.float64]
    n_anchors: NDArray[np.intp]
    classes: NDArray[np.intp]

    def best(self, start: int, end: int) -> tuple[float, float, int, str]:
        """Return where one class turns into another most often, or where it does nowhere, comes nearest.

        Parameters
        ----------
        start, end : int
            Two of the classes.

        Returns
        -------
        share : float
            Of the anchors.
        approach : float
            Mean of the largest probability on their way.
        component : int
            Which component moves.
        direction : {"down", "up"}
            Where to.

        Raises
        ------
        ValueError
            If one of them is none of the classes.
        """
        for given in (start, end):
            if given not in self.classes:
                raise ValueError(f"class {given} is not known: use one of {', '.join(map(str, self.classes))}")
        here, there = np.searchsorted(self.classes, (start, end))
        share, approach = self.share[:, :, here, there], self.approach[:, :, here, there]
        order = np.lexsort((approach.ravel(), share.ravel()))
        component, direction = (int(i) for i in np.unravel_index(order[-1], share.shape))
        return (
            float(share[component, direction]),
            float(approach[component, direction]),
            component,
            DIRECTIONS[direction],
        )

    def records(self, least: float = 0.0) -> list[dict[str, Any]]:
        """Give every share above a bound as a row.

        Parameters
        ----------
        least : float, default=0.0
            Shares up to this are left out.

        Returns
        -------
        list of dict
            With component, direction, from, to, share, approach and n_anchors; from and to are classes.
        """
        found = np.argwhere(self.share > least)
        return [
            {
                "component": int(j),
                "direction": DIRECTIONS[side],
                "from": int(self.classes[a]),
                "to": int(self.classes[b]),
                "share": float(self.share[j, side, a, b]),
                "approach": float(self.approach[j, side, a, b]),
                "n_anchors": int(self.n_anchors[a]),
            }
            for j, side, a, b in found
        ]


def read_traversals(
    model: Decodes, reader: Reader, start: NDArray[Any], labels: NDArray[np.intp], latents: NDArray[Any]
) -> Transformations:
    """Move each component of each anchor through its range and read what is decoded.

    Parameters
    ----------
    model : fitted estimator
        Has ``inverse_transform``.
    reader : Reader
        Fitted to real images.
    start : ndarray of shape (n_anchors, n_components)
        Components of real images to start from.
    labels : ndarray of int of shape (n_anchors,)
        Their classes.
    latents : ndarray of shape (n_samples, n_components)
        Components of the data, which say how far to go.

    Returns
    -------
    Transformations
        The shares.
    """
    n_classes = len(reader.classes)
    own = reader.probabilities(model.inverse_transform(start))
    is_of = labels[:, None] == reader.classes
    known = (is_of & (own >= CONFIDENT)).any(axis=1)
    start, is_of = start[known], is_of[known]
    n_components = start.shape[1]
    share, approach = np.zeros((2, n_components, 2, n_classes, n_classes))
    counts = is_of.sum(axis=0)
    if len(start):
        moved = traverse(model, start, component_ranges(latents), N_STEPS)
        flat = moved.values.reshape(-1, *moved.values.shape[3:])
        read = reader.probabilities(flat).reshape(*moved.values.shape[:3], n_classes)
        up = moved.positions[None] > start[:, :, None]
        for side, there in enumerate((~up, up)):
            on_the_way = np.where(there[..., None], read, 0.0)
            # What is read at all of a few neighbouring positions is the least of them.
            stable = np.min([on_the_way[:, :, i : N_STEPS - STABLE + 1 + i] for i in range(STABLE)], axis=0)
            most = stable.max(axis=2)
            for a in range(n_classes):
                if counts[a]:
                    mine = most[is_of[:, a]]
                    share[:, side, a], approach[:, side, a] = (mine >= CONFIDENT).mean(axis=0), mine.mean(axis=0)
        for shares in (share, approach):
            shares[:, :, np.arange(n_classes), np.arange(n_classes)] = 0.0
    return Transformations(share, approach, counts, reader.classes)
