"""Jacobians whose diverse influence is known, that several tests share."""

import itertools

import numpy as np
from scipy.spatial import ConvexHull


def k_sign(d, k):
    """All k-subsets of d entries with all signs, each entry +-1/k."""
    rows = []
    for chosen in itertools.combinations(range(d), k):
        for signs in itertools.product((-1.0, 1.0), repeat=k):
            row = np.zeros(d)
            row[list(chosen)] = np.array(signs) / k
            rows.append(row)
    return np.array(rows)


def signed_permutations(entries):
    """All orders of some numbers with all signs."""
    rows = {
        tuple(np.array(order) * signs)
        for order in itertools.permutations(entries)
        for signs in itertools.product((-1.0, 1.0), repeat=len(entries))
    }
    return np.array(sorted(rows))


def on_sphere(generator, m, d):
    """Dense rows of L1 norm 1."""
    rows = generator.standard_normal((m, d))
    return rows / np.abs(rows).sum(axis=1, keepdims=True)


def two_sparse(generator, m, d):
    """Rows of L1 norm 1 with two nonzeros."""
    rows = np.zeros((m, d))
    for row in rows:
        chosen = generator.choice(d, 2, replace=False)
        share = generator.uniform()
        row[chosen] = generator.choice([-1.0, 1.0], 2) * (share, 1 - share)
    return rows


def rotated_box(d, degrees):
    """Rows whose polar is the hull of the box and of the box turned in its first plane, and the turn."""
    angle = np.radians(degrees)
    rotation = np.eye(d)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    box = np.array(list(itertools.product((-1.0, 1.0), repeat=d)))
    equations = ConvexHull(np.concatenate([box, box @ rotation.T])).equations
    return -equations[:, :-1] / equations[:, -1:], rotation


def small_instance(number):
    """One of many small Jacobians, d <= 4, of several families; None where a column is zero."""
    generator = np.random.default_rng(number)
    d = int(generator.integers(1, 5))
    m = int(generator.integers(1, 15))
    match number % 6:
        case 0:
            rows = generator.standard_normal((m, d))
        case 1:
            rows = generator.standard_normal((m, d)) * (generator.random((m, d)) < 0.5)
        case 2:
            rows = k_sign(d, int(generator.integers(1, d + 1)))
            rows = np.concatenate([rows, 0.3 * generator.standard_normal((2, d))])
        case 3:
            rows = k_sign(d, int(generator.integers(1, d + 1)))
            rows = rows[generator.random(len(rows)) < 0.8]
        case 4:
            rows = generator.integers(-1, 2, size=(m, d)).astype(float)
        case _:
            rows = on_sphere(generator, m, d)
            rows = np.concatenate([rows, rows[: m // 2], np.eye(d), np.zeros((1, d))])
    rows = rows * 10 ** generator.uniform(-3, 3, size=d)
    return rows if len(rows) and rows.any(axis=0).all() else None
